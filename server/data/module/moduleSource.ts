/** @file A user's data module as streams of checked batches; runs inside the worker. docs/data.md is its contract. */
import { basename } from 'node:path';
import { FormatError } from '../../formats/formatError.ts';
import { exportedFunction, importUserModule, userCodeError, type UserModule } from '../../modules/userModule.ts';
import { UserError } from '../../protocol/userError.ts';
import type { Batch, TensorSpec, TrainingOrder } from '../dataset.ts';
import { readModuleBatch } from './moduleBatch.ts';

export type SplitName = 'train' | 'test' | 'validation';
const splitNames = ['train', 'test', 'validation'] as const satisfies readonly SplitName[];

/** What the host knows of the module. */
export interface ModuleDescription {
  inputs: TensorSpec[];
  targets: TensorSpec[];
  splits: SplitName[];
  /** As exported by the module; may lack any split. */
  samples: Partial<Record<SplitName, number>>;
  /** Names of the classes in the order of their labels, as exported by the module. */
  classes?: readonly string[];
  /** The module and the user's files that it imported, absolute. */
  files: string[];
}

/** What the module's functions are called with. */
interface Context {
  batchSize: number;
  /** Seed of the experiment; for `train`, which is called once for each epoch. */
  seed?: number;
  /** 0, 1, … */
  epoch?: number;
}

export class ModuleSource {
  readonly description: ModuleDescription;
  readonly #module: UserModule;

  /** Loads the module and takes one batch of each split, so that a mistake in one is found before training starts. */
  static async open(path: string): Promise<ModuleSource> {
    const module = await importUserModule(path);
    const splits = splitNames.filter((name) => name !== 'validation' || module.exports[name] !== undefined);
    const source = new ModuleSource(module, splits);
    for (const split of splits) await source.#probe(split);
    return source;
  }

  private constructor(module: UserModule, splits: SplitName[]) {
    this.#module = module;
    const classes = readClasses(module);
    this.description = {
      ...{ inputs: [], targets: [], splits, samples: readSamples(module), files: module.files },
      ...(classes && { classes }),
    };
  }

  /** Full batches without end: `train` is called for each epoch; batches that are not full are left out. */
  async *training({ batchSize, seed, step }: TrainingOrder): AsyncGenerator<Batch, never> {
    const { train: samples } = this.description.samples;
    const stepsPerEpoch = samples === undefined ? undefined : Math.floor(samples / batchSize);
    let epoch = stepsPerEpoch ? Math.floor(step / stepsPerEpoch) : 0;
    let skip = stepsPerEpoch ? step % stepsPerEpoch : step;
    for (; ; epoch++) {
      let batches = 0;
      for await (const batch of this.#batches('train', { batchSize, seed, epoch })) {
        if (batch.size < batchSize) continue;
        batches++;
        if (skip > 0) skip--;
        else yield batch;
      }
      if (batches === 0)
        throw new UserError(
          `${this.#module.path}: train() yielded no batch of ${batchSize} samples (training.batchSize) in epoch ${epoch}.`,
          { remedy: 'Yield at least one full batch, or choose a smaller batch size.' },
        );
      if (stepsPerEpoch !== undefined && batches !== stepsPerEpoch)
        throw new UserError(
          `${this.#module.path}: samples.train is ${samples}, which makes ${stepsPerEpoch} batches of ${batchSize}, but ` +
            `train() yielded ${batches} in epoch ${epoch}.`,
          { remedy: 'Correct samples.train, or leave it out.' },
        );
    }
  }

  /** Every batch of a split once. */
  split(name: SplitName, batchSize: number): AsyncGenerator<Batch> {
    if (name === 'train') return this.#batches(name, { batchSize, seed: 0, epoch: 0 });
    return this.#declared(name, this.#batches(name, { batchSize }));
  }

  /** A split that has no more samples than the module says; one without end is found so. */
  async *#declared(name: SplitName, batches: AsyncGenerator<Batch>): AsyncGenerator<Batch> {
    const { [name]: declared = Infinity } = this.description.samples;
    let samples = 0;
    for await (const batch of batches) {
      samples += batch.size;
      if (samples > declared)
        throw new UserError(`${this.#module.path}: samples.${name} is ${declared}, and ${name}() yields more.`, {
          remedy: `Let ${name}() end when it has yielded every sample once; or correct samples.${name}, or leave it out.`,
        });
      yield batch;
    }
  }

  async #probe(split: SplitName): Promise<void> {
    const context = { batchSize: 1, ...(split === 'train' && { seed: 0, epoch: 0 }) };
    for await (const batch of this.#batches(split, context, Infinity)) return void batch;
    throw new UserError(`${this.#module.path}: ${split}() yielded no batch.`, {
      remedy: 'Yield at least one batch { inputs, targets }.',
    });
  }

  async *#batches(split: SplitName, context: Context, largest = context.batchSize): AsyncGenerator<Batch> {
    const create = exportedFunction(this.#module, split) as (context: Context) => unknown;
    let index = 0;
    try {
      const iterable = await create(context);
      if (!isIterable(iterable)) throw new FormatError('it did not return an iterable of batches');
      for await (const value of iterable) {
        yield this.#check(value, largest);
        index++;
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw userCodeError(this.#module, `${split}()`, error);
      throw new UserError(`${this.#module.path}: ${split}(), batch ${index}: ${error.message}.`, {
        remedy: `Fix ${basename(this.#module.path)}; docs/data.md says what a batch is.`,
        cause: error,
      });
    }
  }

  /** The first batch ever read says what the tensors are; all others must agree. */
  #check(value: unknown, largest: number): Batch {
    const { batch, inputs, targets } = readModuleBatch(value);
    if (batch.size > largest) throw new FormatError(`it has ${batch.size} samples; batchSize is ${largest}`);
    if (this.description.inputs.length === 0) Object.assign(this.description, { inputs, targets });
    for (const [name, found] of Object.entries({ inputs, targets })) {
      const expected = this.description[name as 'inputs' | 'targets'];
      if (show(found) !== show(expected))
        throw new FormatError(`a sample's ${name} are ${show(found)}, but were ${show(expected)} in the first batch`);
    }
    return batch;
  }
}

function readSamples(module: UserModule): ModuleDescription['samples'] {
  const { samples = {} } = module.exports;
  const valid =
    typeof samples === 'object' &&
    samples !== null &&
    Object.entries(samples).every(
      ([name, count]) => splitNames.some((split) => split === name) && Number.isSafeInteger(count) && count > 0,
    );
  if (valid) return samples;
  throw new UserError(`${module.path} exports 'samples', which is not a table of counts.`, {
    remedy: 'Export for example: export const samples = { train: 60000, test: 10000 };',
  });
}

/** Undefined for an export of this name that is no list: a module may have one of its own. */
function readClasses(module: UserModule): readonly string[] | undefined {
  const { classes } = module.exports;
  if (!Array.isArray(classes)) return undefined;
  const names: readonly unknown[] = classes;
  if (names.length > 0 && names.every((name) => typeof name === 'string') && new Set(names).size === names.length)
    return names;
  throw new UserError(`${module.path} exports 'classes', which is not a list of different names.`, {
    remedy: "Export the names in the order of the labels: export const classes = ['cat', 'dog'];",
  });
}

function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

function show(specs: readonly TensorSpec[]): string {
  return specs
    .map(({ name, dtype, shape }) => `${name === undefined ? '' : `'${name}' `}${dtype} [${shape.join(', ')}]`)
    .join(' and ');
}
