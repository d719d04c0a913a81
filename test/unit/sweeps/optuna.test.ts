/** @file A search that Optuna leads. In its place is a program that speaks as the Python one does; `npm run bench -- optuna` has the real one. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EventLog } from '../../../server/runs/log/eventLog.ts';
import { combinationOf, searchSpace } from '../../../server/sweeps/optuna/searchSettings.ts';
import { hasEnded, isOver } from '../../../server/protocol/wire/sweep.ts';
import { Study } from '../../../server/sweeps/optuna/study.ts';
import { addTrial, trainBySearch } from '../../../server/sweeps/optuna/trainBySearch.ts';
import { SweepReader } from '../../../server/sweeps/sweepReader.ts';
import { plannedRuns } from '../../../server/sweeps/plannedRuns.ts';
import { createSweep, openSweep } from '../../../server/sweeps/sweepFolder.ts';
import { experimentText, finished, started } from '../cli/sampleEvents.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

const vary = {
  'training.optimizer.learningRate': { from: 1e-4, to: 1e-1, scale: 'logarithmic' },
  'training.batchSize': { from: 10, to: 50, integer: true },
  'training.clip': [null, { globalNorm: 1 }],
};
const FILE = 'lenet.deeptwist.jsonc';

/** A search of four runs, and an executable that answers as Optuna would: it keeps its trials in a file. */
async function search(sweep: object = { type: 'random', runs: 4, seed: 3, vary }) {
  const folder = await temporaryFolder();
  const file = join(folder, FILE);
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(experimentText) as object), sweep }));
  const python = join(folder, 'python');
  const trials = join(folder, 'trials.json');
  writeFileSync(
    python,
    `#!${process.execPath}
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const read = () => (existsSync(${JSON.stringify(trials)}) ? JSON.parse(readFileSync(${JSON.stringify(trials)}, 'utf8')) : []);
const write = (all) => writeFileSync(${JSON.stringify(trials)}, JSON.stringify(all));
const answer = (fields) => console.log(JSON.stringify(fields));
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  const all = read();
  if (request.do === 'open') return answer({ version: '5', direction: process.env.FAKE_DIRECTION ?? 'MAXIMIZE', running: all.filter((one) => one.value === undefined) });
  if (request.do === 'ask') {
    const one = { trial: all.length, parameters: { 'training.optimizer.learningRate': 0.001 * (all.length + 1), 'training.batchSize': 10 + all.length, 'training.clip': all.length % 2 ? 'null' : '{"globalNorm":1}' } };
    write([...all, one]);
    return answer(one);
  }
  write(all.map((one) => (one.trial === request.trial && one.value === undefined ? { ...one, value: request.value } : one)));
  answer({});
});
`,
  );
  chmodSync(python, 0o755);
  const planned = await plannedRuns(file, [], { python });
  const made = await createSweep({ experiment: file, ...planned });
  return { folder, file, made, python, trials: () => JSON.parse(readFileSync(trials, 'utf8')) as { trial: number; value?: number | null }[] }; // prettier-ignore
}

type Made = Awaited<ReturnType<typeof search>>['made'];

/** Runs that have ended before anybody starts them: this test is about the plan. */
async function endRun(sweep: Made, line: number, test: number): Promise<void> {
  const planned = sweep.plan[line - 1];
  const run = (await sweep.openRun(planned)) ?? (await sweep.makeRun(planned));
  const log = await EventLog.open(run);
  log.append(started);
  log.append({ ...finished, summary: { ...finished.summary, test } });
  log.close();
  await run.update({ state: 'finished', process: undefined });
}

const options = {
  parallel: 1,
  retryFailed: false,
  sidecarScript: '/nonexistent/sidecar.js',
  signal: new AbortController().signal,
};

/** Goes on with a search as `deeptwist sweep` does. */
async function goOn(path: string, python: string) {
  const sweep = await openSweep(path);
  const found = sweep.optuna!;
  return trainBySearch(sweep, { ...found, python }, options);
}

test('bounds and values of a random sweep are the space, and what is suggested are settings', async () => {
  const { made } = await search();
  expect(made.optuna).toMatchObject({ engine: 'optuna', runs: 4, seed: 3 });
  expect(made.optuna?.space).toEqual([
    { name: 'training.optimizer.learningRate', from: 1e-4, to: 1e-1, log: true, integer: false },
    { name: 'training.batchSize', from: 10, to: 50, log: false, integer: true },
    { name: 'training.clip', choices: ['null', '{"globalNorm":1}'] },
  ]);
  expect(combinationOf(made.optuna!, { 'training.batchSize': 20, 'training.clip': '{"globalNorm":1}', unknown: 1 })).toEqual(['training.batchSize=20', 'training.clip={"globalNorm":1}']); // prettier-ignore
  expect({ plan: made.plan, size: made.size }).toEqual({ plan: [], size: 4 });
});

test('a line is added for each trial, and no more than the sweep has runs', async () => {
  const { made, python, trials } = await search();
  const study = await Study.open(made, made.optuna!, 1);
  // Two that ask at the same moment, and one more than there are.
  const added = await Promise.all(Array.from({ length: 5 }, () => addTrial(made, made.optuna!, () => study.ask())));
  study.close();
  expect(added.filter((planned) => planned !== undefined)).toHaveLength(4);
  expect(trials()).toHaveLength(4);
  const again = await openSweep(made.path);
  expect(again.plan.map(({ run, trial, line }) => [run, trial, line])).toEqual([0, 1, 2, 3].map((trial) => [`${made.id}.${trial + 1}`, trial, trial + 1])); // prettier-ignore
  expect(again.plan[1].set).toEqual(['sweep=null', 'training.optimizer.learningRate=0.002', 'training.batchSize=11', 'training.clip=null']); // prettier-ignore
  for (const [i, value] of [0.91, 0.92, 0.93, 0.94].entries()) await endRun(again, i + 1, value);
  await goOn(made.path, python);
  expect(trials().map(({ value }) => value)).toEqual([0.91, 0.92, 0.93, 0.94]);
});

test('a trial that was asked for before a kill becomes a line, and what has ended is told of once', async () => {
  const { made, python, trials } = await search({ type: 'random', runs: 2, vary });
  const study = await Study.open(made, made.optuna!, 1);
  await addTrial(made, made.optuna!, () => study.ask());
  await study.ask(); // And killed before it is in the plan.
  study.close();
  await endRun(made, 1, 0.5);
  const outcomes = await goOn(made.path, python);
  expect(outcomes.map(({ state }) => state)[0]).toBe('finished');
  // Its process cannot be started here: that run is not told of as anything.
  expect(outcomes).toHaveLength(2);
  expect(trials().map(({ value }) => value)[0]).toBe(0.5);
  expect(trials()).toHaveLength(2);
  expect((await openSweep(made.path)).plan).toHaveLength(2);
});

test('a search is over for the editor when all of its runs have ended, not all that it has asked for so far', async () => {
  const { made } = await search({ type: 'random', runs: 2, vary });
  const reader = new SweepReader();
  const read = async () => {
    const sweep = await reader.read(made.path);
    return { rows: sweep.rows.length, size: sweep.size, isOver: isOver(sweep), hasEnded: hasEnded(sweep) };
  };
  expect(await read()).toEqual({ rows: 0, size: 2, isOver: false, hasEnded: false });
  const study = await Study.open(made, made.optuna!, 1);
  await addTrial(made, made.optuna!, () => study.ask());
  await endRun(made, 1, 0.5);
  expect(await read()).toEqual({ rows: 1, size: 2, isOver: false, hasEnded: false });
  await addTrial(made, made.optuna!, () => study.ask());
  study.close();
  await endRun(made, 2, 0.6);
  expect(await read()).toEqual({ rows: 2, size: 2, isOver: true, hasEnded: true });
});

test('a trial that another process has added meanwhile is added once', async () => {
  const { made, python, trials } = await search({ type: 'random', runs: 2, vary });
  const late = await openSweep(made.path);
  const study = await Study.open(made, made.optuna!, 1);
  const first = await study.ask();
  const add = (sweep: Made) => addTrial(sweep, made.optuna!, () => Promise.resolve(first));
  expect(await add(made)).toMatchObject({ line: 1, trial: first.trial });
  // It has opened the plan before the line was in it.
  expect(late.plan).toHaveLength(0);
  expect(await add(late)).toBeUndefined();
  expect(await addTrial(late, made.optuna!, () => study.ask())).toMatchObject({ line: 2, trial: 1 });
  study.close();
  await endRun(late, 1, 0.5);
  await endRun(late, 2, 0.6);
  await goOn(made.path, python);
  expect(trials().map(({ value }) => value)).toEqual([0.5, 0.6]);
});

test('a study that asks for small values is told of the negative of an accuracy', async () => {
  const { made, python, trials } = await search({ type: 'random', runs: 1, vary });
  const study = await Study.open(made, made.optuna!, 1);
  const { trial } = await study.ask();
  study.close();
  await addTrial(made, made.optuna!, () => Promise.resolve({ trial, parameters: {} }));
  await endRun(made, 1, 0.75);
  process.env.FAKE_DIRECTION = 'MINIMIZE';
  try {
    await goOn(made.path, python);
  } finally {
    delete process.env.FAKE_DIRECTION;
  }
  expect(trials()).toMatchObject([{ value: -0.75 }]);
});

test.each([
  ['no Python', '/nonexistent/python', undefined, 'There is no Python at /nonexistent/python'],
  ['no optuna', 'python', `{"missing": "No module named optuna"}`, "has no package optuna (No module named optuna)"],
  ['a storage that is away', 'python', '{"failed": "OperationalError: unable to open database file"}', 'Optuna: OperationalError: unable to open database file'],
  ['a Python that dies', 'python', undefined, 'has ended'],
])('%s is told with what helps, and nothing is planned', async (_, name, line, message) => {
  const { made, folder } = await search();
  const python = name.startsWith('/') ? name : join(folder, 'another-python');
  if (!name.startsWith('/')) {
    writeFileSync(python, `#!/bin/sh\nread request\n${line === undefined ? 'echo gone >&2' : `echo '${line}'`}\n`);
    chmodSync(python, 0o755);
  }
  const opened = Study.open(made, { ...made.optuna!, python }, 1);
  await expect(opened).rejects.toThrow(message);
  await expect(opened).rejects.toHaveProperty('remedy', expect.stringContaining('leave out --search'));
  expect(readFileSync(join(made.path, 'plan.jsonl'), 'utf8')).toBe('');
}); // prettier-ignore

test('a search is refused for a sweep that is none at random, or that halves', () => {
  expect(() => searchSpace({ type: 'grid', vary: { 'training.seed': [1] } })).toThrow(
    '--search is for a sweep of "type": "random"',
  );
  expect(() => searchSpace({ type: 'random', runs: 2, seed: 1, vary: {}, halving: { factor: 3, from: 10 } })).toThrow('sweep.halving and --search cannot be together'); // prettier-ignore
});

const hasPython = spawnSync('python3', ['-c', 'import sys; assert sys.version_info >= (3, 8)']).status === 0;

test.runIf(hasPython)(
  'each process that asks for trials gets others, by the seed of the sweep and how many there are',
  async () => {
    const { made, folder } = await search();
    // A study as Optuna's: trials are kept, and a sampler draws from its seed on.
    writeFileSync(
      join(folder, 'optuna.py'),
      `
import json, os, random
from types import SimpleNamespace as Namespace
__version__ = "5"
KEPT = ${JSON.stringify(join(folder, 'kept.json'))}
logging = Namespace(WARNING=0, set_verbosity=lambda level: None)
trial = Namespace(TrialState=Namespace(RUNNING=0))
distributions = Namespace(CategoricalDistribution=lambda *a, **k: None, IntDistribution=lambda *a, **k: None, FloatDistribution=lambda *a, **k: None)
class TPESampler:
    def __init__(self, seed=None, constant_liar=False):
        self.draw = random.Random(seed).random
samplers = Namespace(TPESampler=TPESampler)
class Study:
    direction = Namespace(name="MAXIMIZE")
    sampler = TPESampler()
    def get_trials(self, deepcopy=True, states=None):
        kept = json.load(open(KEPT)) if os.path.exists(KEPT) else []
        return [] if states else [Namespace(number=i, params=params) for i, params in enumerate(kept)]
    def ask(self, space):
        kept = [one.params for one in self.get_trials()]
        params = {name: self.sampler.draw() for name in space}
        json.dump([*kept, params], open(KEPT, "w"))
        return Namespace(number=len(kept), params=params, set_user_attr=lambda key, value: None)
def create_study(study_name, storage, direction, load_if_exists):
    return Study()
`,
    );
    const environment = process.env.PYTHONPATH;
    process.env.PYTHONPATH = folder;
    /** Rates of trials of a new study, so many of each process. */
    const rates = async (counts: readonly number[], seed = 3) => {
      rmSync(join(folder, 'kept.json'), { force: true });
      const asked: unknown[] = [];
      for (const count of counts) {
        const study = await Study.open(made, { ...made.optuna!, storage: 'kept', python: 'python3', seed }, 1);
        for (let i = 0; i < count; i++) asked.push((await study.ask()).parameters['training.optimizer.learningRate']);
        study.close();
      }
      return asked;
    };
    try {
      const asked = await rates([2, 1, 3]);
      expect(new Set(asked).size).toBe(6);
      expect(await rates([6])).toEqual(asked);
      expect(await rates([1], 4)).not.toEqual(asked.slice(0, 1));
    } finally {
      if (environment === undefined) delete process.env.PYTHONPATH;
      else process.env.PYTHONPATH = environment;
    }
  },
);

test('two that add a line at the same time add one after the other', async () => {
  const { made } = await search();
  const claims = join(made.path, 'claims');
  const first = addTrial(made, made.optuna!, () => Promise.resolve({ parameters: {}, trial: 0 }));
  const second = addTrial(await openSweep(made.path), made.optuna!, () =>
    Promise.resolve({ parameters: {}, trial: 1 }),
  );
  expect((await Promise.all([first, second])).map((planned) => planned?.line).toSorted()).toEqual([1, 2]);
  expect(existsSync(claims) ? readdirSync(claims) : []).toEqual([]);
  expect((await openSweep(made.path)).plan).toHaveLength(2);
});
