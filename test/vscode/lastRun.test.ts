/** @file An experiment file and its runs in VS Code: values of the last run, changes that a live run takes, reruns, history. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import { writePointsExperiment, writePointsProblem, type PointsOptions } from '../fixtures/points.ts';
import { afterAll, beforeAll, describe, eventually, it } from './frame.ts';
import { codeAction, lensOf } from './requests.ts';
import { activate, ended, eventsOfType, folderOf, startRun, stopAll } from './realRuns.ts';

const folder = () => folderOf('last-run');
let api: DeepTwistApi;

const experiment = (name: string, options?: PointsOptions) =>
  vscode.Uri.file(writePointsExperiment(folder(), name, options));

async function replace(editor: vscode.TextEditor, from: string, to: string): Promise<void> {
  const { document } = editor;
  const at = document.getText().indexOf(from);
  const range = new vscode.Range(document.positionAt(at), document.positionAt(at + from.length));
  assert.ok(await editor.edit((edit) => edit.replace(range, to)));
}

/** What is shown behind the lines of a document, when it is so. */
async function shown(document: vscode.TextDocument, isIt: (texts: string[], live: boolean) => boolean) {
  const values = await api.lastRun.values;
  return eventually(`the values of the last run: ${isIt}`, () => {
    const comparison = values.of(document);
    return (
      comparison &&
      isIt(
        comparison.lines.map(({ text }) => text),
        comparison.live,
      ) &&
      comparison
    );
  });
}

describe('an experiment file and its runs', () => {
  beforeAll(async () => {
    api = await activate();
    writePointsProblem(folder());
  });

  afterAll(async () => {
    await stopAll(api);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('show what the last run had where they differ, as one types', async () => {
    const file = experiment('ghost');
    const run = await startRun(file);
    await ended(run);
    const editor = await vscode.window.showTextDocument(file);
    const { document } = editor;
    await shown(document, (texts, live) => texts.length === 0 && !live);
    await replace(editor, '"rate": 0.5', '"rate": 0.75');
    const { lines, run: last } = await shown(document, (texts) => texts.length === 1);
    assert.equal(last.key, run.key);
    assert.equal(lines[0].text, '0.5');
    assert.match(document.lineAt(lines[0].line).text, /"rate": 0.75/);
    assert.deepEqual(lines[0].applied, []);
    await replace(editor, '"rate": 0.75', '"rate": 0.');
    await eventually('the mark of a number that is half typed', () => vscode.languages.getDiagnostics(file).length > 0);
    assert.deepEqual((await api.lastRun.values).of(document)?.lines, lines);
    await replace(editor, '"rate": 0.', '"rate": 0.5');
    await shown(document, (texts) => texts.length === 0);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });

  it('apply a change from the next distortion of the run that trains, which records it', async () => {
    // A try before this one may have left its text unsaved, and an experiment that cannot be saved is not run.
    await vscode.commands.executeCommand('workbench.action.files.revert');
    const file = experiment('live', { steps: 2_000_000 });
    writeFileSync(file.fsPath, readFileSync(file.fsPath, 'utf8').replace('"to": 1000000', '"to": 1'));
    const run = await startRun(file);
    const editor = await vscode.window.showTextDocument(file);
    const { document } = editor;
    await shown(document, (texts, live) => texts.length === 0 && live);
    await replace(editor, '"rate": 0.5', '"rate": 0.75');
    const { lines } = await shown(document, (texts, live) => texts.join() === '0.5' && live);
    const { line } = lines[0];
    const lens = await lensOf(file, /Apply From Next Distortion \(1 value\)/);
    assert.equal(lens.command?.command, 'deeptwist.applyFromNextDistortion');
    await lensOf(file, /^running: step [\d,]+$/);
    assert.equal(lens.range.start.line, 0);
    const action = await codeAction(file, document.lineAt(line).range, 'Apply From Next Distortion');
    assert.ok(action.command);
    const step = await vscode.commands.executeCommand<number>(action.command.command, ...action.command.arguments!);
    assert.equal(step % 10, 0);
    await shown(document, (texts, live) => texts.length === 0 && live);
    await eventually('the file to be saved', () => !document.isDirty);
    // About a hundredth of the distortions is recorded: the next one is asked for.
    await eventually('the step', () => (run.liveState?.step ?? 0) > step);
    await vscode.commands.executeCommand('deeptwist.observeNow', run.key);
    const [changed] = eventsOfType(run, 'changed');
    assert.equal(changed.step, step);
    assert.deepEqual(changed.settings, [{ path: 'compression.layers.hidden.rate', from: 0.5, to: 0.75 }]);
    const [observation] = await eventually('the observation in the log', () => {
      const events = eventsOfType(run, 'observation');
      return events.length > 0 && events;
    });
    assert.equal(observation.weights[0].setting.rate, 0.75);
    for (const { step: at, weights } of eventsOfType(run, 'distortion'))
      assert.equal(weights[0].setting.rate, at < step ? 0.5 : 0.75);
    assert.deepEqual(run.summary.overrides, ['compression.layers.hidden.rate=0.75']);

    // What a run keeps is offered as a rerun.
    await replace(editor, '"batchSize": 20', '"batchSize": 25');
    const kept = await shown(document, (texts) => texts.join() === '20');
    assert.deepEqual(kept.lines[0].applied, []);
    await codeAction(file, document.lineAt(kept.lines[0].line).range, 'Rerun With This Value');
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await vscode.commands.executeCommand('deeptwist.stop', run.key);
    await eventually('the stop', () => run.summary.state === 'stopped');
  });

  it('apply to a run of a search what is written alone, and no value that the file leaves open', async () => {
    const file = experiment('open', { steps: 2_000_000 });
    const text = readFileSync(file.fsPath, 'utf8').replace('"rate": 0.5', '');
    writeFileSync(file.fsPath, text.replace('"training": {', '"target": { "maxDrop": 0.1 },\n  "training": {'));
    const overrides = ['target=null', 'compression.layers.hidden.rate=0.75'];
    const run = await api.launcher.start({ file: file.fsPath, overrides });
    const editor = await vscode.window.showTextDocument(file);
    const { document } = editor;
    const { lines } = await shown(document, (texts, live) => texts.join() === 'rate 0.75' && live);
    assert.deepEqual(lines[0].applied, []);
    await codeAction(file, document.lineAt(lines[0].line).range, 'Rerun With This Value');
    assert.equal(await vscode.commands.executeCommand('deeptwist.applyFromNextDistortion', file.toString()), undefined);
    await replace(editor, '"learningRate": 0.01', '"learningRate": 0.02');
    await shown(document, (texts) => texts.join() === '0.01,rate 0.75');
    const lens = await lensOf(file, /Apply From Next Distortion \(1 value\)/);
    const { command, arguments: ofFile = [] } = lens.command!;
    const step = await vscode.commands.executeCommand<number>(command, ...ofFile);
    await eventually('the step', () => (run.liveState?.step ?? 0) > step);
    const [changed] = eventsOfType(run, 'changed');
    assert.deepEqual(changed.settings, [{ path: 'training.optimizer.learningRate', from: 0.01, to: 0.02 }]);
    await vscode.commands.executeCommand('deeptwist.stop', run.key);
    await eventually('the stop', () => run.summary.state === 'stopped');
  });

  it('keep what was run while the file changes, and rerun the newest run', async () => {
    const file = experiment('kept');
    const run = await startRun(file);
    const text = readFileSync(file.fsPath, 'utf8');
    writeFileSync(file.fsPath, text.replace('"rate": 0.5', '"rate": 0.9'));
    await ended(run);
    assert.equal(await run.run.experimentText(), text);
    const again = await startRun(file, 'deeptwist.rerun');
    await ended(again);
    assert.notEqual(again.key, run.key);
    assert.equal(await again.run.experimentText(), text);
    assert.equal(again.summary.result?.test, run.summary.result?.test);
    assert.deepEqual(again.summary.overrides, []);
  });

  it('open what a run was made from beside what is there now', async () => {
    const file = experiment('diffed');
    const run = await startRun(file);
    await ended(run);
    writeFileSync(file.fsPath, readFileSync(file.fsPath, 'utf8').replace('"rate": 0.5', '"rate": 0.9'));
    await vscode.commands.executeCommand('deeptwist.openConfigOfRun', run.key);
    const input = await eventually('the diff', () => {
      const { input } = vscode.window.tabGroups.activeTabGroup.activeTab ?? {};
      return input instanceof vscode.TabInputTextDiff && input;
    });
    assert.equal(input.original.fsPath, run.run.experimentFile);
    assert.equal(input.modified.fsPath, file.fsPath);

    const model = join(folder(), 'model.ts');
    const before = readFileSync(model, 'utf8');
    writeFileSync(model, before.replace('units: 16', 'units: 32'));
    try {
      await vscode.commands.executeCommand('deeptwist.openConfigOfRun', run.key);
      const tab = await eventually('the changes', () => {
        const { activeTab } = vscode.window.tabGroups.activeTabGroup;
        return activeTab && !(activeTab.input instanceof vscode.TabInputTextDiff) && activeTab;
      });
      assert.match(tab.label, /^diffed, .* ↔ now/);
      assert.equal(readFileSync(join(run.run.sourceFolder, 'model.ts'), 'utf8'), before);
    } finally {
      writeFileSync(model, before);
    }
  });

  it('list the runs of the file, and compare them', async () => {
    const file = experiment('listed');
    const first = await startRun(file);
    await ended(first);
    const second = await api.launcher.start({ file: file.fsPath, overrides: ['training.seed=7'] });
    await ended(second);
    const shownRuns: string[][] = [];
    const { dashboards } = api;
    dashboards.open = (runs, at) => {
      shownRuns.push([...(runs ?? []), ...(at?.tab ? [at.tab] : [])]);
      return Promise.resolve();
    };
    try {
      const listed = vscode.commands.executeCommand('deeptwist.showRunsOfFile', file.toString());
      // The list takes what is asked of it only once it is there.
      const accepting = setInterval(
        () => void vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem'),
        200,
      );
      await Promise.resolve(listed).finally(() => clearInterval(accepting));
      await vscode.commands.executeCommand('deeptwist.compareWithLast', file.toString());
    } finally {
      Reflect.deleteProperty(dashboards, 'open');
    }
    assert.deepEqual(shownRuns[0], [second.key]);
    assert.deepEqual(shownRuns[1], [second.key, first.key, 'compare']);
  });
});
