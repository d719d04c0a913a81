import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodePacked } from '../../../server/formats/packed/packedFile.ts';
import { decodeSafetensors } from '../../../server/formats/safetensors.ts';
import { compressedFile } from '../../../server/training/finalModel.ts';
import { finalWeights, statefulLstm } from '../training/workspace.ts';
import { exported, finishedRun, testMetric } from './finishedRun.ts';
import { compressions, mixed, wide } from './models.ts';

/** A file computes what the run does, to the bit, but for a sample by itself: ONNX Runtime adds in another order for it. */
const SAME = 1e-7;

describe('a packed export', () => {
  test.each(['prune', 'quantize', 'low-rank'] as const)(
    'by %s has the compressed weights of the run and its layers, and computes the same',
    async (method) => {
      const { folder, run } = await finishedRun({ model: wide, compression: compressions[method] });
      const report = await exported(run, folder, { format: 'packed', path: join(folder, 'm.safetensors') });
      expect(report).toMatchObject({ format: 'packed', engine: 'DeepTwist', batchSize: 'any' });
      expect(report.largestDifference).toBeLessThan(SAME);
      expect(report.value).toBeCloseTo(await testMetric(run), 6);
      expect(report.bytes).toBe(statSync(report.path).size);
      const file = readFileSync(report.path);
      const compressed = readFileSync(compressedFile(run));
      expect([...decodePacked(file).values()].map(({ sections }) => sections)).toEqual(
        [...decodePacked(compressed).values()].map(({ sections }) => sections),
      );
      const { metadata } = decodeSafetensors(file);
      expect(metadata).toMatchObject({ deeptwist: '1', run: run.id });
      expect(JSON.parse(metadata.experiment)).toMatchObject({ compression: { method } });
      expect(JSON.parse(metadata.model)).toMatchObject({ class_name: 'Sequential', config: { name: 'model' } });
      expect(file.length).toBeLessThan(compressed.length + metadata.model.length + 2 * metadata.experiment.length);
    },
  );

  test.each([
    ['layers without names, and within others', mixed],
    ['a state that it carries', statefulLstm],
  ])('of a model with %s is rebuilt from the file alone', async (_, model) => {
    const { folder, run } = await finishedRun({ model });
    const report = await exported(run, folder, { format: 'packed', path: join(folder, 'm.safetensors') });
    expect(report.largestDifference).toBeLessThan(SAME);
    expect(report.value).toBeCloseTo(await testMetric(run), 6);
    const again = await exported(run, folder, { format: 'packed', path: join(folder, 'again.safetensors') });
    expect(readFileSync(again.path).equals(readFileSync(report.path))).toBe(true);
  });
});

describe('a safetensors export', () => {
  test('has the weights of the run as they are', async () => {
    const { folder, run } = await finishedRun({ model: mixed });
    const report = await exported(run, folder, { format: 'safetensors', path: join(folder, 'm.safetensors') });
    expect(report.largestDifference).toBeLessThan(SAME);
    expect(report.value).toBeCloseTo(await testMetric(run), 6);
    const { tensors, metadata } = decodeSafetensors(readFileSync(report.path));
    expect(new Map([...tensors].map(([name, { data }]) => [name, data]))).toEqual(finalWeights(run));
    expect(metadata).toMatchObject({ format: 'pt', run: run.id });
  });

  test('has the names and axes of PyTorch where a module computes the same, and is read by them', async () => {
    const { folder, run } = await finishedRun({ model: mixed });
    const path = join(folder, 'm.safetensors');
    const report = await exported(run, folder, { format: 'safetensors', names: 'pytorch', path });
    expect(report.largestDifference).toBeLessThan(SAME);
    expect(report.value).toBeCloseTo(await testMetric(run), 6);
    const { tensors } = decodeSafetensors(readFileSync(path));
    expect(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual({
      'conv1d_Conv1D1.weight': [6, 2, 2],
      'conv1d_Conv1D1.bias': [6],
      'batch_normalization_BatchNormalization1.bias': [6],
      'batch_normalization_BatchNormalization1.running_mean': [6],
      'batch_normalization_BatchNormalization1.running_var': [6],
      // hardSigmoid: no module computes it.
      'bidirectional_Bidirectional1.forward_lstm_LSTM1.kernel': [6, 20],
      'bidirectional_Bidirectional1.forward_lstm_LSTM1.recurrent_kernel': [5, 20],
      'bidirectional_Bidirectional1.forward_lstm_LSTM1.bias': [20],
      'bidirectional_Bidirectional1.backward_lstm_LSTM1.kernel': [6, 20],
      'bidirectional_Bidirectional1.backward_lstm_LSTM1.recurrent_kernel': [5, 20],
      'bidirectional_Bidirectional1.backward_lstm_LSTM1.bias': [20],
      'standard.weight_ih_l0': [28, 10],
      'standard.weight_hh_l0': [28, 7],
      'standard.bias_ih_l0': [28],
      'standard.bias_hh_l0': [28],
      'dense_Dense1.weight': [3, 7],
      'dense_Dense1.bias': [3],
    });
    const kernel = finalWeights(run).get('conv1d_Conv1D1/kernel')!; // [2, 2, 6]
    const weight = tensors.get('conv1d_Conv1D1.weight')!.data; // [6, 2, 2]: [out, in, kernel]
    for (let out = 0; out < 6; out++)
      for (let input = 0; input < 2; input++)
        for (let at = 0; at < 2; at++)
          expect(weight[(out * 2 + input) * 2 + at]).toBe(kernel[(at * 2 + input) * 6 + out]);
    expect(tensors.get('standard.bias_hh_l0')!.data).toEqual(new Float32Array(28));
  });
});
