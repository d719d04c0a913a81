import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { arraySplits } from '../../../server/proposals/arrayNames.ts';
import { chosenExperimentText } from '../../../server/proposals/chosenExperiment.ts';
import { describedLayers, writtenLayers } from '../../../server/proposals/describedLayers.ts';
import { findData } from '../../../server/proposals/findData.ts';
import { dataSetting, fitOf, fittingData, targetsFor } from '../../../server/proposals/foundData.ts';
import { imageSize } from '../../../server/proposals/imageSize.ts';
import { relativePath } from '../../../server/runs/relativePath.ts';
import { readTable } from '../../../server/proposals/tableSource.ts';
import { openDataset } from '../../../server/data/openDataset.ts';
import { checkExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';
import type { ModelDescription, OutputActivation } from '../../../server/protocol/model/modelDescription.ts';
import { npy } from '../../fixtures/npy.ts';
import type { FoundData } from '../../../server/protocol/wire/proposals.ts';
import { rawPng } from '../formats/images/pngFile.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

const described = (
  input: (number | null)[],
  units: number,
  activation: OutputActivation = 'other',
  dtype = 'float32',
): ModelDescription => ({
  version: 1,
  model: './net.onnx',
  files: [],
  weights: [],
  inputs: [{ name: 'x', shape: [null, ...input], dtype }],
  outputs: [{ name: 'y', shape: [null, units], activation }],
  hasLoss: false,
});

describe('arrays', () => {
  it.each([
    [['x_train', 'y_train', 'x_test', 'y_test'], 'x_train y_train x_test y_test'],
    [['train-x', 'train-y', 'test-x', 'test-y'], 'train-x train-y test-x test-y'],
    [['X_train', 'Y_train', 'X_val', 'Y_val'], 'X_train Y_train X_val Y_val'],
    [['XTrain', 'yTrain', 'XTest', 'yTest'], 'XTrain yTrain XTest yTest'],
    [
      ['train_images', 'train_labels', 'test_images', 'test_labels'],
      'train_images train_labels test_images test_labels',
    ],
    [['x_train', 'y_train'], undefined],
    [['x_train', 'y_train', 'x_test'], undefined],
    [['x_train', 'train_data', 'y_train', 'x_test', 'y_test'], undefined],
    [['weights', 'bias'], undefined],
  ])('%j', (names, found) => {
    const splits = arraySplits(new Map(names.map((name) => [name, name])));
    const shown = splits && [splits.train, splits.test].map(({ inputs, targets }) => `${inputs} ${targets}`).join(' ');
    expect(shown).toBe(found);
  });
});

const rows = (count: number, row: (i: number) => string) => Array.from({ length: count }, (_, i) => row(i)).join('\n');

describe('a table', () => {
  it.each([
    ['length,width,kind\n1,2,a\n3,4,b\n', { target: 'kind', task: 'classification', classes: 2, inputs: 2 }],
    ['\uFEFFlength;"the; last one"\r\n', { target: 'the; last one', task: 'classification' }],
    ['a\t"b ""c""" \n1\t0\n', { target: 'b "c"', classes: 1 }],
    ['price, in EUR, net;kind\n1;a\n2;b\n', { target: 'kind', classes: 2, inputs: 1 }],
    ['a,kind\n"1\n2",x\n3,y\n', { target: 'kind', classes: 2 }],
    ['class,a\nx,1\ny,2\n', { target: 'class', classes: 2, inputs: 1 }],
    [`a,price\n${rows(30, (i) => `${i},${i}.5`)}\n`, { target: 'price', task: 'regression', inputs: 1 }],
    [`a,count\n${rows(60, (i) => `1,${i}`)}\n`, { target: 'count', task: 'regression' }],
    [
      `name,city,k\n${rows(40, (i) => `n${i},${i % 3 ? 'Bonn' : 'Köln'},${i % 2}`)}\n`,
      { ignored: ['name'], classes: 2 },
    ],
  ])('%j is read', (text, facts) => {
    expect(readTable(text)).toMatchObject(facts);
  });

  const comma = { decimal: ',' };

  it.each([
    ['semicolons', `a;b;price\n${rows(30, (i) => `${i},50;${i % 2 ? '63' : '-0,5E-05'};${i},25`)}\n`, comma],
    ['tabs, with points in thousands', `a\tb\n1.234,5\t0,5\n1.500\t12\n`, comma],
    ['commas around quotes', `a,price\n${rows(30, (i) => `"${i},5","${i},25"`)}\n`, { ...comma, delimiter: ',' }],
    ['semicolons and commas in thousands alone', `a;b\n1,234;2,500\n1,234,567;0\n`, undefined],
    ['points, and commas in a text', `a;note;b\n1.5;1,5;2.5\n0.5;see 1,5;1\n`, undefined],
  ])('%s: what stands before decimals is seen', (_, text, form) => {
    expect(readTable(text)?.form).toEqual(form);
  });

  it('with decimal commas has numbers as one with points has', () => {
    const table = (decimal: string, delimiter: string) =>
      readTable(`a${delimiter}price\n${rows(30, (i) => `${i}${decimal}5${delimiter}${i}${decimal}25`)}\n`);
    const { form, ...facts } = table(',', ';')!;
    expect(form).toEqual(comma);
    expect(facts).toEqual(table('.', ','));
    expect(facts).toMatchObject({ task: 'regression', ignored: [], inputs: 1 });
  });

  it.each(['no delimiter\na,b', 'a,\n1,2', ''])('%j is none', (text) => {
    expect(readTable(text)).toBeUndefined();
  });
});

describe('the size of an image', () => {
  it('is in the header of a PNG file, and in a frame of a JPEG file', () => {
    const png = rawPng(new Uint8Array(0), { width: 256, height: 32 });
    expect(imageSize(png.subarray(0, 40))).toEqual([32, 256]);
    const jpeg = Uint8Array.from([255, 216, 255, 224, 0, 4, 1, 1, 255, 192, 0, 17, 8, 0, 48, 0, 64, 3, 0, 0, 0]);
    expect(imageSize(jpeg)).toEqual([48, 64]);
    expect(imageSize(jpeg.subarray(0, 10))).toBeUndefined();
    expect(imageSize(new Uint8Array(40))).toBeUndefined();
  });
});

describe('data for a model', () => {
  const mnist: FoundData = { type: 'mnist', path: '/d/mnist', sample: [28, 28, 1], classes: 10, targets: 'labels' };
  const flowers: FoundData = { type: 'images', path: '/d/flowers', isWhole: true, classes: 5, targets: 'labels' };

  it.each([
    [mnist, described([1, 28, 28], 10), 'yes'],
    [mnist, described([784], 10), 'yes'],
    [mnist, described([784], 12), 'maybe'],
    [mnist, described([784], 9), 'no'],
    [mnist, described([3, 224, 224], 10), 'no'],
    [mnist, described([1, null, null], 10), 'yes'],
    [flowers, described([3, 224, 224], 5), 'yes'],
    [flowers, described([64, 64, 3], 1000), 'maybe'],
    [flowers, described([784], 5), 'no'],
    [{ type: 'text', path: '/d' }, described([20], 1000, 'other', 'int32'), 'maybe'],
    [{ type: 'text', path: '/d' }, described([20], 1000), 'no'],
    [{ type: 'module', path: '/d/data.ts' }, described([7], 2), 'maybe'],
  ] as const)('%j', (data, model, fit) => {
    expect(fitOf(data, model)).toBe(fit);
    expect(fitOf(data, undefined)).toBe('maybe');
  });

  it('comes with the surest first', () => {
    const module: FoundData = { type: 'module', path: '/d/data.ts' };
    const model = { reference: '/d/net.onnx' };
    const fitting = (input: 'digits' | 'words' | undefined, net?: ModelDescription) =>
      fittingData([module, flowers, mnist], { model: { ...model, ...(input && { input }) }, described: net });
    expect(fitting(undefined, described([1, 28, 28], 10))).toEqual([2, 0, 1]);
    expect(fitting('digits')).toEqual([0, 2]);
    expect(fitting('words')).toEqual([]);
  });

  it('is resized and gray as the model takes it', () => {
    const setting = (model?: ModelDescription, size?: readonly [number, number]) =>
      dataSetting({ ...flowers, size } as FoundData, (path) => path, model);
    expect(setting(described([3, 224, 200], 5))).toMatchObject({ size: [224, 200], split: { test: 0.2 } });
    expect(setting(described([28, 28, 1], 5))).toMatchObject({ size: [28, 28], color: 'gray' });
    expect(setting(described([3, 32, 32], 5), [32, 32])).not.toHaveProperty('size');
    expect(setting(undefined)).toMatchObject({ size: [64, 64] });
    expect(setting(undefined, [48, 48])).not.toHaveProperty('size');
  });

  it.each([
    [undefined, 'training'],
    ['training', 'training'],
    ['symmetric', 'symmetric'],
    ['imagenet', { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }],
    ['unit', undefined],
  ] as const)('has pixels as the model was trained with: %s', (pixels, standardize) => {
    expect(dataSetting(flowers, (path) => path, undefined, pixels).standardize).toEqual(standardize);
  });

  it('has floats of several columns as probabilities beside a softmax alone', () => {
    const arrays = { type: 'arrays', path: '/d', targets: 'one-hot' } as FoundData;
    expect(targetsFor(arrays, described([4], 3, 'softmax'))).toBe('one-hot');
    expect(targetsFor(arrays, described([4], 3))).toBe('numbers');
  });
});

describe('what a workspace has', () => {
  /** A tree of files, and what is found in it. */
  async function found(files: Readonly<Record<string, Uint8Array | string>>) {
    const folder = await temporaryFolder();
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const all = Object.keys(files).map((name) => join(folder, name));
    const of = (pattern: RegExp) => all.filter((path) => pattern.test(path));
    const data = await findData(
      {
        digits: of(/train-images.idx3-ubyte/),
        images: of(/\.(jpg|png)$/),
        arrays: of(/\.(npy|npz|safetensors)$/),
        tables: of(/\.csv$/),
        texts: of(/\.train\.txt$/),
      },
      (path) => Promise.resolve([{ name: 'array', shape: /y_/.test(path) ? [8] : [8, 4], dtype: 'float32' }]),
    );
    return { folder, data };
  }

  it('is found as an experiment names it, and opens', async () => {
    const array = (shape: number[]) => npy(new Float32Array(shape[0] * (shape[1] ?? 1)), shape);
    const { folder, data } = await found({
      'points/x_train.npy': array([8, 4]),
      'points/y_train.npy': array([8]),
      'points/x_test.npy': array([8, 4]),
      'points/y_test.npy': array([8]),
      'houses/train.csv': 'rooms,price\n1,2.5\n2,3.5\n',
      'houses/test.csv': 'rooms,price\n1,2.5\n2,3.5\n',
      'flats.csv': `size;floor;rent\n${rows(30, (i) => `${i},5;${i % 4};${i},25`)}\n`,
      'quoted.csv': `size,rent\n${rows(30, (i) => `"${i},5","${i},25"`)}\n`,
      'irises.csv': `a,b,kind\n${Array.from({ length: 40 }, (_, i) => `${i},${i % 7},k${i % 2}`).join('\n')}\n`,
    });
    expect(data.map(({ type }) => type)).toEqual(['arrays', 'table', 'table', 'table', 'table']);
    for (const one of data) {
      const setting = dataSetting(one, (path) => relativePath(folder, path));
      const { experiment, problems } = checkExperiment(
        JSON.stringify({
          model: './m.ts',
          data: setting,
          training: { optimizer: { type: 'adam' }, batchSize: 2, steps: 1 },
        }),
      );
      expect(problems).toEqual([]);
      const dataset = await openDataset(experiment!.data, folder);
      expect(dataset.inputs[0].shape).toEqual(one.sample);
      await dataset.close();
    }
    expect(dataSetting(data[1], (path) => relativePath(folder, path))).toEqual({
      type: 'table',
      files: { train: './houses/train.csv', test: './houses/test.csv' },
      target: 'price',
      task: 'regression',
      standardize: 'all',
    });
    const text = (one: FoundData) =>
      chosenExperimentText({ folder, model: { model: { reference: 'builtin:mlp' } }, data: one, method: 'prune', layers: [] }); // prettier-ignore
    expect(text(data[2])).toContain('"path": "./flats.csv", "decimal": ",", "target": "rent", "task": "regression"');
    expect(text(data[3])).toContain('"path": "./quoted.csv", "decimal": ",", "delimiter": ",", "target": "rent"');
  });

  it('has as many samples to train on as its headers, folders and lines say', async () => {
    const images = (root: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${root}/${i % 10}/${i}.png`, '']));
    const idx = Uint8Array.from([0, 0, 8, 3, 0, 0, 0x27, 0x10, 0, 0, 0, 20, 0, 0, 0, 32, 7]);
    const long = Array.from({ length: 20_000 }, (_, i) => `${i % 1000},${i % 7},k${i % 2}`).join('\n');
    const { data } = await found({
      'raw/train-images-idx3-ubyte': idx,
      'zipped/train-images-idx3-ubyte.gz': gzipSync(Buffer.concat([idx, randomBytes(1_000_000)])),
      'damaged/train-images-idx3-ubyte': idx.subarray(0, 9),
      ...images('whole', 111),
      ...images('divided/train', 30),
      ...images('divided/test', 20),
      'short.csv': `a,kind\n${Array.from({ length: 40 }, (_, i) => `${i},k${i % 2}`).join('\n')}\n`,
      'long.csv': `a,b,kind\n${long}\n`,
    });
    const seen = Object.fromEntries(data.map(({ path, samples }) => [basename(path), samples]));
    expect(seen).toMatchObject({ raw: 10_000, zipped: 10_000, whole: 91, divided: 30, 'short.csv': 31 });
    expect(seen.damaged).toBeUndefined();
    // The size of the file in lines of its beginning.
    expect(Math.abs(seen['long.csv']! / 16_000 - 1)).toBeLessThan(0.03);
    const ofDigits = (name: string) => data.find(({ path }) => basename(path) === name)?.sample;
    expect([ofDigits('raw'), ofDigits('damaged')]).toEqual([
      [20, 32, 1],
      [28, 28, 1],
    ]);
  });

  it('has sets of images by their folders', async () => {
    const { folder, data } = await found({
      'divided/train/cat/1.jpg': '',
      'divided/train/dog/1.jpg': '',
      'divided/test/cat/1.jpg': '',
      'divided/test/dog/1.jpg': '',
      'whole/rose/1.png': '',
      'whole/tulip/1.png': '',
      'half/train/a/1.png': '',
      'half/train/b/1.png': '',
      'half/val/a/1.png': '',
      'one/only/1.png': '',
    });
    const of = ({ path, ...more }: FoundData) =>
      'isWhole' in more ? [relativePath(folder, path), more.isWhole, more.classes] : [];
    expect(data.map(of)).toEqual([
      ['./divided', false, 2],
      ['./whole', true, 2],
      ['./half/train', true, 2],
    ]);
  });
});

describe('the layers of a described model', () => {
  const weight = (name: string, shape: number[], more: object = {}) => {
    const [layer, part] = name.split('.');
    return { name, layer, weight: part, shape, trainable: true, layerClass: 'Conv', outputAxis: 0, ...more };
  };
  const model = {
    ...described([3, 8, 8], 2),
    weights: [
      weight('conv1.weight', [16, 3, 3, 3]),
      weight('conv1.bias', [16]),
      weight('depth.weight', [16, 1, 3, 3]),
      weight('bn.running_mean', [16], { trainable: false }),
      weight('fc.weight', [10, 400], { layerClass: 'Gemm' }),
    ],
  };

  it('are those with a matrix that is no depthwise filter, with its smaller side', () => {
    expect(describedLayers(model)).toEqual([
      { name: 'conv1', shortestSide: 16 },
      { name: 'fc', shortestSide: 10 },
    ]);
  });

  it('have no matrix of biases: a GRU has two rows of them', () => {
    const of = { layerClass: 'GRU', outputAxis: 1 };
    const weights = [weight('gru.kernel', [8, 30], of), weight('gru.bias', [2, 30], of)];
    expect(describedLayers({ ...model, weights })).toEqual([{ name: 'gru', shortestSide: 8 }]);
  });

  it('are written as one glob where all of many are meant', () => {
    const many = Array.from({ length: 20 }, (_, i) => ({ name: `l${i}`, shortestSide: 5 + i }));
    expect(writtenLayers(many, many)).toEqual([{ name: '*', shortestSide: 5 }]);
    expect(writtenLayers(many.slice(1), many)).toHaveLength(19);
  });
});
