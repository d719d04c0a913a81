/** @file Divides the samples of a class, or all samples, into splits. */
import { Random } from '../formats/random.ts';

/** Indices of samples, in the order of the seed. */
interface Division {
  readonly test: Uint32Array;
  readonly validation: Uint32Array;
  readonly train: Uint32Array;
}

/** Indices of all samples, in an order that depends on `seed` and `stream` alone. @param stream as {@link divide} has it */
export function inOrderOfSeed(samples: number, seed: number, stream: number): Uint32Array {
  const order = Uint32Array.from({ length: samples }, (_, index) => index);
  new Random(seed, stream).shuffle(order);
  return order;
}

/**
 * Samples are taken {@link inOrderOfSeed}: first those of the test, then those of the validation, then the rest, which is trained on.
 * @param fractions of the samples, 0 to 1; each split has the nearest whole number of them
 * @param stream of the seed's random numbers: one for each class
 */
export function divide(
  samples: number,
  fractions: { readonly validation: number; readonly test?: number | undefined },
  seed: number,
  stream: number,
): Division {
  const order = inOrderOfSeed(samples, seed, stream);
  const test = Math.round((fractions.test ?? 0) * samples);
  const validation = test + Math.round(fractions.validation * samples);
  return {
    test: order.subarray(0, test),
    validation: order.subarray(test, validation),
    train: order.subarray(validation),
  };
}
