/** @file A machine without enough memory for a step: what the user is told, and that nothing is lost. */
import { afterEach, expect, test, vi } from 'vitest';
import { outOfMemory } from '../../../server/compiler/outOfMemory.ts';
import { BoundSession } from '../../../server/compiler/session.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, finalWeights, resume, workspace } from './workspace.ts';

/** A sample becomes more numbers than any machine can address. */
const boundless = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ name: 'fc1', units: 8, inputShape: [8] }),
    tf.layers.repeatVector({ name: 'repeated', n: 1e12 }),
    tf.layers.globalAveragePooling1d({}),
    tf.layers.dense({ name: 'fc2', units: 3, activation: 'softmax' }),
  ] });
`;
/** As ONNX Runtime 1.30 says it, of a node of ours. */
const REFUSED =
  "Non-zero status code returned while running MatMul node. Name:'12|MatMul|fc1|' Status Message: bfc_arena.cc:360 void* " +
  'onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 400000000000';
const REMEDY = /^Lower training\.batchSize: with training\.accumulate, several batches make one step\. /;

afterEach(() => vi.restoreAllMocks());

test('a step that fits in no memory is refused before the run begins', async () => {
  const { run } = await workspace({ model: boundless });
  const error = await userErrorOf(() => run());
  expect(error.message).toMatch(
    /^There is not enough memory for training steps of 10 and evaluations of 60 samples: 320 TB were asked for at once in the layer 'global_average.*'; this machine has \S+ GB in all\.$/,
  );
  expect(error.remedy).toMatch(REMEDY);
});

test('a run that memory fails in the middle tells the number, keeps its checkpoint and goes on to the same bits', async () => {
  const { run } = await workspace();
  const uninterrupted = await run();
  let sessions = 0;
  const original = BoundSession.prototype.run;
  vi.spyOn(BoundSession.prototype, 'run').mockImplementation(async function (this: BoundSession) {
    if (++sessions > 33) throw new Error(REFUSED);
    return original.call(this);
  });
  const failed = await run();
  vi.restoreAllMocks();
  expect(failed.state).toBe('failed');
  const [{ step, message, remedy }] = eventsOf(failed.events, 'failed');
  expect(step).toBeGreaterThan(20);
  expect(message).toMatch(
    /^There is not enough memory for (a training step of 10|an evaluation of \d+) samples: 400 GB were asked for at once in the layer 'fc1'; this machine has \S+ GB in all\.$/,
  );
  expect(remedy).toMatch(REMEDY);
  const resumed = await resume(failed.run);
  expect(resumed.events[0]).toMatchObject({ type: 'started', resumedFrom: 20 });
  expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
});

test.each([
  [new Error(REFUSED), ': 400 GB were asked for at once in the layer'],
  [new RangeError('Invalid typed array length: 8589934592'), ': 34.4 GB were asked for at once;'],
  [new RangeError('Array buffer allocation failed'), ': more was asked for than there is;'],
  [new Error('std::bad_alloc'), ': more was asked for than there is;'],
])('%s is told as what it is', (error, told) => {
  expect(outOfMemory(error, 'a step')?.message).toContain(`There is not enough memory for a step${told}`);
});

test.each([
  new RangeError('Invalid typed array length: -1'),
  new RangeError('Invalid typed array length: 5'),
  new Error('Invalid typed array length: 8589934592'),
  new TypeError('x is not a function'),
  'a text',
])('%s is another error', (error) => {
  expect(outOfMemory(error, 'a step')).toBeUndefined();
});
