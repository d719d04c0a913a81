/** @file Singular values of a tensor of a file. It loads ONNX Runtime, which the rest of this folder does without. */
import { storedMatrix } from '../compression/targets/matrixView.ts';
import { singularValues } from '../linalg/singularValues.ts';
import { formatCount } from '../protocol/formatQuantity.ts';
import { UserError } from '../protocol/userError.ts';
import type { StoredTensor } from './tensor.ts';

/** 256 MiB of float32. */
const MOST_NUMBERS = 2 ** 26;
/** The time grows with its cube; a matrix of as many rows and columns takes about a minute. */
const LONGEST_SHORTER_SIDE = 4096;

/**
 * Singular values of the matrix of a tensor, in descending order.
 * @throws UserError for a tensor that is no matrix, is too large, cannot be read or is not finite
 */
export async function spectrumOf(tensor: StoredTensor): Promise<Float64Array> {
  const { name, view, elements } = tensor;
  if (view === undefined) throw new UserError(`${name} has no spectrum: it cannot be read as a matrix.`);
  const { outer, rows, inner } = view;
  const columns = outer * inner;
  if (elements > MOST_NUMBERS || Math.min(rows, columns) > LONGEST_SHORTER_SIDE)
    throw new UserError(
      `The spectrum of ${name} is not computed: its matrix is ${formatCount(rows)} by ${formatCount(columns)}; ` +
        `at most ${formatCount(MOST_NUMBERS)} numbers and a shorter side of ${formatCount(LONGEST_SHORTER_SIDE)} are possible.`,
    );
  const values = new Float32Array(elements);
  let filled = 0;
  for await (const numbers of tensor.numbers()) {
    values.set(numbers, filled);
    filled += numbers.length;
  }
  if (!values.every(Number.isFinite))
    throw new UserError(`${name} has no spectrum: some of its numbers are not finite 32-bit numbers.`);
  const matrix = storedMatrix(values, { ...view, columns });
  return singularValues(matrix.data, matrix.rows, matrix.columns);
}
