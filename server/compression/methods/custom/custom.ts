/** @file Weight distortion by a user's function. */
import { isRecord } from '../../../protocol/record.ts';
import { elementCount } from '../../../protocol/shape.ts';
import { settled } from '../../../modules/userCalls.ts';
import { UserError } from '../../../protocol/userError.ts';
import { messageOf } from '../../../protocol/thrown.ts';
import { denseSize, type CompressedSize } from '../../size.ts';

/** What a user's `distort` is told besides the weights. */
export interface CustomContext {
  /** `layer/weight`. */
  readonly name: string;
  /** Training steps done, and of the whole run. */
  readonly step: number;
  readonly steps: number;
  /** `training.seed`. */
  readonly seed: number;
  /** The layer's entry in `compression.layers`. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/**
 * Changes `weights`, of `shape` in row-major order, in place. May return `{ weightsKept, bytes }`: how many numbers remain,
 * and what they take in a file; without it, the weight is counted as dense.
 */
export type CustomDistortion = (weights: Float32Array, shape: readonly number[], context: CustomContext) => unknown;

/**
 * Calls the user's function on a weight.
 * @param module its path in the experiment file, for messages
 * @throws UserError where the function throws, returns a wrong size, or leaves a value that is not finite
 */
export async function distortByUser(
  distort: CustomDistortion,
  module: string,
  shape: readonly number[],
  values: Float32Array,
  context: CustomContext,
): Promise<{ form: 'custom'; size: CompressedSize }> {
  const call = `${module}: distort() of ${context.name} at step ${context.step}`;
  let returned: unknown;
  try {
    returned = await settled(call, distort(values, shape, context));
  } catch (error) {
    throw new UserError(`${call} failed: ${messageOf(error)}`, { cause: error });
  }
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new UserError(`${call} left ${values[wrong]} at index ${wrong}; expected finite weights.`);
  return { form: 'custom', size: sizeOf(returned, shape, call) };
}

function sizeOf(returned: unknown, shape: readonly number[], call: string): CompressedSize {
  if (returned === undefined || returned === null) return denseSize(elementCount(shape));
  const { weightsKept, bytes }: Record<string, unknown> = isRecord(returned) ? returned : {};
  if (isCount(weightsKept) && isCount(bytes)) return { weightsKept, bits: 8 * bytes };
  throw new UserError(`${call} returned something else than { weightsKept, bytes } with two whole numbers.`, {
    remedy: 'Return the size of the compressed weight, or nothing.',
  });
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
