import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { experimentText, newMethods } from '../../../../extension/newExperiment/experimentText.ts';
import { teacherSetting, type FoundTeacher } from '../../../../extension/newExperiment/findTeachers.ts';
import {
  hasModelLayers,
  isDataModule,
  readModelJson,
  readModelSource,
} from '../../../../extension/newExperiment/modelSource.ts';
import { lastColumn } from '../../../../extension/newExperiment/tableSource.ts';
import { openModuleDataset } from '../../../../server/data/module/moduleDataset.ts';
import { encodeSafetensors } from '../../../../server/formats/safetensors.ts';
import { compressionsOf } from '../../../../server/protocol/experiment/compressions.ts';
import { checkExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';

const path = (relative: string) => fileURLToPath(new URL(`../../../../${relative}`, import.meta.url));

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
      for (const steps of [undefined, 1, 2, 40, 3000]) {
        const text = experimentText({
          model: './model.ts',
          loss: 'sparse-categorical-crossentropy',
          data,
          method,
          layers: [{ name: 'fc1', shortestSide: 300 }, { name: 'weird "name"', shortestSide: 1 }, { name: '*' }],
          ...(steps !== undefined && { steps }),
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
  ])('%s', (text, isModel) => {
    expect(readModelSource(text) !== undefined).toBe(isModel);
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

describe('a table', () => {
  it.each([
    ['length,width,species\n1,2,a', 'species'],
    ['\uFEFFlength;"the; last one"\r\n', 'the; last one'],
    ['a\t"b ""c""" ', 'b "c"'],
    ['a, b', 'b'],
    ['no delimiter\na,b', undefined],
    ['a,\n1,2', undefined],
    ['', undefined],
  ])('%j is named by its last column', (text, name) => {
    expect(lastColumn(text)).toBe(name);
  });
});

describe('a teacher', () => {
  const folder = resolve('project');
  const trained = (path: string, isNameUnique = true) =>
    ({
      run: { run: { path: resolve(path), record: { name: 'wide' } } },
      dataType: 'mnist',
      isNameUnique,
    }) as FoundTeacher;

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
