import { describe, expect, test } from 'vitest';
import { readModuleBatch } from '../../../../server/data/module/moduleBatch.ts';
import { FormatError } from '../../../../server/formats/formatError.ts';

const targets = Int32Array.of(1, 0);

describe('a tensor may be given in any of the documented ways', () => {
  const f4 = Float32Array.of(1, 2, 3, 4);
  const i4 = Int32Array.of(1, 2, 3, 4);
  const float = { spec: { shape: [2], dtype: 'float32' }, data: f4 };
  const int = { spec: { shape: [2], dtype: 'int32' }, data: i4 };
  const single = (dtype: string, data: unknown) => ({ spec: { shape: [], dtype }, data });
  test.each<[string, unknown, unknown[]]>([
    ['nested arrays', [[1, 2], [3, 4]], [float]], // prettier-ignore
    ['rows of floats', [f4.subarray(0, 2), f4.subarray(2)], [float]],
    ['rows of integers', [i4.subarray(0, 2), i4.subarray(2)], [int]],
    ['data and shape', { data: f4, shape: [2, 2] }, [float]],
    ['plain numbers and shape', { data: [1, 2, 3, 4], shape: [2, 2] }, [float]],
    ['numbers of a given type', { data: [1, 2, 3, 4], shape: [2, 2], dtype: 'int32' }, [int]],
    ['bytes as floats', { data: Uint8Array.from(i4), shape: [2, 2], dtype: 'float32' }, [float]],
    ['64-bit integers', { data: BigInt64Array.of(1n, 2n, 3n, 4n), shape: [2, 2] }, [int]],
    ['one integer a sample', Uint8Array.of(7, 8), [single('int32', Int32Array.of(7, 8))]],
    ['one number a sample', [0.5, 1], [single('float32', Float32Array.of(0.5, 1))]],
    [
      'several tensors',
      [
        { data: f4, shape: [2, 2] },
        { data: i4, shape: [2, 2] },
      ],
      [float, int],
    ],
  ])('%s', (_, inputs, expected) => {
    const result = readModuleBatch({ inputs, targets });
    expect(result.batch.size).toBe(2);
    expect(result.inputs.map((spec, i) => ({ spec, data: result.batch.inputs[i] }))).toEqual(expected);
    expect(result.targets).toEqual([{ shape: [], dtype: 'int32' }]);
  });
});

test('the arrays are copies: the module may use its own again', () => {
  const inputs = Float32Array.of(1, 2);
  const { batch } = readModuleBatch({ inputs, targets });
  inputs[0] = 9;
  expect(batch.inputs[0]).toEqual(Float32Array.of(1, 2));
});

describe('what is no batch is refused', () => {
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /not \{ inputs, targets \}/],
    ['no targets', { inputs: [1] }, /not \{ inputs, targets \}/],
    ['text', { inputs: 'x', targets }, /inputs are neither nested arrays/],
    ['text among numbers', { inputs: [['a'], ['b']], targets }, /inputs have a string among the numbers/],
    ['ragged rows', { inputs: [[1, 2], [3]], targets }, /inputs are ragged: .*\[2\]/], // prettier-ignore
    ['ragged depth', { inputs: [1, [2]], targets }, /inputs have a object among the numbers/],
    ['different sizes', { inputs: [1, 2, 3], targets }, /different numbers of samples: 3, 2/],
    ['no samples', { inputs: [], targets: [] }, /no samples/],
    ['wrong shape', { inputs: { data: [1, 2, 3], shape: [2, 2] }, targets }, /inputs.data has 3 elements/],
    ['bad shape', { inputs: { data: [1], shape: [-1] }, targets }, /inputs.shape is not/],
    ['bad data', { inputs: { data: 'x', shape: [1] }, targets }, /inputs.data is neither/],
    ['bad type', { inputs: { data: [1], shape: [1], dtype: 'int8' }, targets }, /inputs.dtype is int8/],
    ['large integers', { inputs: [1], targets: BigInt64Array.of(2n ** 40n) }, /element 0 of targets is 1099511627776/],
    [
      'second of several',
      {
        inputs: [
          { data: [1], shape: [1] },
          { data: [1], shape: [2] },
        ],
        targets,
      },
      /inputs\[1\]/,
    ],
  ])('%s', (_, value, message) => {
    expect(() => readModuleBatch(value)).toThrow(FormatError);
    expect(() => readModuleBatch(value)).toThrow(message);
  });
});
