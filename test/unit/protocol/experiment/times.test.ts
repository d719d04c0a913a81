import { describe, expect, it, test } from 'vitest';
import { parseExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';
import type { ExperimentSettings } from '../../../../server/protocol/experiment/schema.ts';
import { readTimes, timeProblems, timesIn, timesInSteps } from '../../../../server/protocol/experiment/times.ts';

/** Settings of a file in which these sections stand. */
function settings(training: object, compression: object): ExperimentSettings {
  const text = JSON.stringify({
    model: './model.ts',
    data: { type: 'mnist', path: './mnist' },
    training: { optimizer: { type: 'sgd', learningRate: 0.1 }, batchSize: 50, ...training },
    compression: { method: 'prune', distortEvery: 10, layers: { fc1: { rate: 0.9 } }, ...compression },
  });
  return parseExperiment(text, { file: 'test.deeptwist.jsonc' });
}

const inEpochs = { schedule: { from: 2, to: 5, unit: 'epochs' } };

test('times in epochs become times in steps when the length of an epoch is known', () => {
  const { training, compression } = timesInSteps(settings({ epochs: 8 }, inEpochs), 100);
  expect(training.steps).toBe(800);
  expect(compression).toMatchObject({ distortEvery: 10, schedule: { from: 200, to: 500, unit: 'steps' } });
});

describe('the unit of a compression is that of its distortions, and of a schedule that names none', () => {
  it.each([
    [{ distortEvery: 2, unit: 'epochs' }, { distortEvery: 200 }],
    [
      { distortEvery: 1, unit: 'epochs', schedule: { from: 2, to: 5 } },
      { distortEvery: 100, schedule: { from: 200, to: 500 } },
    ],
    [
      { distortEvery: 1, unit: 'epochs', schedule: { from: 20, to: 50, unit: 'steps' } },
      { distortEvery: 100, schedule: { from: 20, to: 50 } },
    ],
    [
      { distortEvery: 10, unit: 'steps', schedule: { from: 2, to: 5, unit: 'epochs' } },
      { distortEvery: 10, schedule: { from: 200, to: 500 } },
    ],
  ])('%j', (compression, inSteps) => {
    expect(timesInSteps(settings({ epochs: 8 }, compression), 100).compression).toMatchObject({
      ...inSteps,
      unit: 'steps',
    });
  });
});

test('times in steps need no epoch, and stay as they are', () => {
  const given = settings({ steps: 800 }, { schedule: { from: 200, to: 500 } });
  expect(timesInSteps(given, undefined)).toEqual(given);
});

describe('a time in epochs of unknown length is refused at the setting that says the unit', () => {
  it.each([
    ['training.epochs', settings({ epochs: 8 }, {})],
    ['compression.schedule.unit', settings({ steps: 800 }, inEpochs)],
    ['compression.unit', settings({ steps: 800 }, { distortEvery: 1, unit: 'epochs' })],
  ])('%s', (setting, given) => {
    expect(() => timesInSteps(given, undefined)).toThrow(`${setting}: the length of an epoch of the data is unknown`);
  });
});

describe('a time after the end of the training is refused when the length of an epoch tells it', () => {
  it.each([
    ['compression.distortEvery', settings({ epochs: 8 }, { distortEvery: 801 }), 'the 800 steps of training, got 801'],
    [
      'compression.distortEvery',
      settings({ steps: 99 }, { distortEvery: 1, unit: 'epochs' }),
      'the 99 steps of training, got 100',
    ],
    ['compression.schedule.to', settings({ steps: 499 }, inEpochs), 'the 499 steps of training, got 500'],
    ['compression.schedule.from', settings({ steps: 199 }, inEpochs), 'the 199 steps of training, got 200'],
  ])('%s', (setting, given, text) => {
    expect(() => timesInSteps(given, 100)).toThrow(`${setting}: expected at most ${text} steps`);
  });
});

describe('times at which a model is thinned', () => {
  const thinned = (thin: object, training: object = { epochs: 8 }) =>
    ({ ...settings(training, {}), thin }) as ExperimentSettings;

  it('become steps', () => {
    const { thin } = timesInSteps(thinned({ at: [2, 5], unit: 'epochs' }), 100);
    expect(thin).toEqual({ at: [200, 500], unit: 'steps' });
    expect(timesInSteps(thinned({ at: [20], unit: 'steps' }), 100).thin).toEqual({ at: [20], unit: 'steps' });
  });

  it('are before the end of the training', () => {
    const atTheEnd = thinned({ at: [2, 5], unit: 'epochs' }, { steps: 500 });
    expect(() => timesInSteps(atTheEnd, 100)).toThrow(
      'thin.at[1]: expected fewer than the 500 steps of training, got 500 steps',
    );
    expect(() => timesInSteps(atTheEnd, undefined)).toThrow('thin.unit: the length of an epoch of the data is unknown');
  });
});

test('in a unit that is not known without an epoch, the times of the other unit are left out, but for 0', () => {
  const times = readTimes(settings({ epochs: 8 }, { schedule: { from: 0, to: 5, unit: 'epochs' } }));
  const [own] = times.compressions;
  expect(timesIn('steps', times, own, undefined)).toEqual({
    unit: 'steps',
    end: undefined,
    distortEvery: 10,
    from: 0,
    to: undefined,
  });
  expect(timesIn('epochs', times, own, undefined)).toMatchObject({ end: 8, distortEvery: undefined, from: 0, to: 5 });
  expect(timesIn('epochs', times, own, 100)).toMatchObject({ end: 8, distortEvery: 0.1 });
});

test('a time that is wrong by itself is passed over, and the others are still read and compared', () => {
  const document = {
    training: { steps: '800', epochs: 8 },
    compression: { distortEvery: -1, schedule: { from: 9, to: 2.5, unit: 'epochs', exponent: 'three' } },
  };
  const { steps, compressions } = readTimes(document);
  const [{ distortEvery, from, to }] = compressions;
  expect([steps, distortEvery, from.count, to]).toEqual([undefined, undefined, 9, undefined]);
  expect(timeProblems(document).map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
    'compression.schedule.from: expected below training.epochs (8), got 9',
  ]);
});
