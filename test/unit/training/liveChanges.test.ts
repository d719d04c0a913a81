/** @file Settings that a user changes while a run trains: when they take effect, what is refused, and that a resumed run takes them too. */
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import type { UserError } from '../../../server/protocol/userError.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { lockRun } from '../../../server/runs/lockRun.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { TrainingControl } from '../../../server/training/control.ts';
import { resumeRun, runExperiment, trainRun } from '../../../server/training/index.ts';
import { eventsOf, experiment, finalWeights, recordedEvents, workspace, type Workspace } from './workspace.ts';

const prune = {
  method: 'prune',
  distortEvery: 4,
  layers: { fc1: { rate: 0.5 } },
  schedule: { from: 4, to: 12 },
};
const lowRank = { method: 'low-rank', distortEvery: 4, layers: { fc1: { rank: 3 } } };
/** Pruning of all layers, then trained points of the first. @param from t_i of the points */
const thenPoints = (from: number) => ({
  compression: [
    { ...prune, layers: { fc1: { rate: 0.5 }, fc2: { rate: 0.25 } } },
    {
      method: 'quantize',
      policy: 'points',
      distortEvery: 4,
      layers: { fc1: { levels: 'points', bits: 2, bucket: 'none', iterations: 5 } },
      schedule: { from },
    },
  ],
});
const ASKED = 17;

interface Changed {
  readonly run: Run;
  readonly state: string;
  readonly events: readonly RunEvent[];
  readonly answers: readonly (number | UserError)[];
}

/** Runs, or resumes; asks for each change when its step has been done, and stops after another. */
async function trained(
  { file }: Workspace,
  asked: Readonly<Record<number, readonly string[]>>,
  { stopAfter, resumed }: { stopAfter?: number; resumed?: Run } = {},
): Promise<Changed> {
  await tf.setBackend('cpu');
  const control = new TrainingControl();
  const stop = new AbortController();
  const events: RunEvent[] = [];
  const answers: Promise<number | UserError>[] = [];
  const observer = {
    signal: stop.signal,
    control,
    onEvent(event: RunEvent) {
      events.push(event);
      if (event.type !== 'metrics') return;
      if (event.step in asked) answers.push(control.change(asked[event.step]).catch((error: UserError) => error));
      if (event.step === stopAfter) stop.abort();
    },
  };
  const outcome = resumed
    ? await resumeRun({ run: await openRun(resumed.path), changedFiles: true, ...observer })
    : await runExperiment({ file, overrides: [], ...observer });
  return { ...outcome, events, answers: await Promise.all(answers) };
}

/** The pruning rate, bits or rank of `fc1/kernel` at each recorded distortion. */
function settings(events: readonly RunEvent[]): [number, object][] {
  return eventsOf(events, 'distortion').map(({ step, weights }) => [step, weights[0].setting]);
}

const rate = ['compression.layers.fc1.rate=0.75'];
const everyDistortion = { observe: { every: 1 } };

test('a rate takes effect with the next distortion, which is recorded with what was changed', async () => {
  const place = await workspace({ compression: prune, ...everyDistortion });
  const { answers, events, run } = await trained(place, { [ASKED]: rate });
  expect(answers).toEqual([20]);
  expect(settings(events).slice(2, 6)).toEqual([
    [12, { rate: 0.5 }],
    [16, { rate: 0.5 }],
    [20, { rate: 0.75 }],
    [24, { rate: 0.75 }],
  ]);
  const [changed] = eventsOf(events, 'changed');
  expect(changed).toMatchObject({
    step: 20,
    settings: [{ path: 'compression.layers.fc1.rate', from: 0.5, to: 0.75 }],
    config: { compression: { layers: { fc1: { rate: 0.75 } } }, training: { steps: 60 } },
  });
  const asStarted = eventsOf(events, 'started')[0].layers;
  expect(asStarted[0]).toMatchObject({ name: 'fc1/kernel', key: 'fc1', setting: { rate: 0.5 } });
  expect(changed.layers).toEqual([{ ...asStarted[0], setting: { rate: 0.75 } }, ...asStarted.slice(1)]);
  expect(await recordedEvents(run)).toContainEqual(changed);
  const at20 = events.filter(({ step, type }) => step === 20 && ['changed', 'distortion'].includes(type));
  expect(at20.map(({ type }) => type)).toEqual(['changed', 'distortion']);
  const kernel = finalWeights(run).get('fc1/kernel')!;
  expect(kernel.filter((value) => value === 0)).toHaveLength(0.75 * kernel.length);
  expect((await openRun(run.path)).record.changes).toEqual([{ step: 20, values: rate }]);
});

test('training still ends right after a distortion, at the new rate, when it is changed at the last moment', async () => {
  const place = await workspace({ compression: prune });
  const { answers, run, events } = await trained(place, { 59: rate });
  expect(answers).toEqual([60]);
  expect(eventsOf(events, 'distortion').at(-1)).toMatchObject({ step: 60, weights: [{ setting: { rate: 0.75 } }] });
  const kernel = finalWeights(run).get('fc1/kernel')!;
  expect(kernel.filter((value) => value === 0)).toHaveLength(0.75 * kernel.length);
});

test('the distortion step changes at the next distortion by either', async () => {
  const place = await workspace({ compression: prune, ...everyDistortion });
  const sparser = await trained(place, { [ASKED]: ['compression.distortEvery=10'] });
  expect(sparser.answers).toEqual([20]);
  expect(settings(sparser.events).map(([step]) => step)).toEqual([4, 8, 12, 16, 20, 30, 40, 50, 60]);
  const denser = await trained(place, { [ASKED]: ['compression.distortEvery=3'] });
  expect(denser.answers).toEqual([18]);
  expect(
    settings(denser.events)
      .map(([step]) => step)
      .slice(3, 7),
  ).toEqual([16, 18, 21, 24]);
});

test('a schedule that begins earlier takes effect at its own first distortion', async () => {
  const late = { ...prune, schedule: { from: 40, to: 50 } };
  const place = await workspace({ compression: late, ...everyDistortion });
  const { answers, events } = await trained(place, {
    5: ['compression.schedule.from=8', 'compression.schedule.to=20', 'compression.schedule.exponent=1'],
  });
  expect(answers).toEqual([8]);
  // Equation (1) with E = 1: from 0 at step 8 to 0.5 at step 20, a sixth of it each distortion.
  expect(settings(events).slice(0, 5)).toEqual([
    [8, { rate: 0 }],
    [12, { rate: expect.closeTo(0.5 / 3, 12) }],
    [16, { rate: expect.closeTo(1 / 3, 12) }],
    [20, { rate: 0.5 }],
    [24, { rate: 0.5 }],
  ]);
});

test('times in epochs are changed in epochs', async () => {
  // An epoch of these data is 12 steps.
  const place = await workspace({
    compression: { ...prune, schedule: { from: 1, to: 2, unit: 'epochs' } },
    training: { ...experiment.training, steps: undefined, epochs: 5 },
  });
  const { answers, events } = await trained(place, { [ASKED]: ['compression.schedule.to=3'] });
  expect(answers).toEqual([20]);
  expect(eventsOf(events, 'changed')).toMatchObject([
    {
      settings: [{ path: 'compression.schedule.to', from: 2, to: 3 }],
      config: { compression: { schedule: { from: 12, to: 36, unit: 'steps' } } },
    },
  ]);
});

test('the learning rate and its schedule change with the next distortion, without a compression after the next step', async () => {
  const values = [
    'training.optimizer.learningRate=0.001',
    'training.learningRateSchedule={"type":"step","every":10,"factor":0.5}',
  ];
  const rates = (events: readonly RunEvent[]) =>
    eventsOf(events, 'metrics').map(({ step, learningRate }) => [step, learningRate]);
  const compressed = await trained(await workspace({ compression: prune }), { [ASKED]: values });
  expect(compressed.answers).toEqual([20]);
  expect(rates(compressed.events).slice(18, 22)).toEqual([
    [19, 0.01],
    [20, 0.01],
    [21, 0.001 / 4],
    [22, 0.001 / 4],
  ]);
  const plain = await trained(await workspace(), { [ASKED]: values });
  expect(plain.answers).toEqual([18]);
  expect(rates(plain.events).slice(17, 19)).toEqual([
    [18, 0.01],
    [19, 0.001 / 2],
  ]);
});

test('a rank changes, also one that was truncated from the last basis', async () => {
  const place = await workspace({ compression: lowRank, ...everyDistortion });
  const { answers, events } = await trained(place, { [ASKED]: ['compression.layers.fc1.rank=2'] });
  expect(answers).toEqual([20]);
  expect(settings(events).slice(3, 6)).toEqual([
    [16, { rank: 3 }],
    [20, { rank: 2 }],
    [24, { rank: 2 }],
  ]);
  // Singular values after the second distortion at rank 2 and one step of training away from it.
  const [, spectrum] = eventsOf(events, 'spectrum').filter(({ step }) => step > 20);
  expect(spectrum.weights[0].singularValues[2]).toBeGreaterThan(0);
  const [{ summary }] = eventsOf(events, 'finished');
  expect(summary.layers.find(({ name }) => name === 'fc1/kernel')).toMatchObject({ weightsKept: 2 * (8 + 16) });
});

describe('a mask that was final', () => {
  const masked = { compression: { ...prune, policy: 'gradual-mask' }, ...everyDistortion };
  const zerosAfter = (events: readonly RunEvent[], at: number) =>
    eventsOf(events, 'distortion').find(({ step }) => step === at)!.weights[0].histogram.zerosAfter;

  test.each([
    ['rises', 0.75, 96],
    ['falls', 0.25, 32],
  ])('is chosen anew when its rate %s', async (_, to, zeros) => {
    const { events, run } = await trained(await workspace(masked), { [ASKED]: [`compression.layers.fc1.rate=${to}`] });
    expect(zerosAfter(events, 16)).toBe(64);
    expect(zerosAfter(events, 20)).toBe(zeros);
    const kernel = finalWeights(run).get('fc1/kernel')!;
    expect(kernel.filter((value) => value === 0)).toHaveLength(zeros);
  });
});

describe('a run that was changed, stopped and resumed ends as one that was not interrupted', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['a rate', { compression: prune }, rate],
    ['a rate under a mask', { compression: { ...prune, policy: 'gradual-mask' } }, rate],
    ['a rate, straight-through', { compression: { ...prune, policy: 'straight-through' } }, rate],
    ['a rate, one-shot', { compression: { ...prune, policy: 'one-shot' } }, rate],
    [
      'bits and algorithm',
      { compression: { method: 'quantize', distortEvery: 4, layers: { 'fc*': { bits: 3 } } } },
      ['compression.layers.fc*.bits=1', 'compression.layers.fc*.algorithm=greedy'],
    ],
    ['a rank', { compression: lowRank }, ['compression.layers.fc1.rank=2']],
    [
      'schedule, distortion step and learning rate',
      { compression: prune },
      ['compression.schedule.to=40', 'compression.distortEvery=3', 'training.optimizer.learningRate=0.02'],
    ],
    [
      'a schedule that is left out',
      { compression: { ...prune, schedule: { from: 4, to: 40 } } },
      ['compression.schedule=null'],
    ],
    [
      'the learning rate of factors',
      { compression: { ...lowRank, policy: 'factors' } },
      ['training.optimizer.learningRate=0.02'],
    ],
    ['a rate before points that begin later', thenPoints(21), ['compression[0].layers.fc1.rate=0.75']],
    ['a rate of another layer than that of points', thenPoints(14), ['compression[0].layers.fc2.rate=0.75']],
    [
      'a strength, of a model that is thinned before it takes effect, and then',
      {
        compression: { method: 'group-lasso', distortEvery: 4, unit: 'steps', layers: { fc1: { lambda: 0.7 } } },
        thin: { at: [16, 19, 28], unit: 'steps' },
        training: { ...experiment.training, optimizer: { type: 'sgd', learningRate: 0.1 } },
      },
      ['compression.layers.fc1.lambda=0.3'],
    ],
  ])('%s', async (_, changes, values) => {
    const place = await workspace(changes);
    const whole = await trained(place, { [ASKED]: values });
    const unchanged = await trained(place, {});
    expect(finalWeights(whole.run)).not.toEqual(finalWeights(unchanged.run));
    // In effect when it stops, and still waiting for the next distortion.
    for (const stopAfter of [29, ASKED]) {
      const stopped = await trained(place, { [ASKED]: values }, { stopAfter });
      expect(stopped.state).toBe('stopped');
      const resumed = await trained(place, {}, { resumed: stopped.run });
      expect(resumed.state).toBe('finished');
      expect(finalWeights(resumed.run)).toEqual(finalWeights(whole.run));
      const changed = (events: readonly RunEvent[]) =>
        eventsOf(events, 'changed').map((event) => ({ ...event, time: 0 }));
      expect(changed(await recordedEvents(resumed.run))).toEqual(changed(whole.events));
    }
  });

  test('also from a checkpoint that is older than the change', async () => {
    const place = await workspace({
      compression: {
        ...prune,
        method: 'custom',
        module: './distort.ts',
        layers: { fc1: { limit: 1 } },
        schedule: { from: 4 },
      },
    });
    // It dies at step 44 the first time; the last checkpoint is that of step 20, before the change at 24.
    await place.write('distort.ts', distortion('if (step === 36 && parameters.limit < 1) throw new Error("dead");'));
    const limit = ['compression.layers.fc1.limit=0.1'];
    const failed = await trained(place, { 23: limit });
    expect(failed.events.at(-1)).toMatchObject({ type: 'failed', step: 36 });
    await place.write('distort.ts', distortion(''));
    const resumed = await trained(place, {}, { resumed: failed.run });
    expect(resumed.events[0]).toMatchObject({ resumedFrom: 20 });
    expect(eventsOf(resumed.events, 'changed')).toMatchObject([{ step: 24 }]);
    const uninterrupted = await trained(place, { 23: limit });
    expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
  });
});

test('a run that is repeated takes the changes of the first at their steps', async () => {
  const place = await workspace({ compression: prune });
  const first = await trained(place, { [ASKED]: rate });
  const { changes } = (await openRun(first.run.path)).record;
  const text = await first.run.experimentText();
  const run = await createRun({ experiment: place.file, text, changes, state: 'queued' });
  const signal = new AbortController().signal;
  const lock = await lockRun(run);
  const end = await trainRun({ run, resume: false, signal, onEvent: () => undefined });
  await lock.release(end);
  expect(finalWeights(run)).toEqual(finalWeights(first.run));
  expect(eventsOf(await recordedEvents(run), 'changed').map(({ step }) => step)).toEqual([20]);
});

test('changes add up, also two for the same distortion', async () => {
  const place = await workspace({ compression: prune, ...everyDistortion });
  const { answers, events, run } = await trained(place, {
    17: rate,
    18: ['compression.layers.fc1.rate=0.25', 'compression.distortEvery=5'],
    33: ['compression.distortEvery=6'],
  });
  expect(answers).toEqual([20, 20, 35]);
  expect(
    eventsOf(events, 'changed').map(({ step, settings }) => [step, settings.map(({ from, to }) => [from, to])]),
  ).toEqual([
    [20, [[0.5, 0.75]]],
    [
      20,
      [
        [4, 5],
        [0.75, 0.25],
      ],
    ],
    [35, [[5, 6]]],
  ]);
  expect(settings(events).map(([step]) => step)).toEqual([4, 8, 12, 16, 20, 25, 30, 36, 42, 48, 54, 60]);
  const kernel = finalWeights(run).get('fc1/kernel')!;
  expect(kernel.filter((value) => value === 0)).toHaveLength(0.25 * kernel.length);
});

describe('what a run cannot take is refused with the setting and a remedy, and it goes on as it was', () => {
  const low = { compression: lowRank };
  const rerun = /^Rerun the experiment with it\. While a run trains, /;
  test.each<[string, Record<string, unknown>, string[], RegExp, RegExp]>([
    [
      'a value out of range',
      { compression: prune },
      ['compression.layers.fc1.rate=1.2'],
      /^compression\.layers\.fc1\.rate: expected .*got 1\.2$/,
      /goes on as it was/,
    ],
    ['a text that is no setting', { compression: prune }, ['fc1'], /^fc1: expected SETTING=VALUE/, /goes on as it was/],
    [
      'a setting that a run keeps',
      { compression: prune },
      ['training.batchSize=20'],
      /^training\.batchSize: a run keeps it/,
      rerun,
    ],
    ['its length', { compression: prune }, ['training.steps=80'], /^training\.steps: a run keeps it/, rerun],
    [
      'another layer',
      { compression: prune },
      ['compression.layers.fc2={"rate":0.5}'],
      /^compression\.layers\.fc2: a run keeps it/,
      rerun,
    ],
    [
      'another method',
      { compression: prune },
      ['compression.method=custom', 'compression.module=./m.ts', 'compression.schedule=null'],
      /^compression\.method: a run keeps it/,
      rerun,
    ],
    [
      'an end after the last step',
      { compression: prune },
      ['compression.schedule.to=70'],
      /^compression\.schedule\.to: expected at most training\.steps \(60\), got 70$/,
      /goes on as it was/,
    ],
    [
      'a rank that the matrix does not have',
      low,
      ['compression.layers.fc1.rank=9'],
      /^compression\.layers\.fc1\.rank: fc1\/kernel is a \[8, 16\] matrix: expected at most 8, got 9$/,
      /Lower the rank/,
    ],
    [
      'the rank of factors',
      { compression: { ...lowRank, policy: 'factors' } },
      ['compression.layers.fc1.rank=2'],
      /^compression\.layers\.fc1\.rank: the policy "factors" truncates once/,
      rerun,
    ],
    [
      'a rate before points that are trained by then',
      thenPoints(20),
      ['compression[0].layers.fc1.rate=0.75'],
      /^compression\[0\]: fc1\/kernel would be compressed otherwise after step 20, and by the policy "points" of compression\[1\] something else is trained in its place from step 20 on$/,
      /^Rerun the experiment with it/,
    ],
    [
      'a projection to share',
      low,
      ['compression.layers.fc1.sharedProjection=true'],
      /sharedProjection: a run keeps it/,
      rerun,
    ],
    [
      'what its data cannot give',
      { compression: prune },
      ['training.learningRateSchedule={"type":"plateau","factor":0.5}'],
      /^training\.learningRateSchedule: a plateau is one of the loss on the validation split, and the data have none$/,
      /Add a validation split/,
    ],
    [
      'what it has',
      { compression: prune },
      ['compression.layers.fc1.rate=0.5'],
      /^The run has these values already/,
      /differs/,
    ],
  ])('%s', async (_, changes, values, message, remedy) => {
    const place = await workspace(changes);
    const undisturbed = await place.run();
    const { answers, events, run, state } = await trained(place, { [ASKED]: values });
    expect(answers).toMatchObject([
      { name: 'UserError', message: expect.stringMatching(message), remedy: expect.stringMatching(remedy) },
    ]);
    expect(state).toBe('finished');
    expect(eventsOf(events, 'changed')).toEqual([]);
    expect((await openRun(run.path)).record).not.toHaveProperty('changes');
    expect(finalWeights(run)).toEqual(finalWeights(undisturbed.run));
  });
});

function distortion(first: string): string {
  return `export function distort(weights: Float32Array, shape: number[], { step, parameters }: any) {
    ${first}
    for (let i = 0; i < weights.length; i++) if (Math.abs(weights[i]) < parameters.limit / 10) weights[i] = 0;
    return { weightsKept: weights.length, bytes: 4 * weights.length };
  }`;
}
