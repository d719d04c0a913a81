/** @file A student that learns from a frozen model's outputs: compiled beside eager, with names that both models have. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import { EagerExecutor } from '../../../server/compiler/eagerExecutor.ts';
import { frozenName } from '../../../server/compiler/frozenModel.ts';
import type { Program } from '../../../server/compiler/program.ts';
import { modelWeights } from '../../../server/models/modelWeights.ts';
import { createOptimizer, optimizerArenaBytes } from '../../../server/optimizers/optimizer.ts';
import { BestModel } from '../../../server/training/bestModel.ts';
import { weightTensors } from '../../../server/training/finalModel.ts';
import { compareExecutors } from './compareExecutors.ts';
import { denseGradient } from './denseGradient.ts';
import { expectClose } from './expectClose.ts';
import { functionProgram, randomBatch, randomizeWeights } from './programs.ts';

const { layers } = tf;
const BATCH = 4;
const CLASSES = 3;
const TIME_STEPS = 5;
const optimizer = { type: 'sgd', learningRate: 0.2, momentum: 0.9, nesterov: false, weightDecay: 0 } as const;
const stateBytes = (length: number) => optimizerArenaBytes(optimizer, length);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** KL(softmax(teacher / T) || softmax(student / T)), the mean over all that has logits. */
function divergence(student: tf.Tensor, teacher: tf.Tensor, temperature: number): tf.Tensor {
  const [log, target] = [student, teacher].map((logits) => tf.logSoftmax(tf.div(logits, temperature)));
  return tf.mean(tf.sum(tf.mul(tf.exp(target), tf.sub(target, log)), -1));
}

/** Soft targets of the teacher beside the labels of the data. */
function distillation(student: tf.LayersModel, teacher: tf.LayersModel, teacherTrains = false): Program {
  const logits = (model: tf.LayersModel, batch: tf.Tensor[], training: boolean) =>
    model.apply(batch, { training }) as tf.Tensor;
  const shape = student.inputs[0].shape.slice(1) as number[];
  const labels = (student.outputs[0].shape as number[]).slice(1, -1);
  const hard = (targets: tf.Tensor, outputs: tf.Tensor) =>
    tf.neg(tf.mean(tf.sum(tf.mul(tf.oneHot(tf.cast(targets, 'int32'), CLASSES), tf.logSoftmax(outputs)), -1)));
  const program: Program = {
    weights: modelWeights(student),
    layers: student.layers,
    frozen: { weights: modelWeights(teacher), layers: teacher.layers },
    inputs: [{ dtype: 'float32', shape }],
    targets: [{ dtype: 'int32', shape: labels }],
    metrics: ['agreement'],
    loss(batch, [targets]) {
      const outputs = logits(student, batch, true);
      const soft = divergence(outputs, logits(teacher, batch, teacherTrains), 2);
      return tf.add(tf.mul(0.7 * 4, soft), tf.mul(0.3, hard(targets, outputs))) as tf.Scalar;
    },
    evaluate(batch, [targets]) {
      const outputs = logits(student, batch, false);
      return {
        loss: hard(targets, outputs) as tf.Scalar,
        metrics: [divergence(outputs, logits(teacher, batch, false), 1)],
      };
    },
  };
  randomizeWeights(program, 3);
  randomizeWeights({ ...program, weights: modelWeights(teacher) }, 4);
  return program;
}

const dense = (units: number, name: string) => layers.dense({ units, name, activation: 'relu' });
const input = () => layers.inputLayer({ inputShape: [6] });
const logitsOf = () => layers.dense({ units: CLASSES, name: 'logits' });
const lstm = (units: number) =>
  layers.lstm({
    units,
    name: 'lstm',
    returnSequences: true,
    stateful: true,
    recurrentActivation: 'sigmoid',
    batchInputShape: [BATCH, TIME_STEPS, 2],
  });
const sequential = (...stack: tf.layers.Layer[]) => tf.sequential({ layers: stack });

const dropout = () => layers.dropout({ rate: 0.5, name: 'drop' });
const norm = () => layers.batchNormalization({ name: 'norm' });

/** Steps without random numbers, which the two executors draw differently. */
const programs: Record<string, () => Program> = {
  'dense layers': () =>
    distillation(sequential(input(), dense(5, 'fc'), logitsOf()), sequential(input(), dense(9, 'fc'), logitsOf())),
  'dropout in the frozen model': () =>
    distillation(
      sequential(input(), dense(5, 'fc'), logitsOf()),
      sequential(input(), dense(9, 'fc'), dropout(), logitsOf()),
    ),
  'stateful LSTM layers': () => distillation(sequential(lstm(3), logitsOf()), sequential(lstm(4), logitsOf())),
  'a frozen model whose averages would move': () =>
    distillation(
      sequential(input(), dense(5, 'fc'), norm(), logitsOf()),
      sequential(input(), dense(9, 'fc'), norm(), logitsOf()),
      true,
    ),
};
const withDropout = () =>
  distillation(
    sequential(input(), dense(5, 'fc'), dropout(), logitsOf()),
    sequential(input(), dense(9, 'fc'), dropout(), logitsOf()),
  );

const compile = (program: Program) =>
  CompiledExecutor.create(program, { batchSize: BATCH, seed: 1, threads: 1, rowGradients: true, stateBytes });
const interpret = (program: Program) => new EagerExecutor(program, { backend: 'cpu', seed: 1, stateBytes });
const executors = [
  ['compiled', compile],
  ['eager', interpret],
] as const;
const batchesOf = (program: Program) => [0, 1, 2, 3].map((seed) => randomBatch(program, BATCH, seed, CLASSES));

describe('The steps and the evaluation of a student are the same compiled and eager', () => {
  it.each(Object.entries(programs))('%s', async (_, create) => {
    const program = create();
    await compareExecutors(program, batchesOf(program));
    await compareExecutors(program, batchesOf(program), { optimizer, rowGradients: true });
  });
});

describe.each(executors)('Training a student %s', (_, create) => {
  it.each([...Object.entries(programs), ['dropout in both', withDropout] as const])(
    'leaves the weights of the frozen model as they are: %s',
    async (__, createProgram) => {
      const program = createProgram();
      const frozen = program.frozen!.weights;
      const before = frozen.map(({ variable }) => variable.dataSync().slice());
      const student = program.weights.map(({ variable }) => variable.dataSync().slice());
      const executor = await create(program);
      const { parameters } = executor;
      const trained = parameters.list.filter(({ trainable }) => trainable);
      const update = createOptimizer(optimizer, undefined, trained);
      for (const [step, batch] of batchesOf(program).entries()) {
        await executor.step(batch, step);
        update.step(optimizer.learningRate);
        await executor.evaluate(batch);
      }
      expect(parameters.frozen.map(({ value }) => value)).toEqual(before);
      expect(parameters.list.map(({ value }) => value)).not.toEqual(student);
      await executor.dispose();
    },
  );

  it('keeps the frozen model out of final models and best models, also where the names are the same', async () => {
    const program = programs['dense layers']();
    const executor = await create(program);
    const names = ['fc/kernel', 'fc/bias', 'logits/kernel', 'logits/bias'];
    expect(executor.parameters.frozen.map(({ name }) => name)).toEqual(names);
    const tensors = weightTensors(executor.parameters);
    expect([...tensors].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ['fc/kernel', 6, 5],
      ['fc/bias', 5],
      ['logits/kernel', 5, 3],
      ['logits/bias', 3],
    ]);
    expect([...new BestModel(executor.parameters).weights.keys()]).toEqual(names);
    await executor.dispose();
  });

  it('keeps the states of both models under names of their own, which a resumed run goes on from', async () => {
    const program = programs['stateful LSTM layers']();
    const [first, second] = batchesOf(program);
    const executor = await create(program);
    const fromZero = await executor.step(second, 1);
    executor.resetStates('training');
    await executor.step(first, 0);
    const states = new Map([...executor.states].map(([name, values]) => [name, values.slice()]));
    expect([...states.keys()].sort()).toEqual(
      ['frozen:lstm:0', 'frozen:lstm:1', 'lstm:0', 'lstm:1'].map((state) => `state:${state}`),
    );
    const expected = await executor.step(second, 1);
    expect(expected).not.toEqual(fromZero);
    const resumed = await create(program);
    for (const [name, values] of states) resumed.states.get(name)!.set(values);
    expect(await resumed.step(second, 1)).toEqual(expected);
    // Without the frozen model's state the loss is another one.
    const forgetful = await create(program);
    for (const [name, values] of states) if (!name.includes('frozen')) forgetful.states.get(name)!.set(values);
    expect(await forgetful.step(second, 1)).not.toEqual(expected);
    for (const one of [executor, resumed, forgetful]) await one.dispose();
  });

  it('gives the gradient of soft targets that their formula gives, with the mask of the dropout that was drawn', async () => {
    const shape = [BATCH, CLASSES];
    const [student, teacher] = [tf.randomNormal(shape, 0, 1, 'float32', 1), tf.randomNormal(shape, 0, 2, 'float32', 2)];
    const temperature = 2;
    const frozen = tf.variable(teacher);
    const program = functionProgram({ logits: student }, [{ dtype: 'float32', shape: [1] }], ({ logits }, [x]) =>
      tf.add(tf.mul(temperature ** 2, divergence(tf.dropout(logits, 0.5), frozen, temperature)), tf.mul(0, tf.sum(x))),
    );
    const executor = await create({
      ...program,
      frozen: { weights: [{ name: 'logits', variable: frozen }], layers: [] },
    });
    const { loss } = await executor.step(randomBatch(program, BATCH, 1), 5);
    const gradient = denseGradient(executor.parameters.list[0]);
    const kept = tf.tensor2d(gradient, [BATCH, CLASSES]).notEqual(0).cast('float32').mul(2);
    expect(new Set(kept.dataSync())).toEqual(new Set([0, 2]));
    const seen = student.mul(kept);
    expectClose(
      'loss',
      [loss],
      divergence(seen, teacher, temperature)
        .mul(temperature ** 2)
        .dataSync(),
    );
    // T (softmax(z_s / T) - softmax(z_t / T)), for the mean over the batch, where the dropout let the logit through.
    const [p, q] = [seen, teacher].map((logits) => tf.softmax(logits.div(temperature)));
    expectClose(
      'gradient',
      gradient,
      p
        .sub(q)
        .mul(temperature / BATCH)
        .mul(kept)
        .dataSync(),
    );
    await executor.dispose();
  });
});

it('A layer of a model cannot have the name that a frozen weight has in graphs', () => {
  const model = () => sequential(input(), dense(2, frozenName('fc')));
  expect(model).toThrow(/frozen:fc/);
});
