/** @file What the numbers of a tensor come to, in one or two walks over them, without keeping them. */
import type { TensorHistogram, TensorStatistics } from '../protocol/model/tensor.ts';
import type { Numbers } from './elementTypes.ts';
import type { StoredTensor } from './tensor.ts';

/** Bars of a histogram. */
export const BINS = 100;

/**
 * @param signal checked between parts of the tensor
 * @throws UserError where the tensor cannot be read; the signal's reason when it aborts
 */
export async function statisticsOf(tensor: StoredTensor, signal?: AbortSignal): Promise<TensorStatistics> {
  const total = { finite: 0, zeros: 0, notFinite: 0, minimum: Infinity, maximum: -Infinity, mean: 0, squares: 0 };
  for await (const numbers of tensor.numbers()) {
    signal?.throwIfAborted();
    const part = momentsOf(numbers);
    total.zeros += part.zeros;
    total.notFinite += part.notFinite;
    total.minimum = Math.min(total.minimum, part.minimum);
    total.maximum = Math.max(total.maximum, part.maximum);
    if (part.finite === 0) continue;
    // Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
    const finite = total.finite + part.finite;
    const difference = part.mean - total.mean;
    total.mean += (difference * part.finite) / finite;
    total.squares += part.squares + (difference ** 2 * total.finite * part.finite) / finite;
    total.finite = finite;
  }
  const { finite, zeros, notFinite, minimum, maximum, mean, squares } = total;
  if (finite === 0) return { zeros, notFinite };
  return { zeros, notFinite, minimum, maximum, mean, deviation: Math.sqrt(squares / finite) };
}

/** Mean, and sum of squared differences from it, of the finite numbers of a part; two passes, so that little is rounded away. */
function momentsOf(numbers: Numbers) {
  let finite = 0;
  let zeros = 0;
  let minimum = Infinity;
  let maximum = -Infinity;
  let sum = 0;
  for (const value of numbers) {
    if (!Number.isFinite(value)) continue;
    finite++;
    sum += value;
    if (value === 0) zeros++;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  const mean = finite === 0 ? 0 : sum / finite;
  let squares = 0;
  for (const value of numbers) if (Number.isFinite(value)) squares += (value - mean) ** 2;
  return { finite, zeros, notFinite: numbers.length - finite, minimum, maximum, mean, squares };
}

/**
 * Counts the finite numbers in {@link BINS} equal-width bins over their range.
 * @param statistics those of the tensor
 * @throws as {@link statisticsOf}
 */
export async function histogramOf(
  tensor: StoredTensor,
  { minimum = 0, maximum = 0, zeros }: TensorStatistics,
  signal?: AbortSignal,
): Promise<TensorHistogram> {
  const counts = new Float64Array(BINS);
  // Halves, as the width of float64's whole range is no number.
  const scale = BINS / (maximum / 2 - minimum / 2);
  for await (const numbers of tensor.numbers()) {
    signal?.throwIfAborted();
    for (const value of numbers)
      if (Number.isFinite(value)) {
        // NaN where all numbers are the same.
        const bin = Math.floor((value / 2 - minimum / 2) * scale) || 0;
        counts[Math.min(bin, BINS - 1)]++;
      }
  }
  return { minimum, maximum, counts, zeros };
}
