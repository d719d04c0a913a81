/** @file The spectrum that the editor shows, computed by the command as it is shipped. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test, vi } from 'vitest';
import { useInstallation } from '../../installation.ts';
import { userErrorOf } from '../../userErrorOf.ts';

/** The part of VS Code that the process is started with. */
vi.mock('vscode', () => ({
  l10n: { t: (text: string, ...values: unknown[]) => text.replace(/\{(\d)\}/g, (_, i: string) => String(values[+i])) },
  workspace: { getConfiguration: () => ({ get: () => '' }) },
}));

const installation = useInstallation();
const file = fileURLToPath(new URL('../../formats/fixtures/all-types.safetensors', import.meta.url));
let compute: (path: string, tensor: string, signal?: AbortSignal) => Promise<Float64Array>;

beforeAll(async () => {
  const { computeSpectrum } = await import('../../../../extension/modelFiles/spectrumProcess.ts');
  const command = join(installation(), 'bin', 'deeptwist.js');
  compute = (path, tensor, signal = new AbortController().signal) => computeSpectrum(command, path, tensor, signal);
});

test('is that of the tensor, in descending order', async () => {
  // By NumPy: numpy.linalg.svd((numpy.arange(24) - 5).reshape(6, 4), compute_uv=False).
  const [first, second, ...rest] = await compute(file, 'fc1/kernel');
  expect(first).toBeCloseTo(46.350407, 4);
  expect(second).toBeCloseTo(3.9547231, 4);
  expect(rest).toHaveLength(2);
});

test('is refused with the reason of the command: no matrix, no such tensor, no file', async () => {
  expect((await userErrorOf(() => compute(file, 'f16'))).message).toBe(
    'f16 has no spectrum: it cannot be read as a matrix.',
  );
  expect((await userErrorOf(() => compute(file, '-x'))).message).toContain("has no tensor '-x'");
  expect((await userErrorOf(() => compute(`${file}.none`, 'x'))).message).toContain('there is no such file');
});

test('ends at once when it is not wanted any more', async () => {
  const controller = new AbortController();
  const computed = compute(file, 'fc1/kernel', controller.signal);
  controller.abort();
  await expect(computed).rejects.toThrow('aborted');
});

test('is told of where the command is not there', async () => {
  const { computeSpectrum } = await import('../../../../extension/modelFiles/spectrumProcess.ts');
  const missing = join(installation(), 'none.js');
  writeFileSync(missing, 'process.exit(3);');
  const error = await userErrorOf(() => computeSpectrum(missing, file, 'fc1/kernel', new AbortController().signal));
  expect(error.message).toContain('The spectrum was not computed');
});
