import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { ARENA_LIMIT, Arena } from '../../../server/memory/arena.ts';
import { createParameters } from '../../../server/compiler/parameters.ts';
import { UserError } from '../../../server/protocol/userError.ts';

it('a model that no WebAssembly memory can hold is refused with its weights, its bytes and the limit', () => {
  const variable = tf.variable(tf.zeros([1000, 300]));
  const weights = [{ name: 'fc/kernel', layer: 'fc', trainable: true, variable }];
  const refused = (extraBytes: number) => {
    try {
      createParameters({ weights }, new Map(), extraBytes);
    } catch (error) {
      return error;
    }
    throw new Error('it was not refused');
  };
  for (const extraBytes of [ARENA_LIMIT - 2_400_000 + 1, 2 * ARENA_LIMIT]) {
    const error = refused(extraBytes);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(
      /^The model is too large: its 300,000 weights take \S+ GB with their gradients and the state of the optimizer; the limit is \S+ GB\.$/,
    );
  }
  // One byte more, and WebAssembly itself would refuse it.
  expect(() => new Arena(ARENA_LIMIT + 1)).toThrow(/65537/);
});
