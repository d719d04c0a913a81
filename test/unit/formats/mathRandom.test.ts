import { afterEach, describe, expect, it } from 'vitest';
import { withMathRandom, withMathRandomAsync } from '../../../server/formats/mathRandom.ts';

const original = Math.random;

afterEach(() => {
  const left = Math.random;
  Math.random = original;
  expect(left).toBe(original);
});

/** A promise with what settles it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('Two asynchronous replacements of Math.random that overlap draw each its own numbers', () => {
  it.each(['the first', 'the second'])('%s could end first', async (endsFirst) => {
    const [first, second] = [gate(), gate()];
    const drawn: [string, number][] = [];
    const drawTwice = (name: string, between: Promise<void>) => async () => {
      drawn.push([name, Math.random()]);
      await between;
      drawn.push([name, Math.random()]);
      return name;
    };
    const both = Promise.all([
      withMathRandomAsync(() => 0.1, drawTwice('first', first.opened)),
      withMathRandomAsync(() => 0.2, drawTwice('second', second.opened)),
    ]);
    const order = endsFirst === 'the first' ? [first, second] : [second, first];
    for (const { open } of order) {
      open();
      await new Promise(setImmediate);
    }
    expect(await both).toEqual(['first', 'second']);
    expect(drawn).toEqual([
      ['first', 0.1],
      ['first', 0.1],
      ['second', 0.2],
      ['second', 0.2],
    ]);
  });

  it('also where the first one fails', async () => {
    const failing = withMathRandomAsync(
      () => 0.1,
      async () => {
        await new Promise(setImmediate);
        throw new Error(`drew ${Math.random()}`);
      },
    );
    const next = withMathRandomAsync(
      () => 0.2,
      () => Math.random(),
    );
    await expect(failing).rejects.toThrow('drew 0.1');
    expect(await next).toBe(0.2);
  });
});

it('A synchronous replacement within an asynchronous one gives Math.random back to it, also where it fails', async () => {
  const drawn = await withMathRandomAsync(
    () => 0.1,
    async () => {
      await Promise.resolve();
      const own = withMathRandom(
        () => 0.3,
        () => Math.random(),
      );
      const fail = () => {
        throw new Error('failed');
      };
      expect(() => withMathRandom(() => 0.4, fail)).toThrow('failed');
      return [own, Math.random()];
    },
  );
  expect(drawn).toEqual([0.3, 0.1]);
});
