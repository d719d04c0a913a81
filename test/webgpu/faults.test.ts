/** @file A graphics processor that fails in a run, or is too small for it: what the user is told, and that nothing is lost. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ort } from '../../server/formats/onnxRuntime.ts';
import { eventsOf, finalWeights, resume, workspace } from '../unit/training/workspace.ts';
import { userErrorOf } from '../unit/userErrorOf.ts';
import { missingAdapter } from './adapter.ts';

const missing = await missingAdapter();

/** 1.3 GB for an evaluation of 60 samples: more than a buffer of the software Vulkan can have. */
const wide = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ name: 'fc1', units: 8, inputShape: [8] }),
    tf.layers.repeatVector({ name: 'repeated', n: 700_000 }),
    tf.layers.globalMaxPooling1d({}),
    tf.layers.dense({ name: 'fc2', units: 3, activation: 'softmax' }),
  ] });
`;

afterEach(() => vi.restoreAllMocks());

/** From the call of this number on, every run of a session fails, as it does after a device has gone. */
function failFrom(count: number, message: string): void {
  const prototype = (
    ort.InferenceSession as unknown as { prototype: { run: (...args: unknown[]) => Promise<unknown> } }
  ).prototype;
  const original = prototype.run;
  let runs = 0;
  vi.spyOn(prototype, 'run').mockImplementation(async function (this: unknown, ...args) {
    if (++runs >= count) throw new Error(message);
    return original.apply(this, args);
  });
}

describe.skipIf(missing)(missing ?? 'a graphics processor', () => {
  test.each([
    [
      '[Device] is lost.\n - While calling [Device].CreateBuffer()',
      /^The graphics processor was lost: /,
      /^Resume the run: /,
    ],
    [
      'WebGPU validation failed. Buffer size (1200000000) exceeds the max buffer size limit (1073741824).\n',
      /^The training step does not fit into the memory .* \(1200000000\) exceeds the max buffer size limit \(1073741824\)/,
      /^Use a smaller batchSize or model, or set training\.device to "cpu"\.$/,
    ],
  ])(
    'that fails in a run with %j is told of, and the run goes on from its checkpoint to the same bits',
    async (message, told, remedy) => {
      const { run } = await workspace();
      const overrides = ['training.device=webgpu', 'training.steps=30'];
      const uninterrupted = await run({ overrides });
      failFrom(60, message);
      const failed = await run({ overrides });
      vi.restoreAllMocks();
      expect(failed.state).toBe('failed');
      const [failure] = eventsOf(failed.events, 'failed');
      expect(failure.step).toBeGreaterThan(20);
      expect(failure.message).toMatch(told);
      expect(failure.remedy).toMatch(remedy);
      const resumed = await resume(failed.run);
      expect(resumed.state).toBe('finished');
      expect(resumed.events[0]).toMatchObject({ type: 'started', resumedFrom: 20, computedOn: 'webgpu' });
      expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
    },
  );

  test('whose limits a step exceeds is told of before the run begins, with the bytes and the limit', async () => {
    const { run } = await workspace({ model: wide });
    const error = await userErrorOf(() => run({ overrides: ['training.device=webgpu'] }));
    expect(error.message).toMatch(
      /training\.device.* the training step does not fit into the memory of the graphics processor \(.+\)\. The largest tensor of an evaluation of 60 samples takes 1\.34 GB, of the layer 'repeated'/,
    );
    expect(error.remedy).toMatch(/^Use a smaller batchSize or model, or set training\.device to "cpu"\.$/);
  });
});
