/** @file Makes the initial weights of a model a function of the seed. */
import { withMathRandomAsync } from '../formats/mathRandom.ts';
import { Random, type Seeding } from '../formats/random.ts';

/** Apart from the streams of the data's shuffle, which are numbered by epoch. */
const INITIALIZATION_STREAM = 2 ** 40;

/**
 * Runs `create` with a seeded `Math.random`, which the initializers of tfjs draw from unless they have a seed of their own.
 * Two models that are asked for at the same time are created one after the other.
 */
export async function withSeededMathRandom<T>(
  seed: number,
  seeding: Seeding | undefined,
  create: () => T | Promise<T>,
): Promise<T> {
  const random = new Random(seed, INITIALIZATION_STREAM, seeding);
  return withMathRandomAsync(() => random.uniform(), create);
}
