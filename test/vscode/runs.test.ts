/** @file Runs in VS Code: started, watched, stopped, killed and resumed, deleted; their processes are real. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { StoredRun } from '../../extension/runs/storedRun.ts';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import { writePointsExperiment, writePointsProblem, type PointsOptions } from '../fixtures/points.ts';
import { changeRunLabel } from '../../server/runs/runLabel.ts';
import { afterAll, beforeAll, describe, eventually, it } from './frame.ts';
import { shortest } from '../until.ts';
import { activate, ended, eventsOf, eventsOfType, folderOf, startRun, stopAll } from './realRuns.ts';

const folder = () => folderOf('runs');
let api: DeepTwistApi;

const experiment = (name: string, options?: PointsOptions) =>
  vscode.Uri.file(writePointsExperiment(folder(), name, options));

/** Waits until so many steps are done. */
const reached = (run: StoredRun, step: number) =>
  eventually(`step ${step} of ${run.key}`, () => (run.liveState?.step ?? 0) >= step);

/** The bytes of the tensors alone: the file's header names the run. */
function weightsOf(run: StoredRun): string {
  const file = readFileSync(join(run.run.modelFolder, 'weights.safetensors'));
  const tensors = file.subarray(8 + Number(file.readBigUInt64LE(0)));
  return createHash('sha256').update(tensors).digest('hex');
}

describe('runs', () => {
  beforeAll(async () => {
    api = await activate();
    writePointsProblem(folder());
  });

  afterAll(async () => {
    await stopAll(api);
  });

  it('finish, and are listed below their experiment with metric and ratio', async () => {
    const file = experiment('finishes');
    const run = await startRun(file);
    await ended(run, 'finished');
    const { result } = run.summary;
    assert.equal(result?.metric, 'accuracy');
    assert.ok(result.test !== null && result.test > 0.7, `accuracy ${result.test}`);
    assert.equal(eventsOf(run).at(-1)?.type, 'finished');
    const listed = await eventually('the experiment in the store', async () =>
      (await api.store.experiments()).find((found) => found.file === file.fsPath),
    );
    assert.deepEqual(
      (await api.store.runsOf(listed)).map(({ key }) => key),
      [run.key],
    );
  });

  it('pause, continue and stop when told, and resume', async () => {
    const run = await startRun(experiment('controlled', { steps: 200_000 }));
    await reached(run, 50);
    await vscode.commands.executeCommand('deeptwist.pause', run.key);
    await eventually('the pause', () => run.liveState?.phase === 'paused');
    const observed = eventsOfType(run, 'observation').length;
    await vscode.commands.executeCommand('deeptwist.observeNow', run.key);
    const { step: paused } = await eventually('the observation', () => eventsOfType(run, 'observation')[observed]);
    await vscode.commands.executeCommand('deeptwist.checkpointNow', run.key);
    await eventually('the state at that step', () => run.liveState?.step === paused);
    await vscode.commands.executeCommand('deeptwist.continue', run.key);
    await reached(run, paused + 50);
    await vscode.commands.executeCommand('deeptwist.stop', run.key);
    await ended(run, 'stopped');
    assert.equal(eventsOf(run).at(-1)?.type, 'stopped');
    await vscode.commands.executeCommand('deeptwist.resume', run.key);
    await eventually('the run to go on', () => run.liveState?.phase === 'training');
    await vscode.commands.executeCommand('deeptwist.stop', run.key);
    await ended(run, 'stopped');
  });

  it('are seen as interrupted within a second when their process is killed, and resumed end with the same weights', async () => {
    const steps = 6000;
    const whole = await startRun(experiment('whole', { steps }));
    await ended(whole, 'finished');

    const run = await startRun(experiment('killed', { steps }));
    await reached(run, 1000);
    const noticed = await shortest(1000, async () => {
      const ends: string[] = [];
      const listener = api.store.onDidEnd(({ run: { key }, state }) => key === run.key && ends.push(state));
      const { process: trainer } = run.run.record;
      const killed = performance.now();
      process.kill(trainer!.pid, 'SIGKILL');
      await eventually('the end to be noticed', () => ends.length > 0);
      const took = performance.now() - killed;
      listener.dispose();
      assert.deepEqual(ends, ['interrupted']);
      assert.equal(run.summary.state, 'interrupted');
      await vscode.commands.executeCommand('deeptwist.resume', run.key);
      await eventually('the run to go on', () => run.run.record.process?.pid !== trainer?.pid && run.liveState);
      return took;
    });
    assert.ok(noticed < 1000, `noticed after ${noticed} ms`);
    await ended(run, 'finished');
    assert.equal(weightsOf(run), weightsOf(whole));
  });

  it('fail with what the model module threw', async () => {
    const run = await startRun(experiment('throws', { model: 'throws.ts' }));
    await ended(run, 'failed');
    assert.match(run.summary.failure?.message ?? '', /no such layer/);
  });

  it('can be ended while the model module loops for ever', async () => {
    const run = await startRun(experiment('loops', { model: 'loops.ts' }));
    await eventually('the process', () => run.run.record.process !== undefined);
    const { killRun } = await import('../../server/sidecarClient/endRun.ts');
    await killRun(run.run);
    await eventually('the interruption', () => run.summary.state === 'interrupted');
  });

  it('do not start from an experiment with a mistake, which is marked in the file', async () => {
    const file = experiment('mistaken');
    writeFileSync(file.fsPath, readFileSync(file.fsPath, 'utf8').replace('"rate": 0.5', '"rate": 5'));
    const run = await vscode.commands.executeCommand<StoredRun | undefined>('deeptwist.runExperiment', file);
    assert.equal(run, undefined);
    const problem = await eventually('the mark', () => vscode.languages.getDiagnostics(file)[0]);
    assert.equal(vscode.languages.getDiagnostics(file).length, 1);
    assert.match(problem.message, /hidden\.rate/);
    assert.match((await vscode.workspace.openTextDocument(file)).lineAt(problem.range.start.line).text, /"rate": 5/);
  });

  it('are not started of an experiment that is no file yet, nor of another one in its place', async () => {
    const file = experiment('beside');
    const content = readFileSync(file.fsPath, 'utf8');
    const lensesOf = (uri: vscode.Uri) =>
      vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri);
    const document = await vscode.workspace.openTextDocument({ language: 'deeptwist', content });
    await vscode.window.showTextDocument(document);
    // The server has seen the document when it has lenses for one that was opened later.
    await vscode.workspace.openTextDocument(file);
    await eventually('the lenses of a file', async () => (await lensesOf(file)).length > 0);
    assert.deepEqual(await lensesOf(document.uri), []);
    const before = [...api.store.active];
    for (const argument of [undefined, document.uri, document.uri.toString()])
      assert.equal(await vscode.commands.executeCommand('deeptwist.runExperiment', argument), undefined);
    assert.deepEqual([...api.store.active], before);
    assert.equal(document.getText(), content);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('are of the file as it is on the disk, right after another program has changed it', async () => {
    const file = experiment('changed');
    await vscode.window.showTextDocument(file);
    writeFileSync(file.fsPath, readFileSync(file.fsPath, 'utf8').replace('"rate": 0.5', '"rate": 0.75'));
    const run = await startRun(file);
    assert.match(readFileSync(run.run.experimentFile, 'utf8'), /"rate": 0.75/);
    await ended(run);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('wait for one another', async () => {
    const first = await startRun(experiment('first', { steps: 200_000 }));
    await reached(first, 10);
    const second = await startRun(experiment('second'));
    await eventually('the second to wait', () => second.liveState?.phase === 'queued');
    assert.deepEqual(api.dashboards.shown, [first.key], 'a run that waits has taken the dashboard');
    await vscode.commands.executeCommand('deeptwist.stop', first.key);
    await ended(first, 'stopped');
    await ended(second, 'finished');
  });

  it('are run again with their own text and changed values', async () => {
    const file = experiment('again');
    const run = await api.launcher.start({ file: file.fsPath, overrides: ['training.seed=7'] });
    await ended(run, 'finished');
    writeFileSync(file.fsPath, '{}');
    const again = await vscode.commands.executeCommand<StoredRun>('deeptwist.rerun', run.key);
    await ended(again, 'finished');
    assert.deepEqual(again.summary.overrides, ['training.seed=7']);
    assert.equal(weightsOf(again), weightsOf(run));
  });

  it('are told apart by the settings in which they differ, or by the name that they are given; a pinned one is the first', async () => {
    const file = experiment('named').fsPath;
    const start = (seed: number) => api.launcher.start({ file, overrides: [`training.seed=${seed}`] });
    const [one, two] = [await start(1), await start(2)];
    for (const run of [one, two]) await ended(run, 'finished');
    const rows = async () => {
      const parent = (await api.tree.getChildren()).find(
        (node) => node.kind === 'experiment' && node.experiment.file === file,
      );
      return Promise.all((await api.tree.getChildren(parent)).map((node) => api.tree.getTreeItem(node)));
    };
    const labels = async () => (await rows()).map(({ label }) => label);
    assert.deepEqual(await labels(), ['seed 2', 'seed 1']);
    await changeRunLabel(one.key, { name: 'the good one', note: 'as in the paper' });
    await vscode.commands.executeCommand('deeptwist.pinRun', one.key);
    await eventually('the name', async () => (await labels())[0] === 'the good one');
    const [{ contextValue, description }] = await rows();
    assert.match(contextValue ?? '', /\.pinned$/);
    assert.match(String(description), /^pinned · accuracy .*% · .*x smaller · as in the paper · seed 1/);
    await vscode.commands.executeCommand('deeptwist.unpinRun', one.key);
    assert.deepEqual(await labels(), ['seed 2', 'the good one']);
  });

  it('are not offered to be resumed where their training has diverged: it would diverge again', async () => {
    const file = experiment('diverges').fsPath;
    const run = await api.launcher.start({ file, overrides: ['training.optimizer.learningRate=1e30'] });
    await ended(run, 'failed');
    const node = await api.tree.nodeOf(run);
    assert.ok(node);
    assert.equal((await api.tree.getTreeItem(node)).contextValue, 'run.failed.again');
  });

  it('are forgotten when their folder is deleted', async () => {
    const run = await startRun(experiment('deleted'));
    await ended(run, 'finished');
    const { deleteRun } = await import('../../server/runs/deleteRun.ts');
    await deleteRun(run.run);
    assert.equal(existsSync(run.key), false);
    await eventually('the store to forget the run', () => api.store.peek(run.key) === undefined);
  });
});
