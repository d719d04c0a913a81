import { existsSync, statSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportedFileSchema } from '../../../server/protocol/run/exportedFile.ts';
import { parseProgressLine } from '../../../server/protocol/wire/progressLine.ts';
import { place } from './place.ts';

describe('deeptwist export', () => {
  test('writes a file beside where it is called, and says what it measured on it', async () => {
    const { run, folder, cli } = await place();
    const { code, stdout } = await cli(['export', 'last', '--format', 'onnx']);
    expect(code).toBe(0);
    const file = join(folder, `${run.id}.onnx`);
    expect(stdout).toMatch(/^fc1\/kernel +dense +512 B$/m);
    expect(stdout).toMatch(/^file +.* on disk, .* with gzip$/m);
    expect(stdout).toMatch(/^test +accuracy .* of the file in ONNX Runtime +\(.* when the run ended\)$/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(`${run.id}.onnx`);
    expect(existsSync(file)).toBe(true);
  });

  test('prints its report as JSON', async () => {
    const { folder, cli } = await place();
    const { code, stdout } = await cli(['export', 'last', '--json', '--dense', '--out', 'm.onnx']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ format: 'onnx', metric: 'accuracy', batchSize: 'any' });
    expect(report.path).toBe(join(folder, 'm.onnx'));
    expect(report.bytes).toBe(statSync(join(folder, 'm.onnx')).size);
    expect(report.value).toBe(report.runValue);
  });

  test('writes pruned weights as it is told', async () => {
    const { cli } = await place();
    const sparse = await cli(['export', 'last', '--json', '--sparse-initializers', '--out', 'm.onnx']);
    expect(sparse.code).toBe(0);
    const both = await cli(['export', 'last', '--sparse-initializers', '--dense']);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('Leave out --dense') as string });
  });

  test('tells a program how far it is, and is listed with the run afterwards', async () => {
    const { cli } = await place();
    const { code, stdout, stderr } = await cli(['export', 'last', '--json', '--progress', 'json', '--out', 'm.onnx']);
    expect(code).toBe(0);
    expect(exportedFileSchema.parse(JSON.parse(stdout)).format).toBe('onnx');
    const lines = stderr.trimEnd().split('\n').map(parseProgressLine);
    const states = lines.map((line) => line && 'progress' in line && line.progress);
    expect(states.slice(0, 2)).toEqual([{ phase: 'loading' }, { phase: 'writing' }]);
    expect(states.at(-1)).toEqual({ phase: 'verifying', samples: 60, of: 60 });
    const shown = await cli(['show', 'last']);
    expect(shown.stdout).toMatch(
      /^exported file +bytes +smaller by +metric of the file +age\nm\.onnx +.*x +accuracy /m,
    );
    expect((await cli(['export', 'last', '--progress', 'dots'])).stderr).toContain('Give --progress json');
  });

  test('tells a program why it failed, and which option would do it all the same', async () => {
    const { cli, folder } = await place();
    await appendFile(join(folder, 'model.ts'), '// Changed.\n');
    const { code, stdout, stderr } = await cli(['export', 'last', '--json', '--progress', 'json', '--out', 'm.onnx']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const line = parseProgressLine(stderr.trimEnd().split('\n').at(-1)!);
    expect(line).toMatchObject({
      error: {
        message: expect.stringContaining('model.ts has changed since the run') as string,
        remedy: expect.stringContaining('--with-changed-files') as string,
        option: 'with-changed-files',
      },
    });
    expect(existsSync(join(folder, 'm.onnx'))).toBe(false);
  });

  test('refuses a run that is not finished, and another format', async () => {
    const { run, cli } = await place(20);
    expect(await cli(['export', 'last'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        new RegExp(`deeptwist resume \\.deeptwist/runs/${run.id}.*\\n?.*export its last checkpoint: --checkpoint`),
      ) as string,
    });
    expect(await cli(['export', 'last', '--format', 'gguf'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Choose one of: onnx, tfjs, packed, safetensors, huggingface.') as string,
    });
  });

  test('writes the last checkpoint of a run that is not finished where that is asked for, and says so', async () => {
    const { cli } = await place(20);
    const { code, stdout } = await cli(['export', 'last', '--checkpoint', '--out', 'm.onnx']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^model +the checkpoint of step 20, with weights as they were trained/m);
    expect(stdout).not.toContain('when the run ended');
    expect((await cli(['evaluate', 'm.onnx'])).stdout).toMatch(/^test accuracy .*\n60 samples, .* in ONNX Runtime\n$/);
  });

  test('refuses options that the format does not take, and values that they do not have', async () => {
    const { cli } = await place(20);
    const refused = async (...options: string[]) => {
      const { code, stderr } = await cli(['export', 'last', ...options]);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused('--dtype', 'float16')).toMatch(
      /the format onnx takes no --dtype.*\n?.*choose the format tfjs/,
    );
    expect(await refused('--format', 'packed', '--dense')).toMatch(/choose the format onnx or huggingface/);
    expect(await refused('--format', 'tfjs', '--dtype', 'int4')).toMatch(/float32, float16, uint8, uint16/);
    expect(await refused('--tolerance', 'much')).toContain("--tolerance is a number of at least 0, got 'much'");
    expect(await refused('--tolerance', '-1')).toContain('--tolerance');
  });

  test('is cancelled by Ctrl-C, and leaves no file', async () => {
    const { folder, cli } = await place();
    const { code, stderr } = await cli(['export', 'last', '--out', 'm.onnx'], { interrupted: true });
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'Cancelled: no file was written.\n' });
    expect(existsSync(join(folder, 'm.onnx'))).toBe(false);
  });
});

describe('deeptwist evaluate FILE', () => {
  test('says what it measured on the file, as text and as JSON', async () => {
    const { run, folder, cli } = await place();
    const { stdout: exported } = await cli(['export', 'last', '--format', 'tfjs', '--out', 'web', '--json']);
    const { value, bytes } = JSON.parse(exported) as { value: number; bytes: number };
    const { code, stdout } = await cli(['evaluate', 'web']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^test accuracy \S+ {2}loss \S+ {2}\(\S+ when the run ended\)\n60 samples, .* in TensorFlow\.js\n$/,
    );
    const { stdout: printed } = await cli(['evaluate', join('web', 'model.json'), '--json']);
    const path = join(folder, 'web', 'model.json');
    expect(JSON.parse(printed)).toMatchObject({ format: 'tfjs', path, value, bytes, samples: 60, run: run.id });
  });

  test('takes the data of another experiment, for a file alone', async () => {
    const { cli } = await place();
    await cli(['export', 'last', '--format', 'packed', '--out', 'm.safetensors']);
    const { code, stdout } = await cli(['evaluate', 'm.safetensors', '--experiment', 'blobs.deeptwist.jsonc']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^test accuracy \S+ {2}loss \S+\n60 samples, .* in DeepTwist\n$/);
    const wrong = await cli(['evaluate', 'last', '--experiment', 'blobs.deeptwist.jsonc']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('Leave it out for a run') as string });
  });

  test('is cancelled by Ctrl-C', async () => {
    const { cli } = await place();
    await cli(['export', 'last', '--out', 'm.onnx']);
    const { code, stderr } = await cli(['evaluate', 'm.onnx'], { interrupted: true });
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'Cancelled.\n' });
  });
});
