import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadModel } from '../../../server/models/loadModel.ts';
import { readModelSource } from '../../../server/proposals/modelSource.ts';
import { root } from '../../../scripts/root.js';
import { temporaryFolder } from '../runs/temporaryRun.ts';

const template = () => readFile(join(root, 'media', 'template-model.ts'), 'utf8');

test('the template of a model is found as one, with its layers, and leaves the softmax to the loss', async () => {
  expect(readModelSource(await template())).toMatchObject({
    layers: [{ name: 'fc1', shortestSide: 128 }, { name: 'fc2', shortestSide: 64 }, { name: 'output' }],
    exportsLoss: false,
    softmax: false,
  });
});

test('it takes the shape and the classes of any data', async () => {
  const baseDirectory = await temporaryFolder();
  await writeFile(join(baseDirectory, 'model.ts'), await template());
  const inputs = [{ shape: [5, 4, 3] }];
  for (const [classes, outputs] of [
    [['cat', 'dog'], 2],
    [undefined, 10],
  ] as const) {
    const samples = { batchSize: 8, inputs, ...(classes && { classes }) };
    const { model } = await loadModel('./model.ts', { baseDirectory, seed: 1, samples });
    expect(model.inputs[0].shape).toEqual([null, 5, 4, 3]);
    expect(model.outputs[0].shape).toEqual([null, outputs]);
    model.dispose();
  }
});
