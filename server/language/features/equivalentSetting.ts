/** @file Settings of one method that make weights about as small as those of another. */
import { predictSizes, type LayerSetting } from '../../compression/predictSize.ts';
import { modelSize } from '../../compression/size.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import type { DescribedWeight } from '../../protocol/model/modelDescription.ts';
import { layerSetting } from '../readCompression.ts';
import { rankFor } from './layerValues.ts';

/** The methods whose sizes are known. */
export const sizedMethods = ['prune', 'quantize', 'low-rank'] as const satisfies readonly Method[];
export type SizedMethod = (typeof sizedMethods)[number];

/** By how much weights get smaller in bytes, all together. */
export function byteRatioOf(weights: readonly DescribedWeight[], setting: LayerSetting): number {
  return modelSize(predictSizes(weights, () => setting)).byteRatio;
}

const HIGHEST_RATE = 0.999;

/** What is written for a layer: the parameter, and the size ratio that it has. */
export interface EquivalentSetting {
  readonly text: string;
  readonly ratio: number;
}

/** @param ratio bytes before to bytes after */
export function equivalentSetting(
  method: SizedMethod,
  weights: readonly DescribedWeight[],
  ratio: number,
): EquivalentSetting | undefined {
  const [name, value] = parameterFor(method, weights, ratio);
  const setting = layerSetting(method, { [name]: value });
  return setting && { text: `{ "${name}": ${value} }`, ratio: byteRatioOf(weights, setting) };
}

function parameterFor(method: SizedMethod, weights: readonly DescribedWeight[], ratio: number): [string, number] {
  switch (method) {
    case 'prune':
      return ['rate', rateFor(weights, ratio)];
    case 'quantize':
      return ['bits', bitsFor(weights, ratio)];
    case 'low-rank':
      return ['rank', Math.max(1, rankFor(ratio, weights))];
  }
}

/** In thousandths: the size falls with the rate, so that it can be halved down to. */
function rateFor(weights: readonly DescribedWeight[], ratio: number): number {
  let [low, high] = [0, HIGHEST_RATE * 1000];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byteRatioOf(weights, { method: 'prune', parameters: { rate: middle / 1000 } }) < ratio) low = middle + 1;
    else high = middle;
  }
  return low / 1000;
}

function bitsFor(weights: readonly DescribedWeight[], ratio: number): number {
  const candidates = [1, 2, 3, 4, 5, 6, 7, 8].map((bits) => {
    const setting = layerSetting('quantize', { bits });
    return { bits, distance: setting ? Math.abs(Math.log(byteRatioOf(weights, setting) / ratio)) : Infinity };
  });
  return candidates.reduce((best, candidate) => (candidate.distance < best.distance ? candidate : best)).bits;
}
