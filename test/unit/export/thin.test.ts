import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { statefulLstm } from '../training/workspace.ts';
import { exported, finishedRun, testMetric } from './finishedRun.ts';
import { branches, compressions, mixed, plainNormalizations, wide } from './models.ts';

describe('an export of a thinned model', () => {
  test.each([
    ['pruned', wide, compressions.prune],
    ['quantized', wide, compressions.quantize],
    ['of layers that are called twice', branches, undefined],
    ['of layers without names and within others', mixed, undefined],
    ['with a state that it carries', statefulLstm, undefined],
    ['with normalizations without weights', plainNormalizations, undefined],
  ])('%s, puts out the same', async (_, model, compression) => {
    const { folder, run } = await finishedRun({ model, ...(compression && { compression }) });
    const plain = await exported(run, folder, { format: 'packed', path: join(folder, 'plain') });
    const report = await exported(run, folder, { format: 'packed', path: join(folder, 'thin'), thin: {} });
    expect(report.largestDifference).toBeLessThan(1e-5);
    expect(report.value).toBeCloseTo(await testMetric(run), 6);
    expect(report.denseBytes).toBe(plain.denseBytes);
    // Weights have the form that the compression left where nothing was removed.
    const { thinning } = report;
    expect(thinning!.parameters.after).toBeLessThanOrEqual(thinning!.parameters.before);
    if (thinning!.parameters.after === thinning!.parameters.before)
      expect(report.weights.map(({ form }) => form)).toEqual(plain.weights.map(({ form }) => form));
  });

  test('has the layers of a low-rank run as two, by its factors or by its spectrum', async () => {
    const { folder, run } = await finishedRun({ model: wide, compression: compressions['low-rank'] });
    const thin = (name: string, factors?: { energy: number; of: 'values' }) =>
      exported(run, folder, { format: 'tfjs', path: join(folder, name), thin: { factors } });
    const byFactors = await thin('factors');
    const bySpectrum = await thin('spectrum', { energy: 1, of: 'values' });
    const sizes = (report: typeof byFactors) => report.weights.map(({ name, bytes }) => [name, bytes]);
    expect(sizes(bySpectrum)).toEqual(sizes(byFactors));
    expect(sizes(byFactors)).toContainEqual(['fc2_left/kernel', 4 * 300 * 10]);
    expect(byFactors.thinning?.layers.find(({ layer }) => layer === 'fc2')).not.toHaveProperty('rank');
    expect(bySpectrum.thinning?.layers.find(({ layer }) => layer === 'fc2')?.rank).toBe(10);
    expect(bySpectrum.value).toBeCloseTo(await testMetric(run), 6);
  });

  test('is held to the smaller model where factors leave something out', async () => {
    const { folder, run } = await finishedRun({ model: wide });
    const path = join(folder, 'm.onnx');
    const report = await exported(run, folder, { path, thin: { factors: { energy: 0.3, of: 'values' } } });
    expect(report.largestDifference).toBeLessThan(1e-5);
    expect(report.thinning!.parameters.after).toBeLessThan(report.thinning!.parameters.before / 1.3);
    expect(report.denseBytes).toBe(4 * report.thinning!.parameters.before);
    expect(existsSync(path)).toBe(true);
  });
});
