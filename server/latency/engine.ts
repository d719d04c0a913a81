/** @file What runs a file in the process of a contender, and the inputs that it is given. */
import { Random } from '../formats/random.ts';
import { channelsFirstShape } from '../models/imageLayout.ts';

export interface Engine {
  /** Samples of each batch, where the file fixes it. */
  readonly batchSize?: number;
  /** Shape of each input of a sample. */
  readonly sample: readonly (readonly number[])[];
  /** Bytes of the weights as they are held; absent where they cannot be asked for. */
  readonly weightBytes?: number;
  /** True where some inputs are words, false where none is; undefined where the file does not say. */
  readonly hasWords: boolean | undefined;
  /**
   * @param words inputs that may be words are whole numbers below this; undefined for numbers from 0 to 1
   * @returns runs the samples once
   */
  prepare(samples: number, words: number | undefined): () => unknown;
}

/** A size that a file leaves open, where nothing else is known of it: time steps of a sequence. */
const OPEN_SIZE = 32;
const MOST_WORDS_BITS = 16;

/** @param known the shape that a sample has; an image with channels last is taken with channels first */
export function closedShape(shape: readonly (number | null)[], known: readonly number[] | undefined): number[] {
  const sizes = known && (channelsFirstShape(shape, known) ?? known);
  return shape.map((size, axis) => size ?? (sizes?.length === shape.length ? sizes[axis] : OPEN_SIZE));
}

/**
 * An embedding takes words that it has a row for, and a file does not say how many there are: that is found by trying.
 * @returns `words` of {@link Engine.prepare}: the largest power of two that the model takes
 * @throws what the model throws, whatever it is given
 */
export async function acceptedWords(engine: Engine): Promise<number | undefined> {
  const powers = Array.from({ length: MOST_WORDS_BITS + 1 }, (_, i) => 2 ** (MOST_WORDS_BITS - i));
  const tries = engine.hasWords === false ? [] : powers;
  const failures: unknown[] = [];
  for (const words of engine.hasWords === true ? tries : [undefined, ...tries]) {
    try {
      await engine.prepare(engine.batchSize ?? 1, words)();
      return words;
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

/** Numbers of an input, the same in each process. Of words, the first is the largest, so that one trial tells whether all fit. */
export function inputNumbers(length: number, words: number | undefined): Float32Array {
  const random = new Random(1);
  if (words === undefined) return Float32Array.from({ length }, () => random.uniform());
  return Float32Array.from({ length }, (_, i) => (i === 0 ? words - 1 : Math.floor(words * random.uniform())));
}
