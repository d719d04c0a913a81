/**
 * @file Every operator of ONNX against ONNX Runtime, forward, computed by TensorFlow.js and compiled; gradients of the weights, compiled,
 * against TensorFlow.js's and against differences of the loss.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CompiledExecutor } from '../../../../server/compiler/compiledExecutor.ts';
import { EagerExecutor } from '../../../../server/compiler/eagerExecutor.ts';
import type { Program } from '../../../../server/compiler/program.ts';
import type { OnnxAttribute } from '../../../../server/formats/onnx.ts';
import { ort } from '../../../../server/formats/onnxRuntime.ts';
import { Random } from '../../../../server/formats/random.ts';
import { loadOnnxModel } from '../../../../server/models/onnx/loadOnnxModel.ts';
import { operatorNames } from '../../../../server/models/onnx/operators.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { integers, node, seededFloats, writeGraph, type GraphFile } from './onnxFiles.ts';

const { positiveFloats, randomFloats } = seededFloats();

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-operators-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const BATCH = 3;
/** Seed of the samples, chosen so that no difference of two losses steps over the corner of a function. */
const SEED = 3;
/** Sums of some hundred products in float32, in another order. */
const FORWARD = 2e-5;

interface Case extends Omit<GraphFile, 'input'> {
  readonly sample: readonly number[];
  /** Samples in 0.5 to 1.5 in the place of -1 to 1. */
  readonly positive?: boolean;
  /** False where the weights have no gradient that differences would show: rounding. */
  readonly smooth?: boolean;
  /** True where TensorFlow.js's plain backend has a wrong gradient: that of poolings at a border (docs/engine.md). */
  readonly eagerIsWrong?: boolean;
  /** True where the batch is of one size. */
  readonly fixed?: boolean;
}

const image = [4, 6, 7];
const onImage = { sample: image, outputRank: 4 } as const;

/** A weight in front, so that all operators have a gradient to pass on. */
function behindWeight(op: string, attributes = {}, more: readonly string[] = [], file: Partial<Case> = {}): Case {
  const sample = file.sample ?? [4];
  return {
    sample,
    outputRank: sample.length + 1,
    ...file,
    nodes: [node('Mul', ['x', 'm.scale'], 'scaled'), node(op, ['scaled', ...more], 'y', attributes)],
    tensors: { 'm.scale': positiveFloats(sample), ...file.tensors },
  };
}

/** An operator whose gradient is 0, beside what has one. */
function besideWeight(op: string): Case {
  return {
    sample: [4],
    smooth: false,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node(op, ['scaled'], 'whole'),
      node('Add', ['scaled', 'whole'], 'y'),
    ],
    tensors: { 'm.scale': randomFloats([4], 5) },
  };
}

interface RecurrentCase {
  readonly directions?: 1 | 2;
  readonly hasBias?: boolean;
  readonly hasStates?: boolean;
}

const GATES = { LSTM: 4, GRU: 3, RNN: 1 } as const;

/**
 * A recurrent layer of 4 units over 5 steps of 3 features, as PyTorch writes it for batches that come first: all of its outputs side by
 * side, its initial states repeated for the batch.
 */
function recurrent(
  op: keyof typeof GATES,
  attributes: Record<string, OnnxAttribute> = {},
  { directions = 1, hasBias = true, hasStates = false }: RecurrentCase = {},
): Case {
  const [time, features, units] = [5, 3, 4];
  const width = GATES[op] * units;
  const results = op === 'LSTM' ? ['Y', 'Y_h', 'Y_c'] : ['Y', 'Y_h'];
  const states = results.slice(1).map((name) => `rnn.initial${name}`);
  return {
    sample: [time, features],
    nodes: [
      node('Transpose', ['x'], 'sequence', { perm: { ints: [1, 0, 2] } }),
      node('Shape', ['x'], 'shape'),
      node('Gather', ['shape', 'zero'], 'batch'),
      node('Concat', ['one', 'batch', 'one'], 'repeats', { axis: { int: 0 } }),
      ...states.map((name) => node('Expand', [name, 'repeats'], `${name}-repeated`)),
      {
        op,
        name: '/rnn/recurrent',
        inputs: [
          ...['sequence', 'rnn.W', 'rnn.R', hasBias ? 'rnn.B' : ''],
          ...(hasStates ? ['', ...states.map((name) => `${name}-repeated`)] : []),
        ],
        outputs: results,
        attributes: {
          hidden_size: { int: units },
          ...(directions === 2 && { direction: { string: 'bidirectional' } }),
          ...attributes,
        },
      },
      node('Transpose', ['Y'], 'steps', { perm: { ints: [2, 0, 1, 3] } }),
      ...results.slice(1).map((name) => node('Transpose', [name], `${name}-first`, { perm: { ints: [1, 0, 2] } })),
      node('Reshape', ['steps', 'rows'], 'flat'),
      ...results.slice(1).map((name) => node('Reshape', [`${name}-first`, 'rows'], `${name}-flat`)),
      node('Concat', ['flat', ...results.slice(1).map((name) => `${name}-flat`)], 'y', { axis: { int: 1 } }),
    ],
    tensors: {
      'rnn.W': randomFloats([directions, width, features]),
      'rnn.R': randomFloats([directions, width, units]),
      ...(hasBias && { 'rnn.B': randomFloats([directions, 2 * width]) }),
      ...Object.fromEntries(states.map((name) => [name, randomFloats([directions, 1, units])])),
      zero: integers([0]),
      one: integers([1]),
      rows: integers([0, -1]),
    },
  };
}

const half = { type: 'float32', shape: [], data: Float32Array.of(0.5) } as const;
const minusHalf = { type: 'float32', shape: [], data: Float32Array.of(-0.5) } as const;
const third = { type: 'float32', shape: [], data: Float32Array.of(1 / 3) } as const;

const cases: Record<string, Case> = {
  Gemm: {
    sample: [4],
    nodes: [
      node('Gemm', ['x', 'fc.weight', 'fc.bias'], 'y', {
        transB: { int: 1 },
        alpha: { float: 0.5 },
        beta: { float: 2 },
      }),
    ],
    tensors: { 'fc.weight': randomFloats([3, 4]), 'fc.bias': randomFloats([3]) },
  },
  'Gemm, neither transposed': {
    sample: [4],
    nodes: [node('Gemm', ['x', 'fc.weight'], 'y')],
    tensors: { 'fc.weight': randomFloats([4, 3]) },
  },
  MatMul: {
    sample: [5, 4],
    outputRank: 3,
    nodes: [node('MatMul', ['x', 'fc.weight'], 'y')],
    tensors: { 'fc.weight': randomFloats([4, 3]) },
  },
  'MatMul of batches that broadcast': {
    sample: [2, 5, 4],
    outputRank: 4,
    nodes: [node('MatMul', ['x', 'a.weight'], 'y')],
    tensors: { 'a.weight': randomFloats([2, 4, 3]) },
  },
  'MatMul with a vector': {
    sample: [5, 4],
    nodes: [node('MatMul', ['x', 'a.weight'], 'y')],
    tensors: { 'a.weight': randomFloats([4]) },
  },
  Conv: {
    ...onImage,
    nodes: [
      node('Conv', ['x', 'conv.weight', 'conv.bias'], 'y', { pads: { ints: [1, 0, 2, 1] }, strides: { ints: [2, 1] } }),
    ],
    tensors: { 'conv.weight': randomFloats([5, 4, 3, 2]), 'conv.bias': randomFloats([5]) },
  },
  'Conv with dilations': {
    ...onImage,
    nodes: [node('Conv', ['x', 'conv.weight'], 'y', { pads: { ints: [2, 2, 2, 2] }, dilations: { ints: [2, 3] } })],
    tensors: { 'conv.weight': randomFloats([5, 4, 3, 2]) },
  },
  'Conv in groups': {
    ...onImage,
    nodes: [node('Conv', ['x', 'conv.weight'], 'y', { group: { int: 2 } })],
    tensors: { 'conv.weight': randomFloats([6, 2, 3, 3]) },
  },
  'Conv, depthwise with a multiplier and dilations': {
    ...onImage,
    nodes: [
      node('Conv', ['x', 'conv.weight'], 'y', {
        group: { int: 4 },
        dilations: { ints: [2, 1] },
        pads: { ints: [1, 1, 1, 1] },
      }),
    ],
    tensors: { 'conv.weight': randomFloats([8, 1, 3, 3]) },
  },
  'Conv with auto_pad': {
    ...onImage,
    nodes: [node('Conv', ['x', 'conv.weight'], 'y', { auto_pad: { string: 'SAME_UPPER' }, strides: { ints: [2, 2] } })],
    tensors: { 'conv.weight': randomFloats([2, 4, 3, 3]) },
  },
  'Conv with auto_pad of the lower end': {
    ...onImage,
    nodes: [node('Conv', ['x', 'conv.weight'], 'y', { auto_pad: { string: 'SAME_LOWER' }, strides: { ints: [2, 2] } })],
    tensors: { 'conv.weight': randomFloats([2, 4, 3, 3]) },
  },
  'Conv of a signal': {
    sample: [4, 9],
    outputRank: 3,
    nodes: [node('Conv', ['x', 'conv.weight', 'conv.bias'], 'y', { pads: { ints: [1, 1] }, strides: { ints: [2] } })],
    tensors: { 'conv.weight': randomFloats([5, 4, 3]), 'conv.bias': randomFloats([5]) },
  },
  ConvTranspose: {
    ...onImage,
    nodes: [
      node('ConvTranspose', ['x', 'up.weight', 'up.bias'], 'y', {
        strides: { ints: [2, 2] },
        pads: { ints: [1, 1, 1, 1] },
        output_padding: { ints: [1, 0] },
      }),
    ],
    tensors: { 'up.weight': randomFloats([4, 3, 3, 3]), 'up.bias': randomFloats([3]) },
  },
  'ConvTranspose in groups, with dilations': {
    ...onImage,
    nodes: [node('ConvTranspose', ['x', 'up.weight'], 'y', { group: { int: 2 }, dilations: { ints: [2, 1] } })],
    tensors: { 'up.weight': randomFloats([4, 3, 2, 3]) },
  },
  MaxPool: behindWeight(
    'MaxPool',
    { kernel_shape: { ints: [3, 2] }, strides: { ints: [2, 2] }, pads: { ints: [1, 0, 1, 1] } },
    [],
    onImage,
  ),
  'MaxPool that rounds up': behindWeight(
    'MaxPool',
    { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, ceil_mode: { int: 1 } },
    [],
    onImage,
  ),
  'MaxPool with dilations': behindWeight(
    'MaxPool',
    {
      kernel_shape: { ints: [3, 2] },
      dilations: { ints: [2, 3] },
      strides: { ints: [1, 2] },
      pads: { ints: [1, 0, 2, 1] },
    },
    [],
    onImage,
  ),
  'MaxPool with dilations that rounds up': behindWeight(
    'MaxPool',
    { kernel_shape: { ints: [2, 2] }, dilations: { ints: [2, 2] }, strides: { ints: [2, 2] }, ceil_mode: { int: 1 } },
    [],
    onImage,
  ),
  AveragePool: behindWeight(
    'AveragePool',
    { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } },
    [],
    { ...onImage, eagerIsWrong: true },
  ),
  'AveragePool that counts its border': behindWeight(
    'AveragePool',
    {
      kernel_shape: { ints: [3, 3] },
      strides: { ints: [2, 2] },
      pads: { ints: [1, 1, 1, 1] },
      count_include_pad: { int: 1 },
    },
    [],
    onImage,
  ),
  'AveragePool that rounds up': behindWeight(
    'AveragePool',
    { kernel_shape: { ints: [3, 2] }, strides: { ints: [2, 2] }, ceil_mode: { int: 1 } },
    [],
    { ...onImage, eagerIsWrong: true },
  ),
  GlobalAveragePool: behindWeight('GlobalAveragePool', {}, [], onImage),
  GlobalMaxPool: behindWeight('GlobalMaxPool', {}, [], onImage),
  BatchNormalization: {
    ...onImage,
    nodes: [
      node('BatchNormalization', ['x', 'bn.weight', 'bn.bias', 'bn.mean', 'bn.var'], 'y', { epsilon: { float: 1e-3 } }),
    ],
    tensors: {
      'bn.weight': positiveFloats([4]),
      'bn.bias': randomFloats([4]),
      'bn.mean': randomFloats([4]),
      'bn.var': positiveFloats([4]),
    },
  },
  LayerNormalization: {
    sample: [3, 5],
    outputRank: 3,
    nodes: [node('LayerNormalization', ['x', 'ln.weight', 'ln.bias'], 'y', { axis: { int: -1 } })],
    tensors: { 'ln.weight': positiveFloats([5]), 'ln.bias': randomFloats([5]) },
  },
  InstanceNormalization: {
    ...onImage,
    nodes: [node('InstanceNormalization', ['x', 'in.weight', 'in.bias'], 'y')],
    tensors: { 'in.weight': positiveFloats([4]), 'in.bias': randomFloats([4]) },
  },
  GroupNormalization: {
    ...onImage,
    opset: 21,
    nodes: [node('GroupNormalization', ['x', 'gn.weight', 'gn.bias'], 'y', { num_groups: { int: 2 } })],
    tensors: { 'gn.weight': positiveFloats([4]), 'gn.bias': randomFloats([4]) },
  },
  LRN: behindWeight('LRN', { size: { int: 3 }, alpha: { float: 0.1 } }, [], onImage),

  Relu: behindWeight('Relu'),
  LeakyRelu: behindWeight('LeakyRelu', { alpha: { float: 0.2 } }),
  PRelu: {
    ...onImage,
    nodes: [node('PRelu', ['x', 'act.slope'], 'y')],
    tensors: { 'act.slope': positiveFloats([4, 1, 1]) },
  },
  ThresholdedRelu: behindWeight('ThresholdedRelu', { alpha: { float: 0.1 } }, [], { smooth: false }),
  Sigmoid: behindWeight('Sigmoid'),
  HardSigmoid: behindWeight('HardSigmoid', { alpha: { float: 0.3 } }),
  HardSwish: behindWeight('HardSwish'),
  Mish: behindWeight('Mish', {}, [], { opset: 18 }),
  Tanh: behindWeight('Tanh'),
  Softplus: behindWeight('Softplus'),
  Softsign: behindWeight('Softsign'),
  Elu: behindWeight('Elu', { alpha: { float: 0.7 } }),
  'Elu of 1': behindWeight('Elu'),
  Celu: behindWeight('Celu', { alpha: { float: 0.7 } }),
  Selu: behindWeight('Selu'),
  Gelu: behindWeight('Gelu', {}, [], { opset: 20 }),
  'Gelu by the hyperbolic tangent': behindWeight('Gelu', { approximate: { string: 'tanh' } }, [], { opset: 20 }),
  Erf: behindWeight('Erf'),
  Softmax: behindWeight('Softmax', { axis: { int: 1 } }, [], { sample: [5, 4] }),
  'Softmax before version 13': behindWeight('Softmax', {}, [], { sample: [3, 4], opset: 11 }),
  LogSoftmax: behindWeight('LogSoftmax'),
  Clip: behindWeight('Clip', {}, ['low', 'high'], { tensors: { low: minusHalf, high: half } }),
  'Clip from below': behindWeight('Clip', {}, ['low'], { tensors: { low: minusHalf } }),
  Dropout: behindWeight('Dropout'),

  Add: behindWeight('Add', {}, ['m.other'], { tensors: { 'm.other': randomFloats([4]) } }),
  Sub: behindWeight('Sub', {}, ['m.other'], { tensors: { 'm.other': randomFloats([4]) } }),
  Mul: behindWeight('Mul', {}, ['m.other'], { tensors: { 'm.other': randomFloats([4]) } }),
  Div: behindWeight('Div', {}, ['m.other'], { tensors: { 'm.other': positiveFloats([4]) } }),
  Min: behindWeight('Min', {}, ['m.other'], { tensors: { 'm.other': randomFloats([4]) } }),
  Max: behindWeight('Max', {}, ['m.other'], { tensors: { 'm.other': randomFloats([4]) } }),
  Sum: behindWeight('Sum', {}, ['m.other', 'scaled'], { tensors: { 'm.other': randomFloats([4]) } }),
  Mean: behindWeight('Mean', {}, ['m.other', 'scaled'], { tensors: { 'm.other': randomFloats([4]) } }),
  Pow: behindWeight('Pow', {}, ['third'], { positive: true, tensors: { third } }),
  'Pow of 1/2': behindWeight('Pow', {}, ['half'], { positive: true, tensors: { half } }),
  Neg: behindWeight('Neg'),
  Abs: behindWeight('Abs'),
  Sqrt: behindWeight('Sqrt', {}, [], { positive: true }),
  Reciprocal: behindWeight('Reciprocal', {}, [], { positive: true }),
  Exp: behindWeight('Exp'),
  Log: behindWeight('Log', {}, [], { positive: true }),
  Sin: behindWeight('Sin'),
  Cos: behindWeight('Cos'),
  Floor: besideWeight('Floor'),
  Ceil: besideWeight('Ceil'),
  Round: besideWeight('Round'),
  Sign: besideWeight('Sign'),
  Identity: behindWeight('Identity'),

  ReduceSum: behindWeight('ReduceSum', { keepdims: { int: 0 } }, ['axes'], {
    sample: [3, 4],
    outputRank: 2,
    tensors: { axes: integers([-1]) },
  }),
  ReduceMean: behindWeight('ReduceMean', { axes: { ints: [1, 2] } }, [], { sample: [3, 4], outputRank: 3 }),
  'ReduceMean by an input': behindWeight('ReduceMean', {}, ['axes'], {
    sample: [3, 4],
    opset: 18,
    tensors: { axes: integers([1]) },
  }),
  ReduceMax: behindWeight('ReduceMax', { axes: { ints: [2] } }, [], { sample: [3, 4] }),
  ReduceMin: behindWeight('ReduceMin', { axes: { ints: [2] } }, [], { sample: [3, 4] }),
  ReduceSumSquare: behindWeight('ReduceSumSquare', { axes: { ints: [1] } }, [], { sample: [3, 4] }),
  ReduceL1: behindWeight('ReduceL1', { axes: { ints: [1] } }, [], { sample: [3, 4] }),
  ReduceL2: behindWeight('ReduceL2', { axes: { ints: [1] } }, [], { sample: [3, 4] }),
  ReduceLogSum: behindWeight('ReduceLogSum', { axes: { ints: [1] } }, [], { sample: [3, 4], positive: true }),
  ReduceLogSumExp: behindWeight('ReduceLogSumExp', { axes: { ints: [1] } }, [], { sample: [3, 4] }),

  Reshape: behindWeight('Reshape', {}, ['shape'], { sample: [3, 4], tensors: { shape: integers([0, 4, -1]) } }),
  Flatten: behindWeight('Flatten', {}, [], { sample: [3, 4], outputRank: 2 }),
  Squeeze: behindWeight('Squeeze', {}, ['axes'], { sample: [1, 4], outputRank: 2, tensors: { axes: integers([1]) } }),
  Unsqueeze: behindWeight('Unsqueeze', {}, ['axes'], { outputRank: 4, tensors: { axes: integers([1, -1]) } }),
  'Unsqueeze before version 13': behindWeight('Unsqueeze', { axes: { ints: [1] } }, [], { outputRank: 3, opset: 12 }),
  Transpose: behindWeight('Transpose', { perm: { ints: [0, 3, 1, 2] } }, [], onImage),
  Slice: behindWeight('Slice', {}, ['from', 'to', 'axes', 'steps'], {
    ...onImage,
    tensors: {
      from: integers([1, -1, 0]),
      to: integers([3, -100, 1000]),
      axes: integers([1, 2, 3]),
      steps: integers([1, -2, 3]),
    },
  }),
  Concat: {
    ...onImage,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Concat', ['scaled', 'x', 'scaled'], 'y', { axis: { int: 1 } }),
    ],
    tensors: { 'm.scale': positiveFloats([4, 1, 1]) },
  },
  Split: {
    ...onImage,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      { op: 'Split', inputs: ['scaled', 'sizes'], outputs: ['a', 'b'], attributes: { axis: { int: 1 } } },
      node('Concat', ['b', 'a'], 'y', { axis: { int: 1 } }),
    ],
    tensors: { 'm.scale': positiveFloats([4, 1, 1]), sizes: integers([3, 1]) },
  },
  Gather: behindWeight('Gather', { axis: { int: 2 } }, ['places'], {
    sample: [3, 5],
    tensors: { places: integers([4, 0, -2]) },
  }),
  'Gather of one place': behindWeight('Gather', { axis: { int: 1 } }, ['place'], {
    sample: [3, 5],
    outputRank: 2,
    tensors: { place: integers([-1], []) },
  }),
  Expand: behindWeight('Expand', {}, ['shape'], { sample: [1, 4], tensors: { shape: integers([1, 3, 1]) } }),
  Tile: behindWeight('Tile', {}, ['repeats'], { sample: [3, 2], tensors: { repeats: integers([1, 2, 3]) } }),
  Pad: behindWeight('Pad', {}, ['pads', 'value'], {
    ...onImage,
    tensors: { pads: integers([0, 0, 1, 2, 0, 0, 3, -1]), value: half },
  }),
  'Pad by reflection': behindWeight('Pad', { mode: { string: 'reflect' } }, ['pads'], {
    ...onImage,
    tensors: { pads: integers([0, 0, 2, 1, 0, 0, 1, 3]) },
  }),
  'Pad by the edge': behindWeight('Pad', { mode: { string: 'edge' } }, ['pads'], {
    ...onImage,
    tensors: { pads: integers([0, 0, 2, 1, 0, 0, 1, 3]) },
  }),
  DepthToSpace: behindWeight('DepthToSpace', { blocksize: { int: 2 } }, [], onImage),
  'DepthToSpace by columns': behindWeight(
    'DepthToSpace',
    { blocksize: { int: 2 }, mode: { string: 'CRD' } },
    [],
    onImage,
  ),
  SpaceToDepth: behindWeight('SpaceToDepth', { blocksize: { int: 2 } }, [], { sample: [3, 4, 6], outputRank: 4 }),
  Trilu: behindWeight('Trilu', { upper: { int: 0 } }, [], { sample: [4, 5] }),
  Where: {
    sample: [4],
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Greater', ['scaled', 'zero'], 'positive'),
      node('Where', ['positive', 'scaled', 'm.other'], 'y'),
    ],
    tensors: {
      zero: { type: 'float32', shape: [], data: Float32Array.of(0) },
      'm.scale': positiveFloats([4]),
      'm.other': randomFloats([4]),
    },
  },
  Cast: {
    sample: [4],
    smooth: false,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Cast', ['scaled'], 'whole', { to: { int: 7 } }),
      node('Cast', ['whole'], 'floats', { to: { int: 1 } }),
      node('Add', ['scaled', 'floats'], 'y'),
    ],
    tensors: { 'm.scale': randomFloats([4], 5) },
  },
  'shape arithmetic': {
    sample: [3, 4],
    outputRank: 2,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Shape', ['scaled'], 'shape'),
      node('Gather', ['shape', 'first'], 'batch'),
      node('Unsqueeze', ['batch', 'axis'], 'batches'),
      node('Slice', ['shape', 'one', 'end'], 'rest'),
      node('ReduceProd', ['rest'], 'product', { keepdims: { int: 1 } }),
      node('Concat', ['batches', 'product'], 'wanted', { axis: { int: 0 } }),
      node('Reshape', ['scaled', 'wanted'], 'y'),
    ],
    tensors: {
      'm.scale': positiveFloats([3, 4]),
      first: integers([0], []),
      axis: integers([0]),
      one: integers([1]),
      end: integers([1000]),
    },
  },
  'known masks': {
    sample: [4],
    nodes: [
      node('Range', ['start', 'limit', 'step'], 'places'),
      node('Less', ['places', 'two'], 'first'),
      node('ConstantOfShape', ['length'], 'zeros'),
      node('Where', ['first', 'm.scale', 'zeros'], 'masked'),
      node('Mul', ['x', 'masked'], 'y'),
    ],
    tensors: {
      'm.scale': positiveFloats([4]),
      start: integers([0], []),
      limit: integers([4], []),
      step: integers([1], []),
      two: integers([2], []),
      length: integers([4]),
    },
  },
  ...Object.fromEntries(
    [
      ['nearest', 'asymmetric', [1, 1, 2, 3]],
      ['nearest', 'half_pixel', [1, 1, 1.5, 0.5]],
      ['linear', 'half_pixel', [1, 1, 2, 2]],
      ['linear', 'pytorch_half_pixel', [1, 1, 0.5, 1.7]],
      ['linear', 'align_corners', [1, 1, 2, 3]],
      ['cubic', 'half_pixel', [1, 1, 2, 0.7]],
    ].map(([mode, coordinates, scales]) => [
      `Resize, ${String(mode)}, ${String(coordinates)}, by ${String(scales)}`,
      behindWeight(
        'Resize',
        {
          mode: { string: String(mode) },
          coordinate_transformation_mode: { string: String(coordinates) },
          nearest_mode: { string: 'floor' },
        },
        ['', 'scales'],
        {
          ...onImage,
          tensors: { scales: { type: 'float32', shape: [4], data: Float32Array.from(scales as number[]) } },
        },
      ),
    ]),
  ),
  'Resize to sizes': behindWeight('Resize', { mode: { string: 'linear' }, axes: { ints: [2, 3] } }, ['', '', 'sizes'], {
    ...onImage,
    opset: 18,
    tensors: { sizes: integers([9, 11]) },
  }),

  LSTM: recurrent('LSTM', {}, { hasStates: true }),
  'LSTM without biases, with other activations': recurrent(
    'LSTM',
    { activations: { strings: ['HardSigmoid', 'Softsign', 'Tanh'] } },
    { hasBias: false },
  ),
  'LSTM in reverse': recurrent('LSTM', { direction: { string: 'reverse' } }),
  'LSTM in both directions': recurrent('LSTM', {}, { directions: 2, hasStates: true }),
  GRU: recurrent('GRU'),
  'GRU without biases': recurrent('GRU', {}, { hasBias: false }),
  'GRU as PyTorch has it': recurrent('GRU', { linear_before_reset: { int: 1 } }, { hasStates: true }),
  'GRU as PyTorch has it, without biases': recurrent('GRU', { linear_before_reset: { int: 1 } }, { hasBias: false }),
  'GRU in both directions': recurrent('GRU', { linear_before_reset: { int: 1 } }, { directions: 2, hasStates: true }),
  RNN: recurrent('RNN', {}, { hasStates: true }),
  'RNN in both directions': recurrent('RNN', { activations: { strings: ['Relu', 'Tanh'] } }, { directions: 2 }),

  Einsum: {
    sample: [2, 5, 4],
    outputRank: 4,
    nodes: [node('Einsum', ['x', 'head.weight'], 'y', { equation: { string: 'bhqd,khd->bhqk' } })],
    tensors: { 'head.weight': randomFloats([3, 2, 4]) },
  },
  'Einsum of a sum, a transposition and an ellipsis': {
    sample: [2, 5, 4],
    outputRank: 4,
    nodes: [
      node('Einsum', ['x', 'head.weight'], 'a', { equation: { string: '...id,dj' } }),
      node('Einsum', ['a'], 'b', { equation: { string: 'bhij->bji' } }),
      node('Einsum', ['b', 'last.weight', 'b'], 'y', { equation: { string: 'bji,jk,bjl->bikl' } }),
    ],
    tensors: { 'head.weight': randomFloats([4, 3]), 'last.weight': randomFloats([3, 2]) },
  },

  CumSum: behindWeight('CumSum', {}, ['axis'], { sample: [3, 4], tensors: { axis: integers([1], []) } }),
  'CumSum backwards without itself': behindWeight('CumSum', { exclusive: { int: 1 }, reverse: { int: 1 } }, ['axis'], {
    sample: [3, 4],
    tensors: { axis: integers([-1], []) },
  }),
  GatherElements: behindWeight('GatherElements', { axis: { int: 2 } }, ['places'], {
    sample: [2, 4],
    tensors: { places: integers([0, 3, -1, 1, 1, 0], [1, 2, 3]) },
    fixed: true,
  }),
  GatherND: behindWeight('GatherND', { batch_dims: { int: 1 } }, ['places'], {
    sample: [3, 4],
    outputRank: 3,
    tensors: { places: integers([0, 2, 1, 1, -1, 0], [3, 2, 1]) },
    fixed: true,
  }),
  'GatherND of numbers': behindWeight('GatherND', {}, ['places'], {
    sample: [3, 4],
    outputRank: 1,
    tensors: { places: integers([0, 2, 1, 1, -1, 0], [2, 3]) },
    fixed: true,
  }),
  ScatterElements: behindWeight('ScatterElements', { axis: { int: 1 } }, ['places', 'm.other'], {
    sample: [5],
    tensors: { places: integers([4, 0, 1, 2, -2, 0], [3, 2]), 'm.other': randomFloats([3, 2]) },
    fixed: true,
  }),
  ScatterND: behindWeight('ScatterND', {}, ['places', 'm.other'], {
    sample: [5],
    tensors: { places: integers([0, 4, 2, 1], [2, 2]), 'm.other': randomFloats([2]) },
    fixed: true,
  }),
  'ScatterND that adds': behindWeight('ScatterND', { reduction: { string: 'add' } }, ['places', 'm.other'], {
    sample: [5],
    tensors: { places: integers([2, 2], [2, 1]), 'm.other': randomFloats([2, 5]) },
    fixed: true,
  }),
  TopK: {
    sample: [3, 5],
    outputRank: 3,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      { op: 'TopK', inputs: ['scaled', 'two'], outputs: ['top', 'places'], attributes: { axis: { int: 1 } } },
      {
        op: 'TopK',
        inputs: ['scaled', 'two'],
        outputs: ['low', 'lowPlaces'],
        attributes: { axis: { int: 1 }, largest: { int: 0 } },
      },
      node('Add', ['places', 'lowPlaces'], 'sums'),
      node('Cast', ['sums'], 'numbers', { to: { int: 1 } }),
      node('Sub', ['top', 'low'], 'spread'),
      node('Mul', ['spread', 'numbers'], 'y'),
    ],
    tensors: { 'm.scale': positiveFloats([3, 5]), two: integers([2]) },
  },
  'OneHot of the largest': {
    sample: [3, 4],
    outputRank: 3,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('ArgMax', ['scaled'], 'places', { axis: { int: 2 }, keepdims: { int: 0 } }),
      node('OneHot', ['places', 'depth', 'values'], 'codes', { axis: { int: 1 } }),
      node('Transpose', ['codes'], 'rows', { perm: { ints: [0, 2, 1] } }),
      node('Mul', ['rows', 'scaled'], 'y'),
    ],
    tensors: {
      'm.scale': positiveFloats([3, 4]),
      depth: integers([4], []),
      values: { type: 'float32', shape: [2], data: Float32Array.of(0.5, 2) },
    },
  },
  'a mask': {
    sample: [4, 4],
    outputRank: 3,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Where', ['mask', 'scaled', 'infinite'], 'masked'),
      node('Softmax', ['masked'], 'parts', { axis: { int: -1 } }),
      node('IsNaN', ['parts'], 'missing'),
      node('Where', ['missing', 'nothing', 'parts'], 'y'),
    ],
    tensors: {
      'm.scale': positiveFloats([4, 4]),
      mask: { type: 'bool', shape: [4, 4], data: Uint8Array.from([0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1]) },
      infinite: { type: 'float32', shape: [], data: Float32Array.of(-Infinity) },
      nothing: { type: 'float32', shape: [], data: Float32Array.of(0) },
    },
  },
  'infinite numbers': {
    sample: [4],
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Relu', ['x'], 'positive'),
      node('Div', ['x', 'positive'], 'quotient'),
      node('IsInf', ['quotient'], 'infinite', { detect_positive: { int: 0 } }),
      node('IsNaN', ['quotient'], 'missing'),
      node('Xor', ['infinite', 'missing'], 'either'),
      node('Where', ['either', 'm.scale', 'scaled'], 'y'),
    ],
    tensors: { 'm.scale': positiveFloats([4]) },
  },
  'divisions of integers': {
    sample: [4],
    smooth: false,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Cast', ['scaled'], 'whole', { to: { int: 6 } }),
      node('Div', ['whole', 'divisors'], 'quotients'),
      node('Mod', ['whole', 'divisors'], 'rests'),
      node('Mod', ['whole', 'divisors'], 'restsOfC', { fmod: { int: 1 } }),
      node('Mul', ['quotients', 'hundred'], 'hundreds'),
      node('Add', ['hundreds', 'rests'], 'sum'),
      node('Mul', ['sum', 'hundred'], 'more'),
      node('Add', ['more', 'restsOfC'], 'all'),
      node('Cast', ['all'], 'floats', { to: { int: 1 } }),
      node('Mul', ['floats', 'thousandth'], 'small'),
      node('Add', ['scaled', 'small'], 'y'),
    ],
    tensors: {
      'm.scale': { type: 'float32', shape: [4], data: Float32Array.of(17, -13, 23, -19) },
      divisors: { type: 'int32', shape: [4], data: Int32Array.of(3, 5, -4, -7) },
      hundred: { type: 'int32', shape: [], data: Int32Array.of(100) },
      thousandth: { type: 'float32', shape: [], data: Float32Array.of(1e-3) },
    },
  },
  'a sequence of parts': {
    sample: [6],
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('SplitToSequence', ['scaled', 'size'], 'parts', { axis: { int: 1 } }),
      node('SequenceAt', ['parts', 'last'], 'rest'),
      node('SequenceAt', ['parts', 'first'], 'begin'),
      node('SequenceConstruct', ['rest', 'begin'], 'turned'),
      node('ConcatFromSequence', ['turned'], 'y', { axis: { int: 1 } }),
    ],
    tensors: {
      'm.scale': positiveFloats([6]),
      size: integers([4], []),
      last: integers([-1], []),
      first: integers([0], []),
    },
  },
  'a sequence of places': {
    sample: [2, 3],
    outputRank: 3,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('SplitToSequence', ['scaled'], 'parts', { axis: { int: 1 }, keepdims: { int: 0 } }),
      node('ConcatFromSequence', ['parts'], 'y', { axis: { int: -1 }, new_axis: { int: 1 } }),
    ],
    tensors: { 'm.scale': positiveFloats([2, 3]) },
  },
  'Clip before version 11': behindWeight('Clip', { min: { float: -0.5 }, max: { float: 0.5 } }, [], {
    opset: 10,
    smooth: false, // A number of the samples lies at a corner.
  }),
  'Slice before version 10': behindWeight(
    'Slice',
    { starts: { ints: [1, -2] }, ends: { ints: [3, 1000] }, axes: { ints: [1, 2] } },
    [],
    { sample: [4, 5], opset: 9 },
  ),
  'Pad before version 11': behindWeight('Pad', { pads: { ints: [0, 1, 2, 0, 0, 1] }, value: { float: 0.5 } }, [], {
    sample: [3, 4],
    opset: 9,
  }),
  'TopK before version 10': {
    sample: [3, 5],
    outputRank: 3,
    opset: 9,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      { op: 'TopK', inputs: ['scaled'], outputs: ['y', 'places'], attributes: { k: { int: 2 } } },
    ],
    tensors: { 'm.scale': positiveFloats([3, 5]) },
  },
  'Resize before version 11': behindWeight('Resize', { mode: { string: 'nearest' } }, ['scales'], {
    ...onImage,
    opset: 10,
    tensors: { scales: { type: 'float32', shape: [4], data: Float32Array.of(1, 1, 2, 3) } },
  }),
  ...Object.fromEntries(
    [
      ['nearest', 'asymmetric', 10, 0.7, 'floor'],
      ['nearest', 'asymmetric', 10, 1.2, 'floor'],
      ['nearest', 'asymmetric', 10, 1.4, 'floor'],
      ['nearest', 'asymmetric', 10, 1.2, 'round_prefer_ceil'],
      ['nearest', 'half_pixel', 24, 1.3, 'round_prefer_floor'],
      ['nearest', 'half_pixel', 15, 1.8, 'ceil'],
      ['nearest', 'half_pixel_symmetric', 13, 0.7, 'floor'],
      ['nearest', 'half_pixel_symmetric', 13, 1.4, 'round_prefer_ceil'],
      ['linear', 'half_pixel', 7, 1.1, 'floor'],
    ].map(([mode, coordinates, length, scale, rounding]) => [
      `Resize of ${length} places, ${mode}, ${coordinates}, ${rounding}, by ${scale} in float32`,
      behindWeight(
        'Resize',
        {
          mode: { string: String(mode) },
          coordinate_transformation_mode: { string: String(coordinates) },
          nearest_mode: { string: String(rounding) },
        },
        ['', 'scales'],
        {
          opset: 19,
          sample: [2, 3, Number(length)],
          tensors: { scales: { type: 'float32', shape: [4], data: Float32Array.of(1, 1, 1, Number(scale)) } },
        },
      ),
    ]),
  ),
  'Resize to sizes computed in float32': {
    sample: [2, 3, 10],
    outputRank: 4,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Shape', ['scaled'], 'shape'),
      node('Slice', ['shape', 'three', 'four'], 'width'),
      node('Cast', ['width'], 'floats', { to: { int: 1 } }),
      node('Mul', ['floats', 'factor'], 'narrow'),
      node('Floor', ['narrow'], 'whole'),
      node('Cast', ['whole'], 'size', { to: { int: 7 } }),
      node('Slice', ['shape', 'zero', 'three'], 'rest'),
      node('Concat', ['rest', 'size'], 'sizes', { axis: { int: 0 } }),
      node('Resize', ['scaled', '', '', 'sizes'], 'y', {
        mode: { string: 'nearest' },
        coordinate_transformation_mode: { string: 'asymmetric' },
        nearest_mode: { string: 'floor' },
      }),
    ],
    tensors: {
      'm.scale': positiveFloats([2, 3, 10]),
      zero: integers([0]),
      three: integers([3]),
      four: integers([4]),
      factor: { type: 'float32', shape: [], data: Float32Array.of(0.7) },
    },
  },
  'Resize to less before version 11': behindWeight('Resize', { mode: { string: 'nearest' } }, ['scales'], {
    ...onImage,
    opset: 10,
    tensors: { scales: { type: 'float32', shape: [4], data: Float32Array.of(1, 1, 0.7, 0.35) } },
  }),
  'known numbers in float32': {
    sample: [10],
    nodes: [
      node('Range', ['start', 'limit', 'step'], 'places'),
      node('CumSum', ['places', 'axis'], 'sums'),
      node('Mul', ['sums', 'ten'], 'tens'),
      node('Floor', ['tens'], 'whole'),
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Mul', ['scaled', 'whole'], 'y'),
    ],
    tensors: {
      'm.scale': positiveFloats([10]),
      start: { type: 'float32', shape: [], data: Float32Array.of(0) },
      limit: { type: 'float32', shape: [], data: Float32Array.of(6.5) },
      step: { type: 'float32', shape: [], data: Float32Array.of(0.7) },
      axis: integers([0], []),
      ten: { type: 'float32', shape: [], data: Float32Array.of(10) },
    },
  },
  ...Object.fromEntries(
    [2, 3].map((size) => [
      `AveragePool of ${size} that counts its border and rounds up`,
      behindWeight(
        'AveragePool',
        {
          kernel_shape: { ints: [size, size] },
          strides: { ints: [2, 2] },
          pads: { ints: [1, 1, 1, 1] },
          ceil_mode: { int: 1 },
          count_include_pad: { int: 1 },
        },
        [],
        { ...onImage, eagerIsWrong: true },
      ),
    ]),
  ),
  'Gather of computed places, from the end where they are negative': {
    sample: [3],
    nodes: [
      node('ArgMin', ['x'], 'least', { axis: { int: 1 }, keepdims: { int: 0 } }),
      node('Sub', ['least', 'one'], 'before'),
      node('Gather', ['m.rows', 'before'], 'y'),
    ],
    tensors: { 'm.rows': randomFloats([3, 4]), one: integers([1], []) },
  },
  'Clip with a minimum above the maximum': {
    sample: [4],
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Clip', ['scaled', 'high', 'low'], 'clipped'),
      node('Add', ['scaled', 'clipped'], 'y'),
    ],
    tensors: { 'm.scale': positiveFloats([4]), high: half, low: minusHalf },
  },
  'ReduceMean of integers': {
    sample: [4],
    smooth: false,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Cast', ['scaled'], 'whole', { to: { int: 6 } }),
      node('ReduceMean', ['whole'], 'mean', { axes: { ints: [1] } }),
      node('Cast', ['mean'], 'floats', { to: { int: 1 } }),
      node('Add', ['scaled', 'floats'], 'y'),
    ],
    tensors: { 'm.scale': { type: 'float32', shape: [4], data: Float32Array.of(17, -13, 23, -19) } },
  },
  ...Object.fromEntries(
    (
      [
        ['uint8', 2],
        ['int8', 3],
        ['uint16', 4],
        ['int16', 5],
      ] as const
    ).map(([type, code]): [string, Case] => [
      `Cast to ${type}, of numbers beyond it`,
      {
        sample: [4],
        smooth: false,
        nodes: [
          node('Mul', ['x', 'm.scale'], 'scaled'),
          node('Cast', ['scaled'], 'whole', { to: { int: 6 } }),
          node('Cast', ['whole'], 'narrow', { to: { int: code } }),
          node('Cast', ['narrow'], 'floats', { to: { int: 1 } }),
          node('Cast', ['numbers'], 'known', { to: { int: code } }),
          node('Cast', ['known'], 'others', { to: { int: 1 } }),
          node('Sub', ['floats', 'others'], 'difference'),
          node('Add', ['scaled', 'difference'], 'sum'),
          node('Mul', ['sum', 'small'], 'y'),
        ],
        tensors: {
          'm.scale': { type: 'float32', shape: [4], data: Float32Array.of(1000, -1000, 1e5, -1e5) },
          small: { type: 'float32', shape: [], data: Float32Array.of(1e-4) },
          numbers: { type: 'int32', shape: [4], data: Int32Array.of(300, -1, 40000, 129) },
        },
      },
    ]),
  ),
  'ThresholdedRelu of infinite numbers': {
    sample: [4],
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Add', ['scaled', 'mask'], 'masked'),
      node('ThresholdedRelu', ['masked'], 'y', { alpha: { float: -5 } }),
    ],
    tensors: {
      'm.scale': positiveFloats([4]),
      mask: { type: 'float32', shape: [4], data: Float32Array.of(0, -Infinity, 0, -Infinity) },
    },
  },
  'Trilu of infinite numbers': {
    sample: [3, 3],
    outputRank: 3,
    nodes: [
      node('Mul', ['x', 'm.scale'], 'scaled'),
      node('Add', ['scaled', 'mask'], 'masked'),
      node('Trilu', ['masked'], 'y', { upper: { int: 0 } }),
    ],
    tensors: {
      'm.scale': positiveFloats([3, 3]),
      mask: {
        type: 'float32',
        shape: [3, 3],
        data: Float32Array.of(0, -Infinity, -Infinity, 0, 0, -Infinity, 0, 0, 0),
      },
    },
  },
};

/** A loss whose gradient is different for every number of the output. */
function lossOf(output: tf.Tensor): tf.Scalar {
  const places = tf.range(0, output.size).reshape(output.shape);
  return tf.mean(tf.mul(output, tf.sin(tf.add(tf.mul(places, 0.7), 1))));
}

async function programOf(
  path: string,
  sample: readonly number[],
): Promise<Program & { predict(x: tf.Tensor): tf.Tensor }> {
  const { model } = await loadOnnxModel(path);
  const predict = (x: tf.Tensor) => model.apply(x, { training: false }) as tf.Tensor;
  const loss = (inputs: tf.Tensor[]) => lossOf(predict(inputs[0]));
  return {
    weights: modelWeights(model),
    layers: model.layers,
    inputs: [{ shape: sample, dtype: 'float32' }],
    targets: [{ shape: [], dtype: 'float32' }],
    metrics: [],
    loss,
    evaluate: (inputs) => ({ loss: loss(inputs), metrics: [] }),
    predict,
  };
}

const options = { batchSize: BATCH, seed: 1, threads: 1, rowGradients: false, stateBytes: () => 0 };

describe.each(Object.entries(cases))(
  '%s',
  (name, { sample, positive = false, smooth = true, eagerIsWrong = false, fixed = false, ...file }) => {
    const write = () =>
      writeGraph(folder, `${name.replaceAll(/\W/g, '-')}.onnx`, {
        ...file,
        input: [fixed ? BATCH : 'batch', ...sample],
      });
    // Seeded by themselves: they stay the same when cases are added.
    const shape = [BATCH, ...sample];
    const { data } = positive ? positiveFloats(shape, new Random(SEED)) : randomFloats(shape, 1, new Random(SEED));
    const samples = data as Float32Array;

    test('gives the numbers of ONNX Runtime', async () => {
      const path = write();
      const session = await ort.InferenceSession.create(path, { logSeverityLevel: 3 });
      const { y } = await session.run({ x: new ort.Tensor('float32', samples, [BATCH, ...sample]) });
      await session.release();
      const program = await programOf(path, sample);
      const found = tf.tidy(() => {
        const output = program.predict(tf.tensor(samples, [BATCH, ...sample]));
        return { shape: output.shape, values: output.dataSync() };
      });
      expect(found.shape).toEqual(y.dims);
      const expected = y.data as Float32Array;
      expect(found.values).toHaveLength(expected.length);
      found.values.forEach((value, i) =>
        expect(Math.abs(value - expected[i])).toBeLessThan(FORWARD * Math.max(1, Math.abs(expected[i]))),
      );
    });

    test('has the gradients of TensorFlow.js when it is compiled, and those of differences', async () => {
      const path = write();
      const program = await programOf(path, sample);
      const batch = { size: BATCH, inputs: [samples], targets: [new Float32Array(BATCH)] };
      const compiled = await CompiledExecutor.create(program, options);
      const eager = new EagerExecutor(program, { backend: 'cpu', ...options });
      const [ofCompiled, ofEager] = [await compiled.step(batch, 0), await eager.step(batch, 0)];
      expect(ofCompiled.loss).toBeCloseTo(ofEager.loss, 4);
      for (const { name: weight, value, gradient, trainable } of eager.parameters.list) {
        if (!trainable) continue;
        const found = compiled.parameters.byName.get(weight)?.gradient as Float32Array;
        if (!eagerIsWrong)
          (gradient as Float32Array).forEach((expected, i) => expect(found[i]).toBeCloseTo(expected, 4));
        if (!smooth) continue;
        // Along a direction in which no gradient cancels another.
        const direction = Float32Array.from(value, (_, i) => Math.sign(found[i]) || 1);
        const step = 1e-2;
        const original = value.slice();
        const lossAt = async (distance: number) => {
          value.forEach((_, i) => (value[i] = original[i] + distance * direction[i]));
          return (await eager.evaluate(batch)).loss;
        };
        const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
        value.set(original);
        const expected = found.reduce((sum, one, i) => sum + one * direction[i], 0);
        // A difference crosses the corners of some functions, and loses half of the digits.
        expect(Math.abs(slope - expected)).toBeLessThan(0.05 * Math.abs(expected) + 2e-3);
      }
      await compiled.dispose();
      await eager.dispose();
    });
  },
);

test('every operator is in a graph of this file, or is of known numbers alone', () => {
  const tried = new Set(Object.values(cases).flatMap(({ nodes }) => nodes.map(({ op }) => op)));
  const others = operatorNames.filter((op) => !tried.has(op));
  expect(others).toEqual([
    ...['And', 'CastLike', 'Equal', 'GreaterOrEqual', 'LessOrEqual', 'NonZero', 'Not', 'Or'],
    ...['Size'],
  ]);
});

test('an index of the data is a row from 0 on, though the file would count a negative one from the end', async () => {
  const path = writeGraph(folder, 'data-indices.onnx', {
    nodes: [
      node('Cast', ['x'], 'places', { to: { int: 7 } }),
      node('Gather', ['m.rows', 'places'], 'rows'),
      node('ReduceSum', ['rows', 'last'], 'y', { keepdims: { int: 0 } }),
    ],
    tensors: { 'm.rows': randomFloats([3, 4]), last: integers([-1]) },
    input: ['batch', 2],
  });
  const compiled = await CompiledExecutor.create(await programOf(path, [2]), options);
  const batch = { size: BATCH, inputs: [Float32Array.of(0, 1, 2, -1, 0, 1)], targets: [new Float32Array(BATCH)] };
  await expect(compiled.step(batch, 0)).rejects.toThrow('looks up the index -1 (sample 2 of the batch)');
  await compiled.dispose();
});
