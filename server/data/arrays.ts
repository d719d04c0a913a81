/**
 * @file Data sets of arrays: NumPy's `.npy` files, arrays `FILE.npz:NAME` of its archives, or tensors `FILE.safetensors:NAME`; axis 0 is
 * the sample.
 */
import { resolve } from 'node:path';
import { sourceOf } from '../formats/byteSource.ts';
import { FormatError } from '../formats/formatError.ts';
import { decodeNpy, decodeNpz, type NpyArray } from '../formats/npy.ts';
import { decodeSafetensor, readSafetensorsHeader } from '../formats/safetensors.ts';
import type { DataConfig } from '../protocol/experiment/schema.ts';
import { UserError } from '../protocol/userError.ts';
import type { Dataset } from './dataset.ts';
import { inMemoryDataset, type StoredColumn, type Table } from './inMemoryDataset.ts';
import { firstNotFinite } from './notFinite.ts';
import { readUserFile } from '../modules/readUserFile.ts';

type ArraysConfig = Extract<DataConfig, { type: 'arrays' }>;
type Role = 'inputs' | 'targets';

const REMEDY =
  'Write the array anew with numpy.save, numpy.savez or safetensors.numpy.save_file, or correct the path in the experiment file.';
const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/**
 * Floating-point arrays become float32, integers int32; integers of 8 and 16 bits and booleans become float32 as inputs
 * (they are not scaled) and int32 as targets.
 *
 * @throws UserError that names the file and the setting when an array is damaged or does not fit the others, or when the
 * training split has a value that is not finite
 */
export async function openArrays(config: ArraysConfig, baseDirectory: string): Promise<Dataset> {
  const train = await readTable(config, 'train', baseDirectory);
  const test = await readTable(config, 'test', baseDirectory);
  const validation = config.validation && (await readTable(config, 'validation', baseDirectory));
  for (const [split, table] of Object.entries({ test, ...(validation && { validation }) }))
    for (const role of ['inputs', 'targets'] as const) {
      const [expected, found] = [train, table].map((t) => `${t[role][0].dtype} of shape [${t[role][0].shape}]`);
      if (expected !== found)
        throw new UserError(
          `data.${split}.${role} has samples that are ${found}; data.train.${role} has ${expected}.`,
          {
            remedy: 'Give all splits the same sample shape and element type.',
          },
        );
    }
  return inMemoryDataset({ train, test, ...(validation && { validation }) }, 'Arrays');
}

async function readTable(
  config: ArraysConfig,
  split: 'train' | 'test' | 'validation',
  baseDirectory: string,
): Promise<Table> {
  const paths = config[split] as { inputs: string; targets: string };
  const inputs = await readColumn(paths.inputs, `data.${split}.inputs`, 'inputs', baseDirectory);
  const targets = await readColumn(paths.targets, `data.${split}.targets`, 'targets', baseDirectory);
  if (inputs.samples !== targets.samples)
    throw new UserError(
      `data.${split}: ${paths.inputs} has ${inputs.samples} samples, but ${paths.targets} has ${targets.samples}.`,
      { remedy: 'Axis 0 is the sample; both arrays must have as many.' },
    );
  const wrong =
    firstNotFiniteOf(inputs.column, `data.${split}.inputs: ${paths.inputs}`) ??
    firstNotFiniteOf(targets.column, `data.${split}.targets: ${paths.targets}`);
  if (wrong !== undefined && split === 'train')
    throw new UserError(`${wrong}.`, {
      remedy: 'A model learns nothing from it. Leave such samples out of the arrays, or replace the value.',
    });
  return {
    samples: inputs.samples,
    inputs: [inputs.column],
    targets: [targets.column],
    warning: wrong && `${wrong}; what is measured on this split will not be a number.`,
  };
}

function firstNotFiniteOf(column: StoredColumn, where: string): string | undefined {
  const found = firstNotFinite(column);
  return found && `${where}: ${found}`;
}

async function readColumn(
  reference: string,
  setting: string,
  role: Role,
  baseDirectory: string,
): Promise<{ samples: number; column: StoredColumn }> {
  const [, file, name] = /^(.*\.(?:npz|safetensors)):([^:]+)$/.exec(reference) ?? [undefined, reference, undefined];
  if (name === undefined && /\.(npz|safetensors)$/.test(file))
    throw new UserError(`${setting}: ${reference} has arrays by their names; say which one.`, {
      remedy: `Write "${reference}:NAME".`,
    });
  const decode = (bytes: Uint8Array) => {
    const array = name === undefined ? decodeNpy(bytes) : (file.endsWith('.npz') ? decodeNpz : tensorOf)(bytes, name);
    const [samples, ...shape] = array.shape;
    if (samples === undefined) throw new FormatError('it is a single number; axis 0 must be the sample');
    if (array.data.length === 0) throw new FormatError(`its shape is [${array.shape}]: it has no samples`);
    return { samples, column: { shape, ...convert(array, role) } };
  };
  return readUserFile(resolve(baseDirectory, file), decode, `${REMEDY} The setting is ${setting}.`);
}

/** @throws FormatError for a damaged file, and for one that has no such tensor */
function tensorOf(bytes: Uint8Array, name: string): Pick<NpyArray, 'shape' | 'data'> {
  const { entries } = readSafetensorsHeader(sourceOf(bytes));
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined)
    throw new FormatError(
      `it has no tensor '${name}'; it has ${entries.map((other) => other.name).join(', ') || 'none'}`,
    );
  const { shape, data } = decodeSafetensor(entry, bytes.subarray(entry.begin, entry.end));
  return { shape: [...shape], data };
}

/** What is stored in fewer bits than it takes is left as it is: batches are converted when they are made. */
function convert({ data }: Pick<NpyArray, 'data'>, role: Role): Pick<StoredColumn, 'dtype' | 'data'> {
  if (data instanceof Float32Array || data instanceof Float64Array) return { dtype: 'float32', data };
  if (data instanceof BigInt64Array || data instanceof BigUint64Array || data instanceof Uint32Array)
    return { dtype: 'int32', data: int32From(data) };
  return { dtype: data instanceof Int32Array || role === 'targets' ? 'int32' : 'float32', data };
}

function int32From(values: BigInt64Array | BigUint64Array | Uint32Array): Int32Array {
  const result = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    if (value < INT32_MIN || value > INT32_MAX)
      throw new FormatError(`element ${i} is ${values[i]}, which is not within 32 bits`, {
        remedy: 'Save it as 32-bit numbers, of either kind: x.astype(numpy.int32) or x.astype(numpy.float32).',
      });
    result[i] = value;
  }
  return result;
}
