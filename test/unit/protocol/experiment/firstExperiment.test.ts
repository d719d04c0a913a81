import { describe, expect, test } from 'vitest';
import {
  firstCompression,
  firstDistortEvery,
  firstLength,
  firstTraining,
  type FirstRun,
} from '../../../../server/protocol/experiment/firstExperiment.ts';
import { methodNames } from '../../../../server/protocol/experiment/methods/index.ts';
import { checkExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';

const steps = (count: number, dataType = 'mnist'): FirstRun => ({ dataType, length: { count, unit: 'steps' } });
const epochs = (count: number): FirstRun => ({ dataType: 'text', length: { count, unit: 'epochs' } });

describe.each(methodNames)('a first experiment with the method %s', (method) => {
  test.each([
    ...[1, 2, 3, 59, 500, 6000, 20_000].map((count) => steps(count)),
    ...[1, 2, 3, 10].map((count) => epochs(count)),
    steps(500, 'text'),
  ])('is valid for $length.count $length.unit of $dataType', (run) => {
    const { settings, layers, schedule } = firstCompression(method, [{ name: 'fc1', shortestSide: 10 }], run);
    const text = JSON.stringify({
      model: './model.ts',
      data: { type: run.dataType, path: './data', ...(run.dataType === 'text' && { timeSteps: 20 }) },
      training: firstTraining(run, method),
      compression: { ...settings, layers: { [layers[0].name]: layers[0].parameters }, schedule },
    });
    expect(checkExperiment(text).problems).toEqual([]);
  });
});

test('the distortion step is that of the method, and a smaller round number in a short run', () => {
  const of = (method: 'prune' | 'low-rank') =>
    [20_000, 6000, 2000, 500, 100, 1].map((count) => firstDistortEvery(method, steps(count)).count);
  expect(of('prune')).toEqual([10, 10, 10, 5, 1, 1]);
  expect(of('low-rank')).toEqual([100, 100, 20, 5, 1, 1]);
});

test('a run in epochs has the distortion step of the method until the length of an epoch is known', () => {
  const run = epochs(10);
  expect(firstDistortEvery('quantize', run)).toEqual({ count: 100, unit: 'steps' });
  expect(firstDistortEvery('quantize', { ...run, stepsPerEpoch: 200 }).count).toBe(20);
});

test.each([
  [undefined, undefined, 10],
  ['arrays', undefined, 10],
  ['mnist', 1200, 5],
  ['images', 25_600, 5],
  ['images', 1000, 6],
  ['images', 200, 30],
  ['table', 3, 100],
  ['text', 40, 10],
] as const)(
  'a first experiment on data of type %s, with %s steps an epoch, trains for %i epochs',
  (dataType, stepsPerEpoch, count) => {
    expect(firstLength({ dataType, stepsPerEpoch })).toEqual({ count, unit: 'epochs' });
  },
);

test('a schedule is in the unit of the training', () => {
  const schedule = (run: FirstRun) => firstCompression('prune', [], run).schedule;
  expect(schedule(epochs(10))).toEqual({ from: 2, to: 6, unit: 'epochs' });
  expect(schedule(epochs(5))).toEqual({ from: 1, to: 3, unit: 'epochs' });
  expect(schedule(steps(6000))).toEqual({ from: 1200, to: 3600 });
});

test('a method that acts once an epoch does so in a run of epochs; one of steps can be shorter than an epoch', () => {
  expect(firstLength({ dataType: 'mnist', stepsPerEpoch: 1200 }, 'nuclear-norm')).toEqual({
    count: 10,
    unit: 'epochs',
  });
  expect(firstLength({ dataType: 'images', stepsPerEpoch: 100 }, 'nuclear-norm')).toEqual({
    count: 60,
    unit: 'epochs',
  });
  const every = (run: FirstRun) => firstCompression('nuclear-norm', [], run);
  expect(every(epochs(10))).toMatchObject({ settings: { distortEvery: 1, unit: 'epochs' }, schedule: undefined });
  expect(every(steps(500))).toMatchObject({ settings: { distortEvery: 50, unit: 'steps' } });
  expect(firstTraining(epochs(10), 'nuclear-norm')).toMatchObject({ optimizer: { type: 'sgd' } });
  expect(firstTraining(steps(500), 'group-lasso')).toMatchObject({ optimizer: { type: 'sgd', momentum: 0.9 } });
  expect(firstTraining(steps(500), 'prune')).toMatchObject({ optimizer: { type: 'adam' } });
});
