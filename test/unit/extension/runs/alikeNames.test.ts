/** Experiments in one folder whose names differ by a number, as New Experiment makes them. */
import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { chooseSweep } from '../../../../extension/commands/commandTargets.ts';
import { ExperimentsTree } from '../../../../extension/experiments/experimentsTree.ts';
import { findExperimentFiles } from '../../../../extension/runs/experimentFiles.ts';
import { ownerByName } from '../../../../extension/runs/runIds.ts';
import { RunStore } from '../../../../extension/runs/runStore.ts';
import { Sweeps } from '../../../../extension/runs/sweeps.ts';
import { createRun } from '../../../../server/runs/createRun.ts';
import { createSweep } from '../../../../server/sweeps/sweepFolder.ts';
import { lenet } from '../../language/lenet.ts';
import { useInstallation } from '../../installation.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { editor, resetEditor, Uri } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

const installation = useInstallation();
const log = { debug: () => undefined, info: () => undefined } as never;
let folder: string;

beforeEach(async () => {
  resetEditor();
  folder = await temporaryFolder();
  editor.folders = [folder];
});

const fileOf = (name: string) => join(folder, `${name}.deeptwist.jsonc`);

async function finishedRun(name: string, now: Date): Promise<string> {
  const run = await createRun({ experiment: fileOf(name), text: lenet, now });
  await run.update({ state: 'finished' });
  return run.id;
}

/** The rows of the tree, each with the ids below it. */
async function shownTree(): Promise<Record<string, { counts: unknown; below: string[] }>> {
  const store = new RunStore(log, {} as never);
  const sweeps = new Sweeps(store, { extensionUri: Uri.file(installation()) as never });
  const tree = new ExperimentsTree({ store, sweeps });
  try {
    const rows: Record<string, { counts: unknown; below: string[] }> = {};
    for (const node of await tree.getChildren()) {
      const { label, description } = await tree.getTreeItem(node);
      const below = (await tree.getChildren(node)).map((child) =>
        child.kind === 'run' ? child.stored.run.id : child.kind === 'sweep' ? basename(child.path) : child.kind,
      );
      rows[String(label)] = { counts: description, below };
    }
    return rows;
  } finally {
    for (const one of [tree, sweeps, store]) one.dispose();
  }
}

test('each has its own runs and sweeps, also of two that began in the same second', async () => {
  for (const name of ['net', 'net-2']) writeFileSync(fileOf(name), lenet);
  const [first, second] = [new Date(2026, 10, 30, 8, 0, 0), new Date(2026, 10, 30, 8, 0, 1)];
  const runs = [await finishedRun('net-2', second), await finishedRun('net', first), await finishedRun('net', first)];
  expect(runs.map((id) => id.slice(16))).toEqual(['net-2', 'net', 'net-2']);
  const combinations = [['training.seed=1'], ['training.seed=2']];
  const { id, path } = await createSweep({ experiment: fileOf('net-2'), text: lenet, overrides: [], combinations });
  expect(await shownTree()).toEqual({
    net: { counts: '2 runs', below: [runs[2], runs[1]] },
    'net-2': { counts: '1 run · 1 sweep', below: [id, runs[0]] },
  });
  const store = new RunStore(log, {} as never);
  const sweeps = new Sweeps(store, { extensionUri: Uri.file(installation()) as never });
  const choose = (name: string) => chooseSweep({ store, sweeps } as never, fileOf(name));
  expect([await choose('net'), await choose('net-2')]).toEqual([undefined, path]);
  for (const one of [sweeps, store]) one.dispose();
});

test('the runs of one whose file is gone stay, beside the other one', async () => {
  for (const name of ['net', 'net-2']) writeFileSync(fileOf(name), lenet);
  const id = await finishedRun('net-2', new Date());
  rmSync(fileOf('net-2'));
  expect((await findExperimentFiles()).map(({ name, missing }) => [name, missing])).toEqual([
    ['net-2', true],
    ['net', undefined],
  ]);
  expect(await shownTree()).toEqual({
    net: { counts: '', below: [] },
    'net-2': { counts: 'the file is gone', below: [id] },
  });
});

test('names tell the owner, unless the number may count the runs of a second', () => {
  const experiments = ['net', 'net-2'].map((name) => ({ name }));
  const ownerOf = (name: string, ...others: string[]) =>
    ownerByName(`20261130-080000-${name}`, experiments, new Set(others.map((other) => `20261130-080000-${other}`)))
      ?.name;
  expect(ownerOf('net', 'net-2')).toBe('net');
  expect(ownerOf('net-2')).toBe('net-2');
  expect(ownerOf('net-2.07', 'net-2.08')).toBe('net-2');
  expect(ownerOf('net-2', 'net')).toBeUndefined();
  expect(ownerOf('net-2.07', 'net.07')).toBeUndefined();
  expect(ownerOf('net-3', 'net')).toBe('net');
  expect(ownerOf('net-3')).toBeUndefined();
});
