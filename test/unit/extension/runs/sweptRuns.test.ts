/** Runs of sweeps are runs of their experiment, for the lenses of its file and for the commands behind these. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { chooseRuns } from '../../../../extension/commands/commandTargets.ts';
import { FileCommands } from '../../../../extension/commands/fileCommands.ts';
import { experimentFileOf } from '../../../../extension/runs/experimentFiles.ts';
import { RunStore } from '../../../../extension/runs/runStore.ts';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { ExperimentDocument } from '../../../../server/language/experimentDocument.ts';
import { codeLenses } from '../../../../server/language/features/codeLenses.ts';
import { SurroundingsFinder } from '../../../../server/language/surroundings.ts';
import { createRun } from '../../../../server/runs/createRun.ts';
import { identify } from '../../../../server/runs/liveProcess.ts';
import { lenet } from '../../language/lenet.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { editor, resetEditor, Uri } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

const SWEEP = '20261130-080000-lenet';
const log = { debug: () => undefined, info: () => undefined } as never;

let file: string;
let store: RunStore;

beforeEach(async () => {
  resetEditor();
  const folder = await temporaryFolder();
  file = join(folder, 'lenet.deeptwist.jsonc');
  writeFileSync(file, lenet);
  mkdirSync(join(folder, '.deeptwist', 'sweeps', SWEEP), { recursive: true });
  editor.folders = [folder];
  store = new RunStore(log, {} as never);
  return () => store.dispose();
});

/** @param minutes after the sweep began */
async function sweptRun(line: number, minutes: number): Promise<string> {
  const now = new Date(2026, 10, 30, 8, minutes);
  const run = await createRun({ experiment: file, text: lenet, id: `${SWEEP}.${line}`, sweep: SWEEP, now });
  await run.update({ state: 'finished' });
  return run.path;
}

const keysOf = (runs: readonly { readonly key: string }[]) => runs.map(({ key }) => key);

test('the lenses count them, and the commands behind these find them', async () => {
  const [first, second] = [await sweptRun(1, 0), await sweptRun(2, 1)];
  const uri = new Uri(file).toString();
  const document = new ExperimentDocument(TextDocument.create(uri, 'deeptwist', 1, lenet));
  const lenses = await codeLenses(document, await new SurroundingsFinder({ textOf: () => undefined }).around(document));
  expect(lenses.map(({ command }) => command?.title)).toContain('Compare (2)');
  const opened: unknown[] = [];
  const dashboards = { open: (keys: unknown) => Promise.resolve(opened.push(keys)) } as never;
  await new FileCommands({ store } as never, dashboards).compareWithLast(uri);
  expect(opened).toEqual([[second, first]]);
  expect(keysOf(await chooseRuns({ store } as never, uri, undefined))).toEqual([second]);
});

test('the tree has them under their sweep, and in the place of a sweep that is gone', async () => {
  const run = await sweptRun(1, 0);
  const experiment = experimentFileOf(Uri.file(file) as never);
  expect(await store.ownRunsOf(experiment)).toEqual([]);
  expect(keysOf(await store.runsOf(experiment))).toEqual([run]);
  const left = await createRun({ experiment: file, text: lenet, id: '20261129-080000-lenet.1', sweep: 'gone' });
  expect(keysOf(await store.ownRunsOf(experiment))).toEqual([left.path]);
});

test('the newest is the one that began last, whenever its sweep began', async () => {
  const [first, last] = [await sweptRun(1, 0), await sweptRun(2, 20)];
  const between = await createRun({ experiment: file, text: lenet, now: new Date(2026, 10, 30, 8, 10) });
  const experiment = experimentFileOf(Uri.file(file) as never);
  expect(keysOf(await store.runsOf(experiment))).toEqual([last, between.path, first]);
  expect(keysOf(await store.runsOf(experiment, 1))).toEqual([last]);
});

test('a run that trains can be stopped, however many runs a sweep has begun since', async () => {
  const run = await createRun({ experiment: file, text: lenet, now: new Date(2026, 10, 29) });
  await run.update({ process: identify(process.pid) });
  await store.get(run.path);
  for (let line = 1; line <= 101; line++) await sweptRun(line, 0);
  const chosen = await chooseRuns({ store } as never, undefined, undefined, { where: ({ isActive }) => isActive });
  expect(keysOf(chosen)).toEqual([run.path]);
});
