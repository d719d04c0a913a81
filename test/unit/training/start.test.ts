/** @file Starting from weights that were trained before. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeSafetensors, type Safetensor } from '../../../server/formats/safetensors.ts';
import { userErrorOf } from '../userErrorOf.ts';
import {
  CLASSES,
  eventsOf,
  experiment,
  FEATURES,
  finalWeights,
  mlp,
  resume,
  weightsFile,
  workspace,
} from './workspace.ts';

/** A run that changes nothing: what it stores is what it started from. */
const still = { training: { ...experiment.training, optimizer: { type: 'sgd', learningRate: 1e-30 }, steps: 5 } };

test('a run starts from the final weights of another, named by its id or by its file', async () => {
  const { run, folder } = await workspace(still);
  const base = await run({ overrides: ['training.optimizer.learningRate=0.1'] });
  const fromRun = await run({ overrides: [`start=run:${base.run.id}`, 'training.seed=2'] });
  expect(finalWeights(fromRun.run)).toEqual(finalWeights(base.run));
  await copyFile(weightsFile(base.run), join(folder, 'weights.safetensors'));
  const fromFile = await run({ overrides: ['start=weights.safetensors', 'training.seed=3'] });
  expect(finalWeights(fromFile.run)).toEqual(finalWeights(base.run));
  expect(eventsOf(fromFile.events, 'warning')).toEqual([]);
});

test('a run keeps its modules as they were loaded, also when they change while it is prepared', async () => {
  const { run, write, folder } = await workspace({
    compression: { method: 'custom', module: './distort.ts', distortEvery: 2, layers: { fc1: {} } },
  });
  // Loaded after the model.
  const distort = `import { writeFileSync } from 'node:fs';
    writeFileSync(${JSON.stringify(join(folder, 'model.ts'))}, '// changed a second later');
    export const distort = () => undefined;`;
  await write('distort.ts', distort);
  const finished = await run();
  expect(await readFile(join(folder, 'model.ts'), 'utf8')).toBe('// changed a second later');
  expect(await readFile(join(finished.run.sourceFolder, 'model.ts'), 'utf8')).toBe(mlp);
  expect(await readFile(join(finished.run.sourceFolder, 'distort.ts'), 'utf8')).toBe(distort);
});

test('a run that does not exist, or has no final model, is refused at the setting', async () => {
  const { run } = await workspace(still);
  const missing = await userErrorOf(() => run({ overrides: ['start=run:20260101'] }));
  expect(missing.message).toMatch(/^--set start=run:20260101 start: There is no run '20260101' in /);
  expect(missing.exitCode).toBe(2);
  const stopped = await run({ stopAfter: 2 });
  const unfinished = await userErrorOf(() => run({ overrides: [`start=run:${stopped.run.id}`] }));
  expect(unfinished.message).toContain(` start: the run ${stopped.run.id} has no final model: it is stopped`);
  expect(unfinished.remedy).toBe(`Finish it with \`deeptwist resume ${stopped.run.id}\`.`);
});

test('a file that does not exist, or is of another model, is refused', async () => {
  const { run, folder, write } = await workspace(still);
  const missing = await userErrorOf(() => run({ overrides: ['start=none.safetensors'] }));
  expect(missing.message).toBe(`${join(folder, 'none.safetensors')} does not exist.`);
  const base = await run();
  await write('model.ts', mlp.replace('units: 16', 'units: 17'));
  const misfit = await userErrorOf(() => run({ overrides: [`start=run:${base.run.id}`] }));
  expect(misfit.message).toMatch(
    / start: weights of .* do not have the shapes of the model: fc1\/kernel is \[8, 16\], not \[8, 17\]/,
  );
});

test('what the model has no place for is left out, with a warning', async () => {
  const { run, write } = await workspace(still);
  const base = await run();
  await write(
    'model.ts',
    mlp
      .replace(/\n.*name: 'fc1'.*/, '')
      .replace(/\n.*dropout.*/, '')
      .replace("'softmax'", "'softmax', inputShape: [16]")
      .replace(
        'tf.layers.dense',
        'tf.layers.inputLayer({ inputShape: [8] }), tf.layers.repeatVector({ n: 2 }), tf.layers.flatten(), tf.layers.dense',
      ),
  );
  const { events } = await run({ overrides: [`start=run:${base.run.id}`] });
  expect(eventsOf(events, 'warning').map(({ message }) => message)).toEqual([
    'start: the model has no weight for fc1/kernel, fc1/bias; left out.',
  ]);
});

test('a run starts from PyTorch weights under other names, records which became what, and goes on without them', async () => {
  const { run, folder } = await workspace({
    ...still,
    start: { from: './net.safetensors', rename: { 'classifier.*': 'fc2.*', 'pool.*': null } },
  });
  const numbers = (shape: number[]): Safetensor => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i / 1000);
    return { dtype: 'F32', shape, data };
  };
  const file = encodeSafetensors(
    new Map([
      ['fc1.weight', numbers([16, FEATURES])],
      ['fc1.bias', numbers([16])],
      ['classifier.weight', numbers([CLASSES, 16])],
      ['pool.weight', numbers([1])],
    ]),
  );
  await writeFile(join(folder, 'net.safetensors'), file);
  const stopped = await run({ stopAfter: 2 });
  expect(eventsOf(stopped.events, 'pretrained')).toMatchObject([
    {
      step: 0,
      from: './net.safetensors',
      count: 4,
      weights: [
        { name: 'fc1/kernel', tensors: ['fc1.weight'], by: 'name' },
        { name: 'fc1/bias', tensors: ['fc1.bias'] },
        { name: 'fc2/kernel', tensors: ['classifier.weight'] },
      ],
    },
  ]);
  expect(eventsOf(stopped.events, 'warning').map(({ message }) => message)).toEqual([
    'start: the file has nothing for fc2/bias: initial values stay.',
  ]);
  await writeFile(join(folder, 'net.safetensors'), 'gone');
  const finished = await resume(stopped.run);
  expect(eventsOf(finished.events, 'pretrained')).toEqual([]);
  // [8, 16]: the second row has the second weights of all units.
  expect(finalWeights(finished.run).get('fc1/kernel')?.[16]).toBeCloseTo(0.001);
});
