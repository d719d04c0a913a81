import { describe, expect, test } from 'vitest';
import { addScaleGradient } from '../../../../server/compression/methods/quantize/exactScale.ts';
import { quantizeUniformly } from '../../../../server/compression/methods/quantize/uniform.ts';
import { matrixViewOf } from '../../../../server/compression/targets/matrixView.ts';
import type { CompressibleWeight } from '../../../../server/compression/targets/targets.ts';
import type { Compression } from '../../../../server/protocol/experiment/schema.ts';
import { planCompression } from '../../../../server/compression/plan.ts';
import { createCompressor, planned } from '../createCompressor.ts';
import { normals } from '../random.ts';

const options = { steps: 100, seed: 1 };
const uniform = { levels: 'uniform', bits: 2, bucket: 8, symmetric: false, rounding: 'nearest' } as const;

function kernel(): CompressibleWeight & { gradient: Float32Array } {
  const [values, gradient] = [normals(40, 3), new Float32Array(40)];
  return { name: 'fc/kernel', layer: 'fc', weight: 'kernel', shape: [8, 5], values, gradient };
}

type Quantization = Extract<Compression, { method: 'quantize' }>;

const settings = (straightThrough?: Quantization['straightThrough']) =>
  ({
    method: 'quantize',
    policy: 'straight-through',
    distortEvery: 1,
    layers: { '*': uniform },
    straightThrough,
  }) satisfies Quantization;

/** Numbers of different weights, which tell whether a step computes with quantized ones. */
const levels = (values: Float32Array) => new Set(values).size;

describe('straight-through quantization', () => {
  test('computes with quantized weights at every n-th step, from the first on, and at every evaluation', async () => {
    const weight = kernel();
    const compressor = createCompressor(settings({ every: 3, gradient: 'plain' }), [weight], options);
    const quantized: number[] = [];
    for (let step = 1; step <= 7; step++) {
      await compressor.beforeStep(step);
      if (levels(weight.values) < 40) quantized.push(step);
      await compressor.pull();
      expect(levels(weight.values)).toBe(40);
      await compressor.beforeEvaluation(step);
      expect(levels(weight.values)).toBeLessThan(40);
      compressor.afterEvaluation();
    }
    expect(quantized).toEqual([1, 4, 7]);
  });

  test('takes the gradient as it is, or with what the ends of buckets do to their scale', async () => {
    const slopes = normals(40, 4);
    const gradientOf = async (gradient: 'plain' | 'exact-scale') => {
      const weight = kernel();
      const compressor = createCompressor(settings({ every: 1, gradient }), [weight], options);
      await compressor.beforeStep(1);
      weight.gradient.set(slopes);
      await compressor.pull();
      expect(weight.values).toEqual(kernel().values);
      return weight.gradient;
    };
    expect(await gradientOf('plain')).toEqual(slopes);
    const expected = slopes.slice();
    const full = kernel().values;
    const quantized = full.slice();
    const form = quantizeUniformly(quantized, matrixViewOf([8, 5], 'kernel'), uniform);
    addScaleGradient(expected, full, quantized, form, false);
    expect(expected).not.toEqual(slopes);
    expect(await gradientOf('exact-scale')).toEqual(expected);
  });

  test('takes the gradient as it is at steps that compute in full precision', async () => {
    const weight = kernel();
    const compressor = createCompressor(settings({ every: 2, gradient: 'exact-scale' }), [weight], options);
    await compressor.beforeStep(2);
    const slopes = normals(40, 5);
    weight.gradient.set(slopes);
    await compressor.pull();
    expect(weight.gradient).toEqual(slopes);
  });

  test('needs every entry of a gradient only where the scale has one', () => {
    const denseGradients = (gradient: 'plain' | 'exact-scale') =>
      planCompression(planned(settings({ every: 1, gradient })), [kernel()], options).denseGradients;
    expect([denseGradients('plain'), denseGradients('exact-scale')]).toEqual([false, true]);
  });

  test('knows no scale of what pruning leaves', () => {
    const prune = { method: 'prune', policy: 'deeptwist', distortEvery: 1, layers: { '*': { rate: 0.5 } } } as const;
    expect(() =>
      createCompressor([prune, settings({ every: 1, gradient: 'exact-scale' })], [kernel()], options),
    ).toThrow('compression[1].straightThrough.gradient: "exact-scale" works with weights as a whole');
  });
});
