import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openModelFile } from '../../../server/inspect/modelFile.ts';
import type { ModelFile } from '../../../server/inspect/tensor.ts';
import { writeKeras } from '../models/keras/kerasFixtures.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';

let folder: string;
let file: ModelFile | undefined;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => file?.close());

async function open(model: string, name: Parameters<typeof writeKeras>[2]): Promise<ModelFile> {
  return (file = await openModelFile(join(folder, writeKeras(folder, model, name))));
}

const shown = ({ tensors }: ModelFile) =>
  tensors.map(
    ({ name, shape, dtype, isOfModel }) => `${name} ${shape.join('x')} ${dtype}${isOfModel === false ? ' -' : ''}`,
  );

const ofHalves = [
  'dense_3/kernel 4x5 float16',
  'dense_3/bias 5 float16',
  'dense_4/kernel 5x2 bfloat16',
  'dense_4/bias 2 bfloat16',
];

test('a .keras file shows its weights under the names of their layers', async () => {
  const { format, metadata } = await open('halves', 'model.keras');
  expect([format, metadata]).toEqual(['Keras model', [['Keras', expect.stringMatching(/^3\./)]]]);
  expect(file && shown(file)).toEqual(ofHalves);
});

test('an .h5 file shows the state of the optimizer beside the weights, as none of the model', async () => {
  const tensors = shown(await open('mlp', 'model.h5'));
  expect(tensors.slice(0, 2)).toEqual(['fc1/kernel 6x5 float32', 'fc1/bias 5 float32']);
  expect(tensors).toContain('optimizer_weights/adam/iteration  int32 -');
});

test('a file of weights alone shows the names that Keras wrote beside them', async () => {
  expect((await open('bidirectional', 'weights.weights.h5')).format).toBe('weights of Keras');
  const names = (file?.tensors ?? []).map(({ name }) => name);
  expect(names.slice(0, 3)).toEqual(
    ['kernel', 'recurrent_kernel', 'bias'].map((weight) => `bidirectional/forward_lstm/${weight}`),
  );
});

test('a dataset whose numbers are not in the file says so in its row, and the others are read', async () => {
  file = await openModelFile(fileURLToPath(new URL('../formats/fixtures/hdf5/elsewhere.h5', import.meta.url)));
  const problems = new Map(file.tensors.map(({ name, problem }) => [name, problem]));
  expect(problems.get('outside')).toBe('outside cannot be read: its numbers are in another file (part.h5).');
  expect(problems.get('unwritten')).toContain('most were never written');
  expect(problems.get('inside')).toBeUndefined();
});

test('its numbers are those of the file, and a change of the file is told', async () => {
  const { tensors } = await open('halves', 'model.keras');
  const numbers: number[] = [];
  for await (const part of tensors[3].numbers()) numbers.push(...part);
  expect(numbers).toHaveLength(2);
  expect(numbers.every(Number.isFinite)).toBe(true);
  appendFileSync(join(folder, 'model.keras'), 'more');
  const error = await userErrorOf(async () => {
    for await (const part of tensors[0].numbers()) numbers.push(...part);
  });
  expect(error.message).toContain('has changed since it was opened');
});
