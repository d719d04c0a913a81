/** @file Searches in real processes: what they find, what they leave on the disk, and that nothing is trained twice where they are killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { Random } from '../../../server/formats/random.ts';
import { checkExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';
import { listRuns } from '../../../server/runs/findRun.ts';
import type { SearchReport } from '../../../server/search/index.ts';
import { findSweep } from '../../../server/sweeps/findSweep.ts';
import { endOf } from '../../endOf.ts';
import { until } from '../../until.ts';
import { useInstallation } from '../installation.ts';
import { moment } from './killing.ts';
import { useOwnQueue } from '../ownQueue.ts';
import { writeBlobs } from '../training/blobs.ts';
import { eventsOf, experiment, recordedEvents, workspace, type Workspace } from '../training/workspace.ts';

const installation = useInstallation();
useOwnQueue();

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

const settings = {
  data: { ...experiment.data, split: { validation: 0.25 } },
  training: { ...experiment.training, steps: 100 },
  compression: { method: 'prune', distortEvery: 5, layers: { fc1: {}, fc2: {} }, schedule: { from: 20, to: 60 } },
  target: { maxDrop: 0.05 },
};
const file = 'blobs.deeptwist.jsonc';
const BUDGET = 3;
/** How often a search is killed before it is left to end. */
const KILLS = 3;

type Place = Pick<Workspace, 'folder'>;

function start({ folder }: Place, ...args: string[]) {
  const child = spawn(process.execPath, [join(installation(), 'bin', 'deeptwist.js'), 'search', ...args], {
    cwd: folder,
  });
  children.add(child.once('exit', () => children.delete(child)));
  return { child, ended: endOf(child) };
}

/** The result as the folder of the search has it. */
async function resultOf({ folder }: Place): Promise<SearchReport> {
  const sweep = await findSweep('last', folder);
  return JSON.parse(readFileSync(join(sweep!.path, 'result.json'), 'utf8')) as SearchReport;
}

/** What does not depend on when a search was made, or how long it took. */
function withoutTimes({
  id,
  path: _,
  experiment: __,
  seconds: ___,
  secondsOfFullRun: ____,
  ...report
}: SearchReport): unknown {
  const best = report.best && { ...report.best, path: undefined };
  return JSON.parse(JSON.stringify({ ...report, best }).replaceAll(id, 'ID')) as unknown;
}

/** A search that nobody interrupts, for several tests: its folder stays until the last has ended. */
let uninterrupted: { place: Place; report: SearchReport; milliseconds: number } | undefined;
afterAll(() => uninterrupted && rmSync(uninterrupted.place.folder, { recursive: true }));
async function reference() {
  if (uninterrupted) return uninterrupted;
  const place = { folder: mkdtempSync(join(tmpdir(), 'deeptwist-search-')) };
  await writeBlobs(place.folder, settings);
  const began = performance.now();
  const { code, stdout, stderr } = await start(place, file, '--budget', String(BUDGET), '--json').ended;
  expect(code, stderr).toBe(0);
  const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
  const last = lines.pop();
  expect(last).toMatchObject({ type: 'search', isMet: true });
  expect(new Set(lines.map(({ type }) => type))).toEqual(new Set(['run']));
  uninterrupted = { place, report: await resultOf(place), milliseconds: performance.now() - began };
  return uninterrupted;
}

test('a search finds rates within the drop, in plain runs that never look at the test split', async () => {
  const { place, report } = await reference();
  const { best, reference: dense, full, fullRuns, target } = report;
  expect(best!.drop).toBeLessThanOrEqual(target.maxDrop!);
  expect(best!.bytes).toBe(Math.min(...full.filter(({ drop }) => drop! <= target.maxDrop!).map(({ bytes }) => bytes!)));
  expect(best!.drop).toBeCloseTo(dense.value - best!.value!, 12);
  expect(fullRuns).toBeLessThanOrEqual(BUDGET);
  const { runs } = await listRuns(place.folder);
  expect(runs.map(({ record }) => record.state)).toEqual(runs.map(() => 'finished'));
  for (const run of runs)
    expect(eventsOf(await recordedEvents(run), 'evaluation').map(({ split }) => split)).not.toContain('test');
  // Read once, at the end.
  for (const value of [best!.test, dense.test]) expect(value).toBeGreaterThan(0.5);
  const { experiment: valid } = checkExperiment(readFileSync(join(place.folder, file), 'utf8'), [
    `compression=${JSON.stringify(best!.compression)}`,
  ]);
  expect(valid?.compression).toMatchObject({ method: 'prune', schedule: { from: 20, to: 60 } });
});

test('a search that is killed at any moment ends, gone on with, as one that is not, with no run twice', async () => {
  const { report, milliseconds } = await reference();
  const seed = Math.floor(1e6 * Math.random());
  const random = new Random(seed);
  const place = await workspace(settings);
  const begun = () => existsSync(join(place.folder, '.deeptwist', 'sweeps'));
  for (let attempt = 0; attempt < KILLS; attempt++) {
    const { child, ended } = start(place, ...(begun() ? ['last'] : [file, '--budget', String(BUDGET)]));
    await moment(random.uniform() * milliseconds * 0.4, ended);
    child.kill('SIGKILL');
    await ended;
  }
  const last = await start(place, ...(begun() ? ['last'] : [file, '--budget', String(BUDGET)])).ended;
  expect(last.code, `seed ${seed}: ${last.stderr}`).toBe(0);
  expect(withoutTimes(await resultOf(place))).toEqual(withoutTimes(report));
  const { runs } = await listRuns(place.folder);
  expect(runs).toHaveLength(report.runs);
  for (const run of runs) expect(eventsOf(await recordedEvents(run), 'finished')).toHaveLength(1);
}, 400_000);

test('a second search takes the dense run of the first, and a finished one is only read again', async () => {
  const { place, report } = await reference();
  const { id, reference: dense } = report;
  const { length } = (await listRuns(place.folder)).runs;
  expect(await start(place, id).ended).toMatchObject({ code: 0 });
  expect((await listRuns(place.folder)).runs).toHaveLength(length);
  // Written in the encoding that the file has; kept where it cannot be written.
  const path = join(place.folder, file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, Buffer.from(`\uFEFF${text}`, 'utf16le'));
  expect(await start(place, id, '--write').ended).toMatchObject({ code: 0 });
  const { experiment: wide } = checkExperiment(readFileSync(path, 'utf16le'), ['target=null']);
  expect(wide?.compression).toMatchObject(report.best!.compression as object);
  writeFileSync(path, text.slice(0, -3));
  const unwritten = await start(place, id, '--write').ended;
  expect(unwritten.code).toBe(1);
  expect(unwritten.stdout).toMatch(
    /What was found is kept\. When that is mended, write it by: deeptwist search \.deeptwist\/sweeps\/\S+ --write\n$/,
  );
  writeFileSync(path, text);
  const second = await start(place, file, '--budget', '3', '--set', 'target={"ratio":1.5}', '--write').ended;
  expect(second.stdout).toContain(`(a run that is there: ${dense.run})`);
  const { best, isMet, reference: same } = await resultOf(place);
  expect(same).toEqual(dense);
  // Written where the target is met.
  const { experiment: written } = checkExperiment(readFileSync(join(place.folder, file), 'utf8'), ['target=null']);
  if (isMet) expect(written?.compression).toMatchObject(best!.compression as object);
  // A project that is moved takes its search along, with the dense run that it has found.
  const moved = { folder: `${place.folder}-moved` };
  renameSync(place.folder, moved.folder);
  try {
    rmSync(join((await findSweep('last', moved.folder))!.path, 'result.json'));
    const { code, stderr } = await start(moved, 'last').ended;
    expect(code, stderr).toBe(isMet ? 0 : 1);
    expect((await resultOf(moved)).reference, stderr).toEqual(dense);
  } finally {
    renameSync(moved.folder, place.folder);
  }
}, 400_000);

test('stops its runs at Ctrl-C, says how to go on, and lets no other process work on it meanwhile', async () => {
  const place = await workspace({ ...settings, training: { ...settings.training, steps: 100_000 } });
  const { child, ended } = start(place, file);
  await until(async () => {
    const { runs } = await listRuns(place.folder);
    return runs.some((run) => existsSync(run.eventsFile) && /"metrics"/.test(readFileSync(run.eventsFile, 'utf8')));
  });
  const other = await start(place, 'last').ended;
  expect(other).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`is worked on by process ${child.pid} on `) as string,
  });
  child.kill('SIGINT');
  const stopped = await ended;
  expect(stopped.code).toBe(130);
  expect(stopped.stdout).toMatch(/Go on with: deeptwist search \S+-blobs$/m);
  expect((await listRuns(place.folder)).runs.map((run) => run.observedState())).toEqual(['stopped']);
});

test('a search whose dense model diverges sends nobody back to the same settings', async () => {
  const place = await workspace(settings);
  const { code, stdout, stderr } = await start(place, file, '--set', 'training.optimizer.learningRate=1e38').ended;
  expect(code).toBe(1);
  expect(stderr).toContain('of the search is failed: Training diverged at step ');
  expect(stdout).toMatch(/When they are mended, search again: deeptwist search blobs\.deeptwist\.jsonc\n$/);
  expect(stdout + stderr).not.toContain('deeptwist resume');
  const again = await start(place, 'last').ended;
  expect(again.stdout).toMatch(/When they are mended, search again: /);
});

test.each([
  ['a size that no settings reach', { target: { bytes: 10 } }, [], 'target.bytes: 10 B cannot be met: with the strongest settings that are tried, the model takes '],
  ['data without a validation split', { data: experiment.data }, [], 'data: the data have no validation split, on which settings are chosen'],
  ['a layer that there is not', { compression: { ...settings.compression, layers: { fc3: {} } } }, [], 'compression.layers.fc3: matches no layer of the model'],
  ['a file without a target', { target: undefined, compression: undefined }, [], 'has no "target"'],
  ['a file with all values', { compression: { ...settings.compression, layers: { fc1: { rate: 0.5 } } } }, [], 'there is nothing to find'],
  ['a budget of nothing', {}, ['--budget', '1'], '--budget is a number from 3 to 1000'],
])('%s is told before anything trains', async (_, changes, args, message) => {
  const place = await workspace({ ...settings, ...changes });
  const { code, stderr } = await start(place, file, ...args).ended;
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
  expect((await listRuns(place.folder)).runs).toEqual([]);
}); // prettier-ignore

test('a drop that nothing is within ends with the nearest', async () => {
  const place = await workspace({ ...settings, target: { ratio: 2.4, maxDrop: 0 }, training: { ...settings.training, steps: 20 }, compression: { ...settings.compression, schedule: undefined } }); // prettier-ignore
  const { code, stdout } = await start(place, file, '--budget', '3', '--set', 'training.optimizer.learningRate=1e-9')
    .ended;
  const report = await resultOf(place);
  if (report.isMet) return expect(code).toBe(0);
  expect(code).toBe(1);
  expect(stdout).toMatch(/The target \(.*\) was not reached\. The nearest: /);
});
