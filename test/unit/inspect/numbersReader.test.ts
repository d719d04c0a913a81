import { expect, test } from 'vitest';
import type { Numbers } from '../../../server/formats/elementTypes.ts';
import { NumbersReader } from '../../../server/inspect/numbersReader.ts';
import type { StoredTensor } from '../../../server/inspect/tensor.ts';
import { UserError } from '../../../server/protocol/userError.ts';
import type { FoundInFile } from '../../../server/protocol/wire/modelFile.ts';
import { until } from '../../until.ts';

/** Tensors whose numbers come when the test lets them, and what was told of them. */
function reader(count: number) {
  const told: FoundInFile[] = [];
  const begun: number[] = [];
  const released = new Set<number>();
  const tensors = Array.from({ length: count }, (_, index): StoredTensor => ({
    ...{ name: String(index), shape: [1], dtype: 'float32', elements: 1, bytes: 4 },
    async *numbers(): AsyncGenerator<Numbers> {
      begun.push(index);
      await until(() => released.has(index), `tensor ${index} to be released`);
      if (index === 9) throw new UserError('9 is damaged.', { remedy: 'Mend it.' });
      yield Float32Array.of(index);
    },
  }));
  const numbers = new NumbersReader({ tensors }, (found) => told.push(found));
  const shortly = () => told.map((found) => `${found.type} ${'tensor' in found ? found.tensor : ''}`);
  return { numbers, begun, released, shortly, told };
}

test('tensors are read in the order in which they are wanted, the histogram of the chosen one first', async () => {
  const { numbers, released, shortly } = reader(3);
  for (const index of [0, 1, 2]) released.add(index);
  numbers.want({ statistics: [1, 0], histogram: 2 });
  await until(() => shortly().length === 4, 'all to be told');
  expect(shortly()).toEqual(['statistics 2', 'histogram 2', 'statistics 1', 'statistics 0']);
});

test('what is no longer wanted is left off, and read again when it is wanted again', async () => {
  const { numbers, begun, released, shortly } = reader(3);
  numbers.want({ statistics: [0, 1] });
  await until(() => begun.includes(0), 'the first to begin');
  numbers.want({ statistics: [2] });
  for (const index of [0, 1, 2]) released.add(index);
  await until(() => shortly().includes('statistics 2'), 'the other to be told');
  expect(shortly()).toEqual(['statistics 2']);
  numbers.want({ statistics: [0] });
  await until(() => shortly().includes('statistics 0'), 'the first to be told');
});

test('a histogram does not wait for the statistics of another tensor, which come after it', async () => {
  const { numbers, begun, released, shortly } = reader(3);
  numbers.want({ statistics: [0] });
  await until(() => begun.includes(0), 'the first to begin');
  numbers.want({ statistics: [0], histogram: 1 });
  for (const index of [0, 1]) released.add(index);
  await until(() => shortly().length === 3, 'all to be told');
  expect(shortly()).toEqual(['statistics 1', 'histogram 1', 'statistics 0']);
});

test('what is being read goes on while it is still wanted', async () => {
  const { numbers, begun, released, shortly } = reader(3);
  numbers.want({ statistics: [0] });
  await until(() => begun.includes(0), 'it to begin');
  numbers.want({ statistics: [2, 0] });
  for (const index of [0, 2]) released.add(index);
  await until(() => shortly().length === 2, 'all to be told');
  expect(shortly()).toEqual(['statistics 0', 'statistics 2']);
  expect(begun).toEqual([0, 2]);
});

test('a page that asks again gets what was found before, without reading', async () => {
  const { numbers, begun, released, shortly } = reader(1);
  released.add(0);
  numbers.want({ statistics: [0] });
  await until(() => shortly().length === 1, 'it to be told');
  numbers.want({ statistics: [0] });
  await until(() => shortly().length === 2, 'it to be told again');
  expect(begun).toEqual([0]);
});

test('a tensor that cannot be read is told of, and the next is read; places that are not there are passed over', async () => {
  const { numbers, released, told } = reader(11);
  released.add(9).add(10);
  numbers.want({ statistics: [77, 9, 10], histogram: 99 });
  await until(() => told.length === 2, 'both to be told');
  expect(told[0]).toEqual({ type: 'tensorProblem', tensor: 9, message: '9 is damaged.', remedy: 'Mend it.' });
  expect(told[1]).toMatchObject({ type: 'statistics', tensor: 10 });
});
