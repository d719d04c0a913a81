import { readdirSync } from 'node:fs';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { measureLatency, type LatencyOptions } from '../../../server/latency/index.ts';
import { speedup } from '../../../server/protocol/run/latencyText.ts';
import type { ExportProgress } from '../../../server/protocol/wire/progressLine.ts';
import { readLatency } from '../../../server/runs/latencyRecord.ts';
import { exported, finishedRun } from '../export/finishedRun.ts';
import { compressions, wide } from '../export/models.ts';
import { statefulLstm } from '../training/workspace.ts';
import { userErrorOf } from '../userErrorOf.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Folders of measurements that are left. */
const own = () => readdirSync(tmpdir()).filter((name) => name.startsWith('deeptwist-benchmark-'));

function measured(subjects: LatencyOptions['subjects'], folder: string, options: Partial<LatencyOptions> = {}) {
  const { signal } = new AbortController();
  const given = { subjects, directory: folder, batch: 4, rounds: 1, threads: 1, signal, onProgress: () => undefined };
  return measureLatency({ ...given, ...options });
}

describe('a measured run', () => {
  test('is its dense model, its exported ONNX and its packed file, each in a process of its own', async () => {
    const { folder, run } = await finishedRun({ model: wide, compression: compressions.prune });
    vi.stubEnv('TMPDIR', folder);
    // More memory than the process of a contender takes: it does not count what this process has.
    const filled = Buffer.alloc(300 * 2 ** 20, 1);
    const report = await measured([run], folder);
    expect(report.models.map(({ format, dense, engine }) => [format, dense, engine])).toEqual([
      ['onnx', true, 'ONNX Runtime'],
      ['onnx', false, 'ONNX Runtime'],
      ['packed', false, 'deeptwist/runtime'],
    ]);
    const floats = 4 * (8 * 300 + 300 + 300 * 100 + 100 + 100 * 3 + 3);
    const [dense, onnx, packed] = report.models;
    for (const { single, batch, peakBytes, run: id } of report.models) {
      expect(single!.median).toBeGreaterThan(0);
      expect(single!.p90).toBeGreaterThanOrEqual(single!.median);
      expect(batch).toMatchObject({ samples: 4 });
      expect(peakBytes).toBeGreaterThan(20e6);
      expect(peakBytes).toBeLessThan(filled.length);
      expect(id).toBe(run.id);
    }
    // ONNX Runtime decodes the weights when it loads them: they are floats again, and ours are not.
    expect(dense.weightBytes).toBeGreaterThanOrEqual(floats);
    expect(dense.weightBytes).toBeLessThan(1.05 * floats);
    expect(onnx.weightBytes).toBeGreaterThanOrEqual(floats);
    expect(packed.weightBytes).toBeLessThan(floats / 3);
    expect(onnx.bytes).toBeLessThan(dense.bytes / 3);
    expect(report).toMatchObject({ sample: [[8]], threads: 1, rounds: 1, leftOut: [] });
    expect(speedup(report, dense)).toBeUndefined();
    expect(speedup(report, packed)).toBeCloseTo(dense.single!.median / packed.single!.median);
    expect(await readLatency(run)).toEqual(report);
    expect(own()).toEqual([]);
  });

  test('that carries a state from batch to batch is measured with the batch that its file has', async () => {
    const { folder, run } = await finishedRun({ model: statefulLstm });
    const { models } = await measured([run], folder);
    const [dense, , packed] = models;
    expect(dense.single).toBeUndefined();
    expect(dense.batch).toMatchObject({ samples: 10 });
    expect(packed.single).toMatchObject({ samples: 1 });
    expect(packed.batch).toMatchObject({ samples: 10 });
  });

  test('has what cannot be measured left out, with the reason', async () => {
    const model = `
      import * as tf from '@tensorflow/tfjs';
      export const createModel = () => tf.sequential({ layers: [
        tf.layers.dense({ units: 6, inputShape: [8] }),
        tf.layers.prelu({ name: 'slope' }),
        tf.layers.dense({ units: 3, activation: 'softmax' }),
      ] });
    `;
    const { folder, run } = await finishedRun({ model });
    const { models, leftOut } = await measured([run], folder);
    expect(models.map(({ format }) => format)).toEqual(['onnx', 'onnx']);
    expect(leftOut).toMatchObject([{ format: 'packed', dense: false }]);
    expect(leftOut[0].reason).toMatch(/'slope' is of the class PReLU/);
  });

  test('has its own models in its record, where another run is measured beside it', async () => {
    const slope = `
      import * as tf from '@tensorflow/tfjs';
      export const createModel = () => tf.sequential({ layers: [
        tf.layers.reshape({ targetShape: [2, 4], inputShape: [8] }),
        tf.layers.flatten(),
        tf.layers.prelu({ name: 'slope' }),
        tf.layers.dense({ units: 3, activation: 'softmax' }),
      ] });
    `;
    const plain = await finishedRun();
    // An id has the second in which the run was begun.
    await vi.waitUntil(() => Date.now() - Date.parse(plain.run.record.created) >= 1000, { timeout: 5000 });
    const other = await finishedRun({ model: slope });
    const report = await measured([plain.run, other.run], plain.folder);
    expect(report.leftOut).toMatchObject([{ format: 'packed', run: other.run.id }]);
    const [own, others] = [await readLatency(plain.run), await readLatency(other.run)];
    expect(own).toMatchObject({ leftOut: [], models: [{ dense: true }, { dense: false }, { format: 'packed' }] });
    expect(others).toMatchObject({ leftOut: [{ format: 'packed' }], models: [{ dense: true }, { dense: false }] });
  });

  test('is refused with modules that have changed', async () => {
    const { folder, run } = await finishedRun();
    await appendFile(join(folder, 'model.ts'), '// Changed.\n');
    const error = await userErrorOf(() => measured([run], folder));
    expect(error.remedy).toContain(`deeptwist benchmark ${run.id} --with-changed-files`);
    expect(await readLatency(run)).toBeUndefined();
  });
});

describe('a measured file', () => {
  test('is by its name in the record of the run that it is of', async () => {
    const { folder, run } = await finishedRun();
    const onnx = await exported(run, folder);
    const packed = await exported(run, folder, { format: 'packed', path: join(folder, 'packed.safetensors') });
    const progress: ExportProgress[] = [];
    const onProgress = (state: ExportProgress) => progress.push(state);
    const report = await measured([packed.path, onnx.path], folder, { onProgress });
    expect(report.models.map(({ file, bytes }) => [file, bytes])).toEqual([
      ['packed.safetensors', packed.bytes],
      ['model.onnx', onnx.bytes],
    ]);
    expect(await readLatency(run)).toEqual(report);
    expect(progress).toEqual([
      { phase: 'loading' },
      { phase: 'measuring', rounds: 0, of: 1 },
      { phase: 'measuring', rounds: 1, of: 1 },
    ]);
  });

  test('that is of no run here is measured all the same', async () => {
    const { folder, run } = await finishedRun();
    const { path } = await exported(run, folder);
    await rm(run.path, { recursive: true });
    const { models } = await measured([path], folder);
    expect(models).toMatchObject([{ file: 'model.onnx', engine: 'ONNX Runtime' }]);
    expect(models[0].run).toBeUndefined();
  });

  test('is measured where the run folder cannot tell of it', async () => {
    const { folder, run } = await finishedRun();
    const { path } = await exported(run, folder);
    await mkdir(run.latencyFile);
    const report = await measured([path], folder);
    expect(report.models.length).toBe(1);
    expect(report.notRecorded).toBeDefined();
  });

  test('that is damaged, of another format or of no model is refused by its name, before anything is measured', async () => {
    const { folder, run } = await finishedRun();
    const { path } = await exported(run, folder);
    const bytes = await readFile(path);
    const damaged = join(folder, 'damaged.onnx');
    // The last operator has another name, which no program knows.
    await writeFile(damaged, Buffer.from(bytes.toString('latin1').replaceAll('MatMul', 'MatMuh'), 'latin1'));
    expect((await userErrorOf(() => measured([damaged], folder))).message).toMatch(
      /damaged\.onnx cannot be run: .*MatMuh/,
    );
    const dense = join(folder, 'dense.safetensors');
    await exported(run, folder, { format: 'safetensors', path: dense });
    const error = await userErrorOf(() => measured([dense], folder));
    expect(error.message).toBe(`${dense} cannot be measured: its format is Safetensors.`);
    expect(error.remedy).toBe('Export the run again with --format onnx or packed.');
    const text = join(folder, 'notes.txt');
    await writeFile(text, 'no model');
    expect((await userErrorOf(() => measured([text], folder))).message).toContain(text);
    expect(await readLatency(run)).toBeUndefined();
  });

  test.each(['loading', 'measuring'])('that is cancelled while it is %s leaves nothing', async (phase) => {
    const { folder, run } = await finishedRun();
    const { path } = await exported(run, folder);
    vi.stubEnv('TMPDIR', folder);
    const cancel = new AbortController();
    const onProgress = (progress: ExportProgress) => {
      if (progress.phase === phase) cancel.abort(new Error('cancelled'));
    };
    await expect(measured([path], folder, { signal: cancel.signal, onProgress })).rejects.toThrow('cancelled');
    expect(await readLatency(run)).toBeUndefined();
    expect(own()).toEqual([]);
  });
});

test('a record that is damaged is none', async () => {
  const { run } = await finishedRun();
  await writeFile(run.latencyFile, '{"models": 3}');
  expect(await readLatency(run)).toBeUndefined();
});
