/** @file The proximal step of the nuclear norm on a weight, and the factors that it leaves, in place. */
import { multiplyFactors } from '../../../formats/packed/factors.ts';
import { softThreshold, type SoftThresholded } from '../../../linalg/softThreshold.ts';
import { reconstruct } from '../../../linalg/truncate.ts';
import { rankForEnergy, type EnergyOf } from '../../../protocol/model/spectrumEnergy.ts';
import { scatterRows, storedMatrix, storedShape, storedView, type MatrixView } from '../../targets/matrixView.ts';
import { areFactorsFewer } from '../lowRank/size.ts';
import type { CompressedWeight, FactoredWeight } from '../unit.ts';

/** How much of a weight its factors keep. */
export interface KeptEnergy {
  /** The part of the sum, above 0 and at most 1. */
  readonly energy: number;
  readonly energyOf: EnergyOf;
}

/** Takes a threshold off every singular value of the weight. */
export async function shrinkSingularValues(
  values: Float32Array,
  view: MatrixView,
  threshold: number,
): Promise<SoftThresholded> {
  const { data, rows, columns } = storedMatrix(values, view);
  const thresholded = await softThreshold(data, rows, columns, threshold);
  // Without a threshold the weight keeps its every bit.
  if (threshold === 0) return thresholded;
  if (thresholded.after.length === 0) values.fill(0);
  else {
    await reconstruct(thresholded, rows, columns, data);
    if (data !== values) scatterRows(data, view, 0, view.rows, values);
  }
  return thresholded;
}

/** The factors of a weight to the rank that keeps an energy; a weight of zeros has none. */
export function factorsByEnergy(
  { left, right, after }: SoftThresholded,
  { energy, energyOf }: KeptEnergy,
): CompressedWeight {
  const rank = rankForEnergy(after, energy, energyOf);
  return rank === 0 ? { form: 'sparse' } : { form: 'factors', ...firstOf(left, right, after.length, rank) };
}

/** The first products of a column of `left` and a row of `right`. */
function firstOf(
  left: Float32Array,
  right: Float32Array,
  all: number,
  rank: number,
): Pick<FactoredWeight, 'left' | 'right'> {
  if (rank === all) return { left, right };
  const rows = left.length / all;
  const columns = right.length / all;
  const kept = new Float32Array(rows * rank);
  for (let row = 0; row < rows; row++) kept.set(left.subarray(row * all, row * all + rank), row * rank);
  return { left: kept, right: right.slice(0, rank * columns) };
}

/**
 * Makes the weight what a file of its factors gives, where these are fewer numbers; else leaves it as it is.
 * @returns its form
 */
export async function factorize(values: Float32Array, view: MatrixView, kept: KeptEnergy): Promise<CompressedWeight> {
  const form = factorsByEnergy(await shrinkSingularValues(values, view, 0), kept);
  if (form.form === 'factors' && areFactorsFewer([view], rankOf(form, view)))
    multiplyFactors(form, storedView(view), values);
  return form;
}

/** The rank k of a weight's factors, [rows, k] and [k, columns] of its stored matrix. */
export function rankOf({ left }: FactoredWeight, view: MatrixView): number {
  return left.length / storedShape(view).rows;
}
