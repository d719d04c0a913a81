/** @file The sizes of the samples that a described model takes. Pure. */
import type { ModelDescription } from './modelDescription.ts';

/** Sizes of the first input without that of the batch, null for open ones. */
export function inputSizes(
  model: Pick<ModelDescription, 'inputs'> | undefined,
): readonly (number | null)[] | undefined {
  return model?.inputs?.at(0)?.shape.slice(1);
}
