import { expect, it } from 'vitest';
import { mapAtOnce } from '../../../server/runs/mapAtOnce.ts';

it('works on no more items at a time than it may, and keeps their order', async () => {
  let working = 0;
  let most = 0;
  const results = await mapAtOnce([5, 1, 3, 2, 4, 0], 3, async (item) => {
    most = Math.max(most, ++working);
    for (let i = 0; i < item; i++) await new Promise(setImmediate);
    working--;
    return item * 10;
  });
  expect(results).toEqual([50, 10, 30, 20, 40, 0]);
  expect(most).toBe(3);
});
