import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ExportReport } from '../../../server/cli/exporter.ts';
import { experiment } from '../training/workspace.ts';
import { place } from './place.ts';

/** Every second of the 32 units of `fc1` has no weights and puts out 0, and no gradient ever wakes it up; `fc2` begins with a rank of 2. */
const silent = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => {
    const model = tf.sequential({ layers: [
      tf.layers.dense({ name: 'fc1', units: 32, activation: 'relu', inputShape: [8] }),
      tf.layers.dense({ name: 'fc2', units: 24, activation: 'relu', trainable: false }),
      tf.layers.dense({ name: 'fc3', units: 3, activation: 'softmax' }),
    ] });
    const odd = tf.tensor1d(Array.from({ length: 32 }, (_, i) => i % 2));
    const [kernel] = model.getLayer('fc1').getWeights();
    model.getLayer('fc1').setWeights([kernel.mul(odd), odd.sub(1)]);
    const [left, right] = [tf.randomNormal([32, 2], 0, 0.3, 'float32', 1), tf.randomNormal([2, 24], 0, 1, 'float32', 2)];
    model.getLayer('fc2').setWeights([left.matMul(right), tf.zeros([24])]);
    return model;
  };
`;

const silentPlace = (stopAfter?: number) => place(stopAfter, { model: silent, compression: undefined });

describe('deeptwist thin', () => {
  test('writes a smaller model of a run, which is evaluated, listed and thinned again', async () => {
    const { run, folder, cli } = await silentPlace();
    const { code, stdout, stderr } = await cli(['thin', 'last', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout) as ExportReport;
    const path = join(folder, `${run.id}-thin-tfjs`);
    expect(report).toMatchObject({
      ...{ format: 'tfjs', run: run.id, path, engine: 'TensorFlow.js', value: report.runValue },
      thinning: {
        parameters: { before: 32 * 9 + 33 * 24 + 25 * 3, after: 16 * 9 + 17 * 24 + 25 * 3 },
        multiplyAdds: { before: 32 * 8 + 32 * 24 + 24 * 3, after: 16 * 8 + 16 * 24 + 24 * 3 },
      },
    });
    expect(report.thinning?.layers[0]).toMatchObject({ layer: 'fc1', units: { before: 32, after: 16 }, kept: [] });
    expect(report.largestDifference).toBeLessThan(1e-6);
    expect(report.denseBytes / report.bytes).toBeGreaterThan(1);

    const evaluated = await cli(['evaluate', path, '--json']);
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ value: report.value, run: run.id });
    expect((await cli(['show', 'last'])).stdout).toContain(`${run.id}-thin-tfjs`);
    const again = await cli(['thin', path, '--out', 'again', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({
      value: report.value,
      runValue: report.value,
      thinning: { parameters: { before: 627, after: 627 } },
    });
  });

  test('says what became of each layer', async () => {
    const { run, cli } = await silentPlace();
    const { stdout } = await cli(['thin', 'last', '--energy', '1', '--layers', 'fc2']);
    expect(stdout).toMatch(/^layer +units +rank +weights +multiply-adds\n/);
    expect(stdout).toMatch(/^fc1 +32 → 16 +288 → 144 +256 → 128$/m);
    expect(stdout).toMatch(/^fc2 +24 +2 +792 → 104 +768 → 80$/m);
    expect(stdout).toMatch(/^all +1,155 → 323 +1,096 → 280$/m);
    expect(stdout).toMatch(/^thinned 3\.58x fewer weights, 3\.91x fewer multiply-adds$/m);
    expect(stdout).toMatch(/^test +accuracy .* of the file in TensorFlow\.js +\(.* when the run ended\)$/m);
    expect(stdout).toMatch(/^output +differs from those of the smaller model by \S+ at most$/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(`${run.id}-thin-tfjs`);
  });

  test('gives a model that another experiment trains, also from its weights alone', async () => {
    const { folder, cli } = await silentPlace();
    await cli(['thin', 'last', '--energy', '1', '--out', 'small']);
    const loss = 'sparse-categorical-crossentropy';
    const again = { ...experiment, training: { ...experiment.training, steps: 10, loss }, model: './small/model.json' };
    await writeFile(join(folder, 'again.deeptwist.jsonc'), JSON.stringify(again));
    const fine = await cli(['run', 'again.deeptwist.jsonc']);
    expect(fine).toMatchObject({ code: 0 });
    expect(fine.stdout).toMatch(/accuracy/);
    const from = { ...again, start: './small/model.json' };
    await writeFile(join(folder, 'from.deeptwist.jsonc'), JSON.stringify(from));
    expect((await cli(['run', 'from.deeptwist.jsonc'])).code).toBe(0);
    const exported = await cli(['export', 'again', '--json']);
    expect(JSON.parse(exported.stdout)).toMatchObject({ format: 'onnx' });
  });

  test('writes other formats as well', async () => {
    const { cli } = await silentPlace();
    for (const format of ['onnx', 'packed', 'safetensors', 'huggingface']) {
      const { code, stdout } = await cli(['thin', 'last', '--format', format, '--json', '--out', format]);
      expect(code).toBe(0);
      const report = JSON.parse(stdout) as ExportReport;
      expect(report.value).toBe(report.runValue);
      expect(JSON.parse((await cli(['evaluate', format, '--json'])).stdout)).toMatchObject({
        format,
        value: report.value,
      });
    }
  });

  test('takes files of all formats with layers', async () => {
    const { cli } = await silentPlace();
    for (const format of ['tfjs', 'packed', 'safetensors', 'huggingface']) {
      await cli(['export', 'last', '--format', format, '--out', format]);
      const { code, stdout } = await cli(['thin', format, '--json', '--out', `${format}-thin`]);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ thinning: { parameters: { before: 1155, after: 627 } } });
    }
  });

  test('takes a model.json of another program with the data of an experiment, and of no run it needs one', async () => {
    const { folder, cli } = await silentPlace();
    await cli(['export', 'last', '--format', 'tfjs', '--out', 'm']);
    const file = join(folder, 'm', 'model.json');
    const { userDefinedMetadata: metadata, ...plain } = JSON.parse(readFileSync(file, 'utf8')) as Record<
      string,
      unknown
    >;
    expect(metadata).toBeDefined();
    await writeFile(file, JSON.stringify(plain));
    expect(await cli(['thin', 'm/model.json'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/does not say of which run it is.*\n?.*--experiment FILE/) as string,
    });
    const { code, stdout } = await cli(['thin', 'm/model.json', '--experiment', 'blobs.deeptwist.jsonc']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^test +accuracy .* \(.* of the file before\)$/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('m-thin-tfjs');
    expect((await cli(['evaluate', 'm-thin-tfjs', '--experiment', 'blobs.deeptwist.jsonc'])).code).toBe(0);
  });

  test('refuses what is no energy, no layer, no run and no file with layers', async () => {
    const { folder, cli } = await silentPlace();
    const refused = async (...args: string[]) => {
      const { code, stdout, stderr } = await cli(['thin', ...args]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      return stderr;
    };
    for (const energy of ['0', '-0.5', '1.1', 'much', ''])
      expect(await refused('last', `--energy=${energy}`)).toContain(
        `--energy is a number above 0 and at most 1, got '${energy}'`,
      );
    expect(await refused('last', '--energy', '1', '--energy-of', 'cubes')).toMatch(/Choose one of: values, squares/);
    expect(await refused('last', '--layers', 'fc1')).toContain('--layers is for --energy');
    expect(await refused('last', '--energy', '0.9', '--layers', 'fx2')).toMatch(
      /There is no layer 'fx2' that can become two.*\n?.*Did you mean 'fc2'.*fc1, fc2, fc3/,
    );
    expect(await refused('last', '--format', 'gguf')).toContain('deeptwist thin: there is no format');
    expect(await refused('last', '--experiment', 'blobs.deeptwist.jsonc')).toContain('Leave it out for a run');
    expect(await refused('nothing')).toContain("There is no run 'nothing'");
    expect(existsSync(join(folder, 'last-thin-tfjs'))).toBe(false);
    await cli(['export', 'last', '--out', 'm.onnx']);
    expect(await cli(['thin', 'm.onnx'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/has no layers that could be made smaller.*\n?.*--format tfjs/) as string,
    });
  });

  test('refuses a run that is not finished, and is cancelled by Ctrl-C without leaving a file', async () => {
    const { run, folder, cli } = await silentPlace(20);
    expect(await cli(['thin', 'last'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`deeptwist resume .deeptwist/runs/${run.id}`) as string,
    });
    await cli(['resume', 'last']);
    const { code, stderr } = await cli(['thin', 'last', '--out', 'm'], { interrupted: true });
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'Cancelled: no file was written.\n' });
    expect(existsSync(join(folder, 'm'))).toBe(false);
  });
});
