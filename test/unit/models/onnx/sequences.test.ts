/** @file Recurrent layers and sums of products in imported models: their weights, their layouts, and what of them is refused. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMatrix, matchTargets } from '../../../../server/compression/targets/targets.ts';
import { viewOfWeight } from '../../../../server/compression/targets/matrixView.ts';
import type { OnnxNode } from '../../../../server/formats/onnx.ts';
import { describeModel } from '../../../../server/models/describeModel.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { loadOnnxModel } from '../../../../server/models/onnx/loadOnnxModel.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { integers, node, seededFloats, writeGraph, type GraphFile } from './onnxFiles.ts';

const { positiveFloats, randomFloats } = seededFloats();

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-sequences-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const load = (file: GraphFile) => loadOnnxModel(writeGraph(folder, 'net.onnx', file));

const [TIME, FEATURES, UNITS] = [5, 3, 4];

/** A layer over a batch that comes second, whose last state is the output. */
function layer(
  op: 'LSTM' | 'GRU' | 'RNN',
  { inputs = [], attributes = {} }: { inputs?: readonly string[]; attributes?: OnnxNode['attributes'] } = {},
  tensors: GraphFile['tensors'] = {},
): GraphFile {
  const width = { LSTM: 4, GRU: 3, RNN: 1 }[op] * UNITS;
  return {
    input: ['batch', TIME, FEATURES],
    nodes: [
      node('Transpose', ['x'], 'sequence', { perm: { ints: [1, 0, 2] } }),
      {
        op,
        name: '/rnn/recurrent',
        inputs: ['sequence', 'rnn.W', 'rnn.R', 'rnn.B', ...inputs],
        outputs: ['', 'last'],
        attributes: { hidden_size: { int: UNITS }, ...attributes },
      },
      node('Squeeze', ['last', 'zero'], 'y'),
    ],
    tensors: {
      'rnn.W': randomFloats([1, width, FEATURES]),
      'rnn.R': randomFloats([1, width, UNITS]),
      'rnn.B': randomFloats([1, 2 * width]),
      zero: integers([0]),
      ...tensors,
    },
  };
}

describe('the weights of a recurrent layer', () => {
  /** An LSTM as PyTorch writes it: the gates i, f, g, o are put in the order i, o, f, g. */
  const ofPyTorch: GraphFile = {
    ...layer('LSTM'),
    nodes: [
      ...['ih', 'hh'].flatMap((name) => [
        node('Slice', [`rnn.weight_${name}_l0`, 'gate0', 'gate1', 'zero'], `${name}-i`),
        node('Slice', [`rnn.weight_${name}_l0`, 'gate1', 'gate3', 'zero'], `${name}-fg`),
        node('Slice', [`rnn.weight_${name}_l0`, 'gate3', 'gate4', 'zero'], `${name}-o`),
        node('Concat', [`${name}-i`, `${name}-o`, `${name}-fg`], `${name}-gates`, { axis: { int: 0 } }),
        node('Unsqueeze', [`${name}-gates`, 'zero'], `rnn-${name}`),
      ]),
      node('Transpose', ['x'], 'sequence', { perm: { ints: [1, 0, 2] } }),
      {
        op: 'LSTM',
        name: '/rnn/LSTM',
        inputs: ['sequence', 'rnn-ih', 'rnn-hh'],
        outputs: ['', 'last'],
        attributes: { hidden_size: { int: UNITS } },
      },
      node('Squeeze', ['last', 'zero'], 'y'),
    ],
    tensors: {
      'rnn.weight_ih_l0': randomFloats([4 * UNITS, FEATURES]),
      'rnn.weight_hh_l0': randomFloats([4 * UNITS, UNITS]),
      zero: integers([0]),
      ...Object.fromEntries([0, 1, 3, 4].map((gate) => [`gate${gate}`, integers([gate * UNITS])])),
    },
  };

  test('keep the names of PyTorch, and have a row for each unit of each gate', async () => {
    const { model } = await load(ofPyTorch);
    const weights = modelWeights(model);
    expect(weights.map(({ name, layer: of }) => [name, of])).toEqual([
      ['rnn.weight_ih_l0', 'rnn'],
      ['rnn.weight_hh_l0', 'rnn'],
    ]);
    expect(weights.map(viewOfWeight).map(({ rows, columns }) => [rows, columns])).toEqual([
      [4 * UNITS, FEATURES],
      [4 * UNITS, UNITS],
    ]);
  });

  test('of several layers and directions have the units of their own, kernels and biases alike', async () => {
    const gatesOf = (of: string, width: number) => {
      const kernels = ['ih', 'hh'].flatMap((name) => [
        node('Slice', [`rnn.weight_${name}_${of}`, 'gate0', 'gate1', 'zero'], `${name}-i-${of}`),
        node('Slice', [`rnn.weight_${name}_${of}`, 'gate1', 'gate4', 'zero'], `${name}-fgo-${of}`),
        node('Concat', [`${name}-i-${of}`, `${name}-fgo-${of}`], `${name}-gates-${of}`, { axis: { int: 0 } }),
        node('Unsqueeze', [`${name}-gates-${of}`, 'zero'], `${name}-${of}`),
      ]);
      return {
        nodes: [
          ...kernels,
          node('Concat', [`rnn.bias_ih_${of}`, `rnn.bias_hh_${of}`], `b-both-${of}`, { axis: { int: 0 } }),
          node('Unsqueeze', [`b-both-${of}`, 'zero'], `b-${of}`),
        ],
        tensors: {
          [`rnn.weight_ih_${of}`]: randomFloats([4 * UNITS, width]),
          [`rnn.weight_hh_${of}`]: randomFloats([4 * UNITS, UNITS]),
          [`rnn.bias_ih_${of}`]: randomFloats([4 * UNITS]),
          [`rnn.bias_hh_${of}`]: randomFloats([4 * UNITS]),
        },
      };
    };
    const layers = [gatesOf('l0', FEATURES), gatesOf('l0_reverse', FEATURES), gatesOf('l1', 2 * UNITS)];
    const both = (name: string) =>
      node('Concat', [`${name}-l0`, `${name}-l0_reverse`], `${name}-both`, { axis: { int: name === 'b' ? -2 : -3 } });
    const { model } = await load({
      ...ofPyTorch,
      nodes: [
        ...layers.flatMap(({ nodes }) => nodes),
        ...['ih', 'hh', 'b'].map(both),
        node('Transpose', ['x'], 'sequence', { perm: { ints: [1, 0, 2] } }),
        {
          op: 'LSTM',
          name: '/rnn/LSTM',
          inputs: ['sequence', 'ih-both', 'hh-both', 'b-both'],
          outputs: ['first'],
          attributes: { hidden_size: { int: UNITS }, direction: { string: 'bidirectional' } },
        },
        node('Transpose', ['first'], 'by-step', { perm: { ints: [0, 2, 1, 3] } }),
        node('Reshape', ['by-step', 'joined'], 'second'),
        {
          op: 'LSTM',
          name: '/rnn/LSTM_1',
          inputs: ['second', 'ih-l1', 'hh-l1', 'b-l1'],
          outputs: ['', 'last'],
          attributes: { hidden_size: { int: UNITS } },
        },
        node('Squeeze', ['last', 'zero'], 'y'),
      ],
      tensors: {
        ...layers[0].tensors,
        ...layers[1].tensors,
        ...layers[2].tensors,
        zero: integers([0]),
        joined: integers([0, 0, -1]),
        ...Object.fromEntries([0, 1, 4].map((gate) => [`gate${gate}`, integers([gate * UNITS])])),
      },
    });
    const described = await describeModel({ model, files: [], loss: undefined }, './net.onnx', undefined);
    const byUnits = new Map<string, string[]>();
    for (const { name, units } of described.weights) {
      expect(units?.gates).toBe(4);
      byUnits.set(units!.of, [...(byUnits.get(units!.of) ?? []), name.replace('rnn.', '')]);
    }
    expect(Array.from(byUnits.values(), (names) => names.toSorted())).toEqual(
      ['l0', 'l0_reverse', 'l1'].map((of) => [`bias_hh_${of}`, `bias_ih_${of}`, `weight_hh_${of}`, `weight_ih_${of}`]),
    );
  });

  test('have the rows on their second axis where the operator takes them as they are', async () => {
    const { model } = await load(layer('GRU'));
    const matrices = modelWeights(model).filter(isMatrix);
    expect(matrices.map(({ name, outputAxis }) => [name, outputAxis])).toEqual([
      ['rnn.W', 1],
      ['rnn.R', 1],
    ]);
  });

  test.each(['LSTM', 'GRU', 'RNN'] as const)(
    'of %s leave its biases and initial states, which are rows of a tensor, as vectors',
    async (op) => {
      const states = ['rnn.h0', ...(op === 'LSTM' ? ['rnn.c0'] : [])];
      const tensors = Object.fromEntries(states.map((name) => [name, randomFloats([1, 2, UNITS])]));
      const { model } = await load({
        ...layer(op, { inputs: ['', ...states] }, tensors),
        input: [2, TIME, FEATURES],
      });
      const described = await describeModel({ model, files: [], loss: undefined }, './net.onnx', undefined);
      expect(described.weights.filter(isMatrix).map(({ name }) => name)).toEqual(['rnn.W', 'rnn.R']);
      const targets = matchTargets({ '*': {} }, described.weights);
      expect(targets.map(({ weight: { name } }) => name)).toEqual(['rnn.W', 'rnn.R']);
      expect(() => matchTargets({ 'rnn.B': {} }, described.weights)).toThrow(
        'matches only rnn.B, which cannot be compressed',
      );
    },
  );
});

test('a sum of products has its output units on the last axis that a weight alone has', async () => {
  const { model } = await load({
    input: ['batch', 5, 4],
    outputRank: 4,
    nodes: [node('Einsum', ['x', 'q.weight'], 'y', { equation: { string: 'bsd,hdk->bhsk' } })],
    tensors: { 'q.weight': randomFloats([2, 4, 3]) },
  });
  expect(modelWeights(model).map(({ outputAxis }) => outputAxis)).toEqual([2]);
});

test.each(['LSTM', 'GRU', 'RNN'] as const)(
  '%s with the batch first gives what it gives with the time first',
  async (op) => {
    const timeFirst = layer(op);
    const batchFirst: GraphFile = {
      ...timeFirst,
      nodes: [
        { ...timeFirst.nodes[1], inputs: ['x', 'rnn.W', 'rnn.R', 'rnn.B'], attributes: { layout: { int: 1 } } },
        node('Squeeze', ['last', 'one'], 'y'),
      ],
      tensors: { ...timeFirst.tensors, one: integers([1]) },
    };
    const x = tf.randomNormal([2, TIME, FEATURES], 0, 1, 'float32', 3);
    const outputs = [];
    for (const file of [timeFirst, batchFirst]) {
      const { model } = await load(file);
      outputs.push((model.apply(x) as tf.Tensor).dataSync());
    }
    expect(outputs[1]).toEqual(outputs[0]);
  },
);

test('lengths of sequences that are all of them are no obstacle', async () => {
  const { model } = await load({
    ...layer('LSTM', { inputs: ['lengths'] }, { lengths: integers([TIME, TIME]) }),
    input: [2, TIME, FEATURES],
  });
  expect(model.outputs[0].shape.at(-1)).toBe(UNITS);
});

describe('a form that is not computed is refused, with its node', () => {
  test.each<[string, GraphFile, string]>([
    [
      'sequences of several lengths',
      {
        ...layer('LSTM', { inputs: ['lengths'] }, { lengths: integers([TIME, 2]) }),
        input: [2, TIME, FEATURES],
      },
      'its sequences have lengths of their own (sequence_lens: 5, 2), and only whole ones, of 5 steps, are computed',
    ],
    [
      'peepholes',
      layer('LSTM', { inputs: ['', '', '', 'rnn.P'] }, { 'rnn.P': randomFloats([1, 3 * UNITS]) }),
      'its peepholes (input P) are not known here',
    ],
    [
      'a state for another batch',
      {
        ...layer('GRU', { inputs: ['', 'rnn.h'] }, { 'rnn.h': randomFloats([1, 1, UNITS]) }),
        input: [2, TIME, FEATURES],
      },
      'its initial state is [1, 1, 4], where [1, 2, 4] fits its other inputs',
    ],
    ['a clip', layer('LSTM', { attributes: { clip: { float: 1 } } }), 'its attribute clip is not known here'],
    [
      'coupled gates',
      layer('LSTM', { attributes: { input_forget: { int: 1 } } }),
      'its input_forget is not known here',
    ],
    [
      'another activation',
      layer('RNN', { attributes: { activations: { strings: ['Affine'] } } }),
      'its activation Affine is not known here: Tanh, Sigmoid, Relu, HardSigmoid, Softsign, Softplus are',
    ],
    [
      'too few activations',
      layer('GRU', { attributes: { activations: { strings: ['Tanh'] } } }),
      'it names 1 activations, and has 2',
    ],
    [
      'weights of another size',
      layer('GRU', {}, { 'rnn.W': randomFloats([1, 8, FEATURES]) }),
      'its W is [1, 8, 3], where [1, 12, 3] fits its other inputs',
    ],
  ])('%s', async (_, file, reason) => {
    const error = await userErrorOf(() => load(file));
    expect(error.message).toContain(`The node '/rnn/recurrent'`);
    expect(error.message).toContain(reason);
    expect(error.remedy).toContain('export the model without this node');
  });

  test.each([
    ['bii->b', 'the term bii of its equation bii->b is a diagonal, which is not known here'],
    ['bij,jk->bk', 'has 2 terms for 1 operands'],
    ['bi->b', 'the term bi of its equation bi->b does not fit an operand of 3 axes'],
    ['bij->bk', 'the result of its equation bij->bk is not made of its operands'],
  ])('a sum of products %s', async (equation, reason) => {
    const error = await userErrorOf(() =>
      load({
        input: ['batch', 4, 4],
        nodes: [
          node('Mul', ['x', 'm.scale'], 'scaled'),
          node('Einsum', ['scaled'], 'y', { equation: { string: equation } }),
        ],
        tensors: { 'm.scale': positiveFloats([4]) },
      }),
    );
    expect(error.message).toContain(`The node '/y/Einsum' (Einsum) of the ONNX graph cannot be computed: `);
    expect(error.message).toContain(reason);
  });
});
