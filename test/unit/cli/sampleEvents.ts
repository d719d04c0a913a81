/** @file A short run, as its events. */
import type { EventOf, RunEvent } from '../../../server/protocol/run/events.ts';
import { parseExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';

export const experimentText = JSON.stringify({
  model: 'builtin:lenet-300-100',
  data: { type: 'mnist', path: '../data/mnist' },
  training: { optimizer: { type: 'adam' }, batchSize: 50, steps: 20000 },
  compression: { method: 'prune', distortEvery: 10, layers: { fc1: { rate: 0.9 } } },
});

const settings = parseExperiment(experimentText, { file: 'sample' });
const config = { ...settings, training: { ...settings.training, steps: 20000 } };

export const started: EventOf<'started'> = {
  type: 'started',
  step: 0,
  time: 0,
  run: '20261122-120005-lenet',
  config,
  layers: [{ name: 'fc1/kernel', layer: 'fc1', shape: [10, 100], compressed: true }],
  device: 'CPU',
  executor: 'compiled',
};

export function metrics(step: number, loss = 0.1234567): EventOf<'metrics'> {
  return { type: 'metrics', step, time: step, loss, learningRate: 1e-3, stepsPerSecond: 812.345, epoch: step / 1200 };
}

export function evaluation(
  step: number,
  value: number,
  moment: EventOf<'evaluation'>['moment'] = 'training',
): EventOf<'evaluation'> {
  return { type: 'evaluation', step, time: step, split: 'test', metric: 'accuracy', value, loss: 0.0612345, moment };
}

export function distortion(step: number): EventOf<'distortion'> {
  const histogram = {
    minimum: -1,
    maximum: 1,
    before: [250, 500, 250],
    after: [0, 1000, 0],
    zerosBefore: 700,
    zerosAfter: 900,
    nearZerosBefore: 40,
    nearZerosAfter: 3,
  };
  return {
    type: 'distortion',
    step,
    time: step,
    weights: [{ name: 'fc1/kernel', setting: { rate: 0.9 }, histogram, relativeError: 0.125 }],
  };
}

export const finished: EventOf<'finished'> = {
  type: 'finished',
  step: 20000,
  time: 20000,
  summary: {
    metric: 'accuracy',
    test: 0.98412,
    testBeforeLastDistortion: 0.98399,
    weights: 266200,
    weightsKept: 5344,
    weightRatio: 49.8129,
    bytes: 1066440,
    bytesKept: 32120,
    byteRatio: 33.2017,
    layers: [
      { name: 'fc1/kernel', shape: [784, 300], weights: 235200, weightsKept: 4704, bytes: 940800, bytesKept: 25000 },
      { name: 'fc1/bias', shape: [300], weights: 300, weightsKept: 300, bytes: 1200, bytesKept: 1200 },
    ],
    steps: 20000,
    stepsPerSecond: 812.345,
    trainingSeconds: 70.2,
    distortionSeconds: 3.1,
    observationSeconds: 2,
    evaluationSeconds: 5,
    nearZeros: 123,
  },
};

export const wholeRun: RunEvent[] = [
  started,
  metrics(1),
  metrics(10000),
  distortion(10000),
  evaluation(10000, 0.95),
  { type: 'warning', step: 10000, time: 0, message: 'the learning rate is high' },
  metrics(20000),
  distortion(20000),
  evaluation(20000, 0.98399, 'before-last-distortion'),
  evaluation(20000, 0.98412, 'final'),
  finished,
];
