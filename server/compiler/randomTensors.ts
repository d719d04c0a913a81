/** @file Fills the random tensors of a step: a function of (seed, step, stream) alone, so that a resumed run repeats them. */
import { Random, type Seeding } from '../formats/random.ts';
import type { Distribution } from './ir.ts';

/**
 * Streams of one seed that no other use of the generator takes: shuffling takes the small ones, one an epoch, the initial
 * weights 2^40, the eager executor those behind 2^41.
 */
const FIRST_STREAM = 2 ** 42;
const STREAMS_PER_STEP = 4096;

/** Stands for the number of the step where there is none. */
export const EVALUATION_STEP = -1;

const UNIT = 2 ** -24;

export function fillRandom(
  target: Float32Array,
  distribution: Distribution,
  { seed, seeding, step, stream }: { seed: number; seeding?: Seeding; step: number; stream: number },
): void {
  const random = new Random(seed, FIRST_STREAM + step * STREAMS_PER_STEP + stream, seeding);
  if (distribution.kind === 'uniform') {
    const { minimum, maximum } = distribution;
    const scale = (maximum - minimum) * UNIT;
    for (let i = 0; i < target.length; i++) target[i] = minimum + (random.uint32() >>> 8) * scale;
    return;
  }
  const { mean, deviation, truncated } = distribution;
  for (let i = 0; i < target.length; i++) {
    let z = normal(random);
    while (truncated && Math.abs(z) > 2) z = normal(random);
    target[i] = mean + deviation * z;
  }
}

/** A standard normal number (Box & Muller 1958). */
function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
  return radius * Math.cos(2 * Math.PI * random.uniform());
}
