/**
 * @file Contiguous batches of a text: it is cut into as many streams as a batch has rows, and row b of each batch goes on
 * where row b of the one before stopped, so that a recurrent model can carry its state. The target of a word is the next.
 */
import { PADDING, type Batch, type Split, type TrainingOrder, type TrainingStream } from '../dataset.ts';
import type { TokenReader, TokenSource } from './tokenSource.ts';

/**
 * Training batches in an epoch: streams of equal length, what does not fill them or the last batch is left out, as by the
 * readers of the Penn Treebank.
 */
export function stepsPerEpoch(tokens: number, batchSize: number, timeSteps: number): number {
  return Math.max(0, Math.floor((Math.floor(tokens / batchSize) - 1) / timeSteps));
}

/** Every epoch is the text from its start, in the same order. */
export class TokenTraining implements TrainingStream {
  readonly #streams: TokenReader[];
  readonly #streamLength: number;
  readonly #steps: number;
  readonly #window: Window;
  #step: number;

  constructor(source: TokenSource, timeSteps: number, { batchSize, step }: TrainingOrder) {
    this.#streams = Array.from({ length: batchSize }, () => source.reader());
    this.#streamLength = Math.floor(source.length / batchSize);
    this.#steps = stepsPerEpoch(source.length, batchSize, timeSteps);
    this.#window = new Window(batchSize, timeSteps);
    this.#step = step;
  }

  next(): Batch {
    const offset = (this.#step++ % this.#steps) * this.#window.timeSteps;
    this.#streams.forEach((stream, row) => this.#window.fill(row, stream, row * this.#streamLength + offset));
    return this.#window.batch;
  }

  close(): void {}
}

/**
 * A split in which every word but the first is predicted once. Streams are equally long but for the last, and batches are
 * full: labels behind a stream's end are {@link PADDING}.
 */
export function tokenSplit(source: TokenSource, timeSteps: number): Split {
  const predictions = source.length - 1;
  return {
    samples: Math.ceil(predictions / timeSteps),
    *batches(batchSize) {
      const streamLength = Math.ceil(predictions / batchSize);
      const streams = Array.from({ length: batchSize }, () => source.reader());
      const window = new Window(batchSize, timeSteps);
      for (let offset = 0; offset < streamLength; offset += timeSteps) {
        const counted = streams.map((stream, row) => {
          const begin = row * streamLength + offset;
          const end = Math.min((row + 1) * streamLength, predictions);
          return window.fill(row, stream, begin, Math.min(timeSteps, end - begin));
        });
        yield { ...window.batch, counted: counted.reduce((sum, count) => sum + count) };
      }
    },
  };
}

/** One batch of `timeSteps` words and their successors, filled row by row. */
class Window {
  readonly timeSteps: number;
  readonly batch: Batch;
  readonly #inputs: Int32Array;
  readonly #targets: Int32Array;
  readonly #tokens: Int32Array;

  constructor(batchSize: number, timeSteps: number) {
    this.timeSteps = timeSteps;
    this.#inputs = new Int32Array(batchSize * timeSteps);
    this.#targets = new Int32Array(batchSize * timeSteps);
    this.#tokens = new Int32Array(timeSteps + 1);
    this.batch = { size: batchSize, inputs: [this.#inputs], targets: [this.#targets] };
  }

  /** @returns how many labels of the row count */
  fill(row: number, stream: TokenReader, begin: number, count = this.timeSteps): number {
    const at = row * this.timeSteps;
    const present = Math.max(0, count);
    if (present > 0) {
      const tokens = this.#tokens.subarray(0, present + 1);
      stream.read(begin, tokens);
      this.#inputs.set(tokens.subarray(0, -1), at);
      this.#targets.set(tokens.subarray(1), at);
    }
    this.#inputs.fill(0, at + present, at + this.timeSteps);
    this.#targets.fill(PADDING, at + present, at + this.timeSteps);
    return present;
  }
}
