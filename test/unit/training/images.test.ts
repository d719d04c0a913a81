/** @file Runs on folders of images: what they learn, keep, and refuse to go on with. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeExperiment } from '../../../server/training/index.ts';
import { pngOf } from '../formats/images/pngFile.ts';
import { writeFiles } from '../data/images/imageFolders.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, finalWeights, resume, workspace, type Workspace } from './workspace.ts';

/** Bright above, bright below, and bright on the left or the right, which are the same image mirrored. */
const brightness: Record<string, (x: number, y: number) => boolean> = {
  above: (_, y) => y < 3,
  below: (_, y) => y >= 3,
  beside: (x) => x < 3,
};

const model = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = ({ inputShape, classes }) => tf.sequential({ layers: [
    tf.layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, activation: 'relu', inputShape }),
    tf.layers.flatten(),
    tf.layers.dense({ name: 'logits', units: classes }),
  ] });`;

const data = {
  type: 'images',
  path: './shapes',
  split: { validation: 0.2 },
  standardize: 'training',
  crop: { padding: 1 },
  flip: true,
};
const training = {
  optimizer: { type: 'adam', learningRate: 0.02 },
  loss: 'sparse-categorical-crossentropy-from-logits',
  batchSize: 6,
  steps: 60,
  evaluateEvery: 20,
  checkpointEvery: 7,
};

async function shapes(changes: Record<string, unknown> = {}): Promise<Workspace> {
  const made = await workspace({ model, data, training, ...changes });
  for (const [name, isBright] of Object.entries(brightness))
    for (const [split, count] of Object.entries({ train: 10, test: 4 }))
      for (let i = 0; i < count; i++)
        writeFiles(join(made.folder, 'shapes', split), {
          [`${name}/${i}.png`]: pngOf(6, 6, (x, y) => (isBright(x, y) ? [200 + i, 220, 255 - i] : [i, 2 * i, 30])),
        });
  return made;
}

test.each(['compiled', 'eager'])(
  'a model learns them, %s, and the run keeps what an image becomes for it',
  async (executor) => {
    const { run } = await shapes({ training: { ...training, executor } });
    const { run: made, state, events } = await run();
    expect(state).toBe('finished');
    const [{ summary }] = eventsOf(events, 'finished');
    expect(summary).toMatchObject({ metric: 'accuracy', test: 1, validation: 1 });
    const kept = JSON.parse(readFileSync(join(made.path, 'images.json'), 'utf8')) as Record<string, unknown>;
    expect(kept).toMatchObject({ classes: ['above', 'below', 'beside'], height: 6, width: 6, color: 'rgb' });
    expect(kept.mean).toHaveLength(3);
  },
);

test.each(['compiled', 'eager'])(
  'a run that is stopped and resumed ends as if it had not been, %s',
  async (executor) => {
    const { run } = await shapes({ training: { ...training, executor } });
    const whole = await run();
    const stopped = await run({ stopAfter: 33 });
    expect(stopped.state).toBe('stopped');
    const resumed = await resume(stopped.run);
    expect(resumed.state).toBe('finished');
    expect(finalWeights(resumed.run)).toEqual(finalWeights(whole.run));
  },
);

describe('a run does not go on with other images', () => {
  test.each<[string, (folder: string) => void, string]>([
    [
      'of other classes',
      (folder) => writeFiles(folder, { 'train/apart/0.png': pngOf(6, 6, () => [1, 2, 3]) }),
      'classes ["above","below","beside"] there, ["above","apart","below","beside"] here',
    ],
    [
      'whose mean is another',
      (folder) => {
        for (let i = 0; i < 10; i++) writeFiles(folder, { [`train/above/${i}.png`]: pngOf(6, 6, () => [9, 9, i]) });
      },
      'mean [',
    ],
  ])('%s', async (_, change, message) => {
    const { folder, run } = await shapes();
    const stopped = await run({ stopAfter: 20 });
    change(join(folder, 'shapes'));
    const [failed] = eventsOf((await resume(stopped.run)).events, 'failed');
    expect(failed.message).toContain(
      `data: the images are not those of the run ${stopped.run.id} (the run began with them)`,
    );
    expect(failed.message).toContain(message);
  });
});

test('a student learns from a teacher only what both see alike', async () => {
  const { folder, run, write } = await shapes();
  await write('teacher.deeptwist.jsonc', JSON.stringify({ model: './model.ts', data, training }));
  await run({ of: join(folder, 'teacher.deeptwist.jsonc') });
  const learning = (standardize: string) => [
    'distillation={"teacher":"run:teacher"}',
    `data.standardize=${JSON.stringify(standardize)}`,
  ];
  const learnt = await run({ overrides: learning('training') });
  expect(eventsOf(learnt.events, 'finished')[0].summary.test).toBe(1);
  const { message } = await userErrorOf(() => run({ overrides: learning('symmetric') }));
  expect(message).toContain('(this one learns from it): mean [');
});

test('a model with fewer outputs than there are classes is refused before training', async () => {
  const { run, write } = await shapes();
  await write('model.ts', model.replace('units: classes', 'units: 2'));
  const { message } = await userErrorOf(() => run());
  expect(message).toContain('model: the model does not fit the data: the data have 3 classes (above, below, beside)');
});

test('the place of a setting that does not fit is that in the file', async () => {
  const { folder, run } = await shapes();
  rmSync(join(folder, 'shapes', 'test'), { recursive: true });
  const { message } = await userErrorOf(() => run());
  expect(message).toMatch(/\.deeptwist\.jsonc:\d+:\d+ data\.path: .*shapes has no folder test, but train/);
});

test('a model is described without decoding the images', async () => {
  const { folder, file } = await shapes();
  writeFileSync(join(folder, 'shapes/train/below/3.png'), 'broken');
  const { description, withoutData } = await describeExperiment(file);
  expect(withoutData).toBeUndefined();
  expect(description).toMatchObject({ samples: 24 });
  expect(description.weights.at(-1)).toMatchObject({ name: 'logits/bias', shape: [3] });
  expect(existsSync(join(folder, '.deeptwist', 'cache'))).toBe(false);
});
