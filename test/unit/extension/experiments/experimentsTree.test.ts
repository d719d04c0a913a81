/** The rows of experiments and their runs: what they say, and what VS Code is told of them. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ThemeIcon, TreeItem } from 'vscode';
import { ExperimentsTree } from '../../../../extension/experiments/experimentsTree.ts';
import { startTime } from '../../../../extension/runs/runLabels.ts';
import { RunStore } from '../../../../extension/runs/runStore.ts';
import { Sweeps } from '../../../../extension/runs/sweeps.ts';
import { createRun } from '../../../../server/runs/createRun.ts';
import { EventLog } from '../../../../server/runs/log/eventLog.ts';
import type { Run } from '../../../../server/runs/run.ts';
import { lenet } from '../../language/lenet.ts';
import { useInstallation } from '../../installation.ts';
import { metricsAt, temporaryFolder } from '../../runs/temporaryRun.ts';
import { editor, resetEditor, shown, TreeItemCollapsibleState, Uri } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

const MINUTE = 60_000;
const installation = useInstallation();
const log = { debug: () => undefined, info: () => undefined } as never;
const result = { metric: 'accuracy', test: 0.5, byteRatio: 1, weightRatio: 1 };

let experiment: string;
let store: RunStore;
let tree: ExperimentsTree;

beforeEach(async () => {
  resetEditor();
  const folder = await temporaryFolder();
  editor.folders = [folder];
  experiment = join(folder, 'lenet.deeptwist.jsonc');
  writeFileSync(experiment, lenet);
  store = new RunStore(log, {} as never);
  const sweeps = new Sweeps(store, { extensionUri: Uri.file(installation()) as never });
  tree = new ExperimentsTree({ store, sweeps });
  return () => [tree, sweeps, store].forEach((one) => one.dispose());
});

/** @param age in milliseconds */
async function runWith(changes: Parameters<Run['update']>[0], { age = 0, seed = 1 } = {}): Promise<Run> {
  const now = new Date(Date.now() - age);
  const run = await createRun({ experiment, text: lenet, overrides: [`training.seed=${seed}`], now });
  await run.update(changes);
  return run;
}

async function experimentRow(): Promise<TreeItem> {
  const [node] = await tree.getChildren();
  return tree.getTreeItem(node);
}

/** Newest first. */
async function runRows(): Promise<TreeItem[]> {
  const [node] = await tree.getChildren();
  return Promise.all((await tree.getChildren(node)).map((child) => tree.getTreeItem(child)));
}

describe('the row of a run tells its time once', () => {
  test('as its age where the label is what tells it from the others', async () => {
    await runWith({ state: 'finished', result }, { age: 5.5 * MINUTE, seed: 1 });
    await runWith({ state: 'finished', result }, { age: 2.5 * MINUTE, seed: 2 });
    expect((await runRows()).map(({ label, description }) => [label, description])).toEqual([
      ['seed 2', 'accuracy 50.00% · 2 min. ago'],
      ['seed 1', 'accuracy 50.00% · 5 min. ago'],
    ]);
  });

  test('as its day where it is older than one', async () => {
    const age = 50 * 60 * MINUTE;
    const old = await runWith({ state: 'finished', result }, { age, seed: 1 });
    await runWith({ state: 'finished', result }, { seed: 2 });
    const time = startTime(Date.parse(old.record.created), Date.now(), 'en');
    expect((await runRows())[1].description).toBe(`accuracy 50.00% · ${time}`);
  });

  test('as its label where nothing else tells it from the others', async () => {
    const run = await runWith({ state: 'finished', result }, { age: 2.5 * MINUTE });
    const [{ label, description, tooltip }] = await runRows();
    const created = Date.parse(run.record.created);
    expect([label, description]).toEqual([startTime(created, Date.now(), 'en'), 'accuracy 50.00%']);
    expect((tooltip as { value: string }).value).toContain('Started: ');
  });
});

test('a failed run without a checkpoint is not offered to be resumed', async () => {
  const run = await runWith({ state: 'failed', failure: { message: 'It broke.' } });
  expect((await runRows())[0].contextValue).toBe('run.failed.again');
  mkdirSync(run.checkpointsFolder, { recursive: true });
  writeFileSync(join(run.checkpointsFolder, 'step-000000010.json'), '{}');
  await store.refresh(run.path);
  expect((await runRows())[0].contextValue).toBe('run.failed');
});

test.each(['stopped', 'failed'] as const)('a %s run shows its last evaluation', async (state) => {
  const run = await runWith({ state });
  const events = await EventLog.open(run);
  const evaluated = { type: 'evaluation', split: 'test', metric: 'accuracy', loss: 1, moment: 'training' } as const;
  for (const [step, value] of [
    [10, 0.5],
    [20, 0.971],
  ] as const)
    // prettier-ignore
    events.append({ ...evaluated, step, time: step, value });
  events.append(metricsAt(21));
  events.close();
  expect((await runRows())[0].description).toBe(`accuracy 97.10% · ${state}`);
});

test('a finished run whose loss has risen has a warning in the place of a check', async () => {
  await runWith({ state: 'finished', result }, { seed: 1 });
  await runWith({ state: 'finished', result: { ...result, lossRise: { first: 2.3, last: 14.5 } } }, { seed: 2 });
  const rows = await runRows();
  expect(rows.map(({ iconPath }) => (iconPath as ThemeIcon).id)).toEqual(['warning', 'pass-filled']);
  expect(rows.map(({ description }) => String(description).includes('loss has risen'))).toEqual([true, false]);
  expect(rows.map(({ contextValue }) => contextValue)).toEqual(['run.finished', 'run.finished']);
});

test('the row of an experiment opens with its first run, as one that VS Code has not seen closed', async () => {
  const empty = await experimentRow();
  expect(empty.collapsibleState).toBe(TreeItemCollapsibleState.None);
  const run = await createRun({ experiment, text: lenet, state: 'queued' });
  await store.get(run.path);
  const first = await experimentRow();
  expect(first.collapsibleState).toBe(TreeItemCollapsibleState.Expanded);
  expect(first.id).not.toBe(empty.id);
  await run.update({ state: 'finished', result });
  await store.refresh(run.path);
  const later = await experimentRow();
  expect([later.id, later.collapsibleState]).toEqual([first.id, TreeItemCollapsibleState.Collapsed]);
});

test('the welcome text of a workspace without experiments waits until they were looked for', async () => {
  const told = () => shown.splice(0).filter(([kind, name]) => kind === 'command' && name === 'setContext');
  await tree.getChildren();
  expect(told()).toEqual([['command', 'setContext', 'deeptwist.withoutExperiment', false]]);
  rmSync(experiment);
  await store.rescan();
  await tree.getChildren();
  expect(told()).toEqual([['command', 'setContext', 'deeptwist.withoutExperiment', true]]);
});
