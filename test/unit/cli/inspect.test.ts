import { cpSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { callCommandLine } from './callCommandLine.ts';

const fixtures = fileURLToPath(new URL('..', import.meta.url));

async function inspect(args: string[], directory = fixtures) {
  const called = await callCommandLine(directory, ['inspect', ...args], {
    loadTrainer: () => Promise.reject(new Error('No model is trained.')),
    loadExporter: () => Promise.reject(new Error('No model is exported.')),
    loadMeasurer: () => Promise.reject(new Error('No model is measured.')),
    loadAnalyzer: () => Promise.reject(new Error('No model is measured.')),
    loadSearcher: () => Promise.reject(new Error('Nothing is searched.')),
  });
  return { ...called, lines: called.stdout.split('\n').slice(0, -1) };
}

describe('deeptwist inspect', () => {
  test('lists the tensors and what the file says of itself', async () => {
    const { code, lines, stderr } = await inspect(['formats/fixtures/all-types.safetensors']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines[0].split(/ {2,}/)).toEqual([
      ...['tensor', 'shape', 'type', 'elements', 'bytes', 'zeros', 'not finite'],
      ...['minimum', 'maximum', 'mean', 'deviation'],
    ]);
    const row = lines.find((line) => line.startsWith('fc1/kernel'))!;
    expect(row.split(/ {2,}/)).toEqual([
      ...['fc1/kernel', '[2, 3, 4]', 'float32', '24', '96 B', '4.17%', '0'],
      ...['-5', '18', '6.5', '6.922'],
    ]);
    expect(lines.slice(-3)).toEqual(['safetensors, 1.15 kB: 153 numbers in 7 tensors', 'format: np', 'step: 20000']);
  });

  test('sorts, the largest numbers first', async () => {
    const { lines } = await inspect(['inspect/fixtures/all-types.onnx', '--sort', 'maximum']);
    expect(lines.slice(1, 4).map((line) => line.split(' ')[0])).toEqual(['raw.uint64', 'typed.uint64', 'raw.uint32']);
    const wrong = await inspect(['inspect/fixtures/all-types.onnx', '--sort', 'size']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("tensors are not sorted by 'size'");
  });

  test('shows one tensor with its histogram and its singular values', async () => {
    const { code, stdout, lines } = await inspect([
      ...['formats/fixtures/all-types.safetensors', '--tensor', 'fc1/kernel', '--spectrum'],
    ]);
    expect(code).toBe(0);
    expect(lines[0]).toMatch(/largest singular value +rank for 90% +rank for 99%$/);
    // By NumPy: numpy.linalg.svd(values.reshape(6, 4), compute_uv=False): 46.350 and 3.955.
    expect(lines[1]).toMatch(/ 46\.35 +1 +1$/);
    expect(stdout).toMatch(/^-5 [▁▂▃▄▅▆▇█]{50} 18$/m);
    const missing = await inspect(['formats/fixtures/all-types.safetensors', '--tensor', 'fc1/kernal']);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("has no tensor 'fc1/kernal'; did you mean 'fc1/kernel'?");
  });

  test('prints JSON, with the histogram and the singular values of a tensor', async () => {
    const { code, stdout } = await inspect(['formats/fixtures/f4.npy', '--tensor', 'f4', '--spectrum', '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as { tensors: { histogram: { counts: number[] }; singularValues: number[] }[] };
    expect(report).toMatchObject({
      format: 'NumPy array',
      tensors: [{ name: 'f4', shape: [2, 3, 4], dtype: 'float32', elements: 24, zeros: 1, minimum: -5, maximum: 18 }],
    });
    const [{ histogram, singularValues }] = report.tensors;
    expect(histogram.counts.reduce((sum, count) => sum + count)).toBe(24);
    expect(singularValues).toHaveLength(2);
  });

  test('tells what is not read, and goes on', async () => {
    const { code, stdout } = await inspect(['inspect/fixtures/external.onnx']);
    expect(code).toBe(0);
    expect(stdout).toContain('not read: texts cannot be read: the element type string cannot be read.');
    expect(stdout).toMatch(/^second /m);
  });

  test('fails for a file that is no model, and for a tensor that is damaged', async () => {
    const folder = await temporaryFolder();
    cpSync(join(fixtures, 'formats/fixtures/two.npz'), join(folder, 'x.npz'));
    truncateSync(join(folder, 'x.npz'), 100);
    const cut = await inspect(['x.npz'], folder);
    expect(cut).toMatchObject({ code: 1, stdout: '' });
    expect(cut.stderr).toMatch(/^error: .*x\.npz is not usable: it is no valid \.npz archive: .*\nto do: /);
    const alone = await inspect(['inspect/fixtures/external.onnx', '--tensor', 'texts']);
    expect(alone.code).toBe(1);
    expect(alone.stderr).toContain('error: texts cannot be read');
  });
});
