/** @file A data set whose samples are all in memory. */
import { elementCount } from '../protocol/shape.ts';
import { Random, type Seeding } from '../formats/random.ts';
import { UserError } from '../protocol/userError.ts';
import type { Batch, Dataset, Elements, Split, TensorSpec, TrainingOrder, TrainingStream } from './dataset.ts';

/** Elements as a file has them. */
export type StoredElements = Elements | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array;

/** Samples side by side, row-major; they take the element type of the column when a batch is made of them. */
export interface StoredColumn extends TensorSpec {
  data: StoredElements;
}

/** Samples that are computed when a batch is made of them. */
export interface ComputedColumn extends TensorSpec {
  /**
   * Writes a sample to its place in a batch.
   * @param random in training, where samples may be changed at random: a function of seed and step alone
   */
  copyRow(sample: number, to: Elements, at: number, random?: Random): void;
}

export type Column = StoredColumn | ComputedColumn;

export interface Table<C extends Column = Column> {
  samples: number;
  inputs: C[];
  targets: C[];
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
  const spec = ({ name, shape, dtype }: Column): TensorSpec => ({ ...(name !== undefined && { name }), shape, dtype });
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
    countLabels: (classes, target) => labelsOf(train.targets[target], classes),
    description: `${name}: ${counts.join(', ')} samples`,
    close: () => undefined,
  };
}

/** True for a target in memory, of one integer a sample. */
export function hasLabels(target: Column): target is StoredColumn {
  return !('copyRow' in target) && target.dtype === 'int32' && elementCount(target.shape) === 1;
}

/** Counts the labels of a target of one integer a sample. */
function labelsOf(target: Column, classes: number): number[] | undefined {
  if (!hasLabels(target)) return undefined;
  const counts = new Array<number>(classes).fill(0);
  for (const label of target.data) if (label >= 0 && label < classes) counts[label]++;
  return counts;
}

const constructors = { float32: Float32Array, int32: Int32Array };

/** Streams of one seed that no other use of the generator takes, one a step: shuffles take those of epochs, the others begin at 2^40. */
const FIRST_STREAM = 2 ** 52;

/** Batches in the order of the table: views, and copies of what has another element type. */
function inOrder({ samples, inputs, targets, warning }: Table): Split {
  function* ranges(batchSize: number): Generator<[begin: number, end: number]> {
    for (let begin = 0; begin < samples; begin += batchSize) yield [begin, Math.min(begin + batchSize, samples)];
  }
  return {
    samples,
    warning,
    *batches(batchSize) {
      for (const [begin, end] of ranges(batchSize)) {
        const rows = (column: Column) => rowsOf(column, begin, end);
        yield { size: end - begin, inputs: inputs.map(rows), targets: targets.map(rows) };
      }
    },
    *targets(batchSize) {
      for (const [begin, end] of ranges(batchSize))
        yield { size: end - begin, targets: targets.map((column) => rowsOf(column, begin, end)) };
    },
  };
}

function rowsOf(column: Column, begin: number, end: number): Elements {
  const length = elementCount(column.shape);
  if ('copyRow' in column) {
    const computed = new constructors[column.dtype]((end - begin) * length);
    for (let sample = begin; sample < end; sample++) column.copyRow(sample, computed, (sample - begin) * length);
    return computed;
  }
  const stored = column.data.subarray(begin * length, end * length);
  return stored instanceof constructors[column.dtype] ? stored : new constructors[column.dtype](stored);
}

/** Shuffles anew for each epoch and fills the same buffers with the rows of each batch. */
class ShuffledStream implements TrainingStream {
  readonly #stepsPerEpoch: number;
  readonly #seed: number;
  readonly #seeding: Seeding | undefined;
  readonly #order: Uint32Array;
  readonly #batch: Batch;
  readonly #buffers: readonly RowBuffer[];
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
    const buffer = (column: Column): RowBuffer =>
      'copyRow' in column ? new Computation(column, batchSize) : new Gather(column, batchSize);
    const [inputs, targets] = [table.inputs.map(buffer), table.targets.map(buffer)];
    this.#buffers = [...inputs, ...targets];
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
    const random = new Random(this.#seed, FIRST_STREAM + this.#step, this.#seeding);
    for (const buffer of this.#buffers) buffer.fill(samples, random);
    this.#step++;
    return this.#batch;
  }

  close(): void {}
}

/** One batch of a column. */
interface RowBuffer {
  readonly to: Elements;
  fill(samples: Uint32Array, random: Random): void;
}

/** Copies rows of a column. */
class Gather implements RowBuffer {
  readonly to: Elements;
  readonly #from: StoredElements;
  readonly #rowLength: number;

  constructor({ data, shape, dtype }: StoredColumn, batchSize: number) {
    this.#from = data;
    this.#rowLength = elementCount(shape);
    this.to = new constructors[dtype](batchSize * this.#rowLength);
  }

  fill(samples: Uint32Array): void {
    const length = this.#rowLength;
    if (length === 1) {
      for (let i = 0; i < samples.length; i++) this.to[i] = this.#from[samples[i]];
      return;
    }
    for (let i = 0; i < samples.length; i++)
      this.to.set(this.#from.subarray(samples[i] * length, (samples[i] + 1) * length), i * length);
  }
}

/** Computes rows of a column. */
class Computation implements RowBuffer {
  readonly to: Elements;
  readonly #column: ComputedColumn;
  readonly #rowLength: number;

  constructor(column: ComputedColumn, batchSize: number) {
    this.#column = column;
    this.#rowLength = elementCount(column.shape);
    this.to = new constructors[column.dtype](batchSize * this.#rowLength);
  }

  fill(samples: Uint32Array, random: Random): void {
    for (let i = 0; i < samples.length; i++) this.#column.copyRow(samples[i], this.to, i * this.#rowLength, random);
  }
}
