/** @file The samples that each setting is evaluated on: a split, or a part of it that is held in memory. */
import { createHash } from 'node:crypto';
import type { Batch, Dataset, Elements, Split } from '../data/dataset.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import type { SplitName } from '../protocol/run/sensitivityReport.ts';

/** @throws UserError where the data have no such split */
export function splitOf(dataset: Pick<Dataset, SplitName>, name: SplitName): Split {
  const split = dataset[name];
  if (split) return split;
  throw new UserError('The data have no validation split, on which settings are chosen.', {
    remedy:
      'Give the experiment one and train it again (docs/data.md says how for each type of data: `"validation": 0.1`, for example), or measure on ' +
      'training samples with --split train. --split test works, too, but then the test split no longer tells how good the choice is.',
    exitCode: ExitCode.usage,
  });
}

/**
 * So many samples of a split, spread evenly over it, since it may be sorted by class. A text, whose batches go on from one to the next, gives
 * whole batches from its beginning.
 * @param batchSize samples that are read at once
 * @returns the split itself where it has no more
 */
export async function partOf(
  split: Split,
  samples: number | undefined,
  { batchSize, isText }: { batchSize: number; isText: boolean },
): Promise<Split> {
  if (samples === undefined || (split.samples !== undefined && split.samples <= samples)) return split;
  if (isText) return firstBatches(split, samples, batchSize);
  const total = split.samples ?? (await samplesOf(split, batchSize));
  return total <= samples ? split : spreadSamples(split, samples, { batchSize, total });
}

/** Counts the samples of a split that does not say how many it has. */
async function samplesOf(split: Split, batchSize: number): Promise<number> {
  let count = 0;
  for await (const { size } of split.batches(batchSize)) count += size;
  return count;
}

async function firstBatches(split: Split, samples: number, batchSize: number): Promise<Split> {
  const batches: Batch[] = [];
  let taken = 0;
  for await (const { inputs, targets, ...batch } of split.batches(batchSize)) {
    batches.push({ ...batch, inputs: inputs.map(copyOf), targets: targets.map(copyOf) });
    taken += batch.size;
    if (taken >= samples) break;
  }
  return { samples: taken, batches: () => batches };
}

async function spreadSamples(
  split: Split,
  samples: number,
  { batchSize, total }: { batchSize: number; total: number },
): Promise<Split> {
  const isTaken = (index: number) =>
    Math.floor(((index + 1) * samples) / total) > Math.floor((index * samples) / total);
  let held: { inputs: Elements[]; targets: Elements[] } | undefined;
  let [seen, taken] = [0, 0];
  for await (const batch of split.batches(batchSize)) {
    const room = (values: Elements) => emptyLike(values, (values.length / batch.size) * samples);
    held ??= { inputs: batch.inputs.map(room), targets: batch.targets.map(room) };
    for (let row = 0; row < batch.size && taken < samples; row++) {
      if (!isTaken(seen + row)) continue;
      for (const part of ['inputs', 'targets'] as const)
        held[part].forEach((to, i) =>
          to.set(rowsOf(batch[part][i], batch.size, row, row + 1), taken * (to.length / samples)),
        );
      taken++;
    }
    seen += batch.size;
    if (taken === samples) break;
  }
  const { inputs, targets } = held ?? { inputs: [], targets: [] };
  return {
    samples: taken,
    *batches(size) {
      for (let from = 0; from < taken; from += size) {
        const to = Math.min(taken, from + size);
        const slice = (values: Elements) => rowsOf(values, samples, from, to);
        yield { size: to - from, inputs: inputs.map(slice), targets: targets.map(slice) };
      }
    },
  };
}

/** A view of the samples from `from` up to `to`, exclusive. @param samples number of samples of which `values` consists */
function rowsOf(values: Elements, samples: number, from: number, to: number): Elements {
  const length = values.length / samples;
  return values.subarray(from * length, to * length);
}

function copyOf(values: Elements): Elements {
  return values.slice();
}

function emptyLike(values: Elements, length: number): Elements {
  return values instanceof Float32Array ? new Float32Array(length) : new Int32Array(length);
}

/** SHA-256 of all samples, in hexadecimal digits, and how many they are. */
export async function contentOf(split: Split, batchSize: number): Promise<{ hash: string; samples: number }> {
  const hash = createHash('sha256');
  let samples = 0;
  for await (const { size, inputs, targets } of split.batches(batchSize)) {
    samples += size;
    for (const values of [...inputs, ...targets])
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return { hash: hash.digest('hex'), samples };
}

/** The split, whose reading ends with the signal's reason when it aborts. */
export function abortable(split: Split, signal: AbortSignal): Split {
  return {
    ...split,
    async *batches(size) {
      for await (const batch of split.batches(size)) {
        signal.throwIfAborted();
        yield batch;
      }
    },
  };
}
