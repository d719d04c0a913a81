/** @file Sweeps on a cluster that refuses, loses, preempts and cancels jobs: what Slurm's programs answer is written by the tests. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pathWord } from '../../../../server/runs/pathWord.ts';
import type { RunState } from '../../../../server/runs/run.ts';
import { experimentText } from '../../cli/sampleEvents.ts';
import { until } from '../../../until.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { readSweep } from '../../../../server/sweeps/runQueue.ts';
import { sbatchOptions } from '../../../../server/sweeps/slurm/programs.ts';
import { cancelOnSlurm, trainOnSlurm } from '../../../../server/sweeps/slurm/slurmQueue.ts';
import { createSweep } from '../../../../server/sweeps/sweepFolder.ts';
import { standIns } from './standIns.ts';

const FILE = 'lenet.deeptwist.jsonc';

async function sweepOf(count = 3) {
  const experiment = join(await temporaryFolder(), FILE);
  await writeFile(experiment, experimentText);
  const combinations = Array.from({ length: count }, (_, i) => [`training.seed=${i + 1}`]);
  return createSweep({ experiment, text: experimentText, overrides: [], combinations });
}
type Made = Awaited<ReturnType<typeof sweepOf>>;

/** Trains on Slurm as `deeptwist sweep` does. */
function begin(sweep: Made, options: Partial<Parameters<typeof trainOnSlurm>[1]> = {}) {
  const stop = new AbortController();
  const notices: string[] = [];
  const ends: string[] = [];
  const ended = trainOnSlurm(sweep, {
    setup: { options: ['--partition=gpu'], parallel: 2 },
    script: '/opt/deeptwist/bin/deeptwist.js',
    retryFailed: false,
    detach: false,
    signal: stop.signal,
    onNotice: (text) => notices.push(text),
    onEnd: ({ planned, state, problem }) => ends.push(`${planned.line} ${state}${problem ? `: ${problem.message}` : ''}`), // prettier-ignore
    pollMs: 5,
    ...options,
  });
  ended.catch(() => undefined);
  return { ended, notices, ends, stop };
}

/** What the process of a job does to its run. */
async function end(sweep: Made, line: number, state: RunState): Promise<void> {
  const run = await sweep.openRun(sweep.plan[line - 1]);
  await run!.update({ state, process: undefined });
}

const states = async (sweep: Made) => (await readSweep(sweep)).map(({ state }) => state);

test('the runs of a sweep are one array job, whose tasks get what is left of the signals and their log', async () => {
  const slurm = await standIns();
  const sweep = await sweepOf();
  const name = `deeptwist-${sweep.id}`;
  const { ended, ends, notices } = begin(sweep);
  const [call] = await until(() => slurm.calls('sbatch').length === 1 && slurm.calls('sbatch'));
  expect(call).toBe(
    `sbatch --parsable --array=1-3%2 --job-name=${name} --requeue --signal=B:TERM@120 --open-mode=append ` +
      `--output=${sweep.path}/slurm/%A_%a.log --chdir=${join(sweep.path, '../../..')} --partition=gpu ${sweep.path}/slurm/job.sh 0`,
  );
  expect(readFileSync(join(sweep.path, 'slurm', 'job.sh'), 'utf8')).toContain(
    `exec ${process.execPath} /opt/deeptwist/bin/deeptwist.js sweep ${sweep.path} --engine slurm --task "$((SLURM_ARRAY_TASK_ID + \${1:-0}))"`,
  );
  const task = (index: number, state: string, reason?: string) => ({ name, index, state, ...(reason !== undefined && { reason }) }); // prettier-ignore
  slurm.queue([task(1, 'RUNNING'), task(2, 'RUNNING'), task(3, 'PENDING', 'Resources')]);
  await until(() => notices.includes('2 on the cluster, 1 waiting (Resources), 0 of 3 ended'));
  // A run that waits is one of the list.
  expect(await states(sweep)).toEqual(['queued', 'queued', 'queued']);
  for (const line of [1, 2, 3]) await end(sweep, line, 'finished');
  slurm.queue([task(1, 'COMPLETED'), task(2, 'COMPLETED'), task(3, 'COMPLETED')]);
  expect((await ended).map(({ state }) => state)).toEqual(['finished', 'finished', 'finished']);
  expect(ends.toSorted()).toEqual(['1 finished', '2 finished', '3 finished']);
  expect(slurm.calls('sbatch')).toHaveLength(1);
});

test.each([
  ['sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified\n', 'Slurm refuses the job: invalid partition specified: nope; Batch job submission failed: Invalid partition name specified.', 'sinfo -s'],
  ['sbatch: error: Memory specification can not be satisfied\nsbatch: error: Batch job submission failed: Requested node configuration is not available\n', 'Memory specification can not be satisfied', '--mem=2G'],
  ['sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user’s size and/or time limits)\n', 'Job violates', 'sacctmgr show'],
  ['sbatch: error: Invalid --time specification\n', 'Invalid --time specification', '--time=1:00:00'],
  ["sbatch: unrecognized option '--frobnicate'\n", "unrecognized option '--frobnicate'", 'options of sbatch'],
  ['', 'sbatch ended with code 1.', 'Correct --slurm'],
])('a cluster that refuses is told with what helps, and nothing is left in the queue: %s', async (stderr, message, remedy) => {
  const slurm = await standIns();
  slurm.fail('sbatch', stderr);
  const sweep = await sweepOf();
  const { ended } = begin(sweep);
  await expect(ended).rejects.toThrow(message);
  const error = await ended.catch((thrown: unknown) => thrown as { remedy: string });
  expect(error).toHaveProperty('remedy', expect.stringContaining(remedy));
  expect(error).toHaveProperty('remedy', expect.stringContaining(`deeptwist sweep ${pathWord(sweep.path)} --engine slurm`));
  expect(await states(sweep)).toEqual(['not begun', 'not begun', 'not begun']);
  expect(readdirSync(join(sweep.path, 'claims'))).toEqual([]);
}); // prettier-ignore

test('a run that was begun is as before where the cluster refuses to go on with it', async () => {
  const slurm = await standIns();
  const sweep = await sweepOf();
  await sweep.makeRun(sweep.plan[0]);
  await end(sweep, 1, 'stopped');
  slurm.fail('sbatch', 'sbatch: error: no');
  await expect(begin(sweep).ended).rejects.toThrow('no.');
  expect(await states(sweep)).toEqual(['stopped', 'not begun', 'not begun']);
  expect((await sweep.openRun(sweep.plan[0]))!.record.queue).toBeUndefined();
});

test('where there is no Slurm, nothing is made', async () => {
  await standIns(['sbatch', 'squeue', 'sacct', 'scancel', 'scontrol']);
  process.env.PATH = '/nonexistent';
  const sweep = await sweepOf();
  await expect(begin(sweep).ended).rejects.toThrow('There is no program scontrol here: Slurm is not installed');
  expect(existsSync(join(sweep.path, 'slurm'))).toBe(false);
});

test('what the cluster loses is submitted again, and nothing else', async () => {
  const slurm = await standIns();
  const sweep = await sweepOf();
  const name = `deeptwist-${sweep.id}`;
  const { ended, notices } = begin(sweep);
  await until(() => slurm.calls('sbatch').length === 1);
  slurm.queue([1, 2, 3].map((index) => ({ name, index, state: 'RUNNING' })));
  await until(() => notices.some((text) => text.startsWith('3 on the cluster')));
  await end(sweep, 1, 'finished');
  await end(sweep, 3, 'finished');
  slurm.queue([]);
  const [, again] = await until(() => slurm.calls('sbatch').length === 2 && slurm.calls('sbatch'));
  expect(again).toContain('--array=2%2 ');
  expect(notices).toContain(`[2] Slurm no longer has the job of ${sweep.plan[1].run}: it is submitted again.`);
  await end(sweep, 2, 'finished');
  expect((await ended).map(({ state }) => state)).toEqual(['finished', 'finished', 'finished']);
});

test('a run whose jobs end again and again without a checkpoint is given up, with what the accounting says', async () => {
  const slurm = await standIns();
  const sweep = await sweepOf(1);
  slurm.answer('sacct', `9_1|10|OUT_OF_MEMORY|deeptwist-${sweep.id}\n`);
  const { ended, ends } = begin(sweep);
  const [outcome] = await ended;
  expect(slurm.calls('sbatch')).toHaveLength(3);
  expect(ends).toEqual([`1 queued: The job of the run ${sweep.plan[0].run} has ended 3 times without a new checkpoint, the last time with OUT_OF_MEMORY.`]); // prettier-ignore
  expect(outcome.problem?.remedy).toContain('--slurm "--mem=8G"');
});

test('a task that is preempted and waits again is waited for', async () => {
  const slurm = await standIns();
  const sweep = await sweepOf(1);
  const name = `deeptwist-${sweep.id}`;
  const { ended, notices } = begin(sweep);
  await until(() => slurm.calls('sbatch').length === 1);
  slurm.queue([{ name, index: 1, state: 'RUNNING' }]);
  await until(() => notices.some((text) => text.startsWith('1 on the cluster')));
  await end(sweep, 1, 'stopped');
  slurm.queue([{ name, index: 1, state: 'PENDING', reason: 'BeginTime' }]);
  await until(() => notices.some((text) => text.includes('1 waiting (BeginTime)')));
  slurm.queue([{ name, index: 1, state: 'RUNNING' }]);
  await end(sweep, 1, 'finished');
  expect((await ended)[0].state).toBe('finished');
  expect(slurm.calls('sbatch')).toHaveLength(1);
});

test('a controller that restarts has not lost anything, and old versions answer in text', async () => {
  const slurm = await standIns();
  slurm.makeOld();
  slurm.answer('squeue', '');
  const sweep = await sweepOf(1);
  const { ended, notices } = begin(sweep);
  await until(() => slurm.calls('sbatch').length === 1);
  slurm.fail('squeue', 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n');
  await until(() => notices.some((text) => text.startsWith('Slurm does not answer: slurm_load_jobs error')));
  const before = slurm.calls('squeue').length;
  await until(() => slurm.calls('squeue').length > before + 10);
  slurm.answer('squeue', `1_1|2|RUNNING|None|deeptwist-${sweep.id}\n`);
  slurm.fail('squeue', undefined);
  await until(() => notices.some((text) => text.startsWith('1 on the cluster')));
  expect(slurm.calls('sbatch')).toHaveLength(1);
  await end(sweep, 1, 'finished');
  expect((await ended)[0].state).toBe('finished');
});

test('jobs that somebody cancels are not submitted again, and it is said how they are', async () => {
  const slurm = await standIns();
  const sweep = await sweepOf(1);
  const name = `deeptwist-${sweep.id}`;
  const { ended, ends } = begin(sweep);
  await until(() => slurm.calls('sbatch').length === 1);
  slurm.queue([{ name, index: 1, state: 'CANCELLED' }]);
  await ended;
  expect(ends).toEqual(['1 queued: Its job was cancelled.']);
  expect(slurm.calls('sbatch')).toHaveLength(1);
});

test('--cancel takes the jobs of the sweep out of the queue, and its runs wait for nothing any more', async () => {
  const slurm = await standIns();
  const sweep = await sweepOf(2);
  const name = `deeptwist-${sweep.id}`;
  await begin(sweep, { detach: true }).ended;
  expect(await states(sweep)).toEqual(['queued', 'queued']);
  slurm.queue([...[1, 2].map((index) => ({ name, index, state: 'PENDING' })), { name: 'another', index: 3, state: 'RUNNING', array: 9 }]); // prettier-ignore
  const cancelled = cancelOnSlurm(sweep, 5);
  await until(() => slurm.calls('scancel').length === 1);
  slurm.queue([]);
  expect(await cancelled).toBe(2);
  expect(slurm.calls('scancel')).toEqual(['scancel 1']);
  expect(await states(sweep)).toEqual(['stopped', 'stopped']);
});

test('the jobs are left in the queue when the signal aborts', async () => {
  const slurm = await standIns();
  const sweep = await sweepOf(2);
  const { ended, stop } = begin(sweep);
  await until(() => slurm.calls('sbatch').length === 1);
  stop.abort();
  expect((await ended).map(({ state }) => state)).toEqual(['queued', 'queued']);
  expect(slurm.calls('scancel')).toEqual([]);
});

test('more runs than an array takes are several, whose indexes count on', async () => {
  const slurm = await standIns();
  slurm.answer('scontrol', 'MaxArraySize = 5\n');
  const sweep = await sweepOf(10);
  await begin(sweep, { detach: true, setup: { options: [] } }).ended;
  const calls = slurm.calls('sbatch').map((call) => /--array=(\S+) --job-name=\S*?(\+\d+)? .* (\d+)$/.exec(call)?.slice(1)); // prettier-ignore
  expect(calls).toEqual([
    ['1-4', undefined, '0'],
    ['1-4', '+4', '4'],
    ['1-2', '+8', '8'],
  ]);
});

test('a second call finds the jobs of the first by their names, and submits what they do not have', async () => {
  const slurm = await standIns();
  const sweep = await sweepOf(3);
  const name = `deeptwist-${sweep.id}`;
  slurm.queue([{ name, index: 2, state: 'RUNNING' }]);
  await begin(sweep, { detach: true }).ended;
  expect(slurm.calls('sbatch').map((call) => /--array=(\S+)/.exec(call)?.[1])).toEqual(['1,3%2']);
});

test('options of sbatch are split as a shell does it, and those that are DeepTwist’s own are refused', () => {
  expect(sbatchOptions(`--partition=gpu -t 1:00:00 --comment="two words" --constraint='a b'`)).toEqual(['--partition=gpu', '-t', '1:00:00', '--comment=two words', '--constraint=a b']); // prettier-ignore
  expect(sbatchOptions('')).toEqual([]);
  for (const [text, message] of [
    ['--array=1-3', 'DeepTwist itself gives sbatch --array'],
    ['-J mine', 'DeepTwist itself gives sbatch --job-name'],
    ['--wrap="true"', 'DeepTwist itself gives sbatch --wrap'],
    ['gpu', "'gpu' is no option of sbatch"],
    ['--comment="one', 'a quote does not end'],
  ])
    expect(() => sbatchOptions(text)).toThrow(`--slurm: ${message}`);
});
