/** @file The tools of the extension for agents, in the registry of VS Code: found and invoked as an agent of the editor does. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import { writePointsExperiment, writePointsProblem } from '../fixtures/points.ts';
import { afterAll, beforeAll, describe, eventually, it, removed } from './frame.ts';
import { activate, ended, eventsOfType, folderOf, startRun, stopAll } from './realRuns.ts';

const folder = () => folderOf('agents');
const names = ['deeptwist_experimentProblems', 'deeptwist_openDashboard', 'deeptwist_applyFromNextDistortion'];
/** What VS Code puts before the names of the server's tools. */
const SERVER_PREFIX = 'mcp_deeptwist_';
let api: DeepTwistApi;

/** What a tool answers. */
async function invoke(name: string, input: object): Promise<Record<string, unknown>> {
  const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
  const [part] = content;
  assert.ok(part instanceof vscode.LanguageModelTextPart, `${name} answers a text`);
  return JSON.parse(part.value) as Record<string, unknown>;
}

describe('agents of the editor', () => {
  let file: vscode.Uri;

  beforeAll(async () => {
    api = await activate();
    writePointsProblem(folder());
    file = vscode.Uri.file(writePointsExperiment(folder(), 'asked', { steps: 200_000 }));
  });

  afterAll(async () => {
    await stopAll(api);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await removed(folder());
  });

  it('find the tools in the registry, with their inputs', () => {
    const own = vscode.lm.tools.filter(({ tags }) => tags.includes('deeptwist'));
    assert.deepEqual(own.map(({ name }) => name).sort(), [...names].sort());
    for (const { name, description, inputSchema } of own) {
      assert.ok(description.length > 50, name);
      assert.deepEqual(Object.keys((inputSchema as { properties: object }).properties).length > 0, true, name);
    }
  });

  it('are told the problems of the open experiment, also before it is saved', async () => {
    const document = await vscode.workspace.openTextDocument(file);
    const editor = await vscode.window.showTextDocument(document);
    assert.deepEqual((await invoke('deeptwist_experimentProblems', {})).problems, []);
    const place = document.positionAt(document.getText().indexOf('"steps"') + 1);
    await editor.edit((edit) => edit.replace(new vscode.Range(place, place.translate(0, 5)), 'stepz'));
    const told = await eventually('the problem', async () => {
      const answer = await invoke('deeptwist_experimentProblems', { file: 'agents-test/asked.deeptwist.jsonc' });
      return (answer.problems as { code: string; line: number; severity: string }[]).length > 0 && answer;
    });
    const [problem] = told.problems as { code: string; line: number; column: number; severity: string }[];
    assert.equal(told.isSaved, false);
    assert.deepEqual([problem.code, problem.line, problem.severity], ['unknown-setting', place.line + 1, 'error']);
    await vscode.commands.executeCommand('undo');
    await eventually('the text as it was', () => !document.getText().includes('stepz'));
    assert.ok(await document.save());
    await eventually('no problem', async () => ((await invoke('deeptwist_experimentProblems', {})).problems as []).length === 0); // prettier-ignore
  });

  it('are refused a file that is no experiment of the workspace, with what to do', async () => {
    await assert.rejects(invoke('deeptwist_experimentProblems', { file: '../../etc/passwd' }), /no experiment file of the workspace.*Give "file"/); // prettier-ignore
    await assert.rejects(invoke('deeptwist_applyFromNextDistortion', { file: 'agents-test/asked.deeptwist.jsonc' }), /No run of .* is training/); // prettier-ignore
    await assert.rejects(invoke('deeptwist_openDashboard', { run: 'no-such-run' }), /There is no run 'no-such-run'/);
  });

  it('open the dashboard at a weight, and change a run that trains', async () => {
    const run = await startRun(file);
    await eventually('the first steps', () => (run.liveState?.step ?? 0) > 50);
    assert.deepEqual(await invoke('deeptwist_openDashboard', { run: run.run.id, weight: 'hidden/kernel' }), {
      run: run.run.id,
      weight: 'hidden/kernel',
    });
    await assert.rejects(invoke('deeptwist_applyFromNextDistortion', {}), /has the values of the file already/);
    const document = await vscode.workspace.openTextDocument(file);
    const editor = await vscode.window.showTextDocument(document);
    const text = document.getText();
    const rate = /"rate": ([\d.]+)/.exec(text);
    assert.ok(rate, text);
    const start = rate.index + '"rate": '.length;
    const range = new vscode.Range(document.positionAt(start), document.positionAt(start + rate[1].length));
    await editor.edit((edit) => edit.replace(range, '0.25'));
    const answer = await invoke('deeptwist_applyFromNextDistortion', {});
    assert.equal(answer.run, run.run.id);
    assert.deepEqual(answer.changes, [`compression.layers.hidden.rate ${rate[1]} -> 0.25`]);
    await eventually('the change in the log', () => eventsOfType(run, 'changed').length === 1);
    await vscode.commands.executeCommand('deeptwist.stop', run.key);
    await ended(run, 'stopped');
  });

  it('have the tools of the server, which the editor starts, where it knows servers of extensions', async () => {
    const [, minor] = vscode.version.split('.').map(Number);
    // 1.101 is the first that does; an older one would refuse the registration, and with it the extension.
    if (minor < 101) return;
    const ofServer = () => vscode.lm.tools.map(({ name }) => name).filter((name) => name.startsWith(SERVER_PREFIX));
    assert.deepEqual(ofServer(), []);
    await vscode.commands.executeCommand('workbench.mcp.startServer', '*', { waitForLiveTools: true });
    await eventually('the tools of the server', () => ofServer().length >= 15);
  });
});
