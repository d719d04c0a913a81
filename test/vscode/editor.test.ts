/** @file That the suite runs where it should: in a VS Code that has loaded this extension. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { describe, it } from './frame.ts';

describe('the extension in VS Code', () => {
  it('is found by its id and activates', async () => {
    const extension = vscode.extensions.getExtension('deeptwist.deeptwist');
    assert.ok(extension);
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('has a handler for every command that it contributes', async () => {
    const extension = vscode.extensions.getExtension('deeptwist.deeptwist');
    const { contributes } = extension?.packageJSON as { contributes: { commands?: { command: string }[] } };
    const registered = new Set(await vscode.commands.getCommands(true));
    const missing = (contributes.commands ?? []).map(({ command }) => command).filter((id) => !registered.has(id));
    assert.deepEqual(missing, []);
  });
});
