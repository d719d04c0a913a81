/** @file Runs that learn from a teacher: what can be one, what cannot, and that a resumed run ends as if it had not stopped. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type Safetensor } from '../../../server/formats/safetensors.ts';
import { loadModel } from '../../../server/models/loadModel.ts';
import { modelWeights } from '../../../server/models/modelWeights.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { evaluateRun, trainRun } from '../../../server/training/index.ts';
import { exported } from '../export/finishedRun.ts';
import { userErrorOf } from '../userErrorOf.ts';
import {
  eventsOf,
  experiment,
  FEATURES,
  finalWeights,
  mlp,
  recordedEvents,
  resume,
  statefulLstm,
  weightsFile,
  workspace,
  type RecordedRun,
  type Workspace,
} from './workspace.ts';

/** Another model than the student's {@link mlp}, with logits in the place of its probabilities. */
const teacherModule = ({ classes = 3, features = FEATURES, activation = 'linear' } = {}) => `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ name: 'fc1', units: 24, activation: 'relu', inputShape: [${features}] }),
    tf.layers.batchNormalization({ name: 'norm' }),
    tf.layers.dropout({ rate: 0.5 }),
    tf.layers.dense({ name: 'fc2', units: ${classes}, activation: '${activation}' }),
  ] });`;

interface Classroom extends Workspace {
  /** Trains the teacher, of the experiment `teacher` in the same folder. */
  teach(options?: Parameters<Workspace['run']>[0]): Promise<RecordedRun>;
}

async function classroom(
  changes: Parameters<typeof workspace>[0] = {},
  teacher = teacherModule(),
  teacherTraining: object = {},
): Promise<Classroom> {
  const made = await workspace(changes);
  const loss = 'sparse-categorical-crossentropy-from-logits';
  const training = { ...experiment.training, loss, ...teacherTraining };
  await made.write('teacher.ts', teacher);
  await made.write('teacher.deeptwist.jsonc', JSON.stringify({ ...experiment, model: './teacher.ts', training }));
  const of = join(made.folder, 'teacher.deeptwist.jsonc');
  return { ...made, teach: (options) => made.run({ of, ...options }) };
}

const learning = (settings: Record<string, unknown> = {}) => [
  `distillation=${JSON.stringify({ teacher: 'run:teacher', ...settings })}`,
];

const remember = ({ name, teacher }: Run['record']) => ({ name, teacher });

describe('a student', () => {
  test.each(['compiled', 'eager'])('learns from a run, and records both parts of its loss, %s', async (executor) => {
    const { run, teach } = await classroom();
    const { run: teacher } = await teach();
    const before = finalWeights(teacher);
    const overrides = [...learning({ ask: 'when-wrong' }), `training.executor=${executor}`, 'training.steps=20'];
    const { run: student, events, state } = await run({ overrides });
    expect(state).toBe('finished');
    for (const { loss, losses, shares } of eventsOf(events, 'metrics')) {
      expect(Object.keys(losses!)).toEqual(['labels', 'distillation']);
      expect(losses!.labels + losses!.distillation).toBeCloseTo(loss, 5); // Rounded to float32.
      expect(shares!.asked * 10).toBeCloseTo(Math.round(shares!.asked * 10), 5); // The share is one of ten samples.
    }
    expect(finalWeights(teacher)).toEqual(before);
    expect([...finalWeights(student).keys()]).toEqual(['fc1/kernel', 'fc1/bias', 'fc2/kernel', 'fc2/bias']);
    expect(remember(student.record)).toEqual({ name: 'blobs', teacher: `.deeptwist/runs/${teacher.id}` });
  });

  test('learns: with nothing but a teacher it becomes as good as one with labels', async () => {
    const { run, teach } = await classroom();
    await teach();
    const { events } = await run({ overrides: [...learning({ weight: 1 }), 'training.steps=200'] });
    expect(eventsOf(events, 'finished')[0].summary.test).toBeGreaterThan(0.9);
    expect(eventsOf(events, 'metrics').at(-1)!.losses!.labels).toBe(0);
  });

  test('is evaluated by its loss on the labels, without its teacher, which may be gone', async () => {
    const { run, teach } = await classroom();
    const { run: teacher } = await teach();
    const { run: student, events } = await run({ overrides: learning() });
    await rm(teacher.path, { recursive: true });
    const { loss, value } = eventsOf(events, 'evaluation').at(-1)!;
    const evaluation = await evaluateRun({ run: student });
    expect(evaluation.loss).toBeCloseTo(loss, 6); // The executor is another one, without a teacher.
    expect(evaluation.value).toBe(value);
  });

  test('learns from a teacher with a state, which needs batches of the same size', async () => {
    const { run, teach } = await classroom({ model: statefulLstm }, statefulLstm.replace('units: 8', 'units: 12'), {
      loss: 'sparse-categorical-crossentropy',
    });
    await teach();
    const overrides = learning();
    expect((await run({ overrides })).state).toBe('finished');
    const whole = await run({ overrides });
    const stopped = await run({ overrides, stopAfter: 29 });
    expect(finalWeights((await resume(stopped.run)).run)).toEqual(finalWeights(whole.run));
  });
});

describe('a teacher is', () => {
  const partsOf = ({ events }: RecordedRun) => eventsOf(events, 'metrics').map(({ losses }) => losses);

  test('a compressed run as well', async () => {
    const { run, teach } = await classroom();
    const compression = { method: 'prune', distortEvery: 5, layers: { fc1: { rate: 0.5 } } };
    const overrides = [`compression=${JSON.stringify(compression)}`, 'training.keep="compressed"'];
    const { run: teacher } = await teach({ overrides });
    expect(existsSync(weightsFile(teacher))).toBe(false);
    expect((await run({ overrides: learning() })).state).toBe('finished');
  });

  test('the same from a run, its exported files, and its module with its weights', async () => {
    const { run, teach, folder } = await classroom();
    const { run: teacher } = await teach();
    await exported(teacher, folder, { format: 'packed', path: join(folder, 'packed.safetensors') });
    await exported(teacher, folder, { format: 'tfjs', path: join(folder, 'web') });
    const fromRun = partsOf(await run({ overrides: learning() }));
    for (const named of [
      `run:${teacher.id}`,
      './packed.safetensors',
      './web/model.json',
      { model: './teacher.ts', weights: 'run:teacher' },
      { model: './teacher.ts', weights: weightsFile(teacher) },
    ])
      expect([named, partsOf(await run({ overrides: learning({ teacher: named }) }))]).toEqual([named, fromRun]);
  });

  test('the student itself, as it was after an earlier run', async () => {
    const { run } = await classroom();
    await run();
    expect((await run({ overrides: learning({ teacher: 'run:blobs' }) })).state).toBe('finished');
  });

  test('of images where the student takes vectors of as many pixels', async () => {
    const image = teacherModule().replace(
      'tf.layers.dense({',
      `tf.layers.reshape({ targetShape: [${FEATURES}], inputShape: [2, ${FEATURES / 4}, 2] }), tf.layers.dense({`,
    );
    const { run, teach } = await classroom({}, image.replace(`, inputShape: [${FEATURES}]`, ''));
    await teach();
    expect((await run({ overrides: learning() })).state).toBe('finished');
  });
});

describe('a run with a teacher that is stopped and resumed ends as if it had not been', () => {
  const prune = { method: 'prune', distortEvery: 4, layers: { fc1: { rate: 0.7 } } };
  const withPolicy = (policy: string) => [`compression=${JSON.stringify({ ...prune, policy })}`];

  test.each<[string, Record<string, unknown>, string[]]>([
    ['without a compression', {}, []],
    ['asking by chance', { ask: 'by-entropy' }, []],
    ['asking when it is not sure, as published', { ask: { entropyAbove: 1 }, reduction: 'as-published' }, []],
    ['deeptwist', {}, withPolicy('deeptwist')],
    ['gradual-mask', {}, withPolicy('gradual-mask')],
    ['one-shot', {}, withPolicy('one-shot')],
    ['straight-through', {}, withPolicy('straight-through')],
    [
      'quantization',
      {},
      [`compression=${JSON.stringify({ method: 'quantize', distortEvery: 5, layers: { 'fc*': { bits: 2 } } })}`],
    ],
    [
      'factors',
      {},
      [
        `compression=${JSON.stringify({ method: 'low-rank', policy: 'factors', distortEvery: 5, layers: { fc1: { rank: 3 } } })}`,
      ],
    ],
    ['the eager executor', { ask: 'by-entropy' }, ['training.executor=eager', 'training.steps=40']],
  ])('%s', async (_, settings, more) => {
    const { run, teach } = await classroom();
    await teach({ overrides: ['training.steps=20'] });
    const overrides = [...learning(settings), ...more];
    const uninterrupted = await run({ overrides });
    const stopped = await run({ overrides, stopAfter: 29 });
    const { run: resumed, state } = await resume(stopped.run);
    expect(state).toBe('finished');
    expect(finalWeights(resumed)).toEqual(finalWeights(uninterrupted.run));
    const metrics = (events: Parameters<typeof eventsOf>[0]) =>
      eventsOf(events, 'metrics').map(({ step, loss, losses, shares }) => ({ step, loss, losses, shares }));
    expect(metrics(await recordedEvents(resumed))).toEqual(metrics(uninterrupted.events));
  });

  test('also where the teacher was trained again meanwhile', async () => {
    const { run, teach } = await classroom();
    const { run: first } = await teach();
    const overrides = learning();
    const uninterrupted = await run({ overrides });
    const stopped = await run({ overrides, stopAfter: 29 });
    const { run: second } = await teach({ overrides: ['training.seed=9'] });
    expect(finalWeights(second)).not.toEqual(finalWeights(first));
    expect(finalWeights((await resume(stopped.run)).run)).toEqual(finalWeights(uninterrupted.run));
    // A new run has the new one.
    expect((await run({ overrides })).run.record.teacher).toBe(`.deeptwist/runs/${second.id}`);
  });

  test('and is not resumed with another teacher than it began with', async () => {
    const { run, teach, folder } = await classroom();
    const { run: teacher } = await teach();
    const { run: stopped } = await run({ overrides: learning(), stopAfter: 29 });
    const copy = join(stopped.sourceFolder, '.deeptwist', 'runs', teacher.id, 'model', 'weights.safetensors');
    expect(readFileSync(copy)).toEqual(readFileSync(weightsFile(teacher)));

    const other = `${teacher.path}-moved`;
    await rename(teacher.path, other);
    const gone = await userErrorOf(() => resume(stopped));
    expect(gone.message).toContain(
      `distillation.teacher: the run began with the teacher .deeptwist/runs/${teacher.id}, which is gone`,
    );
    expect(gone.remedy).toContain(stopped.sourceFolder);

    await rename(other, teacher.path);
    const { tensors } = decodeSafetensors(readFileSync(weightsFile(teacher)));
    (tensors.get('fc2/bias')!.data as Float32Array)[0] += 1;
    const changed = join('.deeptwist', 'runs', teacher.id, 'model', 'weights.safetensors');
    writeFileSync(join(folder, changed), encodeSafetensors(tensors));
    const error = await userErrorOf(() => resume(stopped));
    expect(error.message).toBe(`${join(folder, changed)} has changed since the run ${stopped.id} was made from it.`);
    expect((await openRun(stopped.path)).record.state).toBe('stopped');
    // A user may want just that.
    expect((await resume(stopped, undefined, true)).state).toBe('finished');
  });
});

/** Writes a model and its initial weights, to be named as a teacher. */
async function untrained({ write, folder }: Workspace, module: string) {
  await write('other.ts', module);
  const { model } = await loadModel('./other.ts', { baseDirectory: folder, seed: 1 });
  const tensors = modelWeights(model).map(({ name, shape, variable }): [string, Safetensor] => [
    name,
    { dtype: 'F32', shape, data: variable.dataSync<'float32'>() },
  ]);
  await write('other.safetensors', encodeSafetensors(new Map(tensors)));
  return { model: './other.ts', weights: './other.safetensors' };
}

describe('is refused before training, at its setting:', () => {
  const refused = async ({ run }: Workspace, settings: Record<string, unknown>, ...more: string[]) =>
    userErrorOf(() => run({ overrides: [...learning(settings), ...more] }));

  test('a teacher that is not there', async () => {
    const made = await classroom();
    const run = await refused(made, {});
    expect(run.message).toMatch(/^--set distillation=.* distillation\.teacher: There is no run 'teacher' in /);
    expect(run.exitCode).toBe(2);
    const file = await refused(made, { teacher: './none.safetensors' });
    expect(file.message).toContain(` distillation.teacher: ${join(made.folder, 'none.safetensors')} does not exist`);
    const module = await refused(made, { teacher: { model: './none.ts', weights: './none.safetensors' } });
    expect(module.message).toMatch(/ distillation\.teacher\.model: .*none\.ts/);
    const weights = await refused(made, { teacher: { model: './teacher.ts', weights: './none.safetensors' } });
    expect(weights.message).toMatch(/ distillation\.teacher\.weights: .*none\.safetensors does not exist/);
    const builtin = await refused(made, { teacher: { model: 'builtin:lenet-4', weights: './none.safetensors' } });
    expect(builtin.message).toContain(" distillation.teacher.model: there is no built-in model 'lenet-4'");
  });

  test('a teacher that has not been trained to its end', async () => {
    const made = await classroom();
    const { run } = await made.teach({ stopAfter: 5 });
    const error = await refused(made, {});
    expect(error.message).toContain(` distillation.teacher: the run ${run.id} has no final model: it is stopped`);
    expect(error.remedy).toBe(`Finish it with \`deeptwist resume ${run.id}\`.`);
  });

  test('a teacher that is the run itself', async () => {
    const made = await classroom({ distillation: { teacher: 'run:blobs' } });
    const queued = await createRun({ experiment: made.file, text: readFileSync(made.file, 'utf8'), state: 'queued' });
    const { signal } = new AbortController();
    const end = await trainRun({ run: queued, resume: false, onEvent: () => undefined, signal });
    const message = expect.stringContaining(
      ' distillation.teacher: it names this run itself, which has no final model yet',
    ) as string;
    expect(end).toMatchObject({ state: 'failed', failure: { message } });
  });

  test('a teacher whose module is not what it was trained with', async () => {
    const made = await classroom();
    const { run } = await made.teach();
    await made.write('teacher.ts', teacherModule().replace("'relu'", "'tanh'"));
    const error = await refused(made, {});
    expect(error.message).toContain(
      ` distillation.teacher: the run ${run.id} was not made from ${join(made.folder, 'teacher.ts')} as it is now`,
    );
    expect(error.remedy).toContain(run.sourceFolder);
  });

  test('a teacher that has diverged', async () => {
    const made = await workspace();
    const teacher = await untrained(made, teacherModule());
    const file = join(made.folder, 'other.safetensors');
    const { tensors } = decodeSafetensors(readFileSync(file));
    (tensors.get('norm/moving_variance')!.data as Float32Array)[3] = NaN;
    writeFileSync(file, encodeSafetensors(tensors));
    expect((await refused(made, { teacher })).message).toContain(
      ` distillation.teacher.weights: weights of ${file} are not finite: norm/moving_variance has NaN`,
    );
  });

  test.each<[string, string, string]>([
    ['other classes', teacherModule({ classes: 5 }), 'it has 5 classes, the model 3'],
    [
      'other samples',
      teacherModule({ features: 6 }),
      'the teacher does not fit the data: the input takes [6], a sample of the data is [8]',
    ],
    [
      'one sigmoid for each class',
      teacherModule({ activation: 'sigmoid' }),
      'the teacher does not fit the data: it has not one output of logits or of probabilities, one for each class',
    ],
    [
      'batches of another size',
      statefulLstm.replace('[10, 2', '[20, 2'),
      'the teacher does not fit the data: it takes batches of 20, and training.batchSize is 10',
    ],
    [
      'sequences where the model makes none',
      statefulLstm.replace('units: 8,', 'units: 8, returnSequences: true,'),
      "its output is [2, 3], the model's is [3]",
    ],
  ])('a teacher of %s', async (_, module, reason) => {
    const made = await workspace();
    const teacher = await untrained(made, module);
    expect((await refused(made, { teacher })).message).toContain(` distillation.teacher: ${reason}`);
  });

  test.each<[string, { model?: string; training?: object }, Record<string, unknown>, string]>([
    [
      'a loss of the model that is not of classes',
      {
        model: `import { losses } from './losses.ts'; ${mlp.replace("'softmax'", "'sigmoid'")}
          export const loss = losses.squared;`,
      },
      {},
      "distillation: it is for classes, one of which a sample belongs to, and the model's output [3] is neither logits nor a softmax",
    ],
    [
      'a loss of the model, of which some samples do not ask',
      { model: `import { losses } from './losses.ts'; ${mlp} export const loss = losses.squared;` },
      { ask: 'when-wrong' },
      "distillation.ask: the samples that do not ask need a loss of their own each, and the one of the model's module is of the batch",
    ],
    [
      'a cut-off that no entropy is above',
      { training: { loss: 'sparse-categorical-crossentropy' } },
      { ask: { entropyAbove: 1.6 } },
      'distillation.ask.entropyAbove: no sample would ask: the entropy over 3 classes is at most 1.585 bits',
    ],
  ])('%s', async (_, { model = mlp, training }, settings, reason) => {
    const made = await workspace({ model, training: { ...experiment.training, loss: 'auto', ...training } });
    await made.write(
      'losses.ts',
      `import * as tf from '@tensorflow/tfjs';
       export const losses = { squared: (y, z) => tf.mean(tf.square(tf.sub(tf.oneHot(tf.cast(y, 'int32'), 3), z))) };`,
    );
    const teacher = await untrained(made, teacherModule());
    expect((await refused(made, { teacher, ...settings })).message).toContain(` ${reason}`);
  });
});

test('a teacher whose outputs overflow is told of when the first step finds out', async () => {
  const made = await workspace();
  const teacher = await untrained(made, teacherModule());
  const file = join(made.folder, 'other.safetensors');
  const { tensors } = decodeSafetensors(readFileSync(file));
  (tensors.get('fc2/kernel')!.data as Float32Array).fill(3e38);
  writeFileSync(file, encodeSafetensors(tensors));
  const { events, state } = await made.run({ overrides: learning({ teacher }) });
  expect(state).toBe('failed');
  expect(eventsOf(events, 'failed')[0].message).toBe(
    "distillation.teacher: the loss is NaN at step 1, because the teacher's outputs are not finite.",
  );
});

test('a loss of your own is the part on the labels where all samples ask', async () => {
  const made = await workspace({
    model: `${mlp} export const loss = (y, z) => tf.mean(tf.square(tf.sub(tf.oneHot(tf.cast(y, 'int32'), 3), z)));`,
    training: { ...experiment.training, loss: 'auto', steps: 5 },
  });
  const teacher = await untrained(made, teacherModule());
  const { events } = await made.run({ overrides: learning({ teacher }) });
  expect(Object.keys(eventsOf(events, 'metrics')[0].losses!)).toEqual(['labels', 'distillation']);
});
