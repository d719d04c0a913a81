/** @file Divides the samples of a class, or of all classes, into splits. */
import { Random } from '../formats/random.ts';

/** Indices of samples, in the order of the seed. */
interface Division {
  readonly test: Uint32Array;
  readonly validation: Uint32Array;
  readonly train: Uint32Array;
}

interface Fractions {
  readonly validation: number;
  readonly test?: number | undefined;
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
export function divide(samples: number, fractions: Fractions, seed: number, stream: number): Division {
  const order = inOrderOfSeed(samples, seed, stream);
  const test = Math.round((fractions.test ?? 0) * samples);
  const validation = test + Math.round(fractions.validation * samples);
  return {
    test: order.subarray(0, test),
    validation: order.subarray(test, validation),
    train: order.subarray(validation),
  };
}

/**
 * Each split has the same fraction of each class.
 * @param classes the samples of each
 * @param fractions as {@link divide} has them
 * @param checkClass told of each class how many samples it has, and how many of them are trained on
 * @returns the samples of each split, in ascending order
 */
export function divideClasses(
  classes: readonly ArrayLike<number>[],
  fractions: Fractions,
  seed: number,
  checkClass?: (samples: number, trained: number) => void,
): Division {
  const chosen: Record<keyof Division, number[]> = { train: [], test: [], validation: [] };
  for (const [stream, own] of classes.entries()) {
    const parts = divide(own.length, fractions, seed, stream);
    checkClass?.(own.length, parts.train.length);
    for (const name of ['train', 'test', 'validation'] as const)
      for (const index of parts[name]) chosen[name].push(own[index]);
  }
  const ascending = (samples: readonly number[]) => Uint32Array.from(samples).sort();
  return {
    train: ascending(chosen.train),
    test: ascending(chosen.test),
    validation: ascending(chosen.validation),
  };
}
