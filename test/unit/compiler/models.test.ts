import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import { EagerExecutor } from '../../../server/compiler/eagerExecutor.ts';
import type { SampleType, StepBatch } from '../../../server/compiler/program.ts';
import { losses } from '../../../server/models/losses.ts';
import type { LossId } from '../../../server/protocol/experiment/lossFacts.ts';
import type { OptimizerConfig } from '../../../server/protocol/experiment/schema.ts';
import { compareExecutors } from './compareExecutors.ts';
import { expectClose } from './expectClose.ts';
import { modelProgram, randomBatch, randomizeWeights } from './programs.ts';

const { layers } = tf;
const STEPS = 25;
const BATCH = 4;
const CLASSES = 3;

const sgd: OptimizerConfig = { type: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: false, weightDecay: 0 };
const adam: OptimizerConfig = {
  type: 'adam',
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-7,
  weightDecay: 0,
};

interface Example {
  readonly create: () => tf.layers.Layer[];
  readonly loss: LossId;
  readonly target?: SampleType;
  readonly inputs?: SampleType['dtype'];
  readonly optimizer: OptimizerConfig;
}

const label: SampleType = { dtype: 'int32', shape: [] };
const classes = (softmax: boolean) => layers.dense({ units: CLASSES, activation: softmax ? 'softmax' : undefined });
const FROM_LOGITS = 'sparse-categorical-crossentropy-from-logits';
const FROM_PROBABILITIES = 'sparse-categorical-crossentropy';

const models: Record<string, Example> = {
  'a perceptron with L1 and L2 regularizers': {
    create: () => [
      layers.dense({ units: 8, activation: 'relu', inputShape: [5], kernelRegularizer: 'l1l2' }),
      layers.dense({ units: 6, activation: 'tanh', kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }) }),
      classes(false),
    ],
    loss: FROM_LOGITS,
    optimizer: adam,
  },
  'LeNet-5': {
    create: () => [
      layers.conv2d({ filters: 3, kernelSize: 3, inputShape: [12, 12, 1] }),
      layers.maxPooling2d({ poolSize: 2, strides: 2 }),
      layers.conv2d({ filters: 4, kernelSize: 2 }),
      layers.maxPooling2d({ poolSize: 2, strides: 2 }),
      layers.flatten(),
      layers.dense({ units: 10, activation: 'relu' }),
      classes(false),
    ],
    loss: FROM_LOGITS,
    optimizer: sgd,
  },
  'a convolutional network with batch normalization': {
    create: () => [
      layers.conv2d({ filters: 3, kernelSize: 3, inputShape: [8, 8, 2], padding: 'same', useBias: false }),
      layers.batchNormalization(),
      layers.activation({ activation: 'relu' }),
      layers.averagePooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 4, kernelSize: 3 }),
      layers.batchNormalization({ momentum: 0.8 }),
      layers.leakyReLU(),
      layers.globalAveragePooling2d({}),
      classes(true),
    ],
    loss: FROM_PROBABILITIES,
    optimizer: sgd,
  },
  'a depthwise convolutional network': {
    create: () => [
      layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', inputShape: [9, 9, 2] }),
      layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', depthMultiplier: 2, activation: 'relu6' }),
      layers.separableConv2d({ filters: 5, kernelSize: 3, activation: 'elu' }),
      layers.globalMaxPooling2d({}),
      classes(true),
    ],
    loss: FROM_PROBABILITIES,
    optimizer: adam,
  },
  'an LSTM over embedded words': {
    create: () => [
      layers.embedding({ inputDim: 7, outputDim: 4, inputLength: 5 }),
      layers.lstm({ units: 5, returnSequences: true }),
      layers.lstm({ units: 4, returnSequences: true }),
      layers.dense({ units: CLASSES }),
    ],
    loss: FROM_LOGITS,
    target: { dtype: 'int32', shape: [5] },
    inputs: 'int32',
    optimizer: { ...sgd, momentum: 0 },
  },
  'a GRU': {
    create: () => [layers.gru({ units: 5, inputShape: [6, 3] }), classes(true)],
    loss: FROM_PROBABILITIES,
    optimizer: adam,
  },
  'a bidirectional LSTM': {
    create: () => [
      layers.bidirectional({
        layer: layers.lstm({ units: 3, returnSequences: true }) as tf.RNN,
        mergeMode: 'concat',
        inputShape: [5, 2],
      }),
      layers.timeDistributed({ layer: layers.dense({ units: 4, activation: 'tanh' }) }),
      layers.globalAveragePooling1d(),
      layers.dense({ units: 2 }),
    ],
    loss: 'mean-squared-error',
    target: { dtype: 'float32', shape: [2] },
    optimizer: sgd,
  },
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function programOf({ create, loss, target = label, inputs }: Omit<Example, 'optimizer'>) {
  const program = modelProgram(tf.sequential({ layers: create() }), losses[loss], target, inputs);
  randomizeWeights(program, 11, 0.3);
  return program;
}

describe('After 25 steps', () => {
  it.each(Object.entries(models))('%s has the parameters of the eager executor', async (_, example) => {
    const program = programOf(example);
    const batches = Array.from({ length: STEPS }, (__, seed) => randomBatch(program, BATCH, seed, CLASSES));
    await compareExecutors(program, batches, { optimizer: example.optimizer });
  });

  it('an LSTM has them too when the gradient of its embedding comes as rows', async () => {
    const example = models['an LSTM over embedded words'];
    const program = programOf(example);
    const batches = Array.from({ length: STEPS }, (_, seed) => randomBatch(program, BATCH, seed, CLASSES));
    await compareExecutors(program, batches, { optimizer: example.optimizer, rowGradients: true });
  });
});

const outputs: Record<LossId, { activation?: 'softmax' | 'sigmoid'; target: SampleType }> = {
  'sparse-categorical-crossentropy': { activation: 'softmax', target: label },
  'sparse-categorical-crossentropy-from-logits': { target: label },
  'categorical-crossentropy': { activation: 'softmax', target: { dtype: 'float32', shape: [CLASSES] } },
  'binary-crossentropy': { activation: 'sigmoid', target: { dtype: 'int32', shape: [CLASSES] } },
  'binary-crossentropy-from-logits': { target: { dtype: 'int32', shape: [CLASSES] } },
  'mean-squared-error': { target: { dtype: 'float32', shape: [CLASSES] } },
  'mean-absolute-error': { target: { dtype: 'float32', shape: [CLASSES] } },
  huber: { target: { dtype: 'float32', shape: [CLASSES] } },
  'cosine-proximity': { target: { dtype: 'float32', shape: [CLASSES] } },
};

describe('The loss', () => {
  it.each(Object.entries(outputs))('%s has the value and gradients of the cpu backend', async (loss, row) => {
    const program = programOf({
      create: () => [layers.dense({ units: CLASSES, activation: row.activation, inputShape: [4] })],
      loss: loss as LossId,
      target: row.target,
    });
    await compareExecutors(
      program,
      [0, 1].map((seed) => randomBatch(program, BATCH, seed, loss.startsWith('binary') ? 2 : CLASSES)),
    );
  });

  it('leaves samples out whose label is no class, as TensorFlow.js does', async () => {
    const program = programOf({ create: () => [layers.dense({ units: CLASSES, inputShape: [4] })], loss: FROM_LOGITS });
    const batch = randomBatch(program, BATCH, 1);
    await compareExecutors(program, [{ ...batch, targets: [Int32Array.of(-1, 0, 3, 2)] }]);
  });
});

describe('A stateful layer', () => {
  const recurrent: Record<string, () => tf.layers.Layer> = {
    lstm: () => layers.lstm({ units: 3, stateful: true, batchInputShape: [BATCH, 4, 2] }),
    gru: () => layers.gru({ units: 3, stateful: true, batchInputShape: [BATCH, 4, 2] }),
    simpleRNN: () => layers.simpleRNN({ units: 3, stateful: true, batchInputShape: [BATCH, 4, 2] }),
  };

  function prepare(create: () => tf.layers.Layer) {
    const target: SampleType = { dtype: 'float32', shape: [1] };
    const program = programOf({
      create: () => [create(), layers.dense({ units: 1 })],
      loss: 'mean-squared-error',
      target,
    });
    const batch = (seed: number): StepBatch => randomBatch(program, BATCH, seed);
    return { program, batch };
  }

  const options = { batchSize: BATCH, seed: 1, threads: 1, rowGradients: false, stateBytes: () => 0 };

  it.each(Object.entries(recurrent))(
    '%s carries its state from batch to batch, in both executors',
    async (_, create) => {
      const { program, batch } = prepare(create);
      await compareExecutors(program, [1, 2, 3].map(batch));
    },
  );

  it.each(Object.entries(recurrent))(
    '%s keeps training and evaluation apart, and begins again after a reset',
    async (_, create) => {
      const { program, batch } = prepare(create);
      const compiled = await CompiledExecutor.create(program, options);
      const eager = new EagerExecutor(program, { ...options, backend: 'cpu' });
      const runs: number[][] = [];
      for (const executor of [compiled, eager]) {
        const { loss: first } = await executor.step(batch(1), 0);
        const evaluated = (await executor.evaluate(batch(1))).loss;
        const { loss: second } = await executor.step(batch(1), 1);
        const evaluatedAgain = (await executor.evaluate(batch(1))).loss;
        // The weights did not change: only the state tells the batches apart.
        expect(second).not.toBe(first);
        expect(evaluatedAgain).not.toBe(evaluated);
        expect([...executor.states.values()].some((state) => state.some((value) => value !== 0))).toBe(true);
        executor.resetStates('training');
        const { loss: afterReset } = await executor.step(batch(1), 2);
        const third = (await executor.evaluate(batch(1))).loss;
        executor.resetStates('evaluation');
        const evaluatedAfterReset = (await executor.evaluate(batch(1))).loss;
        expectClose('after a reset', [afterReset, evaluatedAfterReset], [first, evaluated]);
        runs.push([first, evaluated, second, evaluatedAgain, afterReset, third, evaluatedAfterReset]);
      }
      expectClose('losses', runs[0], runs[1]);
      expect([...compiled.states.keys()].sort()).toEqual([...eager.states.keys()].sort());
      for (const [name, state] of eager.states) expectClose(name, compiled.states.get(name) as Float32Array, state);
      await compiled.dispose();
    },
  );

  it('goes on from states that were saved', async () => {
    const { program, batch } = prepare(recurrent.lstm);
    const compiled = await CompiledExecutor.create(program, options);
    await compiled.step(batch(1), 0);
    const saved = [...compiled.states].map(([name, state]) => [name, state.slice()] as const);
    const expected = await compiled.step(batch(2), 1);
    const resumed = await CompiledExecutor.create(program, options);
    for (const [name, state] of saved) resumed.states.get(name)?.set(state);
    expect(await resumed.step(batch(2), 1)).toEqual(expected);
    await compiled.dispose();
    await resumed.dispose();
  });
});
