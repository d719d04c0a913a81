/** @file Whole runs with training.device "webgpu": what happens between steps reads and changes weights that are on the device. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { missingAdapter } from './adapter.ts';
import {
  eventsOf,
  experiment,
  finalWeights,
  mlp,
  resume,
  workspace,
  type RecordedRun,
} from '../unit/training/workspace.ts';

const missing = await missingAdapter();

/** Both devices round, and distortions are thresholds: a weight that is near one may fall on either side. */
const TOLERANCE = 1e-3;

const ON_DEVICE = 'training.device=webgpu';
/** Its moving averages are changed by the step and not by the optimizer. */
const normalized = mlp.replace('tf.layers.dropout({ rate: 0.2 })', "tf.layers.batchNormalization({ name: 'norm' })");
const FROM_LOGITS = 'sparse-categorical-crossentropy-from-logits';
const logits = mlp.replace(", activation: 'softmax'", '');
const training = (changes: object) => ({ training: { ...experiment.training, ...changes } });
const prune = { method: 'prune', distortEvery: 4, layers: { fc1: { rate: 0.7 } }, schedule: { from: 10, to: 40 } };

function expectSameWeights(actual: RecordedRun, expected: RecordedRun, tolerance: number): void {
  const [weights, others] = [finalWeights(actual.run), finalWeights(expected.run)];
  expect([...weights.keys()]).toEqual([...others.keys()]);
  for (const [name, values] of weights)
    for (const [i, value] of others.get(name)!.entries())
      expect(Math.abs(values[i] - value), `${name}[${i}]`).toBeLessThanOrEqual(tolerance);
}

const started = ({ events }: RecordedRun) => eventsOf(events, 'started')[0];
const warnings = ({ events }: RecordedRun) => eventsOf(events, 'warning').map(({ message }) => message);

describe.skipIf(missing)(missing ?? 'a run on the graphics processor', () => {
  test.each([
    [
      'with moving averages, clipped gradients and momentum, the best model kept',
      {
        model: normalized,
        data: { ...experiment.data, validation: experiment.data.test },
        // Adam divides the gradient of a bias before a normalization, which is 0 but for rounding, by its own size.
        ...training({
          ...{ keepBest: true, evaluateEvery: 7, clip: { globalNorm: 0.5, value: 0.1 } },
          optimizer: { type: 'sgd', learningRate: 0.05, momentum: 0.9 },
        }),
      },
      true,
    ],
    [
      'that quantizes, observed at every distortion',
      {
        compression: { method: 'quantize', distortEvery: 5, layers: { 'fc*': { bits: 4 } } },
        observe: { every: 1 },
      },
      true,
    ],
    ['whose policy acts at every step', { compression: { ...prune, policy: 'gradual-mask' } }, false],
  ])('%s ends with the weights of the processor', async (_, changes, staysThere) => {
    const { run } = await workspace(changes);
    const onDevice = await run({ overrides: [ON_DEVICE] });
    expect(onDevice.state).toBe('finished');
    expect(started(onDevice)).toMatchObject({
      computedOn: 'webgpu',
      executor: `ONNX Runtime on the graphics processor (WebGPU), ${staysThere ? 'weights stay there' : 'weights and optimizer on the processor'}`,
    });
    expectSameWeights(onDevice, await run(), TOLERANCE);
  });

  test('learns from a teacher, whose weights are on the device, too', async () => {
    const { file, write, run } = await workspace({ model: logits });
    const inFile = { ...experiment, training: { ...experiment.training, loss: FROM_LOGITS } };
    await write('teacher.deeptwist.jsonc', JSON.stringify(inFile));
    await run({ of: join(dirname(file), 'teacher.deeptwist.jsonc') });
    const overrides = [
      `training.loss=${FROM_LOGITS}`,
      'distillation={ "teacher": "run:teacher" }',
      'training.steps=20',
    ];
    const student = await run({ overrides: [...overrides, ON_DEVICE] });
    expect(started(student)).toMatchObject({
      computedOn: 'webgpu',
      executor: expect.stringMatching(/weights stay there$/),
    });
    expectSameWeights(student, await run({ overrides }), TOLERANCE);
  });

  test('that is stopped and resumed ends as if it had not been, to the bit', async () => {
    const { run } = await workspace({ model: normalized, compression: prune });
    const whole = await run({ overrides: [ON_DEVICE] });
    const stopped = await run({ overrides: [ON_DEVICE], stopAfter: 17 });
    expect(stopped.state).toBe('stopped');
    const resumed = await resume(stopped.run);
    expect(resumed.state).toBe('finished');
    expect(warnings(resumed)).toEqual([]);
    expectSameWeights(resumed, whole, 0);
  });
});

describe.skipIf(missing)(missing ?? 'a checkpoint', () => {
  test('of the processor goes on on the graphics processor, with a warning', async () => {
    const { run } = await workspace({ compression: prune });
    const whole = await run();
    const stopped = await run({ stopAfter: 17 });
    const text = await readFile(stopped.run.experimentFile, 'utf8');
    await writeFile(stopped.run.experimentFile, text.replace('"steps"', '"device": "webgpu", "steps"'));
    const resumed = await resume(stopped.run);
    expect(started(resumed).computedOn).toBe('webgpu');
    expect(warnings(resumed)).toEqual([
      expect.stringMatching(
        /^training\.device: the processor did the steps until 17, the graphics processor does those that follow\. /,
      ),
    ]);
    expectSameWeights(resumed, whole, TOLERANCE);
  });
});

describe.skipIf(missing)(missing ?? 'the device "auto"', () => {
  test('takes the faster one, which a small model has in the processor, and says so', async () => {
    const { run } = await workspace();
    const chosen = await run({ overrides: ['training.device=auto'] });
    expect(started(chosen)).toMatchObject({ computedOn: 'cpu' });
    expect(warnings(chosen)).toEqual([
      expect.stringMatching(
        /^training\.device: the processor trains, because it is faster for this model: .* ms, on the graphics processor .* ms\.$/,
      ),
    ]);
    expectSameWeights(chosen, await run(), 0);
    const stopped = await run({ overrides: ['training.device=auto'], stopAfter: 17 });
    const resumed = await resume(stopped.run);
    expect(warnings(resumed), 'nothing is measured again').toEqual([]);
    expectSameWeights(resumed, chosen, 0);
  });
});
