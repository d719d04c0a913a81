/** @file What a user hears of a mistake, from the command line: exit code, standard error, and nothing on standard output. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from '../../../server/formats/safetensors.ts';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { findRun } from '../../../server/runs/findRun.ts';
import { npy } from '../../fixtures/npy.ts';
import { experiment, FEATURES, mlp, statefulLstm, workspace, type Workspace } from '../training/workspace.ts';
import { callCommandLine } from './callCommandLine.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const deeptwist = ({ folder }: Workspace, ...args: string[]) => callCommandLine(folder, args);

/** A run that does not begin: it leaves no folder behind. */
async function refused(place: Workspace, ...overrides: string[]): Promise<{ code: number; message: string }> {
  const { code, stdout, stderr } = await deeptwist(
    place,
    ...['run', 'blobs.deeptwist.jsonc', '--json', ...overrides.flatMap((override) => ['--set', override])],
  );
  expect(stdout).toBe('');
  expect(await readdir(place.folder)).not.toContain('.deeptwist');
  return {
    code,
    message: stderr
      .replaceAll(`${place.folder}/`, '')
      .replaceAll(/^\S*(?=blobs\.deeptwist)|(?<=error: )\S*(?=blobs\.deeptwist)/g, ''),
  };
}

/** A run that fails: its events, and what is on standard error. */
async function failed(place: Workspace, ...overrides: string[]): Promise<{ events: RunEvent[]; stderr: string }> {
  const { code, stdout, stderr } = await deeptwist(
    place,
    ...['run', 'blobs.deeptwist.jsonc', '--json', ...overrides.flatMap((override) => ['--set', override])],
  );
  expect(code).toBe(1);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
  return { events, stderr };
}

const prune = { method: 'prune', distortEvery: 4, layers: { fc1: { rate: 0.7 } } };

describe('an experiment file', () => {
  test.each([
    [
      'unknown layer',
      { ...prune, layers: { fc3: { rate: 0.5 } } },
      '30:7 compression.layers.fc3: matches no layer of the model\nto do: Did you mean "fc1"? The model\'s layers are: fc1, fc2.',
    ],
    [
      'glob without a match',
      { ...prune, layers: { 'conv*': { rate: 0.5 } } },
      '30:7 compression.layers.conv*: matches no layer of the model',
    ],
    [
      'rate of 1',
      { ...prune, layers: { fc1: { rate: 1 } } },
      '31:17 compression.layers.fc1.rate: expected a number in [0, 1), got 1',
    ],
    [
      'rank too large',
      { method: 'low-rank', distortEvery: 4, layers: { 'fc*': { rank: 9 } } },
      '31:17 compression.layers.fc*.rank: fc1/kernel is a [8, 16] matrix: expected at most 8, got 9',
    ],
    [
      'nine bits',
      { method: 'quantize', distortEvery: 4, layers: { fc1: { bits: 9 } } },
      '31:17 compression.layers.fc1.bits: expected an integer from 1 to 8, got 9',
    ],
    [
      'from behind to',
      { ...prune, schedule: { from: 20, to: 20 } },
      '35:15 compression.schedule.from: expected below compression.schedule.to (20), got 20',
    ],
    [
      'distortEvery of 0',
      { ...prune, distortEvery: 0 },
      '28:21 compression.distortEvery: expected a positive integer, got 0',
    ],
    [
      'distortEvery larger than the steps',
      { ...prune, distortEvery: 61 },
      '28:21 compression.distortEvery: expected at most training.steps (60), got 61',
    ],
    [
      'policy for another method',
      { method: 'quantize', policy: 'gradual-mask', distortEvery: 4, layers: { fc1: { bits: 1 } } },
      '28:15 compression.policy: "gradual-mask" works with the method prune only, got "quantize"',
    ],
  ])('is refused at the place: %s', async (_, compression, message) => {
    const place = await workspace({ compression });
    expect(await refused(place)).toEqual({
      code: 2,
      message: expect.stringContaining(`error: blobs.deeptwist.jsonc:${message}`) as string,
    });
  });

  test('is refused when it is not JSON, with a wrong type, with an unknown setting', async () => {
    const place = await workspace();
    expect(await refused(place, 'training.steps=many')).toEqual({
      code: 2,
      message: 'error: --set training.steps=many training.steps: expected a positive integer, got "many"\n',
    });
    expect((await refused(place, 'training.step=1')).message).toContain('unknown setting; did you mean "steps"?');
    await writeFile(place.file, '{ "model": ');
    expect(await refused(place)).toEqual({ code: 2, message: expect.stringContaining('not JSON') as string });
  });

  test('blames a --set for a layer that does not exist', async () => {
    const place = await workspace({ compression: prune });
    expect((await refused(place, 'compression.layers.fc9.rate=0.5')).message).toContain(
      'error: --set compression.layers.fc9.rate=0.5 compression.layers.fc9: matches no layer of the model',
    );
  });
});

describe('a model', () => {
  test.each([
    ['exports no model', 'export const createMode = 1;', 1, 'model.ts exports no model. It exports: createMode.'],
    ['does not compile', 'export const createModel = (;', 1, 'model.ts could not be loaded: '],
    [
      'throws',
      "export const createModel = () => { throw new Error('no such weights'); };",
      1,
      'createModel() of model.ts failed: no such weights (model.ts:',
    ],
    [
      'takes other inputs',
      mlp.replace(`inputShape: [${FEATURES}]`, 'inputShape: [9]'),
      2,
      'blobs.deeptwist.jsonc:2:12 model: the model does not fit the data: the input takes [9], a sample of the data is [8]',
    ],
    [
      'has an output of another rank',
      mlp.replace('] });', 'tf.layers.reshape({ targetShape: [1, 3] })] });'),
      2,
      'blobs.deeptwist.jsonc:2:12 model: the model does not fit the data: the output is [1, 3], one for each of 3 classes, and a target of the data is []',
    ],
    [
      'takes batches of another size',
      statefulLstm.replace('[10, 2', '[12, 2'),
      2,
      'training.batchSize: the model takes batches of 12, got 10',
    ],
  ])('that %s is refused', async (_, model, code, message) => {
    const refusal = await refused(await workspace({ model }));
    expect(refusal).toEqual({ code, message: expect.stringContaining(message) as string });
    expect(refusal.message).toContain('\nto do: ');
    expect(refusal.message).not.toContain('    at ');
  });

  test('that is missing is refused', async () => {
    const { code, message } = await refused(await workspace(), 'model=./other.ts');
    expect({ code, message }).toEqual({
      code: 1,
      message: expect.stringContaining('other.ts does not exist.') as string,
    });
  });

  test.each([
    [
      'loss',
      `export const loss = (targets: tf.Tensor, outputs: tf.Tensor) => tf.matMul(targets, outputs);`,
      'The loss fails on targets [10] and outputs [10, 3] of a batch: ',
    ],
    [
      'metric',
      `export const metrics = { top2: () => { throw new Error('not written yet'); } };`,
      'The metric top2 fails on targets [60] and outputs [60, 3] of a batch: not written yet',
    ],
  ])('with a %s that throws is refused before it trains', async (name, code, message) => {
    const place = await workspace({ model: mlp + code });
    const refusal = await refused(place, ...(name === 'loss' ? ['training.loss=auto'] : []));
    expect(refusal).toEqual({ code: 1, message: expect.stringContaining(message) as string });
  });

  test('without a loss is refused', async () => {
    expect(await refused(await workspace(), 'training.loss=auto')).toEqual({
      code: 2,
      message: expect.stringContaining(
        " training.loss: the model's module exports no loss, and none is set\nto do: Set training.loss to one of ",
      ) as string,
    });
  });
});

describe('data', () => {
  test('that are missing, cut short or empty are refused', async () => {
    const place = await workspace();
    expect(await refused(place, 'data.train.inputs=none.npy')).toEqual({
      code: 1,
      message: expect.stringContaining('none.npy does not exist.') as string,
    });
    const whole = npy(new Float32Array(60 * FEATURES), [60, FEATURES]);
    await place.write('test.npy', whole.subarray(0, whole.length - 4));
    expect((await refused(place)).message).toMatch(/^error: test\.npy is not usable: /);
    await place.write('test.npy', npy(new Float32Array(0), [0, FEATURES]));
    expect((await refused(place)).message).toMatch(
      /^error: test\.npy is not usable: its shape is \[0,8\]: it has no samples\.\nto do: /,
    );
  });

  test('that do not fill a batch are refused', async () => {
    expect(await refused(await workspace(), 'training.batchSize=121')).toEqual({
      code: 2,
      message:
        'error: --set training.batchSize=121 training.batchSize: there are only 120 training samples, got 121\nto do: Choose a smaller batch size.\n',
    });
  });

  test('of epochs of unknown length do not go with a schedule that counts epochs', async () => {
    const place = await workspace({ data: { type: 'module', path: './data.ts' } });
    await place.write(
      'data.ts',
      `
      const batch = { inputs: Array.from({ length: 10 }, () => Array(${FEATURES}).fill(0)), targets: Array(10).fill(0) };
      export function* train() { yield batch; }
      export function* test() { yield batch; }
    `,
    );
    const schedule = { type: 'after-epoch', epoch: 2, factor: 0.5 };
    expect(await refused(place, `training.learningRateSchedule=${JSON.stringify(schedule)}`)).toEqual({
      code: 2,
      message: expect.stringContaining(
        'training.learningRateSchedule: the length of an epoch of the data is unknown',
      ) as string,
    });
  });

  test.each(['train', 'test'])('with a label out of range fail the run: %s', async (split) => {
    const place = await workspace();
    const samples = split === 'train' ? 120 : 60;
    await place.write(`${split}-labels.npy`, npy(new Int32Array(samples).fill(3), [samples]));
    const { events, stderr } = await failed(place, 'training.checkpointEvery=5');
    const message = "data: a target has the label 3; the model's output has 3 classes, 0 to 2.";
    expect(events.at(-1)).toMatchObject({ type: 'failed', message });
    expect(stderr).toContain(`error: ${message}\nto do: Give the last layer one output for each class`);
    // A run that fails in its first step has no checkpoint to go on from.
    expect(stderr).toMatch(
      split === 'train' ? /\nThe run is in \S+\n$/ : /\nWhen that is mended, go on with: deeptwist resume \S+\n.*\n$/,
    );
    expect(await readdir(join(place.folder, '.deeptwist', 'runs'))).toHaveLength(1);
  });

  test('that are not finite are refused before training, and a warning where they are measured on', async () => {
    const place = await workspace();
    const values = new Float32Array(120 * FEATURES);
    values[5 * FEATURES + 2] = NaN;
    await place.write('nan.npy', npy(values, [120, FEATURES]));
    await place.write('nan-test.npy', npy(values.slice(0, 60 * FEATURES), [60, FEATURES]));
    expect(await refused(place, 'data.train.inputs=nan.npy')).toEqual({
      code: 1,
      message: expect.stringMatching(
        /^error: data\.train\.inputs: nan\.npy: sample 5 has NaN at \[2\]\.\nto do: /,
      ) as string,
    });
    const { events } = await place.run({ overrides: ['data.test.inputs=nan-test.npy', 'training.steps=20'] });
    const warnings = events.filter((event) => event.type === 'warning').map(({ message }) => message);
    expect(warnings).toEqual([
      'data.test.inputs: nan-test.npy: sample 5 has NaN at [2]; what is measured on this split will not be a number.',
    ]);
  });

  test('from a module that are not finite are told with the batch, once for a split', async () => {
    const place = await workspace({ data: { type: 'module', path: './data.ts' } });
    const data = (train: string, test: string) => `
      const batches = (value: number) => function* () {
        for (let b = 0; b < 4; b++) {
          const inputs = Array.from({ length: 10 }, (_, i) => Array.from({ length: ${FEATURES} }, (_, j) => Math.sin(i + j + b)));
          if (b === 2) inputs[3][4] = value;
          yield { inputs, targets: Int32Array.from({ length: 10 }, (_, i) => i % 3) };
        }
      };
      export const train = batches(${train});
      export const test = batches(${test});
    `;
    await place.write('data.ts', data('Infinity', '0'));
    const { events, stderr } = await failed(place);
    expect(events.at(-1)).toMatchObject({
      type: 'failed',
      step: 3,
      message: 'data: the loss is NaN at step 3, because of the batch: of its inputs: sample 3 has Infinity at [4].',
      remedy: expect.stringContaining('Correct the data') as string,
    });
    expect(stderr).not.toContain('checkpoints');
    expect(stderr).not.toContain('resume');
    // The data can be mended without another setting.
    expect((await failed(place, 'training.checkpointEvery=1')).stderr).toMatch(
      /When that is mended, go on with: deeptwist resume \.deeptwist\/runs\/\S+\nTo mend it by other settings, run the file again: deeptwist run blobs\.deeptwist\.jsonc --set training\.checkpointEvery=1\n$/,
    );

    await place.write('data.ts', data('0', 'NaN'));
    const { events: finished } = await place.run({ overrides: ['training.steps=12', 'training.evaluateEvery=4'] });
    const warnings = finished.filter((event) => event.type === 'warning').map(({ message }) => message);
    expect(warnings).toEqual([
      'data: of the test split, inputs: sample 23 has NaN at [4]; what is measured on it is not a number.',
    ]);
  });
});

describe('weights that are not finite', () => {
  test('are refused as a start', async () => {
    const place = await workspace();
    const { run } = await place.run({ overrides: ['training.steps=5'] });
    const file = join(run.modelFolder, 'weights.safetensors');
    const { tensors } = decodeSafetensors(new Uint8Array(await readFile(file)));
    tensors.get('fc1/kernel')!.data[7] = NaN;
    await place.write('start.safetensors', encodeSafetensors(tensors));
    const { code, stderr } = await deeptwist(place, 'run', 'blobs.deeptwist.jsonc', '--set', 'start=start.safetensors');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: --set start=start\.safetensors start: weights of .*start\.safetensors are not finite: fc1\/kernel has NaN\nto do: /,
    );
  });

  test('with which a model begins are told as such', async () => {
    const bias = "name: 'fc2', biasInitializer: tf.initializers.constant({ value: NaN }),";
    const { events } = await failed(await workspace({ model: mlp.replace("name: 'fc2',", bias) }));
    expect(events.at(-1)).toMatchObject({
      type: 'failed',
      message: 'model: the loss is NaN at step 1, because a weight of fc2/bias is not finite from the beginning.',
    });
  });
});

describe('a training that diverges', () => {
  const failure = (events: readonly RunEvent[]) => events.find((event) => event.type === 'failed');
  const schedule = (every: number) => ({
    ...experiment.training,
    optimizer: { type: 'sgd', learningRate: 0.1 },
    learningRateSchedule: { type: 'step', every, factor: 1e45 },
  });

  test('stops at the step, with the last good checkpoint and likely remedies', async () => {
    const place = await workspace({ training: schedule(30) });
    const { events, stderr: told } = await failed(place);
    const { step, message, remedy, fault } = failure(events)!;
    expect(fault).toBe('divergence');
    expect(step).toBeGreaterThan(30);
    expect(step).toBeLessThan(36);
    expect(message).toMatch(
      new RegExp(`^Training diverged at step ${step}: the loss is NaN\\. Earlier checkpoints are intact\\.$`),
    );
    expect(remedy).toMatch(/^Lower training\.optimizer\.learningRate, clip the gradient/);
    // A run keeps its settings: gone on with, it diverges again, whatever the file has by then.
    await place.write('blobs.deeptwist.jsonc', (await readFile(place.file, 'utf8')).replace('1e+45', '1'));
    const { code, stdout, stderr } = await deeptwist(place, 'resume', 'last', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout.split('\n')[0])).toMatchObject({ type: 'started', resumedFrom: 20 });
    for (const text of [told, stderr]) {
      expect(text).toMatch(
        /When its settings are mended, run the file again: deeptwist run blobs\.deeptwist\.jsonc\n$/,
      );
      expect(text).not.toContain('deeptwist resume');
    }
    expect(await place.run()).toMatchObject({ state: 'finished' });
    await rm((await findRun('last', place.folder)).path, { recursive: true });
    expect(await deeptwist(place, 'evaluate', 'last')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has no final model: it is failed') as string,
    });
  });

  test('before its first checkpoint tells of none', async () => {
    const { events, stderr } = await failed(await workspace({ training: schedule(5) }));
    expect(failure(events)?.message).toMatch(/^Training diverged at step \d+: the loss is NaN\.$/);
    expect(stderr).not.toContain('resume');
  });

  test('in its last step leaves no final model', async () => {
    const place = await workspace({ training: schedule(59) });
    const { events } = await failed(place);
    expect(failure(events)).toMatchObject({
      step: 60,
      message: expect.stringMatching(/at step 60: a weight of fc\d\/\w+ is not finite/) as string,
    });
    expect(await deeptwist(place, 'evaluate', 'last')).toMatchObject({ code: 1 });
  });

  test('is told of where singular values are to be observed', async () => {
    const compression = { method: 'low-rank', distortEvery: 1, layers: { fc1: { rank: 2 } } };
    const { events } = await failed(await workspace({ training: schedule(30), compression, observe: { every: 1 } }));
    expect(failure(events)).toMatchObject({
      step: 31,
      message: expect.stringMatching(/^Training diverged at step 31: a weight/) as string,
    });
  });

  test('by its gradient is told of where the gradient is clipped', async () => {
    const training = { ...schedule(30), clip: { globalNorm: 1e38 } };
    const { events } = await failed(await workspace({ training }));
    expect(failure(events)?.message).toMatch(/^Training diverged at step 3\d: /);
  });
});

test('a run folder of a newer version is refused', async () => {
  const place = await workspace();
  const { run } = await place.run({ stopAfter: 5 });
  await writeFile(join(run.path, 'run.json'), JSON.stringify({ ...run.record, format: 2 }));
  expect(await deeptwist(place, 'resume', run.id)).toEqual({
    code: 1,
    stdout: '',
    stderr: `error: ${run.path} was written by a newer DeepTwist: its format is 2, this version reads up to 1.\nto do: Update DeepTwist.\n`,
  });
});

test('a run that another process trains is not resumed', async () => {
  const place = await workspace();
  const { run } = await place.run({ stopAfter: 5 });
  await writeFile(run.lockFile, JSON.stringify({ pid: 1, host: 'elsewhere' }));
  const { code, stdout, stderr } = await deeptwist(place, 'resume', run.id, '--json');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^error: The run .* is in use by process 1 on elsewhere\.\nto do: If that machine no longer runs it, delete /,
  );
});

describe('a folder that cannot be written', () => {
  test.each([
    ['.deeptwist', []],
    ['results', ['--out', 'results']],
  ])('is told of where a file is in the way: %s', async (name, args) => {
    const place = await workspace();
    await place.write(name, '');
    const { code, stdout, stderr } = await deeptwist(place, 'run', 'blobs.deeptwist.jsonc', ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: \S+ cannot be written: .*\.\nto do: Rename that file, .* --out DIR` .*\n$/);
  });

  test('does not keep describe from printing', async () => {
    const place = await workspace();
    await place.write('.deeptwist', '');
    const { code, stdout, stderr } = await deeptwist(place, 'describe', 'blobs.deeptwist.jsonc');
    expect(code).toBe(0);
    expect(stdout).toMatch(/fc1\/kernel .*\n[^]*195 weights in all\n$/);
    expect(stderr).toMatch(/^warning: not kept for the editor: \S+ cannot be written: a part of its path is a file/);
  });
});
