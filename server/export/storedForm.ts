/**
 * @file The small form in which a file holds a weight. A method leaves a weight as floats; what makes them few numbers is found in the
 * floats again: zeros, the scales and signs of binary codes, two factors.
 */
import { truncateRank } from '../compression/methods/lowRank/lowRank.ts';
import type { FactoredWeight, QuantizedWeight } from '../compression/methods/unit.ts';
import { storedShape, type MatrixView } from '../compression/targets/matrixView.ts';
import { findBinaryCodes } from './binaryCodes.ts';
import { floatBytes } from '../protocol/shape.ts';
import type { CompressionSetting } from '../protocol/run/events.ts';

export type StoredForm =
  | { readonly form: 'sparse' }
  | Pick<QuantizedWeight, 'form' | 'bits' | 'scales' | 'codes'>
  | Pick<FactoredWeight, 'form' | 'left' | 'right'>;

/** The small forms of a model's weights. */
export interface StoredForms {
  /** The form of a weight, by its name; undefined for one that is stored as floats. */
  of(name: string): StoredForm | undefined;
}

/** A compressed weight, and how the last step compressed it. */
export interface FinalWeight {
  readonly name: string;
  readonly view: MatrixView;
  readonly values: Float32Array;
  readonly setting: CompressionSetting;
}

/** Largest difference of a form from the weight that it stands for, as a part of its largest number: rounding of float32. */
const TOLERANCE = 1e-5;

/** Finds the smallest form of each weight. */
export async function findForms(weights: readonly FinalWeight[]): Promise<StoredForms> {
  const forms = new Map<string, StoredForm>();
  for (const weight of weights) {
    const form = await smallestForm(weight);
    if (form) forms.set(weight.name, form);
  }
  return { of: (name) => forms.get(name) };
}

async function smallestForm(weight: FinalWeight): Promise<StoredForm | undefined> {
  const { values, view, setting } = weight;
  const found: StoredForm[] = [{ form: 'sparse' }];
  const codes = setting.bits === undefined ? undefined : findBinaryCodes(values, view, setting.bits);
  if (codes) found.push(codes);
  const factors = setting.rank === undefined ? undefined : await findFactors(weight, setting.rank);
  if (factors) found.push(factors);
  const [smallest] = found.map((form) => ({ form, bytes: bytesOf(form, values) })).sort((a, b) => a.bytes - b.bytes);
  return smallest.bytes < floatBytes([values.length]) ? smallest.form : undefined;
}

/** About what a form takes in a file. */
function bytesOf(form: StoredForm, values: Float32Array): number {
  if (form.form === 'factors') return floatBytes([form.left.length + form.right.length]);
  if (form.form === 'binary-codes') return (form.codes.length * form.bits) / 8 + floatBytes([form.scales.length]);
  const kept = values.reduce((count, value) => count + +(value !== 0), 0);
  return floatBytes([kept]) + Math.min(kept, values.length / 8);
}

/** Factors of the rank, or undefined where the weight has a higher one. */
async function findFactors({ values, view }: FinalWeight, rank: number): Promise<StoredForm | undefined> {
  const { rows, columns } = storedShape(view);
  if (rank * (rows + columns) >= rows * columns) return undefined;
  const copy = values.slice();
  const { left, right } = await truncateRank(copy, view, rank);
  return isClose(copy, values) ? { form: 'factors', left, right } : undefined;
}

function isClose(actual: Float32Array, expected: Float32Array): boolean {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.every((value, i) => Math.abs(actual[i] - value) <= TOLERANCE * largest);
}
