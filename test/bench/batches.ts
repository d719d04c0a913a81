/** @file Ready-made training batches that every contender reads from one file: the shapes of real data, made-up values. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TensorSpec } from '../../server/data/dataset.ts';
import { Random } from '../../server/formats/random.ts';
import { elementCount } from '../../server/protocol/shape.ts';
import { cacheFolder } from './prepare.ts';

export interface Batches {
  /** The inputs of all batches, then their targets, each as [count, size, …shape of a sample]. */
  readonly file: string;
  /** Batches in the file. */
  readonly count: number;
  /** Samples of a batch. */
  readonly size: number;
  readonly input: TensorSpec;
  readonly target: TensorSpec;
  /** Number of words, where the inputs are words. */
  readonly vocabulary?: number;
}

/** Pixels of an image: 28 x 28. */
export const pixels = 784;

/** Share of MNIST's pixels that are not zero; the images made here have as many. */
const inked = 0.19;

/** Images of values in 0..1 and labels in 0..9, the same in each run. */
export function writeImages(count: number, size: number): Batches {
  const pixel = (random: Random) => (random.uniform() < inked ? random.uniform() : 0);
  return writeLabelled('images', { count, size, shape: [pixels] }, pixel);
}

/** Samples of numbers in -1..1 and labels in 0..9, the same in each run. @param shape of a sample */
export function writeSamples(count: number, size: number, shape: readonly number[]): Batches {
  return writeLabelled(`samples-${shape.join('x')}`, { count, size, shape }, (random) => 2 * random.uniform() - 1);
}

function writeLabelled(
  name: string,
  { count, size, shape }: { readonly count: number; readonly size: number; readonly shape: readonly number[] },
  draw: (random: Random) => number,
): Batches {
  const random = new Random(1);
  const samples = Float32Array.from({ length: count * size * elementCount(shape) }, () => draw(random));
  const labels = Int32Array.from({ length: count * size }, () => random.below(10));
  return {
    file: write(`${name}-${count}x${size}`, samples, labels),
    count,
    size,
    input: { shape: [...shape], dtype: 'float32' },
    target: { shape: [], dtype: 'int32' },
  };
}

/** Sequences of words, and for each of them the sequence of the words that follow, the same in each run. */
export function writeWords(count: number, size: number, timeSteps: number, vocabulary: number): Batches {
  const random = new Random(1);
  // As in a text, where the word of rank r is about 1 / r as frequent as the first: the logarithm of the rank is uniform.
  const draw = () => Math.floor(vocabulary ** random.uniform()) - 1;
  const rows = Array.from({ length: count * size }, () => Int32Array.from({ length: timeSteps + 1 }, draw));
  const spec: TensorSpec = { shape: [timeSteps], dtype: 'int32' };
  const joined = (from: number) => Int32Array.from(rows.flatMap((row) => [...row.subarray(from, from + timeSteps)]));
  return {
    file: write(`words-${count}x${size}x${timeSteps}`, joined(0), joined(1)),
    count,
    size,
    input: spec,
    target: spec,
    vocabulary,
  };
}

type Elements = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

function write(name: string, inputs: Elements, targets: Elements): string {
  const file = join(cacheFolder('data'), `${name}.bin`);
  writeFileSync(file, Buffer.concat([Buffer.from(inputs.buffer), Buffer.from(targets.buffer)]));
  return file;
}

/** What was written: the inputs and the targets of each batch. */
export function readBatches({ file, count, size, input, target }: Batches): {
  inputs: Elements[];
  targets: Elements[];
} {
  const bytes = new Uint8Array(readFileSync(file)).buffer;
  let offset = 0;
  const read = ({ shape, dtype }: TensorSpec): Elements[] => {
    const length = shape.reduce((product, extent) => product * extent, size);
    return Array.from({ length: count }, () => {
      const start = offset;
      offset += 4 * length;
      return new (dtype === 'int32' ? Int32Array : Float32Array)(bytes, start, length);
    });
  };
  return { inputs: read(input), targets: read(target) };
}
