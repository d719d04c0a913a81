/** @file The loss of a student: the oracle values of Polino et al. 2018, its gradient, who asks, and compiled steps beside eager ones. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { CompiledExecutor } from '../../../../server/compiler/compiledExecutor.ts';
import { withParts, type Program, type StepBatch } from '../../../../server/compiler/program.ts';
import type { TensorSpec } from '../../../../server/data/dataset.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import type { LossId } from '../../../../server/protocol/experiment/lossFacts.ts';
import { experimentSchema, type DistillationConfig } from '../../../../server/protocol/experiment/schema.ts';
import { distillation } from '../../../../server/protocol/experiment/schema/distillation.ts';
import { modelProgram } from '../../../../server/training/modelProgram.ts';
import { outputKindOf } from '../../../../server/training/objective/outputKind.ts';
import { studentLoss, type Teacher } from '../../../../server/training/objective/studentLoss.ts';
import { compareExecutors } from '../../compiler/compareExecutors.ts';
import { denseGradient } from '../../compiler/denseGradient.ts';
import { randomBatch, randomizeWeights } from '../../compiler/programs.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const FROM_LOGITS = 'sparse-categorical-crossentropy-from-logits';

interface Settings {
  distillation?: Record<string, unknown>;
  loss?: LossId;
  target?: TensorSpec;
  batchSize?: number;
  training?: Record<string, unknown>;
}

/** A student and its teacher on samples as the student takes them. */
function programOf(
  student: tf.LayersModel,
  teacher: tf.LayersModel,
  { distillation, loss = FROM_LOGITS, target = { shape: [], dtype: 'int32' }, batchSize = 4, training }: Settings = {},
): Program {
  const experiment = experimentSchema.parse({
    model: './model.ts',
    data: { type: 'mnist', path: '.' },
    training: { optimizer: { type: 'adam' }, batchSize, steps: 1, loss, ...training },
    distillation: { teacher: 'run:teacher', ...distillation },
  });
  const shapeOf = (model: tf.LayersModel) => model.inputs[0].shape.slice(1) as number[];
  const inputs: TensorSpec[] = [{ shape: shapeOf(student), dtype: 'float32' }];
  const found: Teacher = {
    model: teacher,
    weights: modelWeights(teacher),
    layers: teacher.layers,
    inputs: [{ shape: shapeOf(teacher), dtype: 'float32' }],
    kind: outputKindOf(teacher, undefined)!,
  };
  return modelProgram({ model: student, files: [] }, { inputs, targets: [target] }, experiment.training, {
    lesson: { config: experiment.distillation!, teacher: found },
  });
}

/** A layer whose outputs are its bias, and which passes on nothing of its inputs. */
function constant(logits: readonly number[], activation: 'linear' | 'softmax' = 'linear'): tf.LayersModel {
  const dense = tf.layers.dense({ units: logits.length, name: 'logits', activation, inputShape: [1] });
  const model = tf.sequential({ layers: [dense] });
  dense.setWeights([tf.zeros([1, logits.length]), tf.tensor1d([...logits])]);
  return model;
}

const teacherLogits = [2, 1, 0];
const studentLogits = [1, 1.5, -0.5];
const batchOf = (...labels: number[]): StepBatch => ({
  size: labels.length,
  inputs: [new Float32Array(labels.length)],
  targets: [Int32Array.from(labels)],
});

const valuesOf = (scalars: Readonly<Record<string, tf.Scalar>>) =>
  Object.fromEntries(Object.entries(scalars).map(([name, scalar]) => [name, scalar.dataSync()[0]]));

/** Loss, parts, shares and the gradient in the student's logits, by TensorFlow.js. */
function stepOf(program: Program, { size, inputs, targets }: StepBatch) {
  const [bias] = program.weights.filter(({ name }) => name === 'logits/bias');
  let told: { parts: Record<string, number>; shares: Record<string, number> } | undefined;
  const { value, grads } = tf.variableGrads(() => {
    const batch = [tf.tensor(inputs[0], [size, 1])];
    const expected = [tf.tensor(targets[0], [size, ...program.targets[0].shape], program.targets[0].dtype)];
    const { total, parts, shares } = withParts(program.loss(batch, expected));
    told = { parts: valuesOf(parts), shares: valuesOf(shares) };
    return total;
  });
  return { loss: value.dataSync()[0], gradient: [...grads[bias.variable.name].dataSync()], ...told! };
}

// Computed with numpy, printed to six digits; float32 keeps them.
describe('The loss of a student has the values of the formula', () => {
  const CE = 1.054957;
  const KL = 0.056675;

  test('as its mean over the batch, with its gradient', () => {
    const program = programOf(constant(studentLogits), constant(teacherLogits));
    const { loss, parts, shares, gradient } = stepOf(program, batchOf(0));
    expect(loss).toBeCloseTo(0.475177, 5);
    expect(parts.labels).toBeCloseTo(0.3 * CE, 5);
    expect(parts.distillation).toBeCloseTo(0.7 * 4 * KL, 5);
    expect(shares).toEqual({});
    [-0.3967, 0.394325, 0.002375].forEach((value, i) => expect(gradient[i]).toBeCloseTo(value, 5));
  });

  test('as the published code reduces it: the divergence by the classes, too', () => {
    const distillation = { reduction: 'as-published' };
    const program = programOf(constant(studentLogits), constant(teacherLogits), { distillation });
    expect(stepOf(program, batchOf(0)).loss).toBeCloseTo(0.369384, 5);
  });

  test('for probabilities as for the logits that they are of', () => {
    const program = programOf(constant(studentLogits, 'softmax'), constant(teacherLogits, 'softmax'), {
      loss: 'sparse-categorical-crossentropy',
    });
    expect(stepOf(program, batchOf(0)).loss).toBeCloseTo(0.475177, 5);
  });

  test.each([
    ['all of the weight on the teacher', 1, 4 * KL],
    ['none of it: the plain loss', 0, CE],
  ])('%s', (_, weight, loss) => {
    const program = programOf(constant(studentLogits), constant(teacherLogits), { distillation: { weight } });
    expect(stepOf(program, batchOf(0)).loss).toBeCloseTo(loss, 5);
  });

  test('and an evaluation that of the labels alone', () => {
    const program = programOf(constant(studentLogits), constant(teacherLogits));
    const { loss } = program.evaluate([tf.zeros([1, 1])], [tf.tensor1d([0], 'int32')]);
    expect(loss.dataSync()[0]).toBeCloseTo(CE, 5);
  });
});

test('The gradient is that of the formula for any logits, temperature and weight', () => {
  const logits = fc.array(fc.double({ min: -6, max: 6, noNaN: true }), { minLength: 4, maxLength: 4 });
  const softmax = (z: readonly number[], t = 1) => {
    const powers = z.map((value) => Math.exp(value / t));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  };
  fc.assert(
    fc.property(
      logits,
      logits,
      fc.double({ min: 0.5, max: 8, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(3),
      (own, other, temperature, weight, label) => {
        const program = programOf(constant(own), constant(other), { distillation: { temperature, weight } });
        const { gradient } = stepOf(program, batchOf(label));
        const [p, q] = [softmax(own, temperature), softmax(other, temperature)];
        const hard = softmax(own);
        gradient.forEach((value, i) =>
          expect(value).toBeCloseTo(
            weight * temperature * (p[i] - q[i]) + (1 - weight) * (hard[i] - (i === label ? 1 : 0)),
            4, // Terms are up to 8, in float32.
          ),
        );
      },
    ),
    { numRuns: 40 },
  );
});

test('The loss of sequences is summed over time: of each word w KL + (1 - w) CE at temperature 1, not divided by the words there are', () => {
  /** Outputs are the logits that are given, at each of two time steps. */
  const sequence = (logits: readonly number[]) => {
    const dense = tf.layers.dense({ units: logits.length, name: 'logits', inputShape: [2, 1] });
    const model = tf.sequential({ layers: [dense] });
    dense.setWeights([tf.zeros([1, logits.length]), tf.tensor1d([...logits])]);
    return model;
  };
  const settings: Settings = { distillation: { temperature: 1 }, target: { shape: [2], dtype: 'int32' } };
  const lossOf = (reduction: string) => {
    const training = { lossReduction: reduction };
    const program = programOf(sequence(studentLogits), sequence(teacherLogits), { ...settings, training });
    const batch = [tf.zeros([1, 2, 1])];
    const { total, parts } = withParts(program.loss(batch, [tf.tensor2d([[0, 2]], [1, 2], 'int32')]));
    return { loss: total.dataSync()[0], parts: valuesOf(parts) };
  };
  const logarithms = (z: readonly number[]) => {
    const sum = z.reduce((total, value) => total + Math.exp(value), 0);
    return z.map((value) => value - Math.log(sum));
  };
  const [own, other] = [logarithms(studentLogits), logarithms(teacherLogits)];
  const divergence = other.reduce((sum, value, i) => sum + Math.exp(value) * (value - own[i]), 0);
  const labels = 0.3 * -(own[0] + own[2]);
  const { loss, parts } = lossOf('sum-over-time');
  expect(parts.labels).toBeCloseTo(labels, 5);
  expect(parts.distillation).toBeCloseTo(0.7 * 2 * divergence, 5);
  expect(loss).toBeCloseTo(labels + 1.4 * divergence, 5);
  expect(lossOf('mean').loss).toBeCloseTo(loss / 2, 5);
});

describe('A distillation is refused', () => {
  const input = tf.input({ shape: [3] });
  const dense = (units: number) => tf.layers.dense({ units }).apply(input) as tf.SymbolicTensor;
  const modelOf = (...outputs: tf.SymbolicTensor[]) => tf.model({ inputs: input, outputs });
  const refused = (student: tf.LayersModel, id?: LossId, settings: Partial<DistillationConfig> = {}) => {
    const config = { ...distillation.parse({ teacher: 'run:teacher' }), ...settings };
    const teacher: Teacher = {
      model: modelOf(dense(3)),
      weights: [],
      layers: [],
      inputs: [{ shape: [3], dtype: 'float32' }],
      kind: 'logits',
    };
    return () => studentLoss(config, { model: student, loss: () => tf.scalar(0), id }, teacher);
  };

  test('for a model of several outputs', () => {
    expect(refused(modelOf(dense(3), dense(3)))).toThrow(
      'distillation: it is for a model of one output, and this one has 2',
    );
  });

  test('for a loss that is not of classes', () => {
    expect(refused(modelOf(dense(3)), 'mean-squared-error')).toThrow(
      'distillation: it is for classes, one of which a sample belongs to, and not for the loss mean-squared-error',
    );
  });

  test('for a single class', () => {
    expect(refused(modelOf(dense(1)), FROM_LOGITS)).toThrow("the model's output [1] has no axis of at least two");
  });

  test('for a cut-off that no entropy is above', () => {
    const ask = { entropyAbove: Math.log2(3) };
    expect(refused(modelOf(dense(3)), FROM_LOGITS, { ask })).toThrow('distillation.ask.entropyAbove: no sample would');
  });
});

describe('the samples of a batch that ask the teacher', () => {
  // The student is right on label 1; its softmax is (0.348, 0.574, 0.078), of 1.2760 bits.
  const CE = [1.054957, 0.554957, 2.554957];
  const soft = 0.7 * 4 * 0.056675;
  const lossOf = (ask: unknown, reduction: string, ...labels: number[]) => {
    const program = programOf(constant(studentLogits), constant(teacherLogits), { distillation: { ask, reduction } });
    return stepOf(program, batchOf(...labels));
  };

  test('are those whose label is not what the student thinks', () => {
    const { loss, parts, shares } = lossOf('when-wrong', 'batchmean', 0, 1, 1, 2);
    expect(shares).toEqual({ asked: 0.5 });
    expect(parts.distillation).toBeCloseTo(soft / 2, 5);
    expect(parts.labels).toBeCloseTo((0.3 * CE[0] + 2 * CE[1] + 0.3 * CE[2]) / 4, 5);
    expect(loss).toBeCloseTo(parts.labels + parts.distillation, 5);
  });

  test('and the published code adds the mean over them to the mean over the others', () => {
    const { loss, parts } = lossOf('when-wrong', 'as-published', 0, 1, 1, 1);
    expect(parts.distillation).toBeCloseTo(soft / 3, 5);
    expect(parts.labels).toBeCloseTo(0.3 * CE[0] + CE[1], 5);
    expect(loss).toBeCloseTo(parts.labels + parts.distillation, 5);
  });

  test.each(['batchmean', 'as-published'])('or none of them, %s: the plain loss', (reduction) => {
    const { loss, shares } = lossOf('when-wrong', reduction, 1, 1);
    expect(shares).toEqual({ asked: 0 });
    expect(loss).toBeCloseTo(CE[1], 5);
  });

  test.each([
    [1.2755, 1],
    [1.2765, 0],
  ])('of an entropy above %d bits: %d', (entropyAbove, share) => {
    expect(lossOf({ entropyAbove }, 'batchmean', 0, 1).shares).toEqual({ asked: share });
  });

  test('by chance, as often as the entropy says, and otherwise at every step; the same again from the same seed', async () => {
    const size = 4000;
    const program = programOf(constant(studentLogits), constant(teacherLogits), {
      distillation: { ask: 'by-entropy' },
      batchSize: size,
    });
    const options = { batchSize: size, seed: 3, threads: 1, rowGradients: false, stateBytes: () => 0 };
    const executor = await CompiledExecutor.create(program, options);
    const batch = batchOf(...Array<number>(size).fill(0));
    const shares: number[] = [];
    for (const step of [0, 1, 2, 0]) shares.push((await executor.step(batch, step)).shares.asked);
    await executor.dispose();
    // The standard deviation of a share is 0.006.
    for (const share of shares) expect(Math.abs(share - 1.275994 / Math.log2(3))).toBeLessThan(0.03);
    expect(new Set(shares.slice(0, 3)).size).toBe(3);
    expect(shares[3]).toBe(shares[0]);
  });

  test('is no way for a gradient: that of a sample is as if its asking were fixed', () => {
    const program = programOf(constant(studentLogits), constant(teacherLogits), {
      distillation: { ask: 'when-wrong' },
    });
    const asks = programOf(constant(studentLogits), constant(teacherLogits));
    expect(stepOf(program, batchOf(0)).gradient).toEqual(stepOf(asks, batchOf(0)).gradient);
  });
});

describe('A compiled step with a teacher equals the eager one', () => {
  const input = (...shape: number[]) => tf.layers.inputLayer({ inputShape: shape });
  const dense = (units: number, name: string) => tf.layers.dense({ units, name, activation: 'relu' });
  const logits = () => tf.layers.dense({ units: 3, name: 'logits' });
  const softmax = () => tf.layers.dense({ units: 3, name: 'logits', activation: 'softmax' });
  const norm = () => tf.layers.batchNormalization({ name: 'norm' });
  const lstm = (units: number) =>
    tf.layers.lstm({
      units,
      name: 'lstm',
      returnSequences: true,
      stateful: true,
      recurrentActivation: 'sigmoid',
      batchInputShape: [4, 5, 2],
    });
  const model = (...layers: tf.layers.Layer[]) => tf.sequential({ layers });
  const image = () =>
    model(input(2, 3, 1), tf.layers.conv2d({ filters: 2, kernelSize: 2 }), tf.layers.flatten(), logits());
  const vector = (last = logits()) => model(input(6), dense(5, 'fc'), norm(), last);
  const sequence: TensorSpec = { shape: [5], dtype: 'int32' };

  test.each<[string, () => tf.LayersModel, () => tf.LayersModel, Settings]>([
    ['all samples ask', vector, () => model(input(6), dense(9, 'fc'), norm(), logits()), {}],
    ['of images where the student has vectors', vector, image, { distillation: { temperature: 3 } }],
    ['as published', vector, vector, { distillation: { reduction: 'as-published' } }],
    ['of probabilities', () => vector(softmax()), vector, { loss: 'sparse-categorical-crossentropy' }],
    [
      'of one-hot targets, where the student is wrong',
      () => vector(softmax()),
      () => vector(softmax()),
      {
        loss: 'categorical-crossentropy',
        target: { shape: [3], dtype: 'float32' },
        distillation: { ask: 'when-wrong' },
      },
    ],
    ['where the student is wrong', vector, vector, { distillation: { ask: 'when-wrong' } }],
    [
      'where the student is not sure, as published',
      vector,
      image,
      { distillation: { ask: { entropyAbove: 1.2 }, reduction: 'as-published' } },
    ],
    ['of a language model', () => model(lstm(3), logits()), () => model(lstm(4), logits()), { target: sequence }],
    [
      'of a language model, word by word, summed over time',
      () => model(lstm(3), logits()),
      () => model(lstm(4), logits()),
      {
        target: sequence,
        distillation: { ask: 'when-wrong', temperature: 1 },
        training: { lossReduction: 'sum-over-time' },
      },
    ],
  ])('%s', async (_, student, teacher, settings) => {
    const program = programOf(student(), teacher(), settings);
    randomizeWeights(program, 3);
    randomizeWeights({ ...program, weights: program.frozen!.weights as Program['weights'] }, 4);
    const batches = [0, 1, 2].map((seed) => randomBatch(program, 4, seed, 3));
    await compareExecutors(program, batches);
  });

  test('and its teacher gets no gradient', async () => {
    const program = programOf(vector(), vector());
    const options = { batchSize: 4, seed: 1, threads: 1, rowGradients: false, stateBytes: () => 0 };
    const executor = await CompiledExecutor.create(program, options);
    const before = executor.parameters.frozen.map(({ value }) => value.slice());
    await executor.step(randomBatch(program, 4, 1, 3), 0);
    expect(executor.parameters.frozen.map(({ value }) => value)).toEqual(before);
    const trained = executor.parameters.list.filter(({ trainable }) => trainable);
    expect(trained.every((parameter) => denseGradient(parameter).some((value) => value !== 0))).toBe(true);
    await executor.dispose();
  });
});
