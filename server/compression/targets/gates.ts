/** @file The gates of recurrent layers, whose kernels have the units of one gate after those of another. */
import type { NamedWeight } from './targets.ts';

/** True for `kernel` and `recurrent_kernel`, which have the same units in a recurrent layer; numbered where cells are stacked. */
function isKernel({ weight }: NamedWeight): boolean {
  return /^(?:recurrent_)?kernel(?:_\d+)?$/.test(weight);
}

/** A name that weights with the same units share, as the two kernels of a recurrent layer do; undefined where nothing tells. */
export function unitsNameOf(weight: NamedWeight): string | undefined {
  if (weight.units) return weight.units.of;
  return isKernel(weight) ? `${weight.layer}/${weight.weight.replace(/^recurrent_/, '')}` : undefined;
}

/**
 * Number of gates whose weights a kernel has: 4 for LSTM, 3 for GRU; 1 for a layer without any. Where the model does not say it, it is told by
 * the recurrent kernel of the layer, which is [..., units, gates * units].
 * @param weights all weights of the model
 */
export function gatesOf(weight: NamedWeight, weights: readonly NamedWeight[]): number {
  if (weight.units) return weight.units.gates;
  if (!isKernel(weight)) return 1;
  const name = weight.weight.startsWith('recurrent_') ? weight.weight : `recurrent_${weight.weight}`;
  const recurrent = weights.find((other) => other.layer === weight.layer && other.weight === name);
  const [units, outputs] = recurrent?.shape.slice(-2) ?? [];
  return units > 0 && outputs % units === 0 ? outputs / units : 1;
}
