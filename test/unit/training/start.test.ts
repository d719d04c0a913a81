/** @file Starting from weights that were trained before. */
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, experiment, finalWeights, mlp, weightsFile, workspace } from './workspace.ts';

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
