/** @file The exponential moving average of a noisy curve, without the pull of its start towards zero. */

/**
 * `m_i = w m_(i-1) + (1 - w) y_i`, divided by `1 - w^n` after n values, as TensorBoard's smoothing does (and Adam, Kingma and Ba
 * 2015). A value that is not finite stays as it is and is left out of the average.
 * @param weight 0 (no smoothing) up to below 1
 */
export function smoothed(y: ArrayLike<number>, weight: number): Float64Array {
  const result = new Float64Array(y.length);
  let average = 0;
  let debias = 1;
  for (let i = 0; i < y.length; i++) {
    const value = y[i];
    if (!Number.isFinite(value)) {
      result[i] = NaN;
      continue;
    }
    average = weight * average + (1 - weight) * value;
    debias *= weight;
    result[i] = average / (1 - debias);
  }
  return result;
}
