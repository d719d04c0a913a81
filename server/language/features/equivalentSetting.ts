/** @file Settings of one method that make weights about as small as those of another. */
import { predictSizes, type LayerSetting } from '../../compression/predictSize.ts';
import { modelSize } from '../../compression/size.ts';
import type { ParameterFacts } from '../../protocol/experiment/methods/facts.ts';
import { isSizePredicted, methodFacts, methodNames } from '../../protocol/experiment/methods/index.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import type { DescribedWeight } from '../../protocol/model/modelDescription.ts';
import { layerSetting } from '../readCompression.ts';
import { matricesOf, shortestSide } from '../matrices.ts';

/** The methods whose sizes are known. */
export const sizedMethods: readonly Method[] = methodNames.filter(isSizePredicted);

/** By how much weights get smaller in bytes, all together. */
export function byteRatioOf(weights: readonly DescribedWeight[], setting: LayerSetting | undefined): number {
  return modelSize(predictSizes(weights, () => (setting ? [setting] : []))).byteRatio;
}

/** What is written for a layer: the parameter, and the size ratio that it has. */
export interface EquivalentSetting {
  readonly text: string;
  readonly ratio: number;
}

/** @param ratio bytes before to bytes after */
export function equivalentSetting(
  method: Method,
  weights: readonly DescribedWeight[],
  ratio: number,
): EquivalentSetting | undefined {
  const [[name, parameter]] = Object.entries(methodFacts[method].parameters);
  const ratioAt = (value: number) => byteRatioOf(weights, layerSetting(method, { [name]: value }));
  const value = nearestValue(parameter, shortestSide(matricesOf(weights)), ratio, ratioAt);
  const setting = layerSetting(method, { [name]: value });
  return setting && { text: `{ "${name}": ${value} }`, ratio: byteRatioOf(weights, setting) };
}

/** The value whose size is nearest to the wanted one. The model gets smaller from each value to the next, so that halving finds it. */
function nearestValue(
  { range, smallerModel }: ParameterFacts,
  side: number,
  ratio: number,
  ratioAt: (value: number) => number,
): number {
  const { lowest, highest, step } = range(side);
  const last = Math.round((highest - lowest) / step);
  /** From the largest model to the smallest. */
  const valueAt = (index: number) =>
    Number((smallerModel === 'greater values' ? lowest + index * step : highest - index * step).toFixed(6));
  let [low, high] = [0, last];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ratioAt(valueAt(middle)) < ratio) low = middle + 1;
    else high = middle;
  }
  const distance = (value: number) => Math.abs(Math.log(ratioAt(value) / ratio));
  const [reached, before] = [valueAt(low), valueAt(Math.max(0, low - 1))];
  return distance(before) < distance(reached) ? before : reached;
}
