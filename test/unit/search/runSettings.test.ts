import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';
import type { Experiment } from '../../../server/protocol/experiment/schema.ts';
import { timesInSteps } from '../../../server/protocol/experiment/times.ts';
import { learningRateAt } from '../../../server/optimizers/learningRate.ts';
import { denseSettings, fullSettings, shortSettings } from '../../../server/search/runSettings.ts';

const STEPS_PER_EPOCH = 100;

interface Parts {
  training?: Readonly<Record<string, unknown>>;
  compression?: Readonly<Record<string, unknown>>;
}

function textOf({ training = {}, compression = {} }: Parts): string {
  return JSON.stringify({
    model: 'builtin:lenet-300-100',
    data: { type: 'mnist', path: './mnist', validation: 5000 },
    training: {
      optimizer: { type: 'adam' },
      batchSize: 50,
      ...('epochs' in training ? {} : { steps: 2000 }),
      ...training,
    },
    compression: [
      { method: 'prune', distortEvery: 5, layers: { '*': { rate: 0.5 } }, ...compression },
      { method: 'quantize', distortEvery: 200, layers: { '*': { bits: 4 } } },
    ],
    target: { ratio: 10 },
  });
}

function inSteps(text: string, overrides: readonly string[] = []): Experiment {
  return timesInSteps(parseExperiment(text, { file: 'x', overrides }), STEPS_PER_EPOCH);
}

const layers = new Map([[0, { fc1: { rate: 0.99 }, 'fc2/kernel': { rate: 0.9 } }]]);
const base = ['target=null'];

function shortOf(parts: Parts, length = 0.2): { full: Experiment; short: Experiment } {
  const text = textOf(parts);
  const full = inSteps(text);
  const { set } = shortSettings(full, base, { layers, length, start: 'run:dense', stepsPerEpoch: STEPS_PER_EPOCH });
  return { full, short: inSteps(text, set) };
}

describe('a short run', () => {
  test('has the times of its compressions at the same parts of the training', () => {
    const { short } = shortOf({ compression: { schedule: { from: 500, to: 1000, initialRate: 0.25 } } });
    expect(short).toMatchObject({
      start: 'run:dense',
      training: { steps: 400, testAtEnd: false },
      compression: [
        {
          distortEvery: 5,
          schedule: { from: 100, to: 200, initialRate: 0.25 },
          layers: { fc1: { rate: 0.99 }, 'fc2/kernel': { rate: 0.9 } },
        },
        // Ten distortions, as in the whole length.
        { distortEvery: 40, layers: { '*': { bits: 4 } } },
      ],
    });
  });

  test('reads times in epochs', () => {
    const { short } = shortOf({
      training: { epochs: 20 },
      compression: { unit: 'epochs', distortEvery: 1, schedule: { from: 4, to: 10 } },
    });
    expect(short.training).toMatchObject({ steps: 400 });
    expect(short.training.epochs).toBeUndefined();
    expect(short.compression).toMatchObject([{ unit: 'steps', distortEvery: 20, schedule: { from: 80, to: 200 } }, {}]);
  });

  test.each([
    [{ type: 'constant' }],
    [{ type: 'step', every: 800, factor: 0.5 }],
    [{ type: 'exponential', factor: 0.01, steps: 2000 }],
    [{ type: 'after-epoch', epoch: 5, factor: 0.5 }],
    [{ type: 'after-epoch', epoch: 1, factor: 0.8 }],
  ])('ends with the learning rate of the whole one: %j', (learningRateSchedule) => {
    const { full, short } = shortOf({ training: { learningRateSchedule } });
    const last = ({ training: { steps, learningRateSchedule: schedule } }: Experiment) =>
      learningRateAt(schedule, 1, { step: steps - 1, epoch: Math.floor((steps - 1) / STEPS_PER_EPOCH) });
    expect(last(short)).toBeCloseTo(last(full), 2);
  });

  test('is a valid experiment whatever its length', () => {
    const times = fc
      .tuple(fc.integer({ min: 0, max: 1999 }), fc.integer({ min: 1, max: 2000 }))
      .filter(([from, to]) => from < to);
    fc.assert(
      fc.property(
        times,
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        ([from, to], distortEvery, length) => {
          const { short } = shortOf({ compression: { distortEvery, schedule: { from, to } } }, length);
          expect(short.training.steps).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });
});

test('a full run differs from the file in its layers alone, and does not look at the test split', () => {
  const text = textOf({});
  const { set, vary } = fullSettings(inSteps(text), base, layers);
  const { compression, training } = inSteps(text, set);
  expect(compression).toMatchObject([
    { layers: { fc1: { rate: 0.99 }, 'fc2/kernel': { rate: 0.9 } } },
    { layers: { '*': { bits: 4 } } },
  ]);
  expect(training).toEqual({ ...inSteps(text).training, testAtEnd: false });
  expect(vary).toEqual(['compression[0].layers={"fc1":{"rate":0.99},"fc2/kernel":{"rate":0.9}}']);
});

test('a full run with another seed differs from the first in that alone', () => {
  const full = inSteps(textOf({}));
  const [first, second] = [0, 2].map((seed) => inSteps(textOf({}), fullSettings(full, base, layers, seed).set));
  expect(second).toEqual({ ...first, training: { ...first.training, seed: first.training.seed + 2 } });
});

test('the dense model has no compression, and no settings that need one', () => {
  const text = textOf({ training: { keep: 'compressed' } });
  const settings = parseExperiment(text, { file: 'x', overrides: base });
  const experiment = inSteps(text, denseSettings(settings, base).set);
  expect(experiment.compression).toBeUndefined();
  expect(experiment.training.keep).toBe('both');
});
