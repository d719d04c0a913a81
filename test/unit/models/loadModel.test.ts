import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../../server/models/loadModel.ts';
import { modelWeights } from '../../../server/models/modelWeights.ts';
import type { ModelReference } from '../../../server/protocol/experiment/schema.ts';
import { userErrorOf } from '../userErrorOf.ts';

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-model-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const load = (reference: ModelReference, seed = 1) => loadModel(reference, { baseDirectory: folder, seed });

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return `./${name}`;
}

function values(model: tf.LayersModel): Record<string, number[]> {
  return Object.fromEntries(modelWeights(model).map(({ name, variable }) => [name, [...variable.dataSync()]]));
}

/** What `model.save('file://…')` of tfjs-node writes, with the weights in two shards. */
async function save(model: tf.LayersModel, name: string): Promise<string> {
  mkdirSync(join(folder, name), { recursive: true });
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      const { modelTopology, weightSpecs: weights, weightData } = artifacts;
      const data = Buffer.from(weightData as ArrayBuffer);
      const paths = ['weights-1of2.bin', 'weights-2of2.bin'];
      writeFileSync(join(folder, name, paths[0]), data.subarray(0, 10));
      writeFileSync(join(folder, name, paths[1]), data.subarray(10));
      const json = { format: 'layers-model', modelTopology, weightsManifest: [{ paths, weights }] };
      writeFileSync(join(folder, name, 'model.json'), JSON.stringify(json));
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } });
    }),
  );
  return `./${name}/model.json`;
}

const small = (units = 2) =>
  tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] }), tf.layers.dense({ name: 'out', units })] });

test.each(['.onnx', '.json', '.keras', '.h5'])(
  'a file whose whole name is %s is not executed as a module',
  async (name) => {
    const path = write(
      name,
      `require('node:fs').writeFileSync(${JSON.stringify(join(folder, `executed${name}`))}, '');`,
    );
    expect(await userErrorOf(() => load(path))).toBeDefined();
    expect(existsSync(join(folder, `executed${name}`))).toBe(false);
  },
);

test('a dilation that TensorFlow.js computes without is told, wherever the layer is', async () => {
  const path = write(
    'dilated.js',
    `const tf = require('@tensorflow/tfjs');
     const { depthwiseConv2d, separableConv2d, conv2d, conv2dTranspose } = tf.layers;
     exports.createModel = () => tf.sequential({ layers: [
       separableConv2d({ filters: 2, kernelSize: 2, dilationRate: 2, inputShape: [9, 9, 2] }),
       conv2d({ filters: 2, kernelSize: 2, dilationRate: 2 }),
       depthwiseConv2d({ kernelSize: 2, dilationRate: 1 }),
       tf.sequential({ layers: [depthwiseConv2d({ name: 'dw', kernelSize: 2, dilationRate: [1, 2], inputShape: [4, 4, 2] })] }),
       conv2dTranspose({ name: 'up', filters: 2, kernelSize: 2, dilationRate: 3 }),
     ] });`,
  );
  const { model, warnings } = await load(path);
  expect(warnings).toEqual([
    expect.stringContaining(
      "the layer 'dw' (DepthwiseConv2D) is trained and exported without its dilationRate of 1 x 2",
    ),
    expect.stringContaining(
      "the layer 'up' (Conv2DTranspose) is trained and exported without its dilationRate of 3 x 3",
    ),
  ]);
  // The shapes are those of layers without it.
  expect(model.outputs[0].shape).toEqual([null, 4, 4, 2]);
});

describe('built-in models', () => {
  test.each([
    ['lenet-300-100', [null, 784], 266_200, 410, ['fc1', 'fc2', 'fc3']],
    ['lenet-5', [null, 28, 28, 1], 430_500, 580, ['conv1', 'conv2', 'fc1', 'fc2']],
  ])('%s has the weights of the literature and a loss', async (name, input, kernels, biases, layers) => {
    const { model, loss, files } = await load(`builtin:${name}`);
    const weights = modelWeights(model);
    const count = (kind: string) =>
      weights.filter(({ weight }) => weight === kind).reduce((sum, w) => sum + w.variable.size, 0);
    expect(model.inputs[0].shape).toEqual(input);
    expect(model.outputs[0].shape).toEqual([null, 10]);
    expect([count('kernel'), count('bias')]).toEqual([kernels, biases]);
    expect([...new Set(weights.map(({ layer }) => layer))]).toEqual(layers);
    expect(loss).toBeDefined();
    expect(files).toEqual([]);
  });

  test('kernels are Glorot uniform, biases zero', async () => {
    const [kernel, bias] = modelWeights((await load('builtin:lenet-300-100')).model).map(
      ({ variable }) => variable.dataSync() as Float32Array,
    );
    const limit = Math.sqrt(6 / (784 + 300));
    const variance = kernel.reduce((sum, w) => sum + w * w, 0) / kernel.length;
    expect(kernel.every((w) => Math.abs(w) <= Math.fround(limit))).toBe(true);
    // limit^2 / 3, within five standard errors of 235,200 draws.
    expect(Math.abs(variance / (limit ** 2 / 3) - 1)).toBeLessThan(0.01);
    expect(bias.every((b) => b === 0)).toBe(true);
  });

  test('an unknown name is refused with the names that exist', async () => {
    const error = await userErrorOf(() => load('builtin:lenet-4'));
    expect(error.message).toContain("no built-in model 'lenet-4'");
    expect(error.remedy).toContain('builtin:lenet-300-100, builtin:lenet-5');
  });
});

describe('the same seed gives the same weights', () => {
  const module = `
    import * as tf from '@tensorflow/tfjs';
    export async function createModel(): Promise<tf.LayersModel> {
      await Promise.resolve();
      const kernelInitializer = 'truncatedNormal';
      return tf.sequential({ layers: [
        tf.layers.dense({ units: 3, inputShape: [4], kernelInitializer }),
        tf.layers.lstm({ units: 2, inputShape: [4, 3] }),
      ].slice(0, 1) });
    }`;
  test.each(['builtin:lenet-300-100', 'module'])('%s', async (kind) => {
    const reference = kind === 'module' ? write('seeded.ts', module) : kind;
    const [a, b, c] = [await load(reference, 1), await load(reference, 1), await load(reference, 2)];
    expect(values(b.model)).toEqual(values(a.model));
    expect(values(c.model)).not.toEqual(values(a.model));
  });

  test('also where two modules are loaded at the same time', async () => {
    const quick = write('quick.ts', module);
    const slow = write('slow.ts', module.replace('Promise.resolve()', 'new Promise(setImmediate)'));
    const alone = [await load(quick, 1), await load(slow, 2)];
    const together = await Promise.all([load(quick, 1), load(slow, 2)]);
    expect(together.map(({ model }) => values(model))).toEqual(alone.map(({ model }) => values(model)));
  });

  test('and Math.random is itself again, also after a failure', async () => {
    const original = Math.random;
    await load('builtin:lenet-300-100');
    await userErrorOf(() => load(write('fails.ts', 'export function createModel() { throw new Error("x"); }')));
    expect(Math.random).toBe(original);
  });
});

describe("a user's module", () => {
  test('gives the model, its loss, its metrics and its files', async () => {
    write('units.ts', 'export const units: number = 5;');
    const reference = write(
      'model.ts',
      `import * as tf from '@tensorflow/tfjs';
       import { units } from './units.ts';
       export const createModel = () => tf.sequential({ layers: [tf.layers.dense({ units, inputShape: [2] })] });
       export const loss = (targets: tf.Tensor, outputs: tf.Tensor) => tf.mean(tf.squaredDifference(targets, outputs));
       export const metrics = { error: (targets: tf.Tensor, outputs: tf.Tensor) => tf.abs(tf.sub(targets, outputs)) };`,
    );
    const { model, loss, metrics, files } = await load(reference);
    expect(model).toBeInstanceOf(tf.LayersModel);
    expect(loss?.(tf.zeros([1, 5]), tf.fill([1, 5], 2)).dataSync()[0]).toBe(4);
    expect(Object.keys(metrics ?? {})).toEqual(['error']);
    expect(files.sort()).toEqual([join(folder, 'model.ts'), join(folder, 'units.ts')]);
  });

  const dense = "import * as tf from '@tensorflow/tfjs';\nconst l = tf.layers.dense({ units: 1, inputShape: [2] });";
  test.each([
    ['no createModel', 'export const build = 1;', /exports no model\. It exports: build\./],
    [
      'throws',
      'export function createModel() {\n  throw new Error("no GPU");\n}',
      /createModel\(\) of .* failed: no GPU \(.*throws\.ts:2:\d+\)/,
    ],
    ['no model', 'export const createModel = () => 5;', /createModel\(\) of .* returned 5, not a tf\.LayersModel/],
    ['another object', 'export const createModel = () => new Map();', /returned an object of class Map/],
    ['empty', `${dense}\nexport const createModel = () => tf.sequential();`, /returned a model without layers/],
    [
      'loss',
      `${dense}\nexport const createModel = () => tf.sequential({ layers: [l] }), loss = 'mse';`,
      /exports 'loss', which is not/,
    ],
    [
      'metrics',
      `${dense}\nexport const createModel = () => tf.sequential({ layers: [l] }), metrics = { a: 1 };`,
      /exports 'metrics'/,
    ],
  ])('is refused with the reason: %s', async (name, text, message) => {
    const error = await userErrorOf(() => load(write(`${name}.ts`, text)));
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeTruthy();
  });

  const made = 'tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] })';
  const required = "const tf = require('@tensorflow/tfjs');";
  const imported = "import * as tf from '@tensorflow/tfjs';";
  test.each([
    ['default-function.ts', `${imported}\nexport default () => ${made};`],
    ['default-model.ts', `${imported}\nconst model = ${made};\nexport default model;`],
    ['another-name.ts', `${imported}\nexport function buildNet() { return ${made}; }\nexport const metrics = {};`],
    ['a-model.ts', `${imported}\nexport const net = ${made};\nexport const units = 3;`],
    ['table.cjs', `${required}\nmodule.exports = { createModel: () => ${made} };`],
    ['named.js', `${required}\nexports.build = () => ${made};`],
    ['function.cjs', `${required}\nmodule.exports = () => ${made};`],
    ['model.cjs', `${required}\nmodule.exports = ${made};`],
  ])('may export its model in another way: %s', async (name, text) => {
    expect((await load(write(name, text))).model.countParams()).toBe(3);
  });

  test('names what it exports by model.export', async () => {
    const reference = write('two.ts', `${imported}\nexport const small = () => ${made}, large = small;`);
    const error = await userErrorOf(() => load(reference));
    expect(error.message).toContain('exports several functions, and does not say which makes the model: large, small');
    expect(error.remedy).toContain('"export": "large"');
    expect((await load({ module: reference, export: 'large' })).model.countParams()).toBe(3);
    const wrong = await userErrorOf(() => load({ module: reference, export: 'medium' }));
    expect(wrong.message).toContain('medium is not exported');
    expect(wrong.message).toContain('exports large, small');
    const file = await userErrorOf(() => load({ module: './net.onnx', export: 'large' }));
    expect(file.message).toContain('./net.onnx is no TypeScript or JavaScript module');
  });

  test('that does not exist is named', async () => {
    expect((await userErrorOf(() => load('./none.ts'))).message).toBe(`${join(folder, 'none.ts')} does not exist.`);
  });
});

describe('a model saved by TensorFlow.js', () => {
  test('has its topology, weights and files', async () => {
    const original = small();
    const { model, files } = await load(await save(original, 'saved'));
    const x = tf.randomNormal([5, 4]);
    expect((model.predict(x) as tf.Tensor).dataSync()).toEqual((original.predict(x) as tf.Tensor).dataSync());
    expect(files).toEqual(['model.json', 'weights-1of2.bin', 'weights-2of2.bin'].map((f) => join(folder, 'saved', f)));
  });

  test('without weights is initialized from the seed', async () => {
    const reference = write('topology.json', JSON.stringify({ modelTopology: small().toJSON(null, false) }));
    expect(values((await load(reference, 3)).model)).toEqual(values((await load(reference, 3)).model));
  });

  test.each<[string, (reference: string) => void, RegExp]>([
    ['shard missing', () => rmSync(join(folder, 'broken', 'weights-2of2.bin')), /weights-2of2\.bin does not exist/],
    ['shard cut off', () => write('broken/weights-2of2.bin', ''), /model\.json: its weights need 92 bytes.* have 10/],
    ['no JSON', () => write('broken/model.json', '{'), /model\.json is not usable: it is not valid JSON/],
    ['other JSON', () => write('broken/model.json', '{"a":1}'), /model\.json is not usable: it has no 'modelTopology'/],
    ['graph model', () => write('broken/model.json', '{"format":"graph-model"}'), /is a graph model/],
    [
      'unknown layer',
      () => write('broken/model.json', '{"modelTopology":{"class_name":"X","config":{}}}'),
      /could not be made into a model: .*X/,
    ],
  ])('is refused with the reason: %s', async (_, damage, message) => {
    const reference = await save(small(), 'broken');
    damage(reference);
    const error = await userErrorOf(() => load(reference));
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeTruthy();
  });
});
