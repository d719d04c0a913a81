import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { evaluateFile, type EvaluateFileOptions } from '../../../server/export/evaluateFile.ts';
import { ort } from '../../../server/formats/onnxRuntime.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../server/formats/safetensors.ts';
import { formatNumber } from '../../../server/protocol/formatQuantity.ts';
import { exportFormatNames, exportFormats } from '../../../server/protocol/model/exportFormats.ts';
import { experiment, resume, workspace } from '../training/workspace.ts';
import { writeYesOrNo, yesOrNo } from '../training/yesOrNo.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { exported, finishedRun } from './finishedRun.ts';
import { compressions, wide } from './models.ts';

function evaluated(path: string, directory: string, options: Partial<EvaluateFileOptions> = {}) {
  const { signal } = new AbortController();
  return evaluateFile({ path, directory, signal, onProgress: () => undefined, ...options });
}

describe('an exported file', () => {
  test.each(exportFormatNames)('as %s gives the same metric again, to the last digit', async (format) => {
    const { folder, run } = await finishedRun({ model: wide, compression: compressions['low-rank'] });
    const path = join(folder, `m${exportFormats[format].ending}`);
    const report = await exported(run, folder, { format, path });
    const evaluation = await evaluated(path, folder);
    const { metric, value, loss, runValue } = report;
    expect(evaluation).toMatchObject({ format, metric, value, loss, runValue, samples: 60, run: run.id });
    expect(evaluation.step).toBeUndefined();
    if (!exportFormats[format].isFolder) expect(evaluation.bytes).toBe(statSync(path).size);
  });

  test.each(['prune and quantize', 'low-rank and quantize'] as const)(
    'in every format, of weights by %s, has the metric of the run',
    async (compression) => {
      const { folder, run } = await finishedRun({ model: wide, compression: compressions[compression] });
      for (const format of exportFormatNames) {
        const path = join(folder, `m${exportFormats[format].ending}`);
        const { value, runValue, largestDifference } = await exported(run, folder, { format, path });
        expect(value, format).toBe(runValue);
        expect(largestDifference, format).toBeLessThan(1e-5);
        expect(await evaluated(path, folder), format).toMatchObject({ value, runValue });
      }
    },
  );

  test.each([
    ['binary-crossentropy', 'sigmoid', 'accuracy'],
    ['binary-crossentropy-from-logits', 'linear', 'accuracy'],
    ['mean-squared-error', 'linear', 'loss'],
  ])(
    'of one output for targets without an axis for it, trained by %s, has the metric of the run',
    async (loss, activation, metric) => {
      const made = await workspace({ ...yesOrNo(activation), training: { ...experiment.training, steps: 20, loss } });
      await writeYesOrNo(made);
      const { run } = await made.run();
      for (const format of exportFormatNames) {
        const path = join(made.folder, `m${exportFormats[format].ending}`);
        const { value, runValue } = await exported(run, made.folder, { format, path });
        expect(value, format).toBeCloseTo(runValue!, 6); // Losses are sums of float32 in another order.
        expect(await evaluated(path, made.folder), format).toMatchObject({ metric, value, samples: 60 });
      }
    },
  );

  test('is recognized by its content, and model.json by itself', async () => {
    const { folder, run } = await finishedRun();
    const { path } = await exported(run, folder, { format: 'packed', path: join(folder, 'm.onnx') });
    expect(await evaluated(path, folder)).toMatchObject({ format: 'packed' });
    const { value } = await exported(run, folder, { format: 'tfjs', path: join(folder, 'm') });
    const model = join(folder, 'm', 'model.json');
    expect(await evaluated(model, folder)).toMatchObject({ format: 'tfjs', path: model, value });
  });

  test('is evaluated on the data of an experiment where its run is gone', async () => {
    const { folder, run } = await finishedRun();
    const { path, value } = await exported(run, folder, { format: 'packed', path: join(folder, 'm.safetensors') });
    rmSync(run.path, { recursive: true });
    const error = await userErrorOf(() => evaluated(path, folder));
    expect(error.message).toBe(`The run ${run.id}, which ${path} is of, is not in ${folder}.`);
    expect(error.remedy).toContain('--experiment FILE');
    const evaluation = await evaluated(path, folder, { experiment: join(folder, 'blobs.deeptwist.jsonc') });
    expect(evaluation).toMatchObject({ value, run: run.id });
    expect(evaluation.runValue).toBeUndefined();
  });

  test('of another model is refused with what it takes', async () => {
    const { folder, run } = await finishedRun();
    const { path } = await exported(run, folder, { format: 'packed', path: join(folder, 'm.safetensors') });
    const other = await workspace({
      model: `
        import * as tf from '@tensorflow/tfjs';
        export const createModel = () => tf.sequential({ layers: [
          tf.layers.reshape({ targetShape: [8], inputShape: [2, 2] }),
          tf.layers.dense({ units: 3, activation: 'softmax' }),
        ] });
      `,
    });
    const error = await userErrorOf(() => evaluated(path, folder, { experiment: other.file }));
    expect(error.message).toMatch(/the model does not fit the data|takes \[8\]/);
  });

  test('of another program, or damaged, is refused by its name', async () => {
    const { folder, run } = await finishedRun();
    const { path } = await exported(run, folder, { format: 'packed', path: join(folder, 'm.safetensors') });
    const bytes = readFileSync(path);
    const { tensors, metadata } = decodeSafetensors(bytes);
    const wrong = async (name: string, content: Uint8Array | string) => {
      writeFileSync(join(folder, name), content);
      return (await userErrorOf(() => evaluated(join(folder, name), folder))).message;
    };
    const without = (keys: string[]) =>
      encodeSafetensors(tensors, Object.fromEntries(Object.entries(metadata).filter(([key]) => !keys.includes(key))));
    expect(await wrong('cut.safetensors', bytes.subarray(0, 300))).toContain('cut.safetensors is not usable');
    expect(await wrong('empty.onnx', '')).toContain('empty.onnx is not usable: it is empty.');
    expect(await wrong('page.onnx', '<!doctype html><p>404')).toContain('it is a web page');
    expect(await wrong('other.onnx', 'GGUF and so on')).toContain('other.onnx is not usable');
    expect(await wrong('experiment.deeptwist.jsonc', '{ "model": "./m.ts" }')).toContain('no model of TensorFlow.js');
    expect(await wrong('numbers', '\x93NUMPY')).toContain('no model of ONNX, safetensors or TensorFlow.js');
    expect(await wrong('newer.safetensors', encodeSafetensors(tensors, { ...metadata, deeptwist: '2' }))).toContain(
      "its layout has the version '2'",
    );
    expect(await wrong('foreign.safetensors', without(['run']))).toContain('does not say of which run it is');
    expect(await wrong('weights.safetensors', without(['model', 'deeptwist']))).toContain(
      'it holds weights without the layers of their model',
    );
    const model = JSON.stringify({ ...JSON.parse(metadata.model), config: { name: 'm', layers: [] } });
    expect(await wrong('layers.safetensors', encodeSafetensors(tensors, { ...metadata, model }))).toContain(
      'layers.safetensors',
    );
    const lies = metadata.model.replace('"units":16', '"units":1000000000');
    expect(lies).not.toBe(metadata.model);
    expect(await wrong('huge.safetensors', encodeSafetensors(tensors, { ...metadata, model: lies }))).toContain(
      'huge.safetensors',
    );
    expect((await userErrorOf(() => evaluated(run.path, folder))).message).toContain('no folder of a model');
  });
});

describe('an exported checkpoint', () => {
  test('says of which step it is, in the report and in the file, and has its weights', async () => {
    const made = await workspace({
      compression: { method: 'prune', distortEvery: 20, layers: { fc1: { rate: 0.5 } } },
      training: { ...experiment.training, steps: 60 },
    });
    const { run } = await made.run({ stopAfter: 40 });
    for (const format of exportFormatNames) {
      const path = join(made.folder, `m${exportFormats[format].ending}`);
      const report = await exported(run, made.folder, { format, path, checkpoint: true });
      expect(report).toMatchObject({ step: 40, afterDistortion: true, runValue: undefined });
      expect(await evaluated(path, made.folder)).toMatchObject({ step: 40, value: report.value, run: run.id });
    }
    const checkpoint = readFileSync(join(run.checkpointsFolder, 'step-000000040.safetensors'));
    const dense = readFileSync(join(made.folder, `m${exportFormats.safetensors.ending}`));
    const kernel = (file: Uint8Array) => decodeSafetensors(file).tensors.get('fc1/kernel')!.data;
    expect(kernel(dense)).toEqual(kernel(checkpoint));
    const card = readFileSync(join(made.folder, `m${exportFormats.huggingface.ending}`, 'README.md'), 'utf8');
    expect(card).toContain('the checkpoint of step 40');
  });

  test('is refused where there is none', async () => {
    const made = await workspace();
    const { run } = await made.run({ stopAfter: 20 });
    rmSync(run.checkpointsFolder, { recursive: true });
    const error = await userErrorOf(() => exported(run, made.folder, { checkpoint: true }));
    expect(error.message).toBe(`The run ${run.id} has no checkpoint that can be read.`);
    expect(error.remedy).toContain(`deeptwist resume ${run.id}`);
    const { run: whole } = await resume(run);
    rmSync(whole.checkpointsFolder, { recursive: true });
    const finished = await userErrorOf(() => exported(whole, made.folder, { checkpoint: true }));
    expect(finished.remedy).toBe('Leave --checkpoint out: the run is finished, and has its final model.');
  });
});

describe('a folder for Hugging Face', () => {
  test('has a card with what was measured, the settings, and two files that compute the same', async () => {
    const { folder, run } = await finishedRun({ model: wide, compression: compressions.prune });
    const path = join(folder, 'hub');
    const report = await exported(run, folder, { format: 'huggingface', path });
    expect(report.engine).toBe('DeepTwist and ONNX Runtime');
    expect(readdirSync(path, { recursive: true }).sort()).toEqual(
      ['README.md', 'config.json', 'model.safetensors', 'onnx', join('onnx', 'model.onnx')].sort(),
    );
    expect(report.bytes).toBe(report.files.reduce((sum, { name }) => sum + statSync(join(path, name)).size, 0));
    expect(report.files.map(({ name }) => name)).toContain('README.md');
    const card = readFileSync(join(path, 'README.md'), 'utf8');
    expect(card).toMatch(/^---\nlibrary_name: deeptwist\n(.*\n)*?---\n/);
    expect(card).toContain(`| these files | ${formatNumber(report.value)} |`);
    const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({ model_type: 'deeptwist', deeptwist: { run: run.id } });
    const session = await ort.InferenceSession.create(join(path, 'onnx', 'model.onnx'));
    expect(session.inputNames).toEqual(['fc1_input']);
    await session.release();
  });

  test('leaves nothing where it is cancelled', async () => {
    const { folder, run } = await finishedRun();
    const cancel = new AbortController();
    const onProgress = ({ phase }: { phase: string }) => {
      if (phase === 'verifying') cancel.abort(new Error('cancelled'));
    };
    const path = join(folder, 'hub');
    const exporting = exported(run, folder, { format: 'huggingface', path, signal: cancel.signal, onProgress });
    await expect(exporting).rejects.toThrow('cancelled');
    expect(readdirSync(folder).filter((name) => name.startsWith('hub'))).toEqual([]);
  });
});
