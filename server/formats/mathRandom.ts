/**
 * @file Answers `Math.random` from another source while code runs that draws from it: TensorFlow.js, a user's module. It is
 * global, so two replacements must not be interleaved: each would draw the other's numbers and put back what the other had set.
 */

/**
 * Runs `body` with `Math.random` replaced by `draw`. Safe at any moment, also while {@link withMathRandomAsync} is in progress:
 * nothing else runs before `Math.random` is what it was.
 * @param body must not return a promise: what it does later would run without the replacement
 */
export function withMathRandom<R>(draw: () => number, body: () => R): R {
  const original = Math.random;
  Math.random = draw;
  try {
    return body();
  } finally {
    Math.random = original;
  }
}

/** Settles when the replacement that was asked for last has ended. */
let lastTurn: Promise<unknown> = Promise.resolve();

/**
 * Runs `body` with `Math.random` replaced by `draw` until the promise of `body` settles. Calls take turns: a second one waits until
 * the first has ended, so that each draws its own numbers alone.
 * @param body must not wait for another call of this function, which would wait for `body`
 */
export async function withMathRandomAsync<R>(draw: () => number, body: () => R | Promise<R>): Promise<R> {
  const turn = lastTurn.then(async () => {
    const original = Math.random;
    Math.random = draw;
    try {
      return await body();
    } finally {
      Math.random = original;
    }
  });
  lastTurn = turn.catch(() => undefined);
  return turn;
}
