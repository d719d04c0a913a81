import * as os from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Arena, ARENA_LIMIT, arenaBytes } from '../../../server/memory/arena.ts';
import { createParameters, type ArenaRoom } from '../../../server/compiler/parameters.ts';
import { createOptimizer, optimizerArenaBytes } from '../../../server/optimizers/optimizer.ts';
import { userErrorOf } from '../userErrorOf.ts';

const adam = { type: 'adam', learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
const room = { stateBytes: (length: number) => optimizerArenaBytes(adam, length) };

const weight = (name: string, shape: number[], trainable = true) => ({
  name,
  trainable,
  variable: tf.variable(tf.randomUniform(shape, -1, 1, 'float32', name.length)),
});

afterEach(() => vi.restoreAllMocks());

describe('The arenas of a model', () => {
  const shapes: Record<string, number[]> = { a: [40, 10], bias: [10], b: [30, 10], embedding: [100, 4], c: [7] };
  const weights = Object.entries(shapes).map(([name, shape]) => weight(name, shape));
  const rows = new Map([['embedding', 6]]);

  it('are one where everything fits in it', () => {
    const { list } = createParameters({ weights }, new Map(), room);
    expect(new Set(list.map(({ value }) => Arena.of(value))).size).toBe(1);
  });

  it('hold a weight with its gradient and its state each, and give others an arena of theirs, in the order of the model', () => {
    const groups = [4000, 4000, 640];
    const set = createParameters({ weights }, rows, { ...room, groups, arenaLimit: 7000 });
    const optimizer = createOptimizer(
      { ...adam },
      undefined,
      set.list.filter(({ name }) => name !== 'embedding'),
    );
    expect(new Set(set.list.map(({ value }) => Arena.of(value))).size).toBe(3);
    for (const { name, value, gradient } of set.list) {
      const arena = Arena.of(value);
      const own = gradient instanceof Float32Array ? [gradient] : [gradient.values, gradient.indices];
      const state = [optimizer.slots.get(`${name}/m`), optimizer.slots.get(`${name}/v`)].filter(
        (slot) => slot !== undefined,
      );
      expect([...own, ...state].every((view) => Arena.of(view) === arena)).toBe(true);
      expect(value).toEqual(weights.find((other) => other.name === name)?.variable.dataSync());
    }
    expect(set.groups.map((arena, i) => arena.float32(groups[i] / 4).length)).toEqual([1000, 1000, 160]);
    expect(
      set.groups.every((arena) => arena.memory.buffer.byteLength <= Math.ceil((7000 + 135168) / 65536) * 65536),
    ).toBe(true);
  });

  it('train to the same bits as one arena, with the norm of all gradients', () => {
    const trained = [undefined, 7000].map((arenaLimit) => {
      const { list } = createParameters({ weights }, new Map(), { ...room, ...(arenaLimit && { arenaLimit }) });
      const optimizer = createOptimizer(adam, { globalNorm: 0.5 }, list);
      for (let step = 0; step < 200; step++) {
        for (const { gradient } of list)
          if (gradient instanceof Float32Array)
            gradient.forEach((_, i) => (gradient[i] = Math.sin(i + step) * (i % 5 === 0 ? 1e-38 : 1)));
        optimizer.step(0.01);
      }
      return [...list.map(({ value }) => value), ...optimizer.slots.values()].map((values) => values.slice());
    });
    expect(trained[1]).toEqual(trained[0]);
  });
});

describe('A model that is too large', () => {
  const refused = (arenaRoom: ArenaRoom) =>
    userErrorOf(() => createParameters({ weights: [weight('fc/kernel', [1000, 300])] }, new Map(), arenaRoom));

  it('is refused with the weight, its bytes and the limit where one weight does not fit in a memory of WebAssembly', async () => {
    for (const stateBytes of [ARENA_LIMIT - 2_400_000 + 1, 2 * ARENA_LIMIT]) {
      const { message, remedy } = await refused({ stateBytes: () => stateBytes });
      expect(message).toMatch(
        /^The model is too large: the weight fc\/kernel \[1000, 300\] takes \S+ GB with its gradient and the state of the optimizer; the limit of one weight is 4\.29 GB\.$/,
      );
      expect(remedy).toMatch(/^Divide it into several weights\. .*freeze.*"sgd" without momentum\.$/);
    }
    expect(() => new Arena(ARENA_LIMIT)).not.toThrow();
    // Two pages more, and WebAssembly itself would refuse it.
    expect(() => new Arena(ARENA_LIMIT + 2 * 65536)).toThrow(/65537/);
  });

  it('is refused with what it needs and what the machine has where all of it is more than that', async () => {
    const groups = Array.from({ length: 1 + Math.ceil(os.totalmem() / 2 ** 31) }, () => 2 ** 31);
    const { message, remedy } = await refused({ stateBytes: () => 0, groups });
    expect(message).toMatch(
      /^There is not enough memory for the model: its 300,000 weights take \S+ GB with their gradients and the state of the optimizer; this machine has \S+ GB\.$/,
    );
    expect(remedy).toMatch(/^End other programs, or use a machine with more memory\. /);
  });

  it('is refused in the same words where the system does not give the memory', async () => {
    vi.spyOn(WebAssembly, 'Memory').mockImplementation(function () {
      throw new RangeError('WebAssembly.Memory(): could not allocate memory');
    });
    const { message } = await refused({ stateBytes: () => arenaBytes(1) });
    expect(message).toBe(
      'There is not enough memory for the model: its 300,000 weights take 2.40 MB with their gradients and the state of the optimizer.',
    );
  });
});
