/** @file Ready-made training batches that every contender reads from one file: MNIST's shapes, made-up pixels. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../server/formats/random.ts';
import { cacheFolder } from './prepare.ts';

export interface Batches {
  readonly file: string;
  /** Batches in the file. */
  readonly count: number;
  /** Samples of a batch. */
  readonly size: number;
}

/** Pixels of an image: 28 x 28. */
export const pixels = 784;

/** Share of MNIST's pixels that are not zero; the images made here have as many. */
const inked = 0.19;

/**
 * Writes `count` batches: float32 images [count, size, 784] in 0..1, then int32 labels [count, size] in 0..9, the same
 * in each run.
 */
export function writeBatches(count: number, size: number): Batches {
  const random = new Random(1);
  const images = Float32Array.from({ length: count * size * pixels }, () =>
    random.uniform() < inked ? random.uniform() : 0,
  );
  const labels = Int32Array.from({ length: count * size }, () => random.below(10));
  const file = join(cacheFolder('data'), `batches-${count}x${size}.bin`);
  writeFileSync(file, Buffer.concat([Buffer.from(images.buffer), Buffer.from(labels.buffer)]));
  return { file, count, size };
}

/** What {@link writeBatches} wrote: images [size, 784] and labels [size] of each batch. */
export function readBatches({ file, count, size }: Batches): { images: Float32Array[]; labels: Int32Array[] } {
  const bytes = new Uint8Array(readFileSync(file)).buffer;
  const images = new Float32Array(bytes, 0, count * size * pixels);
  const labels = new Int32Array(bytes, images.byteLength, count * size);
  const rows = <T extends Float32Array | Int32Array>(values: T, length: number) =>
    Array.from({ length: count }, (_, batch) => values.subarray(batch * length, (batch + 1) * length) as T);
  return { images: rows(images, size * pixels), labels: rows(labels, size) };
}
