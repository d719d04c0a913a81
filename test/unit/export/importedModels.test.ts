/** @file A model of an ONNX file is trained, compressed, stopped and resumed, and goes out again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { evaluateFile } from '../../../server/export/evaluateFile.ts';
import type { NumericArray } from '../../../server/formats/elements.ts';
import { readOnnxModel } from '../../../server/formats/onnxReader.ts';
import { ort } from '../../../server/formats/onnxRuntime.ts';
import type { ExportFormatName } from '../../../server/protocol/model/exportFormats.ts';
import { graphFile, integers, node, seededFloats } from '../models/onnx/onnxFiles.ts';
import { npy } from '../../fixtures/npy.ts';
import { CLASSES, experiment, FEATURES, finalWeights, resume, workspace } from '../training/workspace.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { exported } from './finishedRun.ts';

const { positiveFloats, randomFloats } = seededFloats();

const HIDDEN = 120;
const SAMPLES = 30;

/** A convolution with normalization and dropout, then two layers; the weights have PyTorch's names. */
const network = {
  input: ['n', FEATURES],
  nodes: [
    node('Reshape', ['x', 'image'], 'i'),
    node('Conv', ['i', 'conv1.weight'], 'c', { pads: { ints: [1, 1, 1, 1] } }),
    node('BatchNormalization', ['c', 'bn1.weight', 'bn1.bias', 'bn1.running_mean', 'bn1.running_var'], 'b'),
    node('Relu', ['b'], 'r'),
    node('Flatten', ['r'], 'f'),
    node('Dropout', ['f', 'ratio'], 'd'),
    node('Gemm', ['d', 'fc1.weight', 'fc1.bias'], 'g', { transB: { int: 1 } }),
    node('Relu', ['g'], 'h'),
    node('Gemm', ['h', 'fc2.weight', 'fc2.bias'], 'logits', { transB: { int: 1 } }),
  ],
  outputs: ['logits'],
  tensors: {
    image: integers([-1, 2, 2, 2]),
    'conv1.weight': randomFloats([40, 2, 3, 3], 0.3),
    'bn1.weight': positiveFloats([40]),
    'bn1.bias': randomFloats([40], 0.1),
    'bn1.running_mean': randomFloats([40], 0.1),
    'bn1.running_var': positiveFloats([40]),
    ratio: { type: 'float32', shape: [], data: Float32Array.of(0.2) },
    'fc1.weight': randomFloats([HIDDEN, 160], 0.1),
    'fc1.bias': randomFloats([HIDDEN], 0.1),
    'fc2.weight': randomFloats([CLASSES, HIDDEN], 0.1),
    'fc2.bias': randomFloats([CLASSES], 0.1),
  },
} as const;

async function imported(changes: Record<string, unknown> = {}, opset = 17) {
  const made = await workspace();
  await made.write('net.onnx', graphFile({ ...network, opset }));
  const settings = {
    ...experiment,
    model: './net.onnx',
    training: {
      ...experiment.training,
      loss: 'sparse-categorical-crossentropy-from-logits',
      steps: 20,
      checkpointEvery: 10,
    },
    ...changes,
  };
  const file = join(made.folder, 'net.deeptwist.jsonc');
  await made.write('net.deeptwist.jsonc', JSON.stringify(settings));
  return { ...made, run: (options: Parameters<typeof made.run>[0] = {}) => made.run({ of: file, ...options }) };
}

const compressions = {
  none: undefined,
  prune: { method: 'prune', distortEvery: 5, layers: { 'fc*': { rate: 0.9 }, conv1: { rate: 0.5 } } },
  quantize: { method: 'quantize', distortEvery: 5, layers: { '*': { bits: 2 } } },
  'low-rank': { method: 'low-rank', distortEvery: 5, layers: { fc1: { rank: 6 } } },
} as const;

describe.each(Object.entries(compressions))('with the compression %s', (_, compression) => {
  const changes = compression ? { compression } : {};

  test('the model trains, and its files have its metric', async () => {
    const { folder, run: train } = await imported(changes);
    const { run, state, events } = await train();
    expect(state).toBe('finished');
    expect(events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))).toEqual([]);
    const endings: Partial<Record<ExportFormatName, string>> = {
      onnx: 'm.onnx',
      packed: 'm.safetensors',
      safetensors: 'dense.safetensors',
      huggingface: 'folder',
    };
    for (const [format, name] of Object.entries(endings) as [ExportFormatName, string][]) {
      const path = join(folder, name);
      const { value, runValue, largestDifference } = await exported(run, folder, { format, path });
      expect(value, format).toBeCloseTo(runValue ?? NaN, 6); // Means over batches of other sizes.
      expect(largestDifference, format).toBeLessThan(1e-5);
      const { signal } = new AbortController();
      expect(await evaluateFile({ path, directory: folder, signal, onProgress: () => undefined })).toMatchObject({
        value,
      });
    }
  });

  test('a run that was stopped and resumed ends as one that was not', async () => {
    const { folder, run: train } = await imported(changes);
    const whole = await train({ out: join(folder, 'whole') });
    const stopped = await train({ out: join(folder, 'stopped'), stopAfter: 12 });
    const resumed = await resume(stopped.run);
    expect(resumed.state).toBe('finished');
    expect(finalWeights(resumed.run)).toEqual(finalWeights(whole.run));
  });
});

describe('the file that goes out as ONNX', () => {
  test('has the nodes and the names of the file that came in', async () => {
    const { folder, run: train } = await imported();
    const { run } = await train();
    const { path, inputs, outputs } = await exported(run, folder, { dense: true });
    expect(inputs).toEqual([{ name: 'x', type: 'float32', shape: ['batch', FEATURES] }]);
    expect(outputs).toEqual([{ name: 'logits', type: 'float32', shape: ['batch', CLASSES] }]);
    const { nodes, initializers, opsets } = readOnnxModel(readFileSync(path));
    expect(opsets.get('')).toBe(17);
    expect(nodes.map(({ op, inputs: taken, outputs: made }) => [op, taken, made])).toEqual(
      network.nodes.map(({ op, inputs: taken, outputs: made }) => [op, taken, made]),
    );
    expect(new Set(initializers.map(({ name }) => name))).toEqual(new Set(Object.keys(network.tensors)));
  });

  test('multiplies with the factors of a weight of low rank', async () => {
    const { folder, run: train } = await imported({ compression: compressions['low-rank'] });
    const { run } = await train();
    const { path, weights } = await exported(run, folder);
    expect(weights.find(({ name }) => name === 'fc1.weight')?.form).toBe('factors');
    const { nodes } = readOnnxModel(readFileSync(path));
    expect(nodes.filter(({ op }) => op === 'Gemm')).toHaveLength(3);
    expect(nodes.filter(({ op }) => op === 'MatMul')).toHaveLength(0);
  });

  test('is generated where its operators are of a version before those of the decoders', async () => {
    const { folder, run: train } = await imported({ compression: compressions.prune }, 12);
    const { run } = await train();
    const { path, value, runValue } = await exported(run, folder);
    expect(value).toBeCloseTo(runValue ?? NaN, 6);
    expect(readOnnxModel(readFileSync(path)).opsets.get('')).toBe(17);
  });
});

test('the packed file is not for the runtime, and there is nothing to thin: both are told', async () => {
  const { folder, run: train } = await imported();
  const { run } = await train();
  const { warnings } = await exported(run, folder, { format: 'packed' });
  expect(warnings).toEqual([
    expect.stringMatching(/^deeptwist\/runtime cannot run this file.* the class OnnxGraph.* Export the model as ONNX/),
  ]);
  const error = await userErrorOf(() =>
    exported(run, folder, { format: 'tfjs', thin: {}, path: join(folder, 'thin') }),
  );
  expect(error.message).toContain('it has no layers that could be made smaller');
});

test('running statistics move in training, and stay where they are frozen', async () => {
  const means = async (model: unknown) => {
    const { run: train } = await imported({ model });
    return finalWeights((await train()).run).get('bn1.running_mean');
  };
  const given = network.tensors['bn1.running_mean'].data;
  expect(await means({ onnx: './net.onnx', batchStatistics: 'frozen' })).toEqual(given);
  expect(await means({ onnx: './net.onnx' })).not.toEqual(given);
});

describe('images with channels last', () => {
  /** A run on images [4, 5, 3] whose class is the brightest channel: with the axes in another order nothing could be learned of it. */
  async function trained(net: Parameters<typeof graphFile>[0]) {
    const made = await workspace();
    await made.write('net.onnx', graphFile(net));
    const sample = 4 * 5 * 3;
    const labels = Int32Array.from({ length: SAMPLES }, (_, i) => i % CLASSES);
    const images = Float32Array.from(
      { length: SAMPLES * sample },
      (_, i) => (i % 3 === labels[Math.floor(i / sample)] ? 1 : 0) + Math.sin(i) / 2,
    );
    await made.write('images.npy', npy(images, [SAMPLES, 4, 5, 3]));
    await made.write('labels.npy', npy(labels, [SAMPLES]));
    const split = { inputs: 'images.npy', targets: 'labels.npy' };
    const settings = {
      ...experiment,
      model: './net.onnx',
      data: { type: 'arrays', train: split, test: split },
      training: { ...experiment.training, loss: 'sparse-categorical-crossentropy-from-logits' },
    };
    await made.write('images.deeptwist.jsonc', JSON.stringify(settings));
    const { run, state } = await made.run({ of: join(made.folder, 'images.deeptwist.jsonc') });
    expect(state).toBe('finished');
    return { folder: made.folder, run };
  }

  test.each([17, 12])(
    'train a model that takes channels first, and its file takes them first as well: version %i',
    async (opset) => {
      const { folder, run } = await trained({
        opset,
        input: ['n', 3, 4, 5],
        nodes: [
          node('Conv', ['x', 'conv.weight'], 'c'),
          node('Flatten', ['c'], 'f'),
          node('Gemm', ['f', 'fc.weight'], 'y', { transB: { int: 1 } }),
        ],
        tensors: { 'conv.weight': randomFloats([4, 3, 2, 2]), 'fc.weight': randomFloats([CLASSES, 48]) },
      });
      const { inputs, value, runValue } = await exported(run, folder);
      expect(inputs[0].shape).toEqual(['batch', 3, 4, 5]);
      expect(value).toBe(1);
      expect(runValue).toBe(1);
      for (const format of ['packed', 'safetensors', 'huggingface'] as const)
        expect(await exported(run, folder, { format, path: join(folder, format) }), format).toMatchObject({ value: 1 });
    },
  );

  test('go out with the dimensions open that were open in the file', async () => {
    const { folder, run } = await trained({
      input: ['n', 3, 'height', ''],
      nodes: [
        node('Conv', ['x', 'conv.weight'], 'c'),
        node('GlobalAveragePool', ['c'], 'p'),
        node('Flatten', ['p'], 'f'),
        node('Gemm', ['f', 'fc.weight'], 'y', { transB: { int: 1 } }),
      ],
      tensors: { 'conv.weight': randomFloats([40, 3, 2, 2]), 'fc.weight': randomFloats([CLASSES, 40]) },
    });
    const { path, inputs, outputs } = await exported(run, folder);
    expect(inputs[0].shape).toEqual(['batch', 3, 'height', 5]);
    expect(outputs[0].shape).toEqual(['batch', 'd1']);
    const session = await ort.InferenceSession.create(path, { logSeverityLevel: 3 });
    const { y } = await session.run({ x: new ort.Tensor('float32', new Float32Array(2 * 3 * 9 * 5), [2, 3, 9, 5]) });
    expect(y.dims).toEqual([2, CLASSES]);
    await session.release();
  });
});

/**
 * A run of a file on an array that has `most` at the place of the class and 0 elsewhere, which all inputs take.
 */
async function trainedOnClasses(
  net: Parameters<typeof graphFile>[0],
  numbersOf: (values: number[]) => NumericArray,
  most = 1,
) {
  const { folder, write, run: train } = await workspace();
  await write('net.onnx', graphFile({ input: ['n', CLASSES], ...net }));
  const labels = Int32Array.from({ length: SAMPLES }, (_, i) => i % CLASSES);
  const values = [...labels].flatMap((label) => Array.from({ length: CLASSES }, (_, i) => (i === label ? most : 0)));
  await write('x.npy', npy(numbersOf(values), [SAMPLES, CLASSES]));
  await write('labels.npy', npy(labels, [SAMPLES]));
  const { inputNames = ['x'], outputs: [output] = ['y'] } = net;
  const split = {
    inputs: Object.fromEntries(inputNames.map((name) => [name, 'x.npy'])),
    targets: { [output]: 'labels.npy' },
  };
  const settings = {
    ...experiment,
    model: './net.onnx',
    data: { type: 'arrays', train: split, test: split },
    training: { ...experiment.training, loss: 'sparse-categorical-crossentropy-from-logits', steps: 20 },
  };
  const file = join(folder, 'net.deeptwist.jsonc');
  await write('net.deeptwist.jsonc', JSON.stringify(settings));
  const { run, state } = await train({ of: file });
  expect(state).toBe('finished');
  const { signal } = new AbortController();
  const evaluated = { path: join(folder, 'net.onnx'), experiment: file, directory: folder, signal };
  return { folder, run, evaluateNet: () => evaluateFile({ ...evaluated, onProgress: () => undefined }) };
}

test.each([17, 12])('names that look made up go out as they came in: version %i', async (opset) => {
  const net = {
    opset,
    inputNames: ['input2', 't1'],
    nodes: [
      node('Add', ['input2', 't1'], 'input'),
      node('Gemm', ['input', 't2'], 'hidden'),
      node('Relu', ['hidden'], 'output'),
      node('Gemm', ['output', 't0'], 'head_A1'),
    ],
    outputs: ['head_A1'],
    tensors: { t2: randomFloats([CLASSES, 40]), t0: randomFloats([40, CLASSES]) },
  };
  const { folder, run, evaluateNet } = await trainedOnClasses(net, (values) => Float32Array.from(values));
  const { path, inputs, outputs, value, runValue } = await exported(run, folder);
  expect([...inputs, ...outputs].map(({ name }) => name)).toEqual(['input2', 't1', 'head_A1']);
  expect(value).toBeCloseTo(runValue ?? NaN, 6);
  const weights = readOnnxModel(readFileSync(path)).initializers.map(({ name }) => name);
  expect(weights).toEqual(expect.arrayContaining(['t2', 't0']));
  expect((await evaluateNet()).samples).toBe(SAMPLES);
});

test.each([
  ['uint8', 'uint8', 17],
  ['uint8', 'uint8', 12],
  ['int32', 'int16', 17],
  ['int64', 'uint8', 17],
  ['bool', 'uint8', 17],
] as const)(
  'an input of %s takes arrays of %s, in a file as in training: version %i',
  async (inputType, given, opset) => {
    const most = inputType === 'bool' ? 1 : 200;
    const net = {
      opset,
      inputType,
      nodes: [
        node('Cast', ['x'], 'f', { to: { int: 1 } }),
        node('Mul', ['f', 'scale'], 's'),
        node('Gemm', ['s', 'fc.weight'], 'y'),
      ],
      tensors: {
        scale: { type: 'float32', shape: [], data: Float32Array.of(1 / most) },
        'fc.weight': randomFloats([CLASSES, CLASSES]),
      },
    } as const;
    const numbersOf = (values: number[]) => (given === 'uint8' ? Uint8Array.from(values) : Int16Array.from(values));
    const { folder, run, evaluateNet } = await trainedOnClasses(net, numbersOf, most);
    const { value, runValue, largestDifference } = await exported(run, folder);
    expect(value).toBeCloseTo(runValue ?? NaN, 6);
    expect(largestDifference).toBeLessThan(1e-5);
    expect((await evaluateNet()).samples).toBe(SAMPLES);
  },
);

test('a graph does not go out as layers of TensorFlow.js', async () => {
  const { folder, run: train } = await imported();
  const { run } = await train();
  const error = await userErrorOf(() => exported(run, folder, { format: 'tfjs', path: join(folder, 'm') }));
  expect(error.message).toBe('The model is a graph of ONNX, which has no layers of TensorFlow.js.');
  expect(error.remedy).toContain('--format onnx');
});
