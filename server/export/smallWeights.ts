/** @file The weights of a model in the smallest form that is known of each. */
import { LevelsWeight } from '../formats/packed/levels.ts';
import type { PackedWeight } from '../formats/packed/packedFile.ts';
import { sectionBytes } from '../formats/packed/packedWeight.ts';
import { SparseWeight } from '../formats/packed/sparse.ts';
import { SparseCodedWeight } from '../formats/packed/sparseCoded.ts';
import type { ExportSource } from './format.ts';

/** More different numbers have no codes. */
const MOST_LEVELS = 256;
/** Bytes that levels must save: about as many are what decodes them in an ONNX file. */
const LEAST_SAVED = 1024;

/** By name, in the model's order. A weight that no compression left in a form of its own can have one all the same. */
export function smallWeights({ prepared, compressed }: ExportSource): Map<string, PackedWeight> {
  return new Map(
    prepared.parameters.list.map(({ name, shape, value }) => {
      const weight = compressed?.get(name);
      return [name, weight && weight.form !== 'dense' ? weight : smallestForm(shape, value)];
    }),
  );
}

/** A form that gives the numbers back: with zeros left out, or as levels where there are few different ones, or both. */
export function smallestForm(shape: readonly number[], values: Float32Array): PackedWeight {
  const sparse = SparseWeight.of(shape, values);
  const levels = levelsOf(values);
  if (!levels) return sparse;
  const forms: PackedWeight[] = [levelsWeight(shape, values, levels)];
  const kept = values.filter((value) => value !== 0);
  if (kept.length > 0 && kept.length < values.length)
    forms.push(
      SparseCodedWeight.of(
        shape,
        values,
        levelsWeight(
          [kept.length],
          kept,
          levels.filter((level) => level !== 0),
        ),
      ),
    );
  const [smallest] = forms.sort((a, b) => sectionBytes(a) - sectionBytes(b));
  return sectionBytes(smallest) + LEAST_SAVED <= sectionBytes(sparse) ? smallest : sparse;
}

/** The different numbers; undefined where there are too many. */
function levelsOf(values: Float32Array): number[] | undefined {
  const levels = new Set<number>();
  // By index: an iterator takes four times as long.
  for (let i = 0; i < values.length; i++) if (levels.add(values[i]).size > MOST_LEVELS) return undefined;
  return [...levels];
}

function levelsWeight(shape: readonly number[], values: Float32Array, numbers: readonly number[]): LevelsWeight {
  // A table has two levels at least.
  const levels = Float32Array.from(numbers.length < 2 ? [...numbers, 0] : numbers).sort();
  const codeOf = new Map(Array.from(levels, (level, code) => [level, code]));
  const codes = Uint8Array.from(values, (value) => codeOf.get(value)!);
  return LevelsWeight.of(shape, { levels, codes, view: { outer: 1, rows: 1, inner: values.length } });
}
