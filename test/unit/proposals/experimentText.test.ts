import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { newMethods } from '../../../server/protocol/experiment/methods/newMethods.ts';
import { experimentText } from '../../../server/proposals/experimentText.ts';
import type { ChosenTeacher } from '../../../server/protocol/wire/proposals.ts';
import { chosenExperimentText, teacherSetting } from '../../../server/proposals/chosenExperiment.ts';
import { hasModelLayers, isDataModule, readModelJson, readModelSource } from '../../../server/proposals/modelSource.ts';
import { openModuleDataset } from '../../../server/data/module/moduleDataset.ts';
import { encodeSafetensors } from '../../../server/formats/safetensors.ts';
import { compressionsOf } from '../../../server/protocol/experiment/compressions.ts';
import { checkExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';

const path = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url));

const dataSets = [
  { type: 'mnist', path: './data/mnist' },
  { type: 'images', path: './flowers', standardize: 'training' },
  { type: 'module', path: './data "of mine".ts' },
  { type: 'text', path: './data/brown', timeSteps: 20 },
  { type: 'table', path: './flowers.csv', target: 'species "of mine"' },
  { type: 'arrays', train: { inputs: './x.npy', targets: './y.npy' }, test: { inputs: './a.npy', targets: './b.npy' } },
];

describe('the text of a new experiment', () => {
  it.each(newMethods.flatMap((method) => dataSets.map((data) => ({ method, data }))))(
    'is valid for $method on $data.type',
    ({ method, data }) => {
      for (const length of [
        {},
        ...[1, 2, 40, 3000].map((steps) => ({ steps })),
        ...[1, 49, 60_000].map((samples) => ({ samples })),
      ]) {
        const text = experimentText({
          model: './model.ts',
          loss: 'sparse-categorical-crossentropy',
          data,
          method,
          layers: [{ name: 'fc1', shortestSide: 300 }, { name: 'weird "name"', shortestSide: 1 }, { name: '*' }],
          ...length,
        });
        const { experiment, problems } = checkExperiment(text);
        expect(problems).toEqual([]);
        const [compression] = compressionsOf(experiment!);
        expect(experiment?.data).toMatchObject(data);
        expect(Object.keys(compression.layers)).toEqual(['fc1', 'weird "name"', '*']);
        expect(text).toContain('// ');
      }
    },
  );

  it.each([
    [60_000, undefined, 5, '// About 6,000 steps: an epoch takes each of the 60,000 samples once.'],
    [50_000, 100, 12, '// About 6,000 steps: an epoch takes each of the 50,000 samples once.'],
    [1_281_167, undefined, 5, '// About 128,000 steps: an epoch takes each of the 1,280,000 samples once.'],
    [120, undefined, 100, '// About 200 steps: an epoch takes each of the 120 samples once.'],
    [30, 20, 100, '// About 100 steps: an epoch takes each of the 30 samples once.'],
    [
      undefined,
      undefined,
      10,
      '// An epoch takes each sample once. How many there are is seen when the data are opened',
    ],
  ])('trains for epochs that suit %s samples in batches of %s: %i', (samples, batchSize, epochs, comment) => {
    const text = experimentText({
      ...{ model: './m.ts', data: dataSets[1], method: 'prune', layers: [{ name: '*' }] },
      ...(samples !== undefined && { samples }),
      ...(batchSize !== undefined && { batchSize }),
    });
    const { experiment, problems } = checkExperiment(text);
    expect(problems).toEqual([]);
    expect(experiment?.training).toMatchObject({ epochs, batchSize: batchSize ?? 50 });
    expect(text).toContain(comment);
  });

  it('has its length in steps where these are given: so has the sample', () => {
    const text = experimentText({
      model: './m.ts',
      data: dataSets[2],
      method: 'prune',
      layers: [{ name: '*' }],
      steps: 2000,
    });
    expect(checkExperiment(text).experiment?.training).toMatchObject({ steps: 2000, evaluateEvery: 125 });
    expect(text).not.toContain('epoch');
  });

  it.each([
    ['./net.onnx', true],
    ['./net.keras', true],
    ['./model.ts', false],
  ])('says of %s how pixels were standardized when it was trained: %s', (model, isSaid) => {
    const data = { type: 'images', path: './flowers', standardize: 'training' };
    const text = experimentText({
      model,
      loss: 'sparse-categorical-crossentropy',
      data,
      method: 'prune',
      layers: [{ name: '*' }],
    });
    expect(checkExperiment(text).problems).toEqual([]);
    expect(text.includes('Normalize(0.5, 0.5)')).toBe(isSaid);
  });

  it.each([
    ['mnist', { temperature: 2, weight: 0.7, ask: 'always' }],
    ['text', { temperature: 1, weight: 0.7, ask: 'always' }],
  ])('has a teacher with the standard settings, on %s', (type, standard) => {
    const data = dataSets.find((one) => one.type === type)!;
    const text = experimentText({
      model: './m.ts',
      data,
      method: 'prune',
      layers: [{ name: 'fc1' }],
      teacher: 'run:wide',
    });
    const { experiment, problems } = checkExperiment(text);
    expect(problems).toEqual([]);
    expect(experiment?.distillation).toMatchObject({ teacher: 'run:wide', ...standard });
    const plain = experimentText({ model: './m.ts', data, method: 'prune', layers: [{ name: 'fc1' }] });
    expect(plain).not.toContain('distillation');
  });

  it('asks for no rank that a small layer cannot have', () => {
    const layers = [1, 2, 10, 500].map((shortestSide) => ({ name: `fc${shortestSide}`, shortestSide }));
    const text = experimentText({ model: './m.ts', data: dataSets[0], method: 'low-rank', layers, steps: 600 });
    const [compression] = compressionsOf(checkExperiment(text).experiment!);
    expect(compression.layers).toMatchObject({
      fc1: { rank: 1 },
      fc2: { rank: 1 },
      fc10: { rank: 5 },
      fc500: { rank: 16 },
    });
  });
});

describe('a chosen experiment', () => {
  const described = {
    version: 1 as const,
    model: './net.onnx',
    files: [],
    weights: ['fc1', 'fc2'].map((layer) => ({
      ...{ name: `${layer}.weight`, layer, weight: 'weight', shape: [10, 784] },
      ...{ trainable: true, layerClass: 'Gemm', outputAxis: 0 },
    })),
    inputs: [{ name: 'x', shape: [null, 784], dtype: 'float32' }],
    outputs: [{ name: 'y', shape: [null, 10], activation: 'other' as const }],
    hasLoss: false,
  };
  const chosen = {
    folder: resolve('project'),
    model: { model: { reference: resolve('project/net.onnx') }, described },
    data: { type: 'mnist', path: resolve('data/mnist'), targets: 'labels' },
    method: 'prune',
    layers: [{ name: 'fc1', shortestSide: 10 }],
  } as const;
  const settings = (more: object = {}) => {
    const { experiment, problems } = checkExperiment(chosenExperimentText({ ...chosen, ...more }));
    expect(problems).toEqual([]);
    return experiment!;
  };

  it.each([
    ['numbers', 'sparse-categorical-crossentropy-from-logits', 'mean-squared-error'],
    ['numbers', 'sparse-categorical-crossentropy', 'mean-squared-error'],
    ['one-hot', 'sparse-categorical-crossentropy-from-logits', 'mean-squared-error'],
    ['one-hot', 'sparse-categorical-crossentropy', 'categorical-crossentropy'],
    ['labels', 'sparse-categorical-crossentropy', 'sparse-categorical-crossentropy'],
    ['labels', 'sparse-categorical-crossentropy-from-logits', 'sparse-categorical-crossentropy-from-logits'],
    [undefined, 'sparse-categorical-crossentropy-from-logits', 'sparse-categorical-crossentropy-from-logits'],
    ['numbers', undefined, 'auto'],
  ] as const)('has for targets that are %s, and a module whose text asks for %s, the loss %s', (targets, loss, expected) => {
    const arrays = { inputs: resolve('x.npy'), targets: resolve('y.npy') };
    const data = { type: 'arrays', path: resolve('data'), arrays: { train: arrays, test: arrays }, targets };
    const model = { model: { reference: resolve('project/net.ts'), loss } };
    expect(settings({ model, data }).training.loss).toBe(expected);
  }); // prettier-ignore

  it('has the loss that fits, and paths from its folder', () => {
    expect(settings()).toMatchObject({
      model: './net.onnx',
      data: { path: '../data/mnist' },
      training: { loss: 'sparse-categorical-crossentropy-from-logits', batchSize: 50 },
      compression: { layers: { fc1: {} } },
    });
  });

  it('has pixels as they were chosen, for images alone', () => {
    const images = { type: 'images', path: resolve('project/photos'), isWhole: false, classes: 10 } as const;
    const square = { ...described, inputs: [{ name: 'x', shape: [null, 3, 8, 8], dtype: 'float32' }] };
    const model = { ...chosen.model, described: square };
    expect(settings({ model, data: images, pixels: 'symmetric' }).data).toMatchObject({ standardize: 'symmetric' });
    expect(settings({ model, data: images, pixels: 'unit' }).data).not.toHaveProperty('standardize');
    expect(settings({ pixels: 'symmetric' }).data).not.toHaveProperty('standardize');
  });

  it('has the batch size that the model fixes, the sizes that were assumed, and the export that is the model', () => {
    const fixed = { ...described, inputs: [{ name: 'x', shape: [8, 784], dtype: 'float32' }] };
    expect(settings({ model: { ...chosen.model, described: fixed } }).training.batchSize).toBe(8);
    const assumed = { ...described, assumedSizes: { sequence: 128 } };
    expect(settings({ model: { ...chosen.model, described: assumed } }).model).toMatchObject({
      onnx: './net.onnx',
      inputs: { sequence: 128 },
    });
    const module = { model: { reference: resolve('project/nets.ts'), exportName: 'small' } };
    expect(settings({ model: module }).model).toEqual({ module: './nets.ts', export: 'small' });
    for (const [samples, batchSize] of [
      [20, 20],
      [49, 20],
      [3, 2],
      [50, 50],
    ])
      expect(settings({ data: { ...chosen.data, samples } }).training.batchSize).toBe(batchSize);
  });

  it('has a loss for each of several outputs', () => {
    const outputs = [
      { name: 'kind', shape: [null, 10], activation: 'softmax' as const },
      { name: 'size', shape: [null, 1], activation: 'other' as const },
    ];
    const data = { type: 'module', path: resolve('project/data.ts') } as const;
    expect(settings({ data, model: { ...chosen.model, described: { ...described, outputs } } }).training.loss).toEqual({
      kind: 'sparse-categorical-crossentropy',
      size: 'mean-squared-error',
    });
  });

  it('leaves the loss to a model that brings one', () => {
    const own = { ...described, hasLoss: true };
    expect(settings({ model: { ...chosen.model, described: own } }).training.loss).toBe('auto');
  });
});

describe('the source of a model', () => {
  it('tells the layers of the example, and that it brings a loss', () => {
    const source = readModelSource(readFileSync(path('examples/mnist/my-model.ts'), 'utf8'));
    expect(source).toEqual({
      layers: [
        { name: 'conv1', shortestSide: 9 },
        { name: 'conv2', shortestSide: 32 },
        { name: 'hidden', shortestSide: 128 },
        { name: 'logits', shortestSide: 10 },
      ],
      exportsLoss: true,
      softmax: false,
    });
  });

  it.each([
    ['export async function createModel() {}', true],
    ['export const createModel = () => model;', true],
    ['const createModel = 1; export { other, createModel };', true],
    ['exports.createModel = function () {};', true],
    ['// export function createModel() {}', false],
    ['/* export function createModel() {} */ const url = "http://createModel";', false],
    ['import { createModel } from "./model";', false],
    ['export function createModelOfMine() {}', false],
    ['export function small() { return tf.sequential(); }', true],
    ['export default () => tf.model({ inputs, outputs });', true],
    ['const model = tf.sequential(); export default model;', true],
    ['module.exports = { createModel };', true],
    ['module.exports = { build: () => tf.sequential() };', true],
    ['module.exports = () => tf.sequential();', true],
    ['exports.build = function () { return tf.layers.dense({ units: 1 }); };', true],
    ['tf.sequential(); // for a test', false],
    ['export default { plugins: [] };', false],
    ['export const loss = () => tf.layers.dense({});', false],
  ])('%s', (text, isModel) => {
    expect(readModelSource(text) !== undefined).toBe(isModel);
  });

  it.each([
    ['export const width = 3; export function net() { return tf.sequential(); }', 'net'],
    ['export function net() { return tf.sequential(); } export const loss = 1;', undefined],
    ['export function a() { return tf.sequential(); } export function bigNet() { return a(); }', 'bigNet'],
    ['export const one = () => tf.sequential(), two = () => one();\nexport const three = async () => one();', 'one'],
    ['const a = () => tf.sequential();\nexport { a as first, b };\nfunction b() {}', 'b'],
    ['export function createModel() { return tf.sequential(); } export function other() {}', undefined],
  ])('names the export where several may be meant: %s', (text, name) => {
    expect(readModelSource(text)?.exportName).toBe(name);
  });

  it('tells no layers where some have names that are not written out', () => {
    const unnamed = 'export function createModel() { tf.layers.dense({ units: 3 }); tf.layers.dense({ name: "b" }) }';
    const computed = 'export function createModel() { tf.layers.dense({ name: `fc${i}`, units: 3 }) }';
    expect(readModelSource(unnamed)?.layers).toBeUndefined();
    expect(readModelSource(computed)?.layers).toBeUndefined();
  });

  it('is found in a tfjs model.json, and in no other JSON', () => {
    const dense = { class_name: 'Dense', config: { name: 'fc1', units: 7 } };
    const layers = [{ class_name: 'InputLayer', config: { name: 'input' } }, dense];
    const json = (topology: object) => JSON.stringify({ modelTopology: topology });
    const found = [{ name: 'fc1', shortestSide: 7 }];
    expect(readModelJson(json({ class_name: 'Model', config: { layers } }))).toEqual(found);
    expect(readModelJson(json({ model_config: { class_name: 'Sequential', config: layers } }))).toEqual(found);
    expect(readModelJson(json({ node: [] }))).toBeUndefined();
    expect(readModelJson('{')).toBeUndefined();
  });
});

describe('a teacher', () => {
  const folder = resolve('project');
  const trained = (path: string, isNameUnique = true): ChosenTeacher => ({
    run: resolve(path),
    name: 'wide',
    isNameUnique,
  });

  it.each([
    ['a run of this folder, by the name of its experiment', trained('project/.deeptwist/runs/wide-1'), 'run:wide'],
    [
      'a run whose experiment shares its name with another, by its path',
      trained('project/.deeptwist/runs/wide-1', false),
      'run:./.deeptwist/runs/wide-1',
    ],
    ['a run of another folder, by its path', trained('other/.deeptwist/runs/w'), 'run:../other/.deeptwist/runs/w'],
    ['a file, by its path', { file: resolve('project/net/model.json') }, './net/model.json'],
  ])('%s', (_, teacher, setting) => {
    expect(teacherSetting(teacher, folder)).toBe(setting);
  });

  it('is a safetensors file that has the layers of its model under their names', () => {
    const headOf = (metadata: Record<string, string>) =>
      new TextDecoder().decode(
        encodeSafetensors(new Map([['x', { dtype: 'F32', shape: [1], data: Float32Array.of(1) }]]), metadata),
      );
    expect(hasModelLayers(headOf({ 'deeptwist.packed': '1', model: '{"class_name":"Model"}' }))).toBe(true);
    expect(hasModelLayers(headOf({ format: 'pt' }))).toBe(false);
    expect(hasModelLayers(headOf({}))).toBe(false);
    expect(hasModelLayers(headOf({ model: '{}', names: 'pytorch' }))).toBe(false);
    expect(hasModelLayers('{"model":"x"}')).toBe(false);
  });
});

describe('the sample data', () => {
  it('is a data module of pictures that depend on seed and epoch alone', async () => {
    const file = path('media/sample-digits.ts');
    expect(isDataModule(readFileSync(file, 'utf8'))).toBe(true);
    const dataset = await openModuleDataset(file);
    try {
      expect(dataset.inputs[0].shape).toEqual([28, 28, 1]);
      const first = async () => {
        for await (const { inputs, targets } of dataset.test.batches(100)) return [inputs[0], targets[0]] as const;
        throw new Error('There is no batch.');
      };
      const [pictures, labels] = await first();
      expect(await first()).toEqual([pictures, labels]);
      expect(new Set(labels).size).toBe(10);
      expect(Math.min(...pictures)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...pictures)).toBeLessThanOrEqual(1);
    } finally {
      await dataset.close();
    }
  });
});
