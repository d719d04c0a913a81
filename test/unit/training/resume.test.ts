/** @file A run that was interrupted ends exactly as one that was not: the final weights are compared bit by bit. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { readLatestCheckpoint, writeCheckpoint } from '../../../server/runs/checkpoints.ts';
import { lockRun } from '../../../server/runs/lockRun.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { evaluateRun } from '../../../server/training/index.ts';
import { userErrorOf } from '../userErrorOf.ts';
import {
  eventsOf,
  experiment,
  finalWeights,
  mlp,
  recordedEvents,
  resume,
  statefulLstm,
  workspace,
} from './workspace.ts';

const prune = {
  method: 'prune',
  distortEvery: 4,
  layers: { fc1: { rate: 0.7 } },
  schedule: { from: 10, to: 40 },
};
const training = (changes: object) => ({ ...experiment.training, ...changes });
const sgd = { type: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-3 };
/** The learning rate is so high that it decays many times in a run. */
const plateau = {
  optimizer: { type: 'sgd', learningRate: 2 },
  learningRateSchedule: { type: 'plateau', factor: 0.9 },
  evaluateEvery: 3,
};

/** Its moving averages are weights that no optimizer trains. */
const normalized = mlp.replace('tf.layers.dropout({ rate: 0.2 })', "tf.layers.batchNormalization({ name: 'norm' })");

describe('a run that is stopped and resumed ends as if it had not been', () => {
  test.each([
    ['without a compression', {}],
    ['deeptwist', { compression: prune }],
    ['gradual-mask', { compression: { ...prune, policy: 'gradual-mask' } }],
    ['one-shot', { compression: { ...prune, policy: 'one-shot' } }],
    ['straight-through', { compression: { ...prune, policy: 'straight-through' } }],
    ['quantization', { compression: { method: 'quantize', distortEvery: 5, layers: { 'fc*': { bits: 2 } } } }],
    ['low rank', { compression: { method: 'low-rank', distortEvery: 5, layers: { fc1: { rank: 3 } } } }],
    [
      'a list: a mask, low rank, and straight-through quantization of both',
      {
        compression: [
          { ...prune, policy: 'gradual-mask' },
          { method: 'low-rank', distortEvery: 7, layers: { fc2: { rank: 2 } } },
          { method: 'quantize', policy: 'straight-through', distortEvery: 5, layers: { 'fc*': { bits: 2 } } },
        ],
      },
    ],
    [
      'a list of which each distorts at its own steps',
      {
        compression: [
          prune,
          { method: 'quantize', distortEvery: 10, layers: { 'fc*': { bits: 2 } }, schedule: { from: 20 } },
        ],
        observe: { every: 10 },
      },
    ],
    [
      'factors',
      {
        compression: { method: 'low-rank', policy: 'factors', distortEvery: 5, layers: { fc1: { rank: 3 } } },
        training: training({ optimizer: sgd }),
      },
    ],
    [
      'uniform levels, rounded at random at every second step, with the gradient of their scale',
      {
        compression: {
          method: 'quantize',
          policy: 'straight-through',
          distortEvery: 5,
          layers: { 'fc*': { levels: 'uniform', bits: 3, bucket: 'row', rounding: 'stochastic' } },
          straightThrough: { every: 2, gradient: 'exact-scale' },
        },
      },
    ],
    [
      'fixed-point numbers, rounded at random',
      {
        compression: {
          method: 'quantize',
          distortEvery: 5,
          layers: { 'fc*': { levels: 'fixed-point', bits: 4, rounding: 'stochastic' } },
        },
      },
    ],
    [
      'powers of two, straight through',
      {
        compression: {
          method: 'quantize',
          policy: 'straight-through',
          distortEvery: 5,
          layers: { 'fc*': { levels: 'power-of-two', bits: 3 } },
        },
      },
    ],
    [
      'points that are drawn at random',
      {
        compression: {
          method: 'quantize',
          distortEvery: 5,
          layers: { 'fc*': { levels: 'points', bits: 3, bucket: 'none', start: 'random' } },
        },
      },
    ],
    [
      'trained points of what pruning leaves',
      {
        compression: [
          { ...prune, schedule: { from: 5, to: 20 }, policy: 'gradual-mask' },
          {
            method: 'quantize',
            policy: 'points',
            distortEvery: 5,
            layers: { 'fc*': { levels: 'points', bits: 2, bucket: 'none' } },
            schedule: { from: 24 },
          },
        ],
        training: training({ optimizer: { type: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: true } }),
      },
    ],
    [
      'trained points, as many as a gradient is great',
      {
        compression: {
          method: 'quantize',
          policy: 'points',
          distortEvery: 5,
          layers: { 'fc*': { levels: 'points', bits: 2, bucket: 'row' } },
          // Half of the steps whose gradients tell are done when the run is stopped.
          pointsByGradient: { steps: 12 },
          schedule: { from: 24 },
        },
        training: training({ optimizer: sgd }),
      },
    ],
    [
      'points by turns with straight-through training',
      {
        compression: {
          method: 'quantize',
          policy: 'alternating-points',
          distortEvery: 4,
          layers: { 'fc*': { levels: 'points', bits: 2, bucket: 'row' } },
        },
        training: training({ optimizer: sgd }),
      },
    ],
    ['momentum and weight decay', { compression: prune, training: training({ optimizer: sgd }) }],
    [
      'momentum under a mask',
      { compression: { ...prune, policy: 'gradual-mask' }, training: training({ optimizer: sgd }) },
    ],
    ['RMSProp', { training: training({ optimizer: { type: 'rmsprop', momentum: 0.5, centered: true } }) }],
    [
      'Adagrad and clipping',
      { training: training({ optimizer: { type: 'adagrad', learningRate: 0.1 }, clip: { globalNorm: 0.5 } }) },
    ],
    ['a plateau schedule', { data: { ...experiment.data, split: { validation: 0.25 } }, training: training(plateau) }],
    ['batch normalization', { model: normalized }],
    ['the eager executor', { compression: prune, training: training({ executor: 'eager', steps: 40 }) }],
    [
      'a stateful LSTM',
      {
        model: statefulLstm,
        compression: { method: 'low-rank', distortEvery: 5, layers: { '*': { rank: 2, sharedProjection: true } } },
      },
    ],
  ])('%s', async (_, changes) => {
    const whole = await workspace(changes);
    const uninterrupted = await whole.run();
    // Not at a multiple of anything: of an epoch (12 steps), a distortion, a checkpoint, an evaluation.
    const stopped = await whole.run({ stopAfter: 29 });
    expect(stopped.state).toBe('stopped');
    expect(stopped.events.at(-1)).toMatchObject({
      type: 'stopped',
      step: 29,
      checkpoint: 'checkpoints/step-000000029.safetensors',
    });
    const resumed = await resume(stopped.run);
    expect(resumed.state).toBe('finished');
    expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
    // Every step is recorded once, with the same numbers, also the observations.
    expect(measured(await recordedEvents(resumed.run))).toEqual(measured(uninterrupted.events));
  });

  // An epoch, and so an evaluation, ends at step 12.
  test.each(['deeptwist', 'straight-through'])('also when it is stopped several times: %s', async (policy) => {
    const { run } = await workspace({ compression: { ...prune, policy } });
    const uninterrupted = await run();
    let interrupted = await run({ stopAfter: 1 });
    for (const step of [12, 13, 59]) interrupted = await resume(interrupted.run, step);
    const resumed = await resume(interrupted.run);
    expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
  });
});

describe('the checkpoint that a run resumes from is an event of its log', () => {
  const distorted = { compression: { ...prune, distortEvery: 5 } };
  const checkpoints = async ({ run }: { run: Run }) =>
    eventsOf(await recordedEvents(run), 'checkpoint').map(({ step, path, afterDistortion }) => ({
      step,
      path,
      afterDistortion,
    }));

  test('once, as it was recorded', async () => {
    const { run } = await workspace(distorted);
    const uninterrupted = await checkpoints(await run());
    expect(uninterrupted.map(({ step, afterDistortion }) => [step, afterDistortion])).toEqual([
      [20, true],
      [40, true],
    ]);
    const stopped = await run({ stopAfter: 40 });
    expect(await checkpoints(await resume(stopped.run))).toEqual(uninterrupted);
  });

  test('also where the process died before it could record that', async () => {
    const { run } = await workspace(distorted);
    const stopped = await run({ stopAfter: 40 });
    const expected = await checkpoints(stopped);
    const lines = (await readFile(stopped.run.eventsFile, 'utf8')).split('\n');
    const last = lines.findLastIndex((line) => line.includes('"type":"checkpoint"'));
    await writeFile(stopped.run.eventsFile, lines.slice(0, last).join('\n') + '\n');
    const resumed = await resume(stopped.run);
    expect(resumed.events.slice(0, 2).map(({ type }) => type)).toEqual(['started', 'checkpoint']);
    expect(await checkpoints(resumed)).toEqual(expected);
  });

  test('and is told where the run is stopped again before its next step', async () => {
    const { run } = await workspace(distorted);
    const stopped = await run({ stopAfter: 29 });
    const again = await resume(stopped.run, 29);
    expect(again.events.at(-1)).toMatchObject({
      type: 'stopped',
      step: 29,
      checkpoint: 'checkpoints/step-000000029.safetensors',
    });
  });
});

test('a stop during the last step lets the run finish', async () => {
  const { run } = await workspace({ compression: prune });
  expect(await run({ stopAfter: 60 })).toMatchObject({ state: 'finished' });
});

test('without a checkpoint the run starts over', async () => {
  const { run } = await workspace({ compression: prune });
  const uninterrupted = await run();
  const stopped = await run({ stopAfter: 7 });
  for (const name of await readdir(stopped.run.checkpointsFolder)) await rm(join(stopped.run.checkpointsFolder, name));
  const resumed = await resume(stopped.run);
  expect(resumed.events[0]).toMatchObject({ type: 'started', step: 0, resumedFrom: 0 });
  expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
  expect(measured(await recordedEvents(resumed.run))).toEqual(measured(uninterrupted.events));
});

describe('the seeding of random numbers', () => {
  /** Makes the checkpoint look as before it told the seeding. */
  async function forgetSeeding({ checkpointsFolder }: Run, step: number): Promise<void> {
    const file = join(checkpointsFolder, `step-${String(step).padStart(9, '0')}.json`);
    const side = JSON.parse(await readFile(file, 'utf8')) as { state: { seeding?: number } };
    expect(side.state.seeding).toBe(2);
    delete side.state.seeding;
    await writeFile(file, JSON.stringify(side));
  }

  test.each(['compiled', 'eager'])(
    'a run that began with the former one keeps it, however often it is stopped: %s',
    async (executor) => {
      const { run } = await workspace({ training: training({ executor }) });
      const [former, interrupted, recent] = [
        await run({ stopAfter: 1 }),
        await run({ stopAfter: 1 }),
        await run({ stopAfter: 1 }),
      ];
      await forgetSeeding(former.run, 1);
      await forgetSeeding(interrupted.run, 1);
      const expected = finalWeights((await resume(former.run)).run);
      await resume(interrupted.run, 29);
      expect(finalWeights((await resume(interrupted.run)).run)).toEqual(expected);
      // Both the order of the samples and the masks of dropout are others.
      expect(finalWeights((await resume(recent.run)).run)).not.toEqual(expected);
    },
  );

  test('one that this version does not know is refused before anything is recorded', async () => {
    const { run } = await workspace();
    const stopped = await run({ stopAfter: 30 });
    const file = join(stopped.run.checkpointsFolder, 'step-000000030.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"seeding":2', '"seeding":3'));
    const error = await userErrorOf(() => resume(stopped.run));
    expect(error.message).toBe('The checkpoint of step 30 is not one that this version of DeepTwist reads.');
    expect((await openRun(stopped.run.path)).record).toMatchObject({ state: 'stopped' });
  });
});

test('a run whose empty folders a repository did not keep starts over, and says so', async () => {
  const { run } = await workspace({ compression: prune });
  const uninterrupted = await run();
  const stopped = await run({ stopAfter: 7 });
  await rm(stopped.run.checkpointsFolder, { recursive: true });
  await rm(stopped.run.modelFolder, { recursive: true });
  const resumed = await resume(stopped.run);
  expect(resumed).toMatchObject({ state: 'finished' });
  expect(eventsOf(resumed.events, 'warning').map(({ message }) => message)).toEqual([
    `There is no ${stopped.run.checkpointsFolder}: the run starts from the beginning.`,
  ]);
  expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
});

test('a checkpoint that does not tell how far its run was is a failure that says what to do', async () => {
  const { run } = await workspace();
  const stopped = await run({ stopAfter: 50 });
  const side = join(stopped.run.checkpointsFolder, 'step-000000050.json');
  await writeFile(side, (await readFile(side, 'utf8')).replace('"seconds"', '"minutes"'));
  const error = await userErrorOf(() => resume(stopped.run));
  expect(error.message).toBe('The checkpoint of step 50 is damaged: it does not tell how far the run was.');
  expect(error.remedy).toContain('Delete the files of that step');
  expect((await openRun(stopped.run.path)).record).toMatchObject({ state: 'stopped' });
});

test('an epoch begins without the state of a stateful layer, whatever that was', async () => {
  const { run } = await workspace({ model: statefulLstm });
  // Step 12 ends an epoch.
  const [left, changed] = [await run({ stopAfter: 12 }), await run({ stopAfter: 12 })];
  const { checkpoint } = await readLatestCheckpoint(changed.run);
  const tensors = new Map(checkpoint!.tensors);
  const states = [...tensors.keys()].filter((name) => name.startsWith('state:'));
  expect(states).toHaveLength(2);
  for (const name of states) {
    const state = tensors.get(name)!;
    tensors.set(name, { ...state, data: (state.data as Float32Array).map(() => 7) });
  }
  await writeCheckpoint(changed.run, { ...checkpoint!, tensors }, { keep: 1 });
  const resumed = await resume(changed.run);
  expect(finalWeights(resumed.run)).toEqual(finalWeights((await resume(left.run)).run));
});

test('a damaged checkpoint is told of, and the one before it is used', async () => {
  const { run } = await workspace({ compression: prune });
  const uninterrupted = await run();
  const stopped = await run({ stopAfter: 50 });
  await truncate(join(stopped.run.checkpointsFolder, 'step-000000050.safetensors'), 1000);
  const resumed = await resume(stopped.run);
  expect(resumed.events[0]).toMatchObject({ type: 'started', resumedFrom: 40 });
  expect(eventsOf(resumed.events, 'warning').map(({ message }) => message)).toEqual([
    expect.stringMatching(/^The checkpoint of step 50 is damaged \(.* has 1000 bytes .*falling back to step 40\.$/),
  ]);
  expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
});

test('weights to start from are needed only where no checkpoint has been made', async () => {
  const { run, folder } = await workspace();
  const base = await run();
  const stopped = await run({ overrides: [`start=run:${base.run.id}`], stopAfter: 30 });
  await rm(join(folder, '.deeptwist', 'runs', base.run.id), { recursive: true });
  expect(await resume(stopped.run)).toMatchObject({ state: 'finished' });
});

test('a run that another process trains is left alone', async () => {
  const { run } = await workspace();
  const stopped = await run({ stopAfter: 30 });
  const lock = await lockRun(stopped.run);
  const error = await userErrorOf(() => resume(stopped.run));
  expect(error.message).toMatch(/^The run .* is in use by process \d+ on /);
  await lock.release({ state: 'stopped' });
  expect(await resume(stopped.run)).toMatchObject({ state: 'finished' });
});

test('what keeps a run from going on leaves it as it is', async () => {
  const { run, write } = await workspace();
  const stopped = await run({ stopAfter: 30 });
  const before = await readFile(stopped.run.eventsFile);
  await write('model.ts', 'export const createMode = 1;');
  expect((await userErrorOf(() => resume(stopped.run))).message).toContain('exports no model');
  expect((await openRun(stopped.run.path)).record).toMatchObject({ state: 'stopped' });
  expect(existsSync(stopped.run.lockFile)).toBe(false);
  expect(await readFile(stopped.run.eventsFile)).toEqual(before);
});

test('a model that has changed does not take the checkpoint', async () => {
  const { run, write } = await workspace();
  const stopped = await run({ stopAfter: 30 });
  await write('model.ts', (await readFile(join(stopped.run.sourceFolder, 'model.ts'), 'utf8')).replace('16', '17'));
  const resumed = await resume(stopped.run, undefined, true);
  expect(resumed.events).toMatchObject([
    {
      type: 'failed',
      step: 30,
      message: expect.stringMatching(
        /checkpoints does not hold the weight fc1\/kernel \[8, 17\] of the model/,
      ) as string,
      remedy: 'The model has changed since the run; restore the copy in the run folder, source/.',
    },
  ]);
});

describe.runIf(existsSync('/dev/full'))('a disk that is full', () => {
  // Every write to this device fails with ENOSPC.
  const full = (path: string) => symlink('/dev/full', path);

  test('fails the run at a checkpoint, and it goes on when there is space', async () => {
    const { run } = await workspace({ compression: prune });
    const uninterrupted = await run();
    const stopped = await run({ stopAfter: 30 });
    await full(join(stopped.run.checkpointsFolder, 'step-000000040.safetensors.tmp'));
    const failed = await resume(stopped.run);
    expect(failed.state).toBe('failed');
    expect(failed.events.at(-1)).toMatchObject({
      type: 'failed',
      step: 40,
      message: expect.stringMatching(/^The disk is full: writing to .*checkpoints needs /) as string,
    });
    expect((await recordedEvents(failed.run)).at(-1)).toEqual(failed.events.at(-1));
    const resumed = await resume(failed.run);
    expect(resumed.events[0]).toMatchObject({ type: 'started', resumedFrom: 30 });
    expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
  });

  test.each(['compressed', 'weights'])('fails the run at its final model, %s.safetensors', async (name) => {
    const { run } = await workspace({ compression: prune });
    const stopped = await run({ stopAfter: 30 });
    const file = join(stopped.run.modelFolder, `${name}.safetensors`);
    await full(`${file}.tmp`);
    const failed = await resume(stopped.run);
    expect(failed.events.at(-1)).toMatchObject({
      type: 'failed',
      message: expect.stringMatching(/^The disk is full: writing to .*model needs /) as string,
    });
    expect(existsSync(file)).toBe(false);
    expect(existsSync(`${file}.tmp`)).toBe(false);
    expect((await resume(failed.run)).state).toBe('finished');
    expect(existsSync(file)).toBe(true);
  });

  test('is told once where not even that can be recorded', async () => {
    const { run } = await workspace();
    const stopped = await run({ stopAfter: 30 });
    await rm(stopped.run.eventsFile);
    await full(stopped.run.eventsFile);
    const failed = await resume(stopped.run);
    expect(failed.state).toBe('failed');
    expect(failed.events).toMatchObject([
      { type: 'failed', message: expect.stringMatching(/^The disk is full/) as string },
    ]);
    expect(existsSync(failed.run.lockFile)).toBe(false);
  });
});

test('a final model that is damaged is not evaluated', async () => {
  const { run } = await workspace();
  const finished = await run();
  const evaluate = () => userErrorOf(() => evaluateRun({ run: finished.run }));
  const file = join(finished.run.modelFolder, 'weights.safetensors');
  await truncate(file, 100);
  expect((await evaluate()).message).toContain(`${file} is not usable`);
  await rm(file);
  expect((await evaluate()).message).toBe(`${file} does not exist.`);
});

/** What does not depend on the clock, of the events that both runs have. */
function measured(events: readonly RunEvent[]): object[] {
  return events.flatMap((event): object[] => {
    switch (event.type) {
      case 'metrics': {
        const { step, loss, learningRate, epoch } = event;
        return [{ step, loss, learningRate, epoch }];
      }
      case 'distortion':
      case 'spectrum':
      case 'evaluation':
        return [{ ...event, time: 0 }];
      default:
        return [];
    }
  });
}
