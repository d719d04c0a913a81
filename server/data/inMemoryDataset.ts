/** @file A data set whose samples are all in memory. */
import { elementCount } from '../protocol/shape.ts';
import { Random, type Seeding } from '../formats/random.ts';
import { UserError } from '../protocol/userError.ts';
import type { Batch, Dataset, Elements, Split, TensorSpec, TrainingOrder, TrainingStream } from './dataset.ts';

/** Elements as a file has them. */
export type StoredElements = Elements | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array;

/** Samples side by side, row-major; they take the element type of the column when a batch is made of them. */
export interface Column extends TensorSpec {
  data: StoredElements;
}

export interface Table {
  samples: number;
  inputs: Column[];
  targets: Column[];
  /** As of {@link Split.warning}. */
  warning?: string | undefined;
}

export interface Tables {
  train: Table;
  test: Table;
  validation?: Table;
}

/** @param tables splits whose columns have the same shapes and element types */
export function inMemoryDataset(tables: Tables, name: string): Dataset {
  const { train, test, validation } = tables;
  const spec = ({ shape, dtype }: Column): TensorSpec => ({ shape, dtype });
  const counts = [`${train.samples} training`, `${test.samples} test`];
  if (validation) counts.push(`${validation.samples} validation`);
  return {
    inputs: train.inputs.map(spec),
    targets: train.targets.map(spec),
    stepsPerEpoch: (batchSize) => Math.floor(train.samples / batchSize),
    openTraining: (order) => new ShuffledStream(train, order),
    train: inOrder(train),
    test: inOrder(test),
    ...(validation && { validation: inOrder(validation) }),
    description: `${name}: ${counts.join(', ')} samples`,
    close: () => undefined,
  };
}

const constructors = { float32: Float32Array, int32: Int32Array };

/** Batches in the order of the table: views, and copies of what has another element type. */
function inOrder(table: Table): Split {
  return {
    samples: table.samples,
    warning: table.warning,
    *batches(batchSize) {
      for (let begin = 0; begin < table.samples; begin += batchSize) {
        const end = Math.min(begin + batchSize, table.samples);
        const rows = ({ data, shape, dtype }: Column): Elements => {
          const stored = data.subarray(begin * elementCount(shape), end * elementCount(shape));
          return stored instanceof constructors[dtype] ? stored : new constructors[dtype](stored);
        };
        yield { size: end - begin, inputs: table.inputs.map(rows), targets: table.targets.map(rows) };
      }
    },
  };
}

/** Shuffles anew for each epoch and gathers each batch's rows into the same buffers. */
class ShuffledStream implements TrainingStream {
  readonly #stepsPerEpoch: number;
  readonly #seed: number;
  readonly #seeding: Seeding | undefined;
  readonly #order: Uint32Array;
  readonly #batch: Batch;
  readonly #gathers: Gather[];
  #step: number;
  #epoch: number | undefined;

  constructor(table: Table, { batchSize, seed, seeding, step }: TrainingOrder) {
    if (batchSize > table.samples)
      throw new UserError(`training.batchSize is ${batchSize}, but there are only ${table.samples} training samples.`, {
        remedy: 'Choose a smaller batch size.',
      });
    this.#stepsPerEpoch = Math.floor(table.samples / batchSize);
    this.#seed = seed;
    this.#seeding = seeding;
    this.#order = new Uint32Array(table.samples);
    const inputs = table.inputs.map((column) => new Gather(column, batchSize));
    const targets = table.targets.map((column) => new Gather(column, batchSize));
    this.#gathers = [...inputs, ...targets];
    this.#batch = { size: batchSize, inputs: inputs.map(({ to }) => to), targets: targets.map(({ to }) => to) };
    this.#step = step;
  }

  next(): Batch {
    const epoch = Math.floor(this.#step / this.#stepsPerEpoch);
    if (epoch !== this.#epoch) {
      for (let i = 0; i < this.#order.length; i++) this.#order[i] = i;
      new Random(this.#seed, epoch, this.#seeding).shuffle(this.#order);
      this.#epoch = epoch;
    }
    const begin = (this.#step - epoch * this.#stepsPerEpoch) * this.#batch.size;
    const samples = this.#order.subarray(begin, begin + this.#batch.size);
    for (const gather of this.#gathers) gather.rows(samples);
    this.#step++;
    return this.#batch;
  }

  close(): void {}
}

/** Copies rows of a column into a buffer of one batch. */
class Gather {
  readonly to: Elements;
  readonly #from: StoredElements;
  readonly #rowLength: number;

  constructor({ data, shape, dtype }: Column, batchSize: number) {
    this.#from = data;
    this.#rowLength = elementCount(shape);
    this.to = new constructors[dtype](batchSize * this.#rowLength);
  }

  rows(samples: Uint32Array): void {
    const length = this.#rowLength;
    if (length === 1) {
      for (let i = 0; i < samples.length; i++) this.to[i] = this.#from[samples[i]];
      return;
    }
    for (let i = 0; i < samples.length; i++)
      this.to.set(this.#from.subarray(samples[i] * length, (samples[i] + 1) * length), i * length);
  }
}
