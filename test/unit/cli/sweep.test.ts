/** @file What `deeptwist sweep` and `run --seeds` say before anything starts. */
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../../server/protocol/run/fault.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { EventLog } from '../../../server/runs/log/eventLog.ts';
import { findSweep } from '../../../server/sweeps/findSweep.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { callCommandLine } from './callCommandLine.ts';
import { experimentText, finished, started } from './sampleEvents.ts';

const file = 'lenet.deeptwist.jsonc';

/** @param answer of the user who is asked; undefined: there is nobody to ask */
async function commandLine(sweep: object | undefined, answer?: boolean) {
  const folder = await temporaryFolder();
  await writeFile(join(folder, file), JSON.stringify({ ...(JSON.parse(experimentText) as object), sweep }));
  const questions: string[] = [];
  return {
    folder,
    questions,
    run: (...args: string[]) =>
      callCommandLine(folder, args, {
        ...(answer !== undefined && {
          confirm: (question: string) => {
            questions.push(question);
            return Promise.resolve(answer);
          },
        }),
      }),
  };
}

const three = { vary: { 'training.seed': [1, 2, 3] } };
const many = { type: 'random', runs: 200, vary: { 'training.seed': { from: 0, to: 1e9, integer: true } } };

describe('nothing is made, and it is said what to do,', () => {
  test.each([
    ['of a file without a sweep', undefined, [file], 'lenet.deeptwist.jsonc has no "sweep".'],
    ['of a sweep that is not there', three, ['nothing'], "There is no experiment file and no sweep 'nothing' in "],
    ['of a wrong value', { vary: { 'training.seed': [1, -2] } }, [file], 'sweep.vary["training.seed"][1]: expected an integer of at least 0, got -2'],
    ['of a wrong value of --set', three, [file, '--set', 'sweep.vary["training.seed"]=[-1]'], 'expected an integer of at least 0, got -1'],
    ['of two runs at a time and a half', three, [file, '--parallel', '2.5'], "deeptwist sweep: --parallel cannot be '2.5'."],
    ['of a line of what is no sweep yet', three, [file, '--task', '1'], 'deeptwist sweep: --task needs a sweep.'],
    ['of settings for a sweep that is there', three, ['last', '--set', 'training.steps=1'], 'deeptwist sweep: --set and --out are for a new sweep.'],
    ['of an engine that is none', three, [file, '--engine', 'ray'], "deeptwist sweep: --engine cannot be 'ray'."],
    ['of options of a Job without one', three, [file, '--image', 'node'], '--image, --volume and --resources are for a Job of Kubernetes.'],
    ['of a Job without an image', three, [file, '--engine', 'kubernetes'], 'a Job of Kubernetes needs --image.'],
    ['of options of sbatch that are DeepTwist’s', three, [file, '--engine', 'slurm', '--slurm', '--array=1-3'], '--slurm: DeepTwist itself gives sbatch --array'],
    ['of jobs to cancel of what is no sweep yet', three, [file, '--cancel'], 'deeptwist sweep: --cancel needs a sweep.'],
    ['of a search that is none', three, [file, '--search', 'grid'], "deeptwist sweep: --search cannot be 'grid'."],
    ['of a search in a grid', three, [file, '--search', 'optuna'], '--search is for a sweep of "type": "random"'],
    ['of a search on a cluster', many, [file, '--search', 'optuna', '--engine', 'slurm'], 'a search has no list of runs to give to a cluster.'],
    ['of a storage without a search', three, [file, '--storage', 'sqlite:///x.db'], '--storage, --study and --python are for a search.'],
    ['of runs that cannot be stopped early', { ...three, halving: { from: 1e9 } }, [file], 'sweep.halving.from: expected less than training.steps'],
    ['of a factor that halves nothing', { ...three, halving: { from: 10, factor: 1 } }, [file], 'sweep.halving.factor: expected an integer of at least 2, got 1'],
    ['of a job of Slurm to leave without Slurm', three, [file, '--detach'], 'deeptwist sweep: --slurm and --detach are for Slurm.'],
    ['of commands as JSON', three, [file, '--print', '--json'], 'deeptwist sweep: --print prints no JSON.'],
    ['of a Job as JSON', three, [file, '--engine', 'kubernetes', '--image', 'node', '--volume', 'data:/', '--json'], 'deeptwist sweep: --engine kubernetes prints no JSON.'],
    ['of a Job in whose volumes the file is not', three, [file, '--engine', 'kubernetes', '--image', 'node', '--volume', 'data:/elsewhere'], ' is on none of the volumes of the Job: /elsewhere.'],
    ['of a setting that is none', { vary: { 'training.stepz': [1, 2] } }, [file], 'sweep.vary["training.stepz"]'],
    ['of a setting that is none in one of many', { type: 'list', runs: [...Array.from({ length: 500 }, (_, i) => ({ 'training.seed': i })), { 'training.stepz': 3 }] }, [file], 'sweep.runs[500]["training.stepz"]'],
    ['of 10,000 runs with nobody to ask', { ...many, runs: 10_000 }, [file], 'These are 10,000 runs. How long one takes is not known: none has finished yet.'],
    ['of many runs with nobody to ask', many, [file], 'These are 200 runs. How long one takes is not known: none has finished yet.'],
  ])('%s', async (_, sweep, args, message) => {
    const { run, folder } = await commandLine(sweep);
    const { code, stdout, stderr } = await run('sweep', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    // What is wrong in the file has its place instead.
    if (!/jsonc:\d+:\d+ |error: --set /.test(stderr)) expect(stderr).toContain('to do: ');
    expect(readdirSync(folder)).toEqual([file]);
  }); // prettier-ignore

  test.each([
    [['--seeds', '1..3,2'], 'deeptwist run: --seeds: the seed 2 is there twice.'],
    [['--parallel', '2'], 'deeptwist run: --parallel and --yes are for several runs.'],
    [['--seeds', '1..3', '--set', 'training.steps=0'], 'training.steps: expected a positive integer, got 0'],
    [['--seeds', '1..101'], 'These are 101 runs.'],
  ])('of seeds: %j', async (args, message) => {
    const { run, folder } = await commandLine(undefined);
    const { code, stderr } = await run('run', file, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(readdirSync(folder)).toEqual([file]);
  });
});

test('a Python is named from where the command is called, works in the folder of the experiment file, and moves with it', async () => {
  const { folder } = await commandLine({ ...many, runs: 2 });
  await mkdir(join(folder, 'env'));
  const script = '#!/bin/sh\nread request\npwd -P >&2\n';
  await writeFile(join(folder, 'env', 'python'), script, { mode: 0o755 });
  const ended = (project: string) =>
    `The process of ${join(project, 'env', 'python')} has ended: ${realpathSync(project)}`;
  const at = async (...[directory, ...args]: string[]) => (await callCommandLine(directory, ['sweep', ...args])).stderr;
  const inside = join(folder, 'env');
  expect(await at(inside, join('..', file), '--search', 'optuna', '--python', './python')).toContain(ended(folder));
  expect(await at(folder, 'last')).toContain(ended(folder));
  expect(await at(folder, 'last', '--python', 'env/python')).toContain(ended(folder));
  const { id, optuna } = (await findSweep('last', folder))!;
  expect(optuna?.python).toBe('./env/python');
  const moved = `${folder}-moved`;
  await rename(folder, moved);
  try {
    expect(await at(inside.replace(folder, moved), join('..', '.deeptwist', 'sweeps', id))).toContain(ended(moved));
  } finally {
    await rename(moved, folder);
  }
});

test('many runs are asked for, with the time that they take by the last one', async () => {
  const { run, folder, questions } = await commandLine(many, false);
  const last = await createRun({ experiment: join(folder, file), text: experimentText });
  const log = await EventLog.open(last);
  for (const event of [started, finished]) log.append(event);
  log.close();
  await last.update({ state: 'finished' });
  expect(await run('sweep', file, '--parallel', '4')).toMatchObject({ code: 130, stdout: '' });
  // 80.3 s each, 50 after one another.
  expect(questions).toEqual([
    'These are 200 runs. They take about 1 h 06 min if each takes as long as the last one, 1 min 20 s. Start them?',
  ]);
  expect(readdirSync(join(folder, '.deeptwist'))).toEqual(['runs']);
});

test('a plan has a line for each run, none twice, and a command for each', async () => {
  const { run, folder } = await commandLine({ vary: { 'training.seed': [1, 2, 1], 'training.steps': [100] } });
  const { code, stdout, stderr } = await run('sweep', file, '--print', '--set', 'training.batchSize=20', '--out', 'o');
  expect(code).toBe(0);
  expect(stderr).toContain('warning: 1 of the runs would have the settings of another: they are left out.\n');
  const [id] = readdirSync(join(folder, '.deeptwist', 'sweeps'));
  const path = join('.deeptwist', 'sweeps', id);
  expect(stdout).toBe([1, 2].map((line) => `deeptwist sweep ${path} --task ${line}\n`).join(''));
  const plan = readFileSync(join(folder, path, 'plan.jsonl'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as unknown); // prettier-ignore
  expect(plan).toEqual(
    [1, 2].map((seed) => ({
      run: `${id}.${seed}`,
      set: ['training.batchSize=20', 'sweep=null', `training.seed=${seed}`, 'training.steps=100'],
      vary: [`training.seed=${seed}`, 'training.steps=100'],
    })),
  );
  const sweep = await findSweep('last', folder);
  expect(sweep?.runs).toBe(join(folder, 'o'));
  expect(await run('sweep', id, '--task', '3')).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no line '3'") as string }); // prettier-ignore
});

/** What is said when nothing is left to do of a sweep whose runs have failed. @param faults of its runs */
async function saidOfFailed(faults: (Fault | undefined)[]) {
  const { run, folder } = await commandLine({ vary: { 'training.seed': faults.map((_, seed) => seed) } });
  await run('sweep', file, '--print');
  const sweep = (await findSweep('last', folder))!;
  for (const [i, fault] of faults.entries()) {
    const made = await sweep.makeRun(sweep.plan[i]);
    await made.update({ state: 'failed', failure: { message: 'It broke', ...(fault && { fault }) } });
  }
  const { code, stdout } = await run('sweep', 'last');
  expect(code).toBe(1);
  return stdout.replaceAll(sweep.id, 'ID').split('\n').slice(stdout.split('\n').findIndex((line) => line.includes('not finished')), -1); // prettier-ignore
}

test('runs that fail again with their settings are told apart from those that can be gone on with', async () => {
  const again = (what: string) =>
    `With the same settings, ${what} again: mend the settings, and start the file again: ${file}`;
  expect(await saidOfFailed(['divergence', 'settings'])).toEqual([
    '2 runs are not finished, 2 of them have failed.',
    again('2 of them fail'),
  ]);
  expect(await saidOfFailed(['divergence', undefined])).toEqual([
    '2 runs are not finished, 2 of them have failed.',
    again('1 of them fails'),
    'Go on with: deeptwist sweep .deeptwist/sweeps/ID --retry-failed',
  ]);
  expect(await saidOfFailed([undefined])).toEqual([
    '1 run is not finished, 1 of them has failed.',
    'Go on with: deeptwist sweep .deeptwist/sweeps/ID --retry-failed',
  ]);
});

test('a sweep of another folder is named by its path from here, by which it is found', async () => {
  const { folder } = await commandLine(three);
  const here = await temporaryFolder();
  const printed = await callCommandLine(here, ['sweep', join(folder, file), '--print']);
  const [, named] = /Their results: deeptwist sweep (\S+)\n$/.exec(printed.stderr)!;
  expect(await callCommandLine(here, ['sweep', named, '--print'])).toEqual(printed);
});

test('a project that is moved takes its sweeps along', async () => {
  const { run, folder } = await commandLine(three);
  await run('sweep', file, '--print');
  const moved = join(await temporaryFolder(), 'moved');
  await rename(folder, moved);
  const sweep = await findSweep('last', moved);
  expect(sweep?.experiment).toBe(join(moved, file));
  const made = await sweep!.makeRun(sweep!.plan[1]);
  expect(made.record).toMatchObject({ overrides: ['sweep=null', 'training.seed=2'], sweep: sweep!.id, experiment: join(moved, file) }); // prettier-ignore
  await rename(moved, folder);
});

test('a plan cannot name another folder than that of a run', async () => {
  const { run, folder } = await commandLine(three);
  await run('sweep', file, '--print');
  const sweep = (await findSweep('last', folder))!;
  for (const name of ['..', '../../precious', 'precious', '20260101-000000-a/../../precious.1']) {
    await writeFile(join(sweep.path, 'plan.jsonl'), `${JSON.stringify({ run: name, set: [], vary: [] })}\n`);
    await expect(findSweep('last', folder)).rejects.toThrow('plan.jsonl:1 is damaged: run: ');
  }
});

test('a run folder that is not the sweep’s is left alone', async () => {
  const { run, folder } = await commandLine(three);
  await run('sweep', file, '--print');
  const sweep = (await findSweep('last', folder))!;
  await createRun({ experiment: join(folder, file), text: experimentText, id: sweep.plan[0].run });
  await expect(sweep.openRun(sweep.plan[0])).rejects.toThrow(
    'is the folder of a run that does not belong to the sweep',
  );
  // What is left of a making that was cut short is no run, and is made again.
  expect(await sweep.openRun(sweep.plan[1])).toBeUndefined();
  await mkdir(sweep.runFolder(sweep.plan[1]));
  expect(await sweep.openRun(sweep.plan[1])).toBeUndefined();
  expect((await sweep.makeRun(sweep.plan[1])).id).toBe(sweep.plan[1].run);
});

test('a sweep stands for its runs in a comparison', async () => {
  const { run, folder } = await commandLine({ vary: { 'training.seed': [1, 2], 'training.batchSize': [20, 50] } });
  await run('sweep', file, '--print');
  const sweep = (await findSweep('last', folder))!;
  for (const [i, planned] of sweep.plan.entries()) {
    const made = await sweep.makeRun(planned);
    const log = await EventLog.open(made);
    const { config } = started;
    const [seed, batchSize] = planned.vary.map((text) => Number(text.split('=')[1]));
    log.append({ ...started, config: { ...config, training: { ...config.training, seed, batchSize } } });
    log.append({ ...finished, summary: { ...finished.summary, test: 0.9 + 0.01 * i ** 2 } });
    log.close();
    await made.update({ state: 'finished' });
  }
  const { code, stdout } = await run('compare', sweep.id);
  expect(code).toBe(0);
  expect(stdout).toContain('training.batchSize    20             50\n');
  const table = await run('sweep', sweep.id);
  expect(table.code).toBe(0);
  expect(
    table.stdout
      .split('\n')
      .slice(2, 5)
      .map((line) => line.split(/  +/).slice(0, 5)),
  ).toEqual([
    ['training.batchSize', 'seeds', 'test accuracy', 'deviation', 'bytes'],
    ['50', '1-2', '0.95 ± 0.51', '0.05657', '32.1 kB ± 0 B'],
    ['20', '1-2', '0.92 ± 0.25', '0.02828', '32.1 kB ± 0 B'],
  ]);
  expect(await run('compare', sweep.plan[0].run)).toMatchObject({ code: 2, stderr: expect.stringContaining('expected at least two runs') as string }); // prettier-ignore
});
