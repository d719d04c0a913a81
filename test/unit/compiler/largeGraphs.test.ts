/** @file Graphs of tens of thousands of operations, of which each needs the one before: nothing may recurse along them. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { binary, cast, input, matmul, parameter, reshape, unary } from '../../../server/compiler/build.ts';
import { topologicalOrder, type Graph, type Node } from '../../../server/compiler/ir.ts';
import { optimize, passes, type PassName } from '../../../server/compiler/optimize.ts';
import { traceTraining } from '../../../server/compiler/trace/traceProgram.ts';
import { compareExecutors } from './compareExecutors.ts';
import { functionProgram, modelProgram, randomBatch, randomizeWeights } from './programs.ts';

const TERMS = 20_000;
const { layers } = tf;
const x = input('x', { dtype: 'float32', shape: [2, 2] });
const product = matmul(x, parameter('w', [2, 2]));

const chain = (step: (node: Node, index: number) => Node): Graph => ({
  outputs: new Map([['y', Array.from({ length: TERMS }).reduce<Node>((node, _, index) => step(node, index), x)]]),
});

/** Operations that a pass follows from one to the next. */
const chains: Record<string, () => Graph> = {
  'a sum': () => chain((sum, index) => binary('Add', sum, index % 2 === 0 ? product : unary('Tanh', sum))),
  'a sum of one term each': () => chain((sum, index) => binary('Add', sum, index % 2 === 0 ? product : x)),
  'a product': () => chain((factors, index) => binary('Mul', factors, index % 2 === 0 ? product : x)),
  'a sum of matrix products': () => chain((sum) => binary('Add', sum, matmul(x, product, true))),
  'reshapes and casts': () =>
    chain(
      (node, index) =>
        [cast(node, 'int32'), cast(node, 'float32'), reshape(node, [4]), reshape(node, [2, 2])][index % 4],
    ),
  negations: () => chain((node) => unary('Neg', node)),
  'negations of truth values': () => ({
    outputs: new Map([
      ['y', Array.from({ length: TERMS }).reduce<Node>((node) => unary('Not', node), binary('Less', x, product))],
    ]),
  }),
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(Object.entries(chains))('A graph with %s of 20,000 operations', (_, create) => {
  it.each(Object.keys(passes) as PassName[])('goes through the pass %s', async (name) => {
    const after = await passes[name](create());
    expect(after.outputs.size).toBe(1);
  });
});

describe('A step', () => {
  it('with a sum of 5,000 terms is compiled', async () => {
    const weights = { w: tf.tensor1d([1, 2]) };
    const program = functionProgram(weights, [{ dtype: 'float32', shape: [] }], (variables, [batch]) => {
      const terms = Array.from({ length: 5000 }, () => variables.w);
      return tf.sum(tf.mul(tf.addN(terms), tf.sum(batch)));
    });
    await compareExecutors(program, [{ size: 1, inputs: [Float32Array.of(0.5)], targets: [] }]);
  });

  it.each([
    ['layerNormalization', () => layers.layerNormalization(), [32, 4], 64],
    ['repeatVector', () => layers.repeatVector({ n: 3000 }), [4], 1],
  ] as const)('of %s adds up the gradient of all copies at once', async (_, create, shape, batchSize) => {
    const model = tf.sequential({ layers: [layers.dense({ units: 4, inputShape: [...shape] }), create()] });
    const [output] = model.outputs;
    const squared = (targets: tf.Tensor, outputs: tf.Tensor) => tf.mean(tf.squaredDifference(targets, outputs));
    const program = modelProgram(model, squared, { dtype: 'float32', shape: output.shape.slice(1) as number[] });
    randomizeWeights(program, 3);
    const graph = await optimize(await traceTraining(program, batchSize));
    expect(topologicalOrder(graph).length).toBeLessThan(100);
    await compareExecutors(program, [randomBatch(program, batchSize, 1)]);
  });

  it('of tf.tile has the gradient of TensorFlow.js', async () => {
    const weights = {
      w: tf.tensor3d(
        Array.from({ length: 12 }, (_, i) => Math.sin(i)),
        [2, 3, 2],
      ),
    };
    const factors = tf.tensor(
      Array.from({ length: 72 }, (_, i) => Math.cos(i)),
      [4, 3, 6],
    );
    const program = functionProgram(weights, [{ dtype: 'float32', shape: [] }], (variables, [batch]) =>
      tf.sum(tf.mul(tf.mul(tf.tile(variables.w, [2, 1, 3]), factors), tf.sum(batch))),
    );
    await compareExecutors(program, [{ size: 1, inputs: [Float32Array.of(0.5)], targets: [] }]);
  });
});
