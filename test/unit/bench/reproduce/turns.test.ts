import { expect, test } from 'vitest';
import { Turns } from '../../../bench/reproduce/turns.ts';

test('what is most urgent is done first, and in the order of the calls among equals', async () => {
  const turns = new Turns(1);
  const done: string[] = [];
  const work = (name: string) => () => {
    done.push(name);
    return Promise.resolve();
  };
  await Promise.all([
    turns.take(5, work('first, as the place was free')),
    turns.take(2, work('later')),
    turns.take(1, work('sooner')),
    turns.take(1, work('sooner, called second')),
  ]);
  expect(done).toEqual(['first, as the place was free', 'sooner', 'sooner, called second', 'later']);
});

test('no more is done at once than there are places, and work that fails leaves its place', async () => {
  const turns = new Turns(2);
  let [now, most] = [0, 0];
  const work = async () => {
    most = Math.max(most, ++now);
    await new Promise(setImmediate);
    now--;
    throw new Error('failed');
  };
  const all = await Promise.allSettled(Array.from({ length: 7 }, () => turns.take(0, work)));
  expect(all.map(({ status }) => status)).toEqual(Array(7).fill('rejected'));
  expect(most).toBe(2);
  await expect(turns.take(0, () => Promise.resolve('free'))).resolves.toBe('free');
});
