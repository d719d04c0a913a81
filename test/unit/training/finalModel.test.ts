/** @file The files of a run's final model, and what reads them. */
import { existsSync } from 'node:fs';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodePacked } from '../../../server/formats/packed/packedFile.ts';
import { compressedFile, writeFinalModel } from '../../../server/training/finalModel.ts';
import { evaluateRun } from '../../../server/training/index.ts';
import { createCompressor } from '../compression/createCompressor.ts';
import { normals } from '../compression/random.ts';
import { temporaryRun } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, experiment, finalWeights, weightsFile, workspace } from './workspace.ts';

const quantize = { method: 'quantize', distortEvery: 4, layers: { 'fc*': { bits: 2 } } };
/** Settings with which the weights stay what they start from. */
const still = [
  'compression=null',
  'training.keep=both',
  'training.optimizer={"type":"sgd","learningRate":1e-30}',
  'training.steps=5',
];

test('a run without a compression has dense weights alone', async () => {
  const { run, events } = await (await workspace()).run();
  expect(existsSync(weightsFile(run))).toBe(true);
  expect(existsSync(compressedFile(run))).toBe(false);
  expect(eventsOf(events, 'finished')[0].summary.fileBytes).toBeUndefined();
});

test('where only the compressed file is kept, the run is evaluated and started from as with the dense one', async () => {
  const place = await workspace({ compression: quantize, training: { ...experiment.training, keep: 'compressed' } });
  const base = await place.run();
  expect(existsSync(weightsFile(base.run))).toBe(false);
  const [{ summary }] = eventsOf(base.events, 'finished');
  expect(summary.fileBytes).toBe((await readFile(compressedFile(base.run))).length);
  expect((await evaluateRun({ run: base.run })).value).toBe(summary.test);
  const dense = await place.run({ overrides: ['training.keep=both'] });
  const fromRun = await place.run({ overrides: [...still, `start=run:${base.run.id}`] });
  expect(finalWeights(fromRun.run)).toEqual(finalWeights(dense.run));
  await copyFile(compressedFile(base.run), join(place.folder, 'small.safetensors'));
  const fromFile = await place.run({ overrides: [...still, 'start=small.safetensors'] });
  expect(finalWeights(fromFile.run)).toEqual(finalWeights(dense.run));
});

test('a compressed file is evaluated where the dense one was deleted, and refused by name where it is damaged', async () => {
  const place = await workspace({ compression: quantize });
  const { run, events } = await place.run();
  await rm(weightsFile(run));
  const [{ summary }] = eventsOf(events, 'finished');
  expect((await evaluateRun({ run })).value).toBe(summary.test);
  const bytes = await readFile(compressedFile(run), 'latin1');
  await place.write('model.bin', Buffer.from(bytes.replace('binary-codes 8,16', 'binary-tubes 8,16'), 'latin1'));
  await copyFile(join(place.folder, 'model.bin'), compressedFile(run));
  const error = await userErrorOf(() => evaluateRun({ run }));
  expect(error.message).toBe(
    `${compressedFile(run)} is not usable: its weight 'fc1/kernel' cannot be read: this version of DeepTwist does not know its form 'binary-tubes'.`,
  );
  expect(error.remedy).toBe('Read the file with a newer version of DeepTwist.');
});

test('a zero with a sign is stored without it, in both files', async () => {
  const values = Float32Array.of(1, -0, 0, -0, 0, 2);
  const weight = { name: 'fc/kernel', layer: 'fc', weight: 'kernel', shape: [2, 3], values };
  const layers = { fc: { rate: 0.5 } };
  const compression = { method: 'prune', policy: 'deeptwist', distortEvery: 1, layers } as const;
  const compressor = createCompressor(compression, [weight], { steps: 1, seed: 1 });
  await compressor.distort(1);
  const run = await temporaryRun();
  const parameters = { list: [{ name: weight.name, shape: weight.shape, value: values }] };
  expect((await writeFinalModel(run, { parameters, compressor, topology: undefined }, 'both')).warnings).toEqual([]);
  const expected = Float32Array.of(1, 0, 0, 0, 0, 2);
  expect(
    decodePacked(await readFile(compressedFile(run)))
      .get('fc/kernel')!
      .rebuild(),
  ).toEqual(expected);
  expect(finalWeights(run).get('fc/kernel')).toEqual(expected);
});

test('a weight whose name the file needs for itself is stored dense, with a warning', async () => {
  const values = normals(12, 1);
  const weight = { name: 'step', layer: 'step', weight: 'step', shape: [4, 3], values };
  const layers = { step: { rate: 0.5 } };
  const compression = { method: 'prune', policy: 'deeptwist', distortEvery: 1, layers } as const;
  const compressor = createCompressor(compression, [weight], { steps: 1, seed: 1 });
  await compressor.distort(1);
  const run = await temporaryRun();
  const parameters = { list: [{ name: weight.name, shape: weight.shape, value: values }] };
  const { warnings } = await writeFinalModel(run, { parameters, compressor, topology: undefined }, 'both');
  expect(warnings).toEqual([expect.stringContaining("The weight 'step' has a name that the file needs for itself")]);
  expect(finalWeights(run).get('step')).toEqual(values);
});

test('a weight that was changed after its last distortion is stored dense, with a warning', async () => {
  const values = normals(12, 1);
  const weight = { name: 'fc/kernel', layer: 'fc', weight: 'kernel', shape: [4, 3], values };
  const compression = {
    method: 'quantize',
    policy: 'deeptwist',
    distortEvery: 1,
    layers: { fc: { levels: 'binary', bits: 1, algorithm: 'greedy', scales: 'matrix', iterations: 1 } },
  } as const;
  const compressor = createCompressor(compression, [weight], { steps: 1, seed: 1 });
  await compressor.distort(1);
  const run = await temporaryRun();
  const parameters = { list: [{ name: weight.name, shape: weight.shape, value: values }] };
  expect(await writeFinalModel(run, { parameters, compressor, topology: undefined }, 'both')).toMatchObject({
    warnings: [],
  });
  expect(decodePacked(await readFile(compressedFile(run))).get('fc/kernel')!.form).toBe('binary-codes');
  values[3] *= 2;
  expect((await writeFinalModel(run, { parameters, compressor, topology: undefined }, 'both')).warnings).toEqual([
    'fc/kernel was changed after its last distortion: model/compressed.safetensors holds it dense, in more bytes than the summary says.',
  ]);
  const stored = decodePacked(await readFile(compressedFile(run))).get('fc/kernel')!;
  expect([stored.form, stored.rebuild()]).toEqual(['dense', values]);
});
