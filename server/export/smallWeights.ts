/** @file The weights of a model in the smallest form that is known of each. */
import type { PackedWeight } from '../formats/packed/packedFile.ts';
import { SparseWeight } from '../formats/packed/sparse.ts';
import type { ExportSource } from './format.ts';

/** By name, in the model's order. A weight that no compression left in a form of its own can have zeros all the same. */
export function smallWeights({ prepared, compressed }: ExportSource): Map<string, PackedWeight> {
  return new Map(
    prepared.parameters.list.map(({ name, shape, value }) => {
      const weight = compressed?.get(name);
      return [name, weight && weight.form !== 'dense' ? weight : SparseWeight.of(shape, value)];
    }),
  );
}
