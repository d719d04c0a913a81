/** @file Branches of imported graphs: the one of a known condition is taken, others are refused. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OnnxGraph, OnnxNode } from '../../../../server/formats/onnx.ts';
import { ort } from '../../../../server/formats/onnxRuntime.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { graphOf } from '../../../../server/models/onnx/graphLayer.ts';
import { loadOnnxModel } from '../../../../server/models/onnx/loadOnnxModel.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { integers, node, seededFloats, writeGraph, type GraphFile } from './onnxFiles.ts';

const { positiveFloats } = seededFloats();

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-branches-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (file: GraphFile) => writeGraph(folder, 'net.onnx', file);

type Tensors = NonNullable<GraphFile['tensors']>;

/** The graph of a branch. */
function branch(output: string, nodes: readonly OnnxNode[], tensors: Tensors = {}): OnnxGraph {
  return {
    inputs: [],
    outputs: [{ name: output, type: 'float32', shape: ['a', 'b'] }],
    initializers: Object.entries(tensors).map(([name, tensor]) => ({ name, ...tensor })),
    nodes,
  };
}

function choice(name: string, condition: string, output: string, yes: OnnxGraph, no: OnnxGraph): OnnxNode {
  return {
    op: 'If',
    name,
    inputs: [condition],
    outputs: [output],
    attributes: { then_branch: { graph: yes }, else_branch: { graph: no } },
  };
}

/** `condition` chooses y: the product of a value with the scale, or the sum of x and it. */
const productOrSum = (multiplied: string) =>
  choice(
    '/If',
    'condition',
    'y',
    branch('t', [node('Mul', [multiplied, 'm.scale'], 't')]),
    branch('e', [node('Add', ['x', 'm.scale'], 'e')]),
  );

/** Nodes that tell whether the second axis of x has this length. */
const isLength = (output: string, length: string) => [
  node('Shape', ['x'], `${output}-shape`),
  node('Gather', [`${output}-shape`, 'one'], `${output}-length`),
  node('Equal', [`${output}-length`, length], output),
];

async function expectEqual(path: string, rows = 3): Promise<void> {
  const samples = Float32Array.from({ length: 4 * rows }, (_, i) => Math.sin(i));
  const session = await ort.InferenceSession.create(path, { logSeverityLevel: 3 });
  const { y } = await session.run({ x: new ort.Tensor('float32', samples, [rows, 4]) });
  await session.release();
  const { model } = await loadOnnxModel(path);
  const found = tf.tidy(() => (model.apply(tf.tensor2d(samples, [rows, 4])) as tf.Tensor).dataSync());
  found.forEach((value, i) => expect(value).toBeCloseTo((y.data as Float32Array)[i], 5));
}

const scales: Tensors = {
  'm.scale': positiveFloats([4]),
  one: integers([1], []),
  four: integers([4], []),
  five: integers([5], []),
};

test.each(['four', 'five'])('a branch is taken by a condition of shapes: %s', async (length) => {
  const path = write({
    nodes: [
      ...isLength('condition', length),
      choice(
        '/If',
        'condition',
        'y',
        branch('t', [node('Mul', ['x', 'm.scale'], 't')]),
        branch('e', [node('Mul', ['x', 'n.scale'], 'scaled'), node('Relu', ['scaled'], 'e')], {
          'n.scale': positiveFloats([4]),
        }),
      ),
    ],
    tensors: scales,
  });
  await expectEqual(path);
  const { model } = await loadOnnxModel(path);
  expect(modelWeights(model).map(({ name }) => name)).toEqual([length === 'four' ? 'm.scale' : 'n.scale']);
});

test('a graph whose branch was taken for a size keeps the size, others the name of the dimension', async () => {
  const shapeOf = async (file: GraphFile) => {
    const { model } = await loadOnnxModel(write({ ...file, input: ['batch', 'width'], tensors: scales }), {
      dimensions: { width: 4 },
    });
    return graphOf(model)?.settings.graph.inputs[0].shape;
  };
  expect(await shapeOf({ nodes: [...isLength('condition', 'four'), productOrSum('x')] })).toEqual(['batch', 4]);
  expect(await shapeOf({ nodes: [node('Mul', ['x', 'm.scale'], 'y')] })).toEqual(['batch', 'width']);
});

test('branches within branches, and names that two of them use, are no obstacle', async () => {
  const inner = branch('inner', [node('Add', ['x', 'm.scale'], 'inner')]);
  const other = branch('inner', [node('Sub', ['x', 'm.scale'], 'inner')]);
  const named = (op: string, of: string) =>
    branch('t', [node(op, [of, 'm.scale'], 'part'), node('Relu', ['part'], 't')]);
  const path = write({
    nodes: [
      ...isLength('is-four', 'four'),
      ...isLength('is-five', 'five'),
      choice('/a', 'is-four', 'a', named('Mul', 'x'), named('Add', 'x')),
      choice(
        '/b',
        'is-five',
        'b',
        named('Div', 'a'),
        branch('t', [
          node('Mul', ['a', 'm.scale'], 'part'),
          choice('/c', 'is-five', 'chosen', inner, other),
          node('Add', ['part', 'chosen'], 't'),
        ]),
      ),
      node('Identity', ['b'], 'y'),
    ],
    tensors: scales,
  });
  await expectEqual(path);
});

test('a branch by samples is refused, with its node', async () => {
  const path = write({
    nodes: [
      node('ReduceMax', ['x'], 'largest', { keepdims: { int: 0 } }),
      node('Greater', ['largest', 'zero'], 'condition'),
      productOrSum('x'),
    ],
    tensors: { ...scales, zero: { type: 'float32', shape: [], data: Float32Array.of(0) } },
  });
  const error = await userErrorOf(() => loadOnnxModel(path));
  expect(error.message).toContain(`${path} is not usable`);
  expect(error.message).toContain('the condition of the node /If (If) depends on samples, on weights or on the size');
  expect(error.remedy).toContain('torch.where');
});

test('a branch by the size of the batch is refused', async () => {
  const path = write({
    nodes: [
      node('Shape', ['x'], 'shape'),
      node('Gather', ['shape', 'zero'], 'batch'),
      node('Less', ['batch', 'three'], 'condition'),
      productOrSum('x'),
    ],
    tensors: { ...scales, zero: integers([0], []), three: integers([3], []) },
  });
  const error = await userErrorOf(() => loadOnnxModel(path));
  expect(error.message).toContain('depends on samples, on weights or on the size of the batch');
});

test('operators that are missing are named before a condition is looked for; a loop is one of them', async () => {
  const body = branch('t', [node('Relu', ['x'], 't')]);
  const path = write({
    nodes: [
      node('NonMaxSuppression', ['x'], 'condition'),
      choice('/If', 'condition', 'a', body, body),
      { op: 'Loop', name: '/Loop', inputs: ['', '', 'a'], outputs: ['y'], attributes: { body: { graph: body } } },
    ],
    tensors: scales,
  });
  const error = await userErrorOf(() => loadOnnxModel(path));
  expect(error.message).toContain(
    'operators are not known here: NonMaxSuppression (/condition/NonMaxSuppression), Loop (/Loop)',
  );
});

test('a value that no node makes is found in a branch', async () => {
  const path = write({
    nodes: [...isLength('condition', 'four'), productOrSum('gone')],
    tensors: scales,
  });
  const error = await userErrorOf(() => loadOnnxModel(path));
  expect(error.message).toContain('the input gone of the node');
});
