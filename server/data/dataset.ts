/** @file What a data set is to the training loop. */
import type { Seeding } from '../formats/random.ts';
import type { TextVocabulary } from './text/vocabulary.ts';

export type Elements = Float32Array | Int32Array;

export interface TensorSpec {
  /** The input or the output of the model that it is for, where the data say so. */
  name?: string;
  /** Shape of one sample: the axes behind the batch's. */
  shape: readonly number[];
  dtype: 'float32' | 'int32';
}

/** Samples side by side: the tensor of a spec with shape `[…]` has shape `[size, …]`, row-major. */
export interface Batch {
  size: number;
  /** One for each of {@link Dataset.inputs}. */
  inputs: Elements[];
  /** One for each of {@link Dataset.targets}. */
  targets: Elements[];
  /** Number of labels that count, where the rest are {@link PADDING}; absent where all do. */
  counted?: number;
}

/** A label that is no class and adds nothing to a loss: where a text has ended in one row of a batch and not in others. */
export const PADDING = -1;

/** An endless stream of full batches; the batch and its arrays are valid until the next call. */
export interface TrainingStream {
  next(): Batch | Promise<Batch>;
  close(): void | Promise<void>;
}

export interface TrainingOrder {
  batchSize: number;
  /** Seed of the shuffle; the order of epoch n depends on (seed, n) alone. */
  seed: number;
  /** Default: that of new runs. */
  seeding?: Seeding;
  /** Batches to leave out: the stream goes on exactly as if so many had been taken. */
  step: number;
}

export interface Split {
  /** Undefined when only reading to the end would tell. */
  samples: number | undefined;
  /** Every sample once, in order; the last batch may be smaller. A batch is valid until the next one is asked for. */
  batches(batchSize: number): Iterable<Batch> | AsyncIterable<Batch>;
  /** The same without inputs; absent where these are read with the targets. */
  targets?: (batchSize: number) => Iterable<Pick<Batch, 'size' | 'targets'>>;
  /** What is wrong with its samples and keeps a model from being evaluated on them; absent where nothing is known to be. */
  warning?: string | undefined;
}

/** What an image becomes for a model. */
export interface ImageFacts {
  height: number;
  width: number;
  color: 'rgb' | 'gray';
  /** Mean of each channel, which is subtracted from values 0 to 1. */
  mean: readonly number[];
  /** Standard deviation of each channel, which the rest is divided by. */
  deviation: readonly number[];
}

/** A column of numbers: what is subtracted from them, and what the rest is divided by. */
export interface NumberFacts {
  name: string;
  kind: 'number';
  mean: number;
  deviation: number;
  /** What stands for a value that is missing, before it is standardized; absent where none may be. */
  missing?: number;
}

/** A column of categories. */
export interface CategoryFacts {
  name: string;
  kind: 'category';
  /** `one-hot`: an input for each category, all 0 for another text. `integer`: its index, their number for another text. */
  encoding: 'one-hot' | 'integer';
  /** In the order of their inputs; the empty text, the last one, stands for a value that is missing. */
  categories: readonly string[];
}

export type ColumnFacts = NumberFacts | CategoryFacts;

/** What a model tells of a row: one of classes, in the order of their labels, or a number. */
export type TargetFacts = { name: string; kind: 'classes'; classes: readonly string[] } | Omit<NumberFacts, 'missing'>;

/** What a row of a table becomes for a model. */
export interface TableFacts {
  /** In the order of the inputs; where the model has several of them, in that in which they are named first. */
  columns: readonly ColumnFacts[];
  /** Names of the columns of each input of the model, where it has several. */
  inputs?: Readonly<Record<string, readonly string[]>>;
  target: TargetFacts;
}

export interface Dataset {
  inputs: TensorSpec[];
  targets: TensorSpec[];
  /** Training batches in an epoch; an incomplete last one is not trained on (PyTorch's `drop_last`). */
  stepsPerEpoch(batchSize: number): number | undefined;
  /** @throws UserError when the training split does not fill one batch */
  openTraining(order: TrainingOrder): TrainingStream | Promise<TrainingStream>;
  train: Split;
  test: Split;
  validation?: Split;
  /**
   * Present for a text. Row b of a batch then goes on in row b of the next, so that a state can be carried; batches of all splits are
   * full, and the quality of a model is its perplexity.
   */
  vocabulary?: TextVocabulary;
  /** Names of the classes, in the order of their labels, where the data have names. */
  classes?: readonly string[];
  /**
   * Training samples of each of so many labels, from 0 on, of the target of that index; undefined where it has no labels. Absent where
   * only reading all samples would tell.
   */
  countLabels?: (classes: number, target: number) => number[] | undefined;
  /** Present for images. */
  images?: ImageFacts;
  /** Present for a table. */
  table?: TableFacts;
  /** What a user should know of it. */
  warnings?: readonly string[];
  /** The user's modules that it was made by, absolute. */
  files?: readonly string[];
  /** One line for a person: what it is and how many samples it has. */
  description: string;
  close(): void | Promise<void>;
}

/** The part of a data set that a model is made for and described with. */
export type SampleForm = Pick<Dataset, 'inputs' | 'vocabulary' | 'classes' | 'close'> & {
  train: Pick<Dataset['train'], 'samples'>;
};

/** Images that are decoded, bytes of a text that are tokenized, or samples whose labels are counted, of all. */
export interface Decoded {
  readonly what: 'images' | 'text' | 'labels';
  readonly done: number;
  readonly total: number;
}

export interface OpenOptions {
  /** When it aborts, decoding and tokenizing end at once. */
  readonly signal?: AbortSignal | undefined;
  /** Told of what is decoded, tokenized or counted, which may take long. */
  readonly onDecoded?: ((decoded: Decoded) => void) | undefined;
}
