/** @file What the language server offers, as VS Code asks for it: completion, hovers, hints, lenses that run, rename. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { writePointsExperiment, writePointsProblem } from '../fixtures/points.ts';
import { afterAll, beforeAll, describe, eventually, it, removed } from './frame.ts';
import { folderOf } from './realRuns.ts';

const folder = () => folderOf('features');

describe('beside an experiment file, VS Code shows', () => {
  let document: vscode.TextDocument;
  const at = (mark: string) => document.positionAt(document.getText().indexOf(mark) + 1);
  const ask = <R>(command: string, ...rest: unknown[]) =>
    vscode.commands.executeCommand<R>(`vscode.${command}`, document.uri, ...rest);
  const everything = () => new vscode.Range(0, 0, document.lineCount, 0);

  beforeAll(async () => {
    mkdirSync(folder(), { recursive: true });
    writePointsProblem(folder());
    document = await vscode.workspace.openTextDocument(writePointsExperiment(folder(), 'shown'));
    await vscode.window.showTextDocument(document);
  });

  afterAll(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await removed(folder());
  });

  it('what values leave of the model, once it has been described', async () => {
    const hints = await eventually('hints', async () => {
      const found = await ask<vscode.InlayHint[]>('executeInlayHintProvider', everything());
      return found?.length > 0 ? found : undefined;
    });
    assert.match(JSON.stringify(hints.map(({ label }) => label)), / kept/);
  });

  it('the layers of the model in completion', async () => {
    const list = await ask<vscode.CompletionList>('executeCompletionItemProvider', at('"hidden":'));
    const labels = list.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    assert.ok(labels.includes('out'), labels.join());
  });

  it('the meaning of a setting under the pointer', async () => {
    const hovers = await ask<vscode.Hover[]>('executeHoverProvider', at('"distortEvery"'));
    const text = hovers.flatMap(({ contents }) => contents.map((content) => (content as vscode.MarkdownString).value));
    assert.match(text.join('\n'), /S_D/);
  });

  it('a lens that runs it', async () => {
    const lenses = await ask<vscode.CodeLens[]>('executeCodeLensProvider');
    const run = lenses.find(({ command }) => command?.title.endsWith('Run'));
    assert.ok(run?.command, lenses.map(({ command }) => command?.title).join());
    await vscode.commands.executeCommand(run.command.command, ...(run.command.arguments ?? []));
    await eventually('the last result over the file', async () => {
      const after = await ask<vscode.CodeLens[]>('executeCodeLensProvider');
      return after.find(({ command }) => command?.title.startsWith('last: '));
    });
  });

  it('another name for a layer in the file and in the code of the model', async () => {
    const edit = await ask<vscode.WorkspaceEdit>(
      'executeDocumentRenameProvider',
      at('"hidden":').translate(0, 2),
      'first',
    );
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.match(document.getText(), /"first":/);
    const model = await vscode.workspace.openTextDocument(join(folder(), 'model.ts'));
    assert.match(model.getText(), /name: 'first'/);
  });
});
