import { describe, expect, test } from 'vitest';
import { planCompression } from '../../../server/compression/plan.ts';
import { nameOnly } from '../../../server/compression/targets/targets.ts';
import { compressionsAsWritten } from '../../../server/protocol/experiment/writtenCompression.ts';
import { oneCompression } from '../../../server/protocol/experiment/schema/compression.ts';
import { optionsOf, otherBytes, searchedWeights, writtenLayers } from '../../../server/search/layerOptions.ts';
import type { MeasuredWeight } from '../../../server/search/ways.ts';

const matrix = (layer: string, shape: readonly number[]) => ({
  name: `${layer}/kernel`,
  layer,
  weight: 'kernel',
  shape,
});
const weights = [
  matrix('fc1', [40, 30]),
  { name: 'fc1/bias', layer: 'fc1', weight: 'bias', shape: [30] },
  matrix('fc2', [30, 10]),
];

const written = (compression: unknown) => compressionsAsWritten({ compression });
const prune = (layers: object) => ({ method: 'prune', distortEvery: 10, layers });
const quantize = (layers: object) => ({ method: 'quantize', distortEvery: 100, layers });

const measured: MeasuredWeight = {
  name: 'fc1/kernel',
  energy: 3,
  gradient: 2,
  curves: { '0': [{ value: 0, error: 0, rise: 0 }, { value: 0.9, error: 0.4, rise: 1 }], '1': [{ value: 8, error: 0, rise: 0 }, { value: 1, error: 0.3, rise: 0.5 }] },
}; // prettier-ignore

test('the ranks of a convolution are those of its matrix, whichever axis has the outputs', () => {
  const convolution = (layer: string, shape: readonly number[], more: object) => ({
    ...matrix(layer, shape),
    ...more,
    values: new Float32Array(288),
  });
  const convolutions = [
    convolution('onnx', [12, 6, 2, 2], { outputAxis: 0, channelAxis: 1 }),
    convolution('up', [2, 2, 12, 6], { layerClass: 'Conv2DTranspose' }),
  ];
  const lowRank = written({ method: 'low-rank', distortEvery: 1, layers: { '*': {} } });
  const searched = searchedWeights(lowRank, convolutions.map(nameOnly));
  // Both are 12 x 24, and of rank 8 the factors are as many numbers.
  expect(searched.map(({ stages: [{ values }] }) => Math.max(...values))).toEqual([7, 7]);
});

describe('what a layer can become', () => {
  const searched = searchedWeights(
    written([prune({ '*': {}, fc2: { rate: 0.5 } }), quantize({ fc1: { scales: 'matrix' } })]),
    weights,
  );

  test('has a value for each compression, those of the file where it has them', () => {
    expect(searched.map(({ key, stages }) => [key, stages.map(({ parameter, isOpen }) => [parameter, isOpen])])).toEqual([
      ['fc1', [['rate', true], ['bits', true]]],
      ['fc2', [['rate', false]]],
    ]); // prettier-ignore
    expect(optionsOf(searched[1]).map(({ values }) => values)).toEqual([[0.5]]);
    const [rates, bits] = searched[0].stages;
    expect([rates.values[0], Math.max(...rates.values)]).toEqual([0, expect.closeTo(0.9965, 3)]);
    expect(bits.values).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect(optionsOf(searched[0])).toHaveLength(8 * rates.values.length);
  });

  test('takes fewer bytes and costs more, the stronger it is', () => {
    const byRate = optionsOf(searched[0], measured).filter(({ values: [, bits] }) => bits === 4);
    for (const [i, { bytes, costs }] of byRate.slice(1).entries()) {
      expect(bytes).toBeLessThanOrEqual(byRate[i].bytes);
      for (const way of ['sensitivity', 'gradient', 'energy'] as const)
        expect(costs[way]).toBeGreaterThanOrEqual(byRate[i].costs[way]);
    }
  });

  test('is written by the closest name of each layer, with its other settings', () => {
    expect([...writtenLayers(searched, [[0.9, 3], [0.5]])]).toEqual([
      [0, { fc1: { rate: 0.9 }, fc2: { rate: 0.5 } }],
      [1, { fc1: { bits: 3, scales: 'matrix' } }],
    ]);
    expect(otherBytes(weights, searched)).toBe(4 * 30);
  });

  test('fits the weights, whatever is chosen', () => {
    for (const option of [optionsOf(searched[0]).at(0), optionsOf(searched[0]).at(-1)]) {
      const layers = writtenLayers(searched, [option!.values, [0.5]]);
      const compressions = [prune(layers.get(0)!), quantize(layers.get(1)!)].map((one, i) => ({
        path: ['compression', i],
        settings: oneCompression.parse(one),
      }));
      expect(() => planCompression(compressions, weights, { steps: 1000, seed: 1 })).not.toThrow();
    }
  });
});

describe('the values that are tried', () => {
  test('are within bounds', () => {
    const [fc1] = searchedWeights(written(prune({ fc1: {} })), weights, { rate: [0.5, 0.9] });
    const [{ values }] = fc1.stages;
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...values)).toBeLessThanOrEqual(0.9);
    const [narrow] = searchedWeights(written(prune({ fc1: {} })), weights, { rate: [0.50001, 0.50002] });
    expect(narrow.stages[0].values).toEqual([0.50001]);
  });

  test('of ranks make the layer smaller, each of them', () => {
    const [fc1] = searchedWeights(written({ method: 'low-rank', distortEvery: 10, layers: { fc1: {} } }), weights);
    const bytes = optionsOf(fc1).map((option) => option.bytes);
    expect(bytes).toEqual(bytes.toSorted((a, b) => b - a));
    expect(bytes[0]).toBeLessThan(4 * 40 * 30);
    expect(bytes.at(-1)).toBe(4 * 70);
  });

  test('of ranks that make a layer no smaller are one, with which it stays as it is', () => {
    const valuesOf = (shape: readonly number[], bounds = {}) => {
      const lowRank = written({ method: 'low-rank', distortEvery: 10, layers: { '*': {} } });
      const [out] = searchedWeights(lowRank, [matrix('out', shape)], bounds);
      const [whole] = optionsOf(out);
      expect(whole.bytes).toBe(4 * shape[0] * shape[1]);
      return out.stages[0].values;
    };
    expect(valuesOf([16, 1])).toEqual([1]);
    expect(valuesOf([2, 2])).toEqual([2]);
    expect(valuesOf([16, 1], { rank: [4, 8] })).toEqual([1]);
    expect(valuesOf([16, 3], { rank: [4, 8] })).toEqual([3]);
    expect(valuesOf([6, 5], { rank: [4, 8] })).toEqual([4]);
  });

  test('of levels that need two bits are refused where the bounds have one bit', () => {
    const quantized = written(quantize({ fc1: { levels: 'fixed-point' } }));
    expect(() => searchedWeights(quantized, weights, { bits: [1, 1] })).toThrow(
      expect.objectContaining({
        setting: ['target', 'bounds', 'bits'],
        remedy: 'Widen the bounds, or give fc1/kernel its bits in "compression".',
      }),
    );
  });

  test('of levels that need two bits have no one bit', () => {
    const [fc1] = searchedWeights(written(quantize({ fc1: { levels: 'fixed-point' } })), weights);
    expect(fc1.stages[0].values.at(-1)).toBe(2);
  });

  test('of a pattern with a rate of its own are none', () => {
    const [fc1] = searchedWeights(written(prune({ fc1: { pattern: '2:4' }, fc2: {} })), weights);
    expect(fc1.stages[0].isOpen).toBe(false);
    const layers = writtenLayers([fc1, ...searchedWeights(written(prune({ fc2: {} })), weights)], [[NaN], [0.5]]);
    expect(layers.get(0)).toEqual({ fc1: { pattern: '2:4' }, fc2: { rate: 0.5 } });
  });
});

test('a policy that finds the rates leaves none open', () => {
  const byTraining = { ...prune({ fc1: {} }), policy: 'variational-dropout' };
  const [fc1] = searchedWeights(written([byTraining, quantize({ fc1: {} })]), weights);
  expect(fc1.stages.map(({ isOpen }) => isOpen)).toEqual([false, true]);
  expect([...writtenLayers([fc1], [[NaN, 4]])]).toEqual([[1, { fc1: { bits: 4 } }]]);
});

test('a layer that there is not is told with its place', () => {
  expect(() => searchedWeights(written(prune({ fc3: {} })), weights)).toThrow(
    expect.objectContaining({ setting: ['compression', 'layers', 'fc3'] }),
  );
});
