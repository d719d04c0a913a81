/**
 * @file Data sets of arrays: NumPy's `.npy` files, arrays `FILE.npz:NAME` of its archives, or tensors `FILE.safetensors:NAME`; axis 0 is
 * the sample. A sample may have several inputs and targets, by the names of the model's inputs and outputs. Small arrays are in
 * memory; rows of large ones are read as batches need them.
 */
import type { NumericArray } from '../../formats/elements.ts';
import { FormatError } from '../../formats/formatError.ts';
import type { DataConfig } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { elementCount } from '../../protocol/shape.ts';
import { UserError } from '../../protocol/userError.ts';
import type { Dataset } from '../dataset.ts';
import { divideClasses } from '../divide.ts';
import {
  hasLabels,
  inMemoryDataset,
  type Column,
  type StoredColumn,
  type Table,
  type Tables,
} from '../inMemoryDataset.ts';
import { firstNotFinite } from '../notFinite.ts';
import { ArrayFiles, type NamedRows } from './arrayFiles.ts';
import { selectRows } from './selectRows.ts';

type ArraysConfig = Extract<DataConfig, { type: 'arrays' }>;
type SplitName = 'train' | 'test' | 'validation';
type Role = 'inputs' | 'targets';
type References = NonNullable<ArraysConfig[SplitName]>[Role];

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
/** Bytes of all arrays that are in memory: 1 GiB. */
const MEMORY_BUDGET = 2 ** 30;
/** Labels more different than these are no classes, of which each split would have its part. */
const MOST_CLASSES = 1000;

/** An array before it is known whether it is in memory. */
interface OpenedColumn {
  readonly name: string | undefined;
  readonly role: Role;
  readonly source: NamedRows;
}

interface OpenedSplit {
  readonly name: SplitName;
  readonly columns: readonly OpenedColumn[];
}

/**
 * Floating-point arrays become float32, integers int32; integers of 8 and 16 bits and booleans become float32 as inputs
 * (they are not scaled) and int32 as targets.
 *
 * @param budget bytes of arrays that may be in memory
 * @throws UserError that names the file and the setting when an array is damaged or does not fit the others, or when the
 * training split has a value in memory that is not finite
 */
export async function openArrays(
  config: ArraysConfig,
  baseDirectory: string,
  budget = MEMORY_BUDGET,
): Promise<Dataset> {
  const files = new ArrayFiles(baseDirectory);
  try {
    const opened: OpenedSplit[] = [];
    for (const name of ['train', 'test', 'validation'] as const) {
      const arrays = config[name];
      if (arrays) opened.push({ name, columns: await openColumns(files, arrays, name) });
    }
    const inMemory = smallest(opened, budget);
    const tables = new Map(opened.map((split) => [split.name, tableOf(split, inMemory)]));
    const dataset = inMemoryDataset(withSplits(tables, config), 'Arrays');
    return { ...dataset, close: () => files.close() };
  } catch (error) {
    files.close();
    throw error;
  }
}

async function openColumns(
  files: ArrayFiles,
  arrays: NonNullable<ArraysConfig[SplitName]>,
  split: SplitName,
): Promise<OpenedColumn[]> {
  const columns: OpenedColumn[] = [];
  for (const role of ['inputs', 'targets'] as const)
    for (const [name, reference] of namedReferences(arrays[role])) {
      const setting = `data.${split}.${role}${name === undefined ? '' : `.${name}`}`;
      columns.push({ name, role, source: await files.open(reference, setting) });
    }
  const [first] = columns;
  const other = columns.find(({ source }) => source.shape[0] !== first.source.shape[0]);
  if (other)
    throw new UserError(
      `data.${split}: ${first.source.reference} has ${first.source.shape[0]} samples, but ${other.source.reference} has ` +
        `${other.source.shape[0]}.`,
      { remedy: 'Axis 0 is the sample; all arrays of a split must have as many.' },
    );
  return columns;
}

/** In the order of their names, whatever the order in the file is: a split need not have that of another. */
function namedReferences(references: References): [string | undefined, string][] {
  return typeof references === 'string'
    ? [[undefined, references]]
    : Object.entries(references).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The arrays that fit into memory together, the smallest first, and those whose rows cannot be read one by one. */
function smallest(splits: readonly OpenedSplit[], budget: number): ReadonlySet<NamedRows> {
  const sources = splits.flatMap(({ columns }) => columns.map(({ source }) => source));
  const chosen = new Set(sources.filter(({ isWhole }) => isWhole));
  let left = [...chosen].reduce((rest, { bytes }) => rest - bytes, budget);
  for (const source of sources.filter(({ isWhole }) => !isWhole).sort((a, b) => a.bytes - b.bytes)) {
    left -= source.bytes;
    if (left < 0) break;
    chosen.add(source);
  }
  return chosen;
}

function tableOf({ name, columns }: OpenedSplit, inMemory: ReadonlySet<NamedRows>): Table {
  const read = columns.map((column) => ({
    ...column,
    column: inMemory.has(column.source) ? storedColumn(column) : streamedColumn(column),
  }));
  const wrong = read.map(firstNotFiniteOf).find((found) => found !== undefined);
  if (wrong !== undefined && name === 'train')
    throw new UserError(`${wrong}.`, {
      remedy: 'A model learns nothing from it. Leave such samples out of the arrays, or replace the value.',
    });
  const ofRole = (role: Role) => read.filter((one) => one.role === role).map(({ column }) => column);
  return {
    samples: columns[0].source.shape[0],
    inputs: ofRole('inputs'),
    targets: ofRole('targets'),
    warning: wrong && `${wrong}; what is measured on this split will not be a number.`,
  };
}

/** What is not in memory is not looked through: training tells when a loss is no number. */
function firstNotFiniteOf({ column, source }: OpenedColumn & { readonly column: Column }): string | undefined {
  const found = 'copyRow' in column ? undefined : firstNotFinite(column);
  return found && `${source.setting}: ${source.reference}: ${found}`;
}

function storedColumn({ name, role, source }: OpenedColumn): StoredColumn {
  const [samples, ...shape] = source.shape;
  return source.decoded(() => ({
    ...(name !== undefined && { name }),
    shape,
    ...convert(source.rows(0, samples), role),
  }));
}

function streamedColumn({ name, role, source }: OpenedColumn): Column {
  const [, ...shape] = source.shape;
  const row = (sample: number) =>
    source.decoded(() => convert(source.rows(sample, sample + 1), role, sample * elementCount(shape)));
  return {
    ...(name !== undefined && { name }),
    shape,
    dtype: row(0).dtype,
    copyRow: (sample, to, at) => to.set(row(sample).data, at),
  };
}

/**
 * What is stored in fewer bits than it takes is left as it is: batches are converted when they are made.
 * @param before elements of the array before these, for messages
 */
function convert(data: NumericArray, role: Role, before = 0): Pick<StoredColumn, 'dtype' | 'data'> {
  if (data instanceof Float32Array || data instanceof Float64Array) return { dtype: 'float32', data };
  if (data instanceof BigInt64Array || data instanceof BigUint64Array || data instanceof Uint32Array)
    return { dtype: 'int32', data: int32From(data, before) };
  return { dtype: data instanceof Int32Array || role === 'targets' ? 'int32' : 'float32', data };
}

function int32From(values: BigInt64Array | BigUint64Array | Uint32Array, before: number): Int32Array {
  const result = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    if (value < INT32_MIN || value > INT32_MAX)
      throw new FormatError(`element ${before + i} is ${values[i]}, which is not within 32 bits`, {
        remedy: 'Save it as 32-bit numbers, of either kind: x.astype(numpy.int32) or x.astype(numpy.float32).',
      });
    result[i] = value;
  }
  return result;
}

/** The splits that have arrays, and those that `split` takes from the training samples. */
function withSplits(tables: ReadonlyMap<SplitName, Table>, { split, seed }: ArraysConfig): Tables {
  const all = tables.get('train')!;
  const [test, validation] = [tables.get('test'), tables.get('validation')];
  const others = Object.entries({ test, validation });
  for (const [name, table] of others) if (table) checkAlike(all, table, name);
  const fractions = { test: split.test ?? 0, validation: split.validation };
  if (fractions.test === 0 && fractions.validation === 0 && test)
    return { train: all, test, ...(validation && { validation }) };
  const rows = divideClasses(rowsByClass(all), fractions, seed);
  const part = (name: SplitName): Table => {
    if (rows[name].length === 0)
      throw new SettingError(
        name === 'train' ? ['data', 'split'] : ['data', 'split', name],
        `of ${all.samples} samples, none is left ${name === 'train' ? 'to train on' : `for the ${name} split`}`,
        { remedy: 'Choose other fractions, or add samples.' },
      );
    return selectRows(all, rows[name]);
  };
  const ofValidation = fractions.validation > 0 ? part('validation') : validation;
  return {
    train: part('train'),
    test: test ?? part('test'),
    ...(ofValidation && { validation: ofValidation }),
  };
}

/** The samples of each class, where there is one target in memory, of few different integers; else all of them. */
function rowsByClass({ samples, targets }: Table): ArrayLike<number>[] {
  const all = () => [Uint32Array.from({ length: samples }, (_, row) => row)];
  const [target] = targets;
  if (targets.length !== 1 || !hasLabels(target)) return all();
  const byClass = new Map<number, number[]>();
  for (let row = 0; row < samples; row++) {
    const label = target.data[row];
    const own = byClass.get(label);
    if (own) own.push(row);
    else if (byClass.size === MOST_CLASSES) return all();
    else byClass.set(label, [row]);
  }
  return [...byClass.values()];
}

/** @throws UserError when another split has samples of another kind than those that are trained on */
function checkAlike(train: Table, table: Table, split: string): void {
  for (const role of ['inputs', 'targets'] as const) {
    const [expected, found] = [train, table].map((one) => one[role].map(specText).join(' and '));
    if (expected !== found)
      throw new UserError(`data.${split}.${role} has samples that are ${found}; data.train.${role} has ${expected}.`, {
        remedy: 'Give all splits the same names, sample shapes and element types.',
      });
  }
}

function specText({ name, dtype, shape }: Column): string {
  return `${name === undefined ? '' : `'${name}' `}${dtype} of shape [${shape}]`;
}
