/** Sweeps as the editor reads them: from what the writers of sweeps and runs have written. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunRecord } from '../../../server/runs/runRecord.ts';
import { readNotes, writeNotes } from '../../../server/sweeps/runNotes.ts';
import { SweepReader } from '../../../server/sweeps/sweepReader.ts';
import { createSweep, type Sweep } from '../../../server/sweeps/sweepFolder.ts';
import { lenet } from '../language/lenet.ts';
import { userErrorOf } from '../userErrorOf.ts';

let folder: string;
let sweep: Sweep;
let reader: SweepReader;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-sweeps-'));
  const experiment = join(folder, 'lenet.deeptwist.jsonc');
  writeFileSync(experiment, lenet);
  const combinations = [1, 2, 3].map((seed) => [`training.seed=${seed}`, 'training.batchSize=20']);
  sweep = await createSweep({ experiment, text: lenet, overrides: [], combinations });
  reader = new SweepReader();
});
afterEach(() => rmSync(folder, { recursive: true }));

const result = { metric: 'accuracy', test: 0.98, byteRatio: 10, weightRatio: 20 };
const sizes = { bytes: 1000, bytesKept: 100, fileBytes: 110, seconds: 12 };

async function finish(line: number, found: RunRecord['result']): Promise<void> {
  const run = await sweep.makeRun(sweep.plan[line - 1]);
  await run.update({ state: 'finished', result: found });
}

describe('a sweep that is read', () => {
  test('has a row for each line of its plan, also for runs that have not begun', async () => {
    await finish(2, { ...result, ...sizes, validation: 0.97, fileRatio: 9.09 });
    const { id, rows } = await reader.read(sweep.path);
    expect(id).toBe(sweep.id);
    expect(rows.map(({ line, seed, state }) => [line, seed, state])).toEqual([
      [1, 1, 'planned'],
      [2, 2, 'finished'],
      [3, 3, 'planned'],
    ]);
    expect(rows[1].result).toEqual({ metric: 'accuracy', test: 0.98, validation: 0.97, byteRatio: 10, ...sizes });
    expect(rows[1].vary).toEqual(['training.seed=2', 'training.batchSize=20']);
  });

  test('tells a run that has failed with its reason, and one that has ended since', async () => {
    const run = await sweep.makeRun(sweep.plan[0]);
    await run.update({ state: 'failed', failure: { message: 'It broke', remedy: 'Mend it.' } });
    expect((await reader.read(sweep.path)).rows[0]).toMatchObject({ state: 'failed', problem: 'It broke. Mend it.' });
    expect((await reader.read(sweep.path)).rows[0].fault).toBeUndefined();
    await run.update({ state: 'failed', failure: { message: 'It diverged', fault: 'divergence' } });
    expect((await reader.read(sweep.path)).rows[0]).toMatchObject({ problem: 'It diverged', fault: 'divergence' });
    await run.update({ state: 'finished', result: { ...result, ...sizes, test: null } });
    // A file system may tell times in seconds.
    utimesSync(join(run.path, 'run.json'), 2e9, 2e9);
    const [row] = (await reader.read(sweep.path)).rows;
    expect(row).toMatchObject({ state: 'finished', result: { test: null } });
    expect(row.problem).toBeUndefined();
  });

  test('reads the log of a run whose run.json has no sizes', async () => {
    await finish(1, result);
    const summary = {
      ...{
        metric: 'accuracy',
        test: 0.98,
        testBeforeLastDistortion: 0.98,
        weights: 10,
        weightsKept: 1,
        weightRatio: 10,
      },
      ...{ bytes: 1000, bytesKept: 100, byteRatio: 10, layers: [], steps: 1, stepsPerSecond: 1, nearZeros: 0 },
      ...{ trainingSeconds: 1, distortionSeconds: 2, observationSeconds: 3, evaluationSeconds: 4 },
    };
    const line = JSON.stringify({ type: 'finished', step: 1, time: 1, summary });
    writeFileSync(join(sweep.runFolder(sweep.plan[0]), 'events.jsonl'), `${line}\n`);
    expect((await reader.read(sweep.path)).rows[0].result).toMatchObject({ bytesKept: 100, test: 0.98, seconds: 10 });
  });

  test('has what was said of its runs, in a file of its folder', async () => {
    const [first, second] = sweep.plan.map(({ run }) => run);
    await writeNotes(sweep.path, [first, second], { pinned: true, text: 'see again' });
    await writeNotes(sweep.path, [second], { pinned: false, text: '' });
    const { rows } = await reader.read(sweep.path);
    expect(rows.map(({ note }) => note)).toEqual([{ pinned: true, text: 'see again' }, undefined, undefined]);
    expect([...(await readNotes(sweep.path)).keys()]).toEqual([first]);
  });

  test('keeps the text of each run when several are pinned at once, and each pin when a text changes', async () => {
    const [first, second, third] = sweep.plan.map(({ run }) => run);
    await writeNotes(sweep.path, [first], { text: 'diverged' });
    await writeNotes(sweep.path, [second], { text: 'the best' });
    await writeNotes(sweep.path, [first, second, third], { pinned: true });
    await writeNotes(sweep.path, [third], { pinned: false });
    await writeNotes(sweep.path, [second, third], { text: 'see again' });
    expect(await readNotes(sweep.path)).toEqual(
      new Map([
        [first, { pinned: true, text: 'diverged' }],
        [second, { pinned: true, text: 'see again' }],
        [third, { pinned: false, text: 'see again' }],
      ]),
    );
  });

  test('says which file of notes is damaged', async () => {
    writeFileSync(join(sweep.path, 'notes.json'), '{');
    expect((await userErrorOf(() => reader.read(sweep.path))).message).toContain('notes.json is damaged');
  });

  test('has the rows of runs that were added to its plan since', async () => {
    await reader.read(sweep.path);
    const vary = ['training.seed=4'];
    await sweep.addRuns((plan) => [{ set: [...plan[0].set, ...vary], vary }]);
    utimesSync(join(sweep.path, 'plan.jsonl'), 2e9, 2e9);
    const { rows } = await reader.read(sweep.path);
    expect(rows.map(({ line, seed, state }) => [line, seed, state]).at(-1)).toEqual([4, 4, 'planned']);
    expect(rows).toHaveLength(4);
  });

  test('is no longer known when its folder has gone', async () => {
    await reader.read(sweep.path);
    rmSync(sweep.path, { recursive: true });
    expect((await userErrorOf(() => reader.read(sweep.path))).message).toContain('is not the folder of a sweep');
  });

  test('that is a search tells its target, and at the end what it has found', async () => {
    expect((await reader.read(sweep.path)).search).toBeUndefined();
    writeFileSync(join(sweep.path, 'search.json'), JSON.stringify({ overrides: ['target.maxDrop=0.01'] }));
    expect((await reader.read(sweep.path)).search).toEqual({ target: '{ "maxDrop": 0.01 }' });
    const best = { run: sweep.plan[1].run, value: 0.98, drop: 0.005, bytes: 1000, ratio: 10 };
    const report = { isMet: true, metric: 'accuracy', best: { ...best, test: 0.97 }, runs: 3 };
    writeFileSync(join(sweep.path, 'result.json'), JSON.stringify(report));
    const { search } = await reader.read(sweep.path);
    expect(search?.result).toEqual({ isMet: true, metric: 'accuracy', best });
    writeFileSync(join(sweep.path, 'result.json'), '{');
    expect((await userErrorOf(() => reader.read(sweep.path))).message).toContain('result.json is damaged');
  });
});
