import { utimesSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test as base } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { ExperimentDocument } from '../../../server/language/experimentDocument.ts';
import { KnownRuns } from '../../../server/language/knownRuns.ts';
import { SurroundingsFinder } from '../../../server/language/surroundings.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { identify } from '../../../server/runs/liveProcess.ts';
import { RUN_FILE, type Run } from '../../../server/runs/run.ts';
import { lenet } from './lenet.ts';

const test = base.extend<{ run: Run }>({
  run: async ({ task: _ }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'deeptwist-runs-'));
    const run = await createRun({ experiment: join(folder, 'lenet.deeptwist.jsonc'), text: lenet });
    await run.update({ state: 'running', process: identify(process.pid) });
    await use(run);
    await rm(folder, { recursive: true });
  },
});

test('a run that has ended since it was read is known to have, without a watcher that tells', async ({ run }) => {
  const known = new KnownRuns();
  const states = async () => (await known.around(run.record.experiment)).map(({ state }) => state);
  expect(await states()).toEqual(['running']);
  expect(known.anyTrains).toBe(true);
  await run.update({ state: 'finished', process: undefined });
  // Some disks count time in steps of milliseconds.
  utimesSync(join(run.path, RUN_FILE), 1, 2);
  expect(await states()).toEqual(['finished']);
  expect(known.anyTrains).toBe(false);
});

test('the step of a run that trains is that of its last metrics', async ({ run }) => {
  const known = new KnownRuns();
  const step = async () => (await known.around(run.record.experiment))[0].step?.();
  expect(await step()).toBeUndefined();
  const metrics = { type: 'metrics', loss: 1, learningRate: 1, stepsPerSecond: 1, epoch: 0, time: 0 };
  for (const done of [10, 20]) {
    await appendFile(run.eventsFile, `${JSON.stringify({ ...metrics, step: done })}\n`);
    expect(await step()).toBe(done);
  }
});

test('the paths of a folder are told apart as folders and files through links, too', async ({ run }) => {
  const folder = dirname(run.record.experiment);
  await writeFile(run.record.experiment, lenet);
  await mkdir(join(folder, 'data'));
  await symlink(join(folder, 'data'), join(folder, 'linked'));
  await symlink('circle', join(folder, 'circle'));
  const text = TextDocument.create(pathToFileURL(run.record.experiment).href, '', 0, lenet);
  const finder = new SurroundingsFinder({ textOf: () => undefined });
  const { entries, runs } = await finder.around(new ExperimentDocument(text));
  expect(entries('.').toSorted()).toEqual(['.deeptwist/', 'circle', 'data/', 'lenet.deeptwist.jsonc', 'linked/']);
  expect(runs.map(({ record }) => record.id)).toEqual([run.id]);
});

test('the runs of a project that was moved are those of its experiment', async ({ run }) => {
  const folder = dirname(run.record.experiment);
  await writeFile(run.record.experiment, lenet);
  const moved = `${folder}-moved`;
  await rename(folder, moved);
  const text = TextDocument.create(pathToFileURL(join(moved, 'lenet.deeptwist.jsonc')).href, '', 0, lenet);
  const { runs, others } = await new SurroundingsFinder({ textOf: () => undefined }).around(
    new ExperimentDocument(text),
  );
  await rename(moved, folder);
  expect([runs.map(({ record }) => record.id), others]).toEqual([[run.id], []]);
});
