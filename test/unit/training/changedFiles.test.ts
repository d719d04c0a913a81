/** @file A run that is resumed or evaluated goes by the modules that it was made from, or says that it does not. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRun } from '../../../server/runs/run.ts';
import { evaluateRun, trainRun } from '../../../server/training/index.ts';
import { userErrorOf } from '../userErrorOf.ts';
import {
  eventsOf,
  experiment,
  finalWeights,
  mlp,
  recordedEvents,
  resume,
  workspace,
  type Workspace,
} from './workspace.ts';

const data = `
  import { label } from './label.ts';
  const batch = (size) => ({
    inputs: Array.from({ length: size }, (_, i) => Array.from({ length: 8 }, (_, k) => Math.sin(i + k))),
    targets: Array.from({ length: size }, (_, i) => label(i)),
  });
  export function* train({ batchSize }) { for (let i = 0; i < 12; i++) yield batch(batchSize); }
  export function* test({ batchSize }) { yield batch(Math.min(batchSize, 10)); }
`;
const distort =
  'export const distort = (values) => values.forEach((value, i) => (values[i] = Math.round(4 * value) / 4));';

async function place(): Promise<Workspace> {
  const made = await workspace({
    model: `import { units } from './units.ts'; ${mlp.replace('units: 16', 'units')}`,
    data: { type: 'module', path: './data.ts' },
    compression: { method: 'custom', module: './distort.ts', distortEvery: 7, layers: { fc1: {} } },
    training: { ...experiment.training, steps: 40 },
  });
  await made.write('units.ts', 'export const units = 16;');
  await made.write('data.ts', data);
  await made.write('label.ts', 'export const label = (i) => i % 3;');
  await made.write('distort.ts', distort);
  return made;
}

describe('a run whose modules have changed', () => {
  test.each([
    ['model.ts', `${mlp.replace("'relu'", "'tanh'")}`],
    ['units.ts', 'export const units = 8 + 8;'],
    ['data.ts', data.replace('Math.sin', 'Math.cos')],
    ['label.ts', 'export const label = (i) => (i + 1) % 3;'],
    ['distort.ts', distort.replaceAll('4', '8')],
  ])('is not resumed without a word: %s', async (file, changed) => {
    const { folder, run, write } = await place();
    const original = await readFile(join(folder, file), 'utf8');
    const uninterrupted = await run();
    const stopped = await run({ stopAfter: 21 });
    await write(file, changed);
    const error = await userErrorOf(() => resume(stopped.run));
    expect(error.message).toBe(`${join(folder, file)} has changed since the run ${stopped.run.id} was made from it.`);
    expect(error.remedy).toContain(stopped.run.sourceFolder);
    expect(error.remedy).toContain(`deeptwist resume ${stopped.run.id} --with-changed-files`);
    expect((await openRun(stopped.run.path)).record.state).toBe('stopped');

    // What it was made from is there to be restored.
    await write(file, original);
    expect(finalWeights((await resume(stopped.run)).run)).toEqual(finalWeights(uninterrupted.run));
  });

  test('goes on with them where that is wanted: it is told, and what it was made from is kept', async () => {
    const { folder, run, write } = await place();
    const stopped = await run({ stopAfter: 21 });
    await write('label.ts', 'export const label = (i) => (i + 1) % 3;');
    const { run: finished, state } = await resume(stopped.run, undefined, true);
    expect(state).toBe('finished');
    const warnings = eventsOf(await recordedEvents(finished), 'warning').map(({ message }) => message);
    expect(warnings).toEqual([
      `The run continues with ${join(folder, 'label.ts')} as changed since it began: it cannot be repeated as one run. ` +
        'What it was trained with until step 21 is in source-until-step-21.',
    ]);
    const copy = (source: string) => readFile(join(finished.path, source, 'label.ts'), 'utf8');
    expect(await copy('source')).toContain('(i + 1)');
    expect(await copy('source-until-step-21')).toContain('=> i % 3');
    // From now on, these are the run's files.
    expect(await evaluateRun({ run: finished })).toMatchObject({ type: 'evaluation' });
  });

  test('is not evaluated as if it had been trained by them', async () => {
    const { run, write } = await place();
    const finished = await run();
    await write('model.ts', mlp.replace("'relu'", "'tanh'"));
    const error = await userErrorOf(() => evaluateRun({ run: finished.run }));
    expect(error.remedy).toContain(`deeptwist evaluate ${finished.run.id} --with-changed-files`);
    expect(await evaluateRun({ run: finished.run, changedFiles: true })).toMatchObject({ type: 'evaluation' });
  });

  test('fails in a process of its own, too', async () => {
    const { folder, run, write } = await place();
    const stopped = await run({ stopAfter: 21 });
    await write('units.ts', 'export const units = 8 + 8;');
    const end = await trainRun({
      run: await openRun(stopped.run.path),
      resume: true,
      onEvent: () => undefined,
      signal: new AbortController().signal,
    });
    expect(end).toMatchObject({
      state: 'failed',
      failure: { message: expect.stringContaining(`${join(folder, 'units.ts')} has changed`) as string },
    });
  });

  test('of an earlier version, which kept no copies, is resumed', async () => {
    const { run, write } = await place();
    const stopped = await run({ stopAfter: 21 });
    await rm(stopped.run.sourceFolder, { recursive: true });
    await write('label.ts', 'export const label = (i) => (i + 1) % 3;');
    expect((await resume(stopped.run)).state).toBe('finished');
    expect(existsSync(stopped.run.sourceFolder)).toBe(false);
  });
});
