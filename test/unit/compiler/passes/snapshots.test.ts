import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Graph, Node, Op } from '../../../../server/compiler/ir.ts';
import { topologicalOrder } from '../../../../server/compiler/ir.ts';
import { optimize } from '../../../../server/compiler/optimize.ts';
import { splitRowGradients } from '../../../../server/compiler/passes/rowGradients.ts';
import { printGraph } from '../../../../server/compiler/print.ts';
import { traceTraining } from '../../../../server/compiler/trace/traceProgram.ts';
import { losses } from '../../../../server/models/losses.ts';
import { modelProgram, type Loss } from '../programs.ts';

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const label = { dtype: 'int32', shape: [] } as const;

/** An optimised training step of four samples. */
async function step(
  create: tf.layers.Layer[],
  loss: Loss,
  target: Parameters<typeof modelProgram>[2],
  dtype?: 'int32',
) {
  const model = tf.sequential({ layers: create });
  return optimize(await traceTraining(modelProgram(model, loss, target, dtype), 4));
}

function count(graph: Graph, op: Op, accept: (node: Node) => boolean = () => true): number {
  return topologicalOrder(graph).filter((node) => node.op === op && accept(node)).length;
}

const classifier = (name: string, activation?: 'softmax') => [
  layers.dense({ name, units: 5, inputShape: [3], activation }),
];

describe('An optimised step', () => {
  it('of a dense layer is a product, a bias, and their gradients', async () => {
    const graph = await step(
      [layers.dense({ name: 'fc', units: 2, inputShape: [3], activation: 'relu' })],
      losses['mean-squared-error'],
      { dtype: 'float32', shape: [2] },
    );
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "%0: float32[4, 3] = Input() {name: "input:0"}
      %1: float32[3, 2] = Parameter() {name: "fc/kernel"}
      %2: float32[4, 2] = MatMul(%0, %1) {transposeA: false, transposeB: false}
      %3: float32[2] = Parameter() {name: "fc/bias"}
      %4: float32[4, 2] = Add(%2, %3)
      %5: float32[4, 2] = Relu(%4)
      %6: float32[4, 2] = Input() {name: "target:0"}
      %7: float32[4, 2] = Sub(%5, %6)
      %8: float32[4, 2] = Mul(%7, %7)
      %9: float32[] = Mean(%8) {axes: [0,1], keepDims: false}
      %10: float32[] = Constant() [0.25]
      %11: float32[4, 2] = Mul(%10, %7)
      %12: float32[4, 2] = Step(%4)
      %13: float32[4, 2] = Mul(%11, %12)
      %14: float32[3, 2] = MatMul(%0, %13) {transposeA: true, transposeB: false}
      %15: float32[2] = Sum(%13) {axes: [0], keepDims: false}
      loss = %9
      gradient:fc/kernel = %14
      gradient:fc/bias = %15"
    `);
  });

  it('of a sparse cross entropy from logits picks the labels, without one-hot codes', async () => {
    const graph = await step(classifier('logits'), losses['sparse-categorical-crossentropy-from-logits'], label);
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "%0: float32[4, 3] = Input() {name: "input:0"}
      %1: float32[3, 5] = Parameter() {name: "logits/kernel"}
      %2: float32[4, 5] = MatMul(%0, %1) {transposeA: false, transposeB: false}
      %3: float32[5] = Parameter() {name: "logits/bias"}
      %4: float32[4, 5] = Add(%2, %3)
      %5: float32[4, 5] = LogSoftmax(%4)
      %6: int32[4] = Input() {name: "target:0"}
      %7: float32[4] = SparseCrossEntropy(%5, %6)
      %8: float32[] = Mean(%7) {axes: [0], keepDims: false}
      %9: float32[4, 5] = SparseCrossEntropyGrad(%5, %6)
      %10: int32[] = Constant() [0]
      %11: bool[4] = GreaterEqual(%6, %10)
      %12: int32[] = Constant() [5]
      %13: bool[4] = Less(%6, %12)
      %14: bool[4] = And(%11, %13)
      %15: float32[4] = Constant() [0.25]
      %16: float32[] = Constant() [0]
      %17: float32[4] = Select(%14, %15, %16)
      %18: float32[4, 1] = Reshape(%17) {shape: [4,1]}
      %19: float32[4, 5] = Mul(%9, %18)
      %20: float32[3, 5] = MatMul(%0, %19) {transposeA: true, transposeB: false}
      %21: float32[5] = Sum(%19) {axes: [0], keepDims: false}
      loss = %8
      gradient:logits/kernel = %20
      gradient:logits/bias = %21"
    `);
  });

  it('of tf.losses.softmaxCrossEntropy with one-hot labels is the same', async () => {
    const graph = await step(
      classifier('core'),
      (labels, logits) => tf.losses.softmaxCrossEntropy(tf.oneHot(tf.cast(labels, 'int32'), 5), logits),
      label,
    );
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "%0: float32[4, 3] = Input() {name: "input:0"}
      %1: float32[3, 5] = Parameter() {name: "core/kernel"}
      %2: float32[4, 5] = MatMul(%0, %1) {transposeA: false, transposeB: false}
      %3: float32[5] = Parameter() {name: "core/bias"}
      %4: float32[4, 5] = Add(%2, %3)
      %5: float32[4, 5] = LogSoftmax(%4)
      %6: int32[4] = Input() {name: "target:0"}
      %7: float32[4] = SparseCrossEntropy(%5, %6)
      %8: float32[] = Sum(%7) {axes: [0], keepDims: false}
      %9: float32[] = Constant() [4]
      %10: float32[] = Div(%8, %9)
      %11: float32[] = Constant() [0.25]
      %12: float32[4, 5] = SparseCrossEntropyGrad(%5, %6)
      %13: float32[4, 5] = Mul(%11, %12)
      %14: float32[3, 5] = MatMul(%0, %13) {transposeA: true, transposeB: false}
      %15: float32[5] = Sum(%13) {axes: [0], keepDims: false}
      loss = %10
      gradient:core/kernel = %14
      gradient:core/bias = %15"
    `);
  });

  it('of the sparse cross entropy of tfjs-layers picks the labels in the loss; its clipped gradient has the codes', async () => {
    const graph = await step(classifier('softmax', 'softmax'), losses['sparse-categorical-crossentropy'], label);
    expect(count(graph, 'SparseCrossEntropy')).toBe(1);
    expect(count(graph, 'OneHot')).toBe(1);
  });

  it('of an LSTM multiplies the inputs of all time steps at once, and adds up the gradients over time inside products', async () => {
    const graph = await step(
      [layers.lstm({ name: 'lstm', units: 2, inputShape: [3, 5] })],
      losses['mean-squared-error'],
      { dtype: 'float32', shape: [2] },
    );
    const products = printGraph(graph)
      .split('\n')
      .filter((line) => /MatMul|axis: 0}|Sum|^gradient/.test(line));
    // The inputs of all steps; the state forwards and backwards; kernel, recurrent kernel and bias.
    expect(products.join('\n')).toMatchInlineSnapshot(`
      "%6: float32[12, 8] = MatMul(%4, %5) {transposeA: false, transposeB: false}
      %14: float32[4, 8] = MatMul(%12, %13) {transposeA: false, transposeB: false}
      %36: float32[4, 8] = MatMul(%35, %13) {transposeA: false, transposeB: false}
      %57: float32[4, 8] = MatMul(%56, %13) {transposeA: false, transposeB: false}
      %121: float32[4, 2] = MatMul(%120, %13) {transposeA: false, transposeB: true}
      %151: float32[4, 2] = MatMul(%150, %13) {transposeA: false, transposeB: true}
      %174: float32[12, 8] = Concat(%173, %150, %120) {axis: 0}
      %175: float32[5, 8] = MatMul(%4, %174) {transposeA: true, transposeB: false}
      %176: float32[12, 2] = Concat(%12, %35, %56) {axis: 0}
      %177: float32[2, 8] = MatMul(%176, %174) {transposeA: true, transposeB: false}
      %178: float32[8] = Sum(%174) {axes: [0], keepDims: false}
      gradient:lstm/kernel = %175
      gradient:lstm/recurrent_kernel = %177
      gradient:lstm/bias = %178"
    `);
  });

  it('of an embedding gives the rows of its gradient', async () => {
    const graph = await step(
      [layers.embedding({ name: 'words', inputDim: 6, outputDim: 2, inputLength: 3 })],
      losses['mean-squared-error'],
      { dtype: 'float32', shape: [3, 2] },
      'int32',
    );
    const { graph: split, rows } = splitRowGradients(graph, ['words/embeddings']);
    expect([...rows]).toEqual([['words/embeddings', 12]]);
    expect(printGraph(split)).toMatchInlineSnapshot(`
      "%0: float32[6, 2] = Parameter() {name: "words/embeddings"}
      %1: int32[4, 3] = Input() {name: "input:0"}
      %2: float32[4, 3] = Cast(%1) {dtype: "float32"}
      %3: int32[4, 3] = Cast(%2) {dtype: "int32"}
      %4: int32[12] = Reshape(%3) {shape: [12]}
      %5: float32[12, 2] = Gather(%0, %4) {axis: 0}
      %6: float32[4, 3, 2] = Reshape(%5) {shape: [4,3,2]}
      %7: float32[4, 3, 2] = Input() {name: "target:0"}
      %8: float32[4, 3, 2] = Sub(%6, %7)
      %9: float32[4, 3, 2] = Mul(%8, %8)
      %10: float32[] = Mean(%9) {axes: [0,1,2], keepDims: false}
      %11: float32[] = Constant() [0.0416667]
      %12: float32[] = Constant() [2]
      %13: float32[4, 3, 2] = Mul(%8, %12)
      %14: float32[4, 3, 2] = Mul(%11, %13)
      %15: float32[12, 2] = Reshape(%14) {shape: [12,2]}
      loss = %10
      gradient:words/embeddings = %15
      rows:words/embeddings = %4"
    `);
  });
});
