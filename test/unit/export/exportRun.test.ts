import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { unary } from '../../../server/compiler/build.ts';
import { passes } from '../../../server/compiler/optimize.ts';
import { ort } from '../../../server/formats/onnxRuntime.ts';
import type { ExportProgress } from '../../../server/protocol/wire/progressLine.ts';
import { readExportedFiles } from '../../../server/runs/exportedFiles.ts';
import { experiment, statefulLstm, workspace } from '../training/workspace.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { exported, finishedRun, testMetric } from './finishedRun.ts';
import { compressions, wide } from './models.ts';

/** A model with an operation that only TensorFlow.js has: a dilation with a flat element of one pixel, which leaves all as it is. */
const dilating = `
  import * as tf from '@tensorflow/tfjs';
  class Dilation extends tf.layers.Layer {
    static className = 'Dilation';
    call(inputs) {
      const [x] = [inputs].flat();
      const image = tf.reshape(x, [-1, 1, 1, 6]);
      return tf.reshape(tf.dilation2d(image, tf.zeros([1, 1, 6]), 1, 'same'), [-1, 6]);
    }
  }
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ name: 'fc1', units: 6, activation: 'relu', inputShape: [8] }),
    new Dilation({ name: 'dilation' }),
    tf.layers.dense({ name: 'fc2', units: 3, activation: 'softmax' }),
  ] });
`;

const filesIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('model.onnx'));

describe('an exported run', () => {
  // The model that a file is held to was made by the passes that made the file, so that both were wrong alike.
  test('is refused where a pass of the compiler makes its file wrong', async () => {
    const { folder, run } = await finishedRun({ model: wide });
    const wrong = vi.spyOn(passes, 'join-products').mockImplementation(({ outputs }) => ({
      outputs: new Map(Array.from(outputs, ([name, node]) => [name, unary('Neg', node)])),
    }));
    const error = await userErrorOf(() => exported(run, folder)).finally(() => wrong.mockRestore());
    expect(error.message).toContain("The exported model is not the run's");
    expect(filesIn(folder)).toEqual([]);
  });

  test.each([
    ['prune', 'sparse', 5],
    ['quantize', 'binary-codes', 5],
    ['low-rank', 'factors', 4],
    ['prune and quantize', 'sparse-coded', 5],
    ['low-rank and quantize', 'factors-coded', 5],
  ] as const)('by %s has its weights as %s, and the metric of the run', async (method, form, smaller) => {
    const { folder, run } = await finishedRun({
      model: wide,
      compression: compressions[method],
    });
    const report = await exported(run, folder);
    expect(report.bytes).toBe(statSync(report.path).size);
    expect(report.weights.find(({ name }) => name === 'fc2/kernel')?.form).toBe(form);
    expect(report.value).toBeCloseTo(await testMetric(run), 6);
    expect(report.runValue).toBe(await testMetric(run));
    expect(report.largestDifference).toBeLessThan(1e-5);
    expect(report.batchSize).toBe('any');
    const dense = await exported(run, folder, { dense: true });
    expect(dense.weights.every(({ form }) => form === 'dense')).toBe(true);
    expect(dense.bytes).toBeGreaterThan(smaller * report.bytes);
  });

  test('has pruned weights as sparse initializers where that is asked for', async () => {
    const { folder, run } = await finishedRun({ model: wide, compression: compressions.prune });
    const small = await exported(run, folder);
    const sparse = await exported(run, folder, { sparseInitializers: true });
    const bytes = ({ weights }: typeof small) => weights.find(({ name }) => name === 'fc2/kernel')!.bytes;
    expect(bytes(sparse)).toBe(12 * 1500); // 5% of 300 x 100 numbers, with 8 bytes for the place of each.
    expect(bytes(small)).toBe(5 * 1500);
    expect(sparse.value).toBe(small.value);
    expect(sparse.largestDifference).toBeLessThan(1e-5);
    const error = await userErrorOf(() => exported(run, folder, { sparseInitializers: true, dense: true }));
    expect(error.remedy).toBe('Leave out --dense or --sparse-initializers.');
  });

  test('that carries a state from batch to batch takes it and gives it, and is evaluated with it', async () => {
    const { folder, run } = await finishedRun({ model: statefulLstm });
    const report = await exported(run, folder);
    expect(report.batchSize).toBe(10);
    expect(report.inputs.map(({ name }) => name)).toContain('state:lstm:0');
    expect(report.inputs[0].shape.slice(0, 2)).toEqual([10, 'sequence']);
    expect(report.value).toBeCloseTo(await testMetric(run), 6);
  });

  test('is evaluated on every sample, and says so while it is', async () => {
    const { folder, run } = await finishedRun();
    const progress: ExportProgress[] = [];
    await exported(run, folder, { onProgress: (state) => progress.push(state) });
    expect(progress.map(({ phase }) => phase)).toEqual(['loading', 'writing', 'verifying']);
    expect(progress.at(-1)).toMatchObject({ samples: 60, of: 60 });
  });

  test('is told of in the run folder, as it was measured, and once where it replaces an earlier file', async () => {
    const { folder, run } = await finishedRun();
    await exported(run, folder, { dense: true, path: join(folder, 'dense.onnx') });
    await exported(run, folder, { dense: true });
    const report = await exported(run, folder);
    const files = await readExportedFiles(run);
    expect(files.map(({ path }) => path)).toEqual([report.path, join(folder, 'dense.onnx')]);
    const { path, bytes, denseBytes, gzipBytes, weights, metric, value, runValue, largestDifference } = report;
    const measured = { path, bytes, denseBytes, gzipBytes, weights, metric, value, runValue, largestDifference };
    expect(files[0]).toMatchObject({ ...measured, format: 'onnx', isThere: true });
    expect(denseBytes).toBe(4 * (8 * 16 + 16 + 16 * 3 + 3));
    rmSync(report.path);
    expect((await readExportedFiles(run))[0]).toMatchObject({ path: report.path, isThere: false });
  });

  test('is there all the same where the run folder cannot tell of it', async () => {
    const { folder, run } = await finishedRun();
    writeFileSync(run.exportsFolder, 'No folder.');
    const report = await exported(run, folder);
    expect(existsSync(report.path)).toBe(true);
    expect(report.notRecorded).toContain('is a file');
  });

  test('replaces an earlier file, and leaves no other', async () => {
    const { folder, run } = await finishedRun();
    await exported(run, folder, { dense: true });
    const { path } = await exported(run, folder);
    expect(filesIn(folder)).toEqual(['model.onnx']);
    const session = await ort.InferenceSession.create(path);
    expect(session.inputNames).toEqual(['fc1_input']);
    await session.release();
  });

  test('leaves nothing where it is cancelled, while it is written or evaluated', async () => {
    const { folder, run } = await finishedRun();
    for (const phase of ['writing', 'verifying']) {
      const cancel = new AbortController();
      const onProgress = (progress: ExportProgress) => {
        if (progress.phase === phase) cancel.abort(new Error('cancelled'));
      };
      await expect(exported(run, folder, { signal: cancel.signal, onProgress })).rejects.toThrow('cancelled');
      expect(filesIn(folder)).toEqual([]);
    }
  });

  test('is not written where the file computes something else than the run', async () => {
    const { folder, run } = await finishedRun({ model: wide, compression: compressions.quantize });
    const error = await userErrorOf(() => exported(run, folder, { tolerance: 0 }));
    expect(error.message).toMatch(/an output differs by [\d.e-]+, and 0.00 is allowed/);
    expect(error.exitCode).toBe(1);
    expect(filesIn(folder)).toEqual([]);
  });

  test('names the folder that is not there', async () => {
    const { folder, run } = await finishedRun();
    const path = join(folder, 'no', 'model.onnx');
    const error = await userErrorOf(() => exported(run, folder, { path }));
    expect(error.message).toContain(`The folder ${join(folder, 'no')} does not exist.`);
    expect(existsSync(path)).toBe(false);
    expect((await userErrorOf(() => exported(run, folder, { path: folder }))).message).toBe(`${folder} is a folder.`);
  });

  test('leaves the earlier file where the disk is full', async () => {
    const { folder, run } = await finishedRun();
    const { path } = await exported(run, folder);
    const before = readFileSync(path);
    await symlink('/dev/full', `${path}.unverified.tmp`); // Every write to it fails with ENOSPC.
    const error = await userErrorOf(() => exported(run, folder, { dense: true }));
    expect(error.message).toMatch(/The disk is full: .* No file was made\./);
    expect(filesIn(folder)).toEqual(['model.onnx']);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('is refused with the operation and the layer that ONNX cannot say, and leaves nothing', async () => {
    const { folder, run } = await finishedRun({ model: dilating });
    const error = await userErrorOf(() => exported(run, folder));
    expect(error.message).toMatch(/^The operation Dilation2D of the layer 'dilation' cannot be written as ONNX: /);
    expect(error.remedy).toContain('--format safetensors');
    expect(filesIn(folder)).toEqual([]);
  });

  test('is refused with modules that have changed', async () => {
    const made = await workspace({ training: { ...experiment.training, steps: 5 } });
    const { run } = await made.run();
    await made.write('model.ts', `${wide}\n`);
    const error = await userErrorOf(() => exported(run, made.folder));
    expect(error.remedy).toContain(`deeptwist export ${run.id} --with-changed-files`);
  });
});
