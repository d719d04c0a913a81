/**
 * @file The batches of a user's data module. A tensor, batch axis first, is given as nested number arrays, as a typed array
 * (one number a sample), or as `{ data, shape, dtype? }`; several tensors as an array of such objects, or by names of the model's inputs
 * or outputs.
 */
import { elementCount } from '../../protocol/shape.ts';
import { FormatError } from '../../formats/formatError.ts';
import type { Batch, Elements, TensorSpec } from '../dataset.ts';

type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array;

interface Tensor {
  name?: string;
  /** With the batch axis. */
  shape: number[];
  dtype: TensorSpec['dtype'];
  data: Elements;
}

export interface ModuleBatch {
  batch: Batch;
  inputs: TensorSpec[];
  targets: TensorSpec[];
}

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/**
 * Copies what a user's module yielded. Integer typed arrays become int32; everything else float32, unless a tensor's
 * `dtype` says otherwise.
 *
 * @throws FormatError when it is no batch
 */
export function readModuleBatch(value: unknown): ModuleBatch {
  if (typeof value !== 'object' || value === null || !('inputs' in value) || !('targets' in value))
    throw new FormatError('it is not { inputs, targets }');
  const inputs = readTensors(value.inputs, 'inputs');
  const targets = readTensors(value.targets, 'targets');
  const sizes = [...inputs, ...targets].map(({ shape }) => shape[0]);
  const [size] = sizes;
  if (sizes.some((other) => other !== size))
    throw new FormatError(`its tensors have different numbers of samples: ${sizes.join(', ')}`);
  if (size === 0) throw new FormatError('it has no samples');
  const data = (tensors: Tensor[]) => tensors.map((tensor) => tensor.data);
  const specs = (tensors: Tensor[]) => tensors.map(({ name, shape, dtype }) => ({ ...(name !== undefined && { name }), shape: shape.slice(1), dtype }));
  return {
    batch: { size, inputs: data(inputs), targets: data(targets) },
    inputs: specs(inputs),
    targets: specs(targets),
  };
}

function readTensors(value: unknown, name: string): Tensor[] {
  const several = Array.isArray(value) && value.length > 0 && value.every(isTensorObject);
  if (isTable(value))
    return Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, tensor]) => ({ name: key, ...readTensor(tensor, `${name}.${key}`) }));
  return several ? value.map((tensor, i) => readTensor(tensor, `${name}[${i}]`)) : [readTensor(value, name)];
}

function readTensor(value: unknown, name: string): Tensor {
  if (isNumericArray(value)) return { shape: [value.length], ...convert(value, name) };
  if (Array.isArray(value)) return fromNested(value, name);
  if (!isTensorObject(value))
    throw new FormatError(`its ${name} are neither nested arrays, nor a typed array, nor { data, shape }, nor a table of these`);

  const { data, shape, dtype } = value;
  if (!isNumericArray(data) && !(Array.isArray(data) && data.every((item) => typeof item === 'number')))
    throw new FormatError(`${name}.data is neither a typed array nor an array of numbers`);
  if (dtype !== undefined && dtype !== 'float32' && dtype !== 'int32')
    throw new FormatError(`${name}.dtype is ${String(dtype)}, not 'float32' or 'int32'`);
  if (!Array.isArray(shape) || shape.length === 0 || !shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0))
    throw new FormatError(`${name}.shape is not an array of sizes with the batch axis first`);
  if (data.length !== elementCount(shape))
    throw new FormatError(`${name}.data has ${data.length} elements, which do not make the shape [${shape}]`);
  return { shape: shape as number[], ...convert(data, name, dtype) };
}

/** Nested arrays whose innermost rows are number arrays or typed arrays. */
function fromNested(nested: unknown[], name: string): Tensor {
  const shape: number[] = [];
  for (let level: unknown = nested; Array.isArray(level) || isNumericArray(level); level = level[0])
    shape.push(level.length);
  const values: number[] = [];
  let integers = true;
  const visit = (level: unknown, axis: number): void => {
    const isRow = isNumericArray(level);
    if (axis === shape.length) {
      if (typeof level !== 'number') throw new FormatError(`its ${name} have a ${typeof level} among the numbers`);
      integers = false;
      values.push(level);
    } else if (!(Array.isArray(level) || isRow) || level.length !== shape[axis]) {
      throw new FormatError(`its ${name} are ragged: not every part has the shape [${shape.slice(axis)}]`);
    } else if (isRow) {
      const row = convert(level, name);
      integers &&= row.dtype === 'int32';
      for (const item of row.data) values.push(item);
    } else {
      for (const part of level) visit(part, axis + 1);
    }
  };
  visit(nested, 0);
  return { shape, ...convert(values, name, integers ? 'int32' : 'float32') };
}

function convert(
  values: NumericArray | number[],
  name: string,
  dtype: TensorSpec['dtype'] = isIntegerArray(values) ? 'int32' : 'float32',
): Pick<Tensor, 'dtype' | 'data'> {
  const numbers = values instanceof BigInt64Array ? Array.from(values, Number) : values;
  if (dtype === 'float32') return { dtype, data: Float32Array.from(numbers) };
  const wrong = numbers.findIndex((value) => !Number.isInteger(value) || value < INT32_MIN || value > INT32_MAX);
  if (wrong >= 0) throw new FormatError(`element ${wrong} of ${name} is ${numbers[wrong]}, which is not an int32`);
  return { dtype, data: Int32Array.from(numbers) };
}

function isIntegerArray(value: unknown): boolean {
  return isNumericArray(value) && !(value instanceof Float32Array || value instanceof Float64Array);
}

function isNumericArray(value: unknown): value is NumericArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !(value instanceof BigUint64Array);
}

/** Tensors by their names, in any order. */
function isTable(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  const isOne = 'data' in value || 'shape' in value;
  return !isOne && Object.keys(value).length > 0 && Object.values(value).every((part) => typeof part === 'object');
}

function isTensorObject(value: unknown): value is Record<'data' | 'shape', unknown> & { dtype?: unknown } {
  return typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
}
