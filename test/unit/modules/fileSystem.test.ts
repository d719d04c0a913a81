/** @file A module loads and saves models by file:// and tf.io.fileSystem, as with tfjs-node. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { loadModel } from '../../../server/models/loadModel.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';

let folder: string;
beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  folder = await temporaryFolder();
  mkdirSync(join(folder, 'saved'));
  const dense = {
    class_name: 'Dense',
    config: { name: 'fc', units: 1, use_bias: false, batch_input_shape: [null, 2] },
  };
  writeFileSync(join(folder, 'saved', 'w.bin'), new Uint8Array(Float32Array.of(3, 4).buffer));
  writeFileSync(
    join(folder, 'saved', 'model.json'),
    JSON.stringify({
      format: 'layers-model',
      modelTopology: { class_name: 'Sequential', config: { name: 'saved', layers: [dense] } },
      weightsManifest: [{ paths: ['w.bin'], weights: [{ name: 'fc/kernel', shape: [2, 1], dtype: 'float32' }] }],
    }),
  );
});

/** @param text of `createModel`, after `tf` and `here`, the folder of the module */
async function load(text: string, from = '@tensorflow/tfjs-node') {
  writeFileSync(
    join(folder, 'model.ts'),
    `import * as tf from '${from}';
     import { dirname } from 'node:path';
     import { fileURLToPath } from 'node:url';
     const here = dirname(fileURLToPath(import.meta.url));
     export async function createModel() { ${text} }`,
  );
  return loadModel('./model.ts', { baseDirectory: folder, seed: 1 });
}

const kernel = (model: tf.LayersModel) => [...model.getLayer('fc').getWeights()[0].dataSync()];

test.each([
  ['tf.loadLayersModel(`file://${here}/saved/model.json`)', '@tensorflow/tfjs-node'],
  ['tf.loadLayersModel(`file://${here}/saved/model.json`)', '@tensorflow/tfjs'],
  ['tf.loadLayersModel(tf.io.fileSystem(here + "/saved/model.json"))', '@tensorflow/tfjs-node'],
  ['tf.loadLayersModel(tf.io.fileSystem(here + "/saved"))', '@tensorflow/tfjs'],
])('%s of %s loads the model, whose files are those of the experiment', async (call, from) => {
  const { model, files } = await load(`return ${call};`, from);
  expect(kernel(model)).toEqual([3, 4]);
  expect(files.sort()).toEqual(['model.ts', 'saved/model.json', 'saved/w.bin'].map((name) => join(folder, name)));
});

test.each(['`file://${here}/copy`', 'tf.io.fileSystem(here + "/copy")'])(
  'model.save(%s) writes one',
  async (target) => {
    const { model } = await load(
      `const model = await tf.loadLayersModel(\`file://\${here}/saved/model.json\`); await model.save(${target}); return model;`,
    );
    expect(existsSync(join(folder, 'copy', 'model.json'))).toBe(true);
    const { href } = pathToFileURL(join(folder, 'copy', 'model.json'));
    expect(kernel(await tf.loadLayersModel(href))).toEqual(kernel(model));
    expect(readFileSync(join(folder, 'copy', 'weights.bin'))).toHaveLength(8);
  },
);

test('a file that is damaged is named', async () => {
  writeFileSync(join(folder, 'saved', 'w.bin'), '');
  const error = await userErrorOf(() => load('return tf.loadLayersModel(`file://${here}/saved/model.json`);'));
  expect(error.message).toBe(
    `${join(folder, 'saved', 'model.json')}: its weights need 8 bytes, but its weight files have 0.`,
  );
});

test('a call of tf.node says that it is not there', async () => {
  const error = await userErrorOf(() => load('return tf.node.decodeImage(new Uint8Array());'));
  expect(error.message).toBe(
    'tf.node.decodeImage is not there: @tensorflow/tfjs-node is @tensorflow/tfjs in DeepTwist.',
  );
});
