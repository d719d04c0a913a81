/** @file What the numbers of a tensor come to, in one or two walks over them, without keeping them. */
import type { TensorHistogram, TensorStatistics } from '../protocol/model/tensor.ts';
import type { Numbers } from '../formats/elementTypes.ts';
import type { StoredTensor } from './tensor.ts';

/** Bars of a histogram. */
const BINS = 100;

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
  const deviation = Math.sqrt(squares / finite);
  return {
    ...{ zeros, notFinite, minimum, maximum },
    // The sum of the largest float64 numbers is none.
    ...(Number.isFinite(mean) && { mean }),
    ...(Number.isFinite(deviation) && { deviation }),
  };
}

/** Mean, and sum of squared differences from it, of the finite numbers of a part; two passes, so that little is rounded away. */
function momentsOf(numbers: Numbers) {
  let finite = 0;
  let zeros = 0;
  let minimum = Infinity;
  let maximum = -Infinity;
  let sum = 0;
  // By index, which is several times faster than by an iterator.
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i];
    if (!Number.isFinite(value)) continue;
    finite++;
    sum += value;
    if (value === 0) zeros++;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  const mean = finite === 0 ? 0 : sum / finite;
  let squares = 0;
  for (let i = 0; i < numbers.length; i++) {
    const difference = numbers[i] - mean;
    if (Number.isFinite(numbers[i])) squares += difference * difference;
  }
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
    for (let i = 0; i < numbers.length; i++) {
      if (!Number.isFinite(numbers[i])) continue;
      // NaN where all numbers are the same.
      const bin = Math.floor((numbers[i] / 2 - minimum / 2) * scale) || 0;
      counts[Math.min(bin, BINS - 1)]++;
    }
  }
  return { minimum, maximum, counts, zeros };
}
