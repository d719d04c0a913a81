/** @file More threads than the machine has cores. */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, experiment, resume, workspace } from './workspace.ts';

const cores = availableParallelism();
const withThreads = (threads: number) => ({ training: { ...experiment.training, steps: 5, threads } });

test('a few of them are a warning of the run', async () => {
  const { run } = await workspace();
  const { events, state } = await run({ overrides: ['training.steps=5', `training.threads=${cores + 1}`] });
  expect(state).toBe('finished');
  expect(eventsOf(events, 'warning').map(({ message }) => message)).toEqual([
    expect.stringMatching(
      /^training\.threads: this machine has \d+ cores?: \d+ threads make each step slower than \d+ do\.$/,
    ),
  ]);
});

test.each(['the file', '--set'])('many are an error of %s, before anything is loaded', async (place) => {
  const many = 4 * cores + 1;
  const inFile = place === 'the file';
  const { run } = await workspace({ ...withThreads(inFile ? many : 1), model: `throw new Error('loaded');` });
  const error = await userErrorOf(() => run({ overrides: inFile ? [] : [`training.threads=${many}`] }));
  expect(error.message).toMatch(
    new RegExp(
      `training\\.threads: expected at most ${4 * cores}, since this machine has ${cores} cores?, got ${many}`,
    ),
  );
  if (!inFile) expect(error.message).toContain('--set');
  expect(error.exitCode).toBe(2);
});

test('a run that began on a larger machine goes on, with a warning', async () => {
  const { run } = await workspace({ training: { ...experiment.training, steps: 5, threads: undefined } });
  const stopped = await run({ stopAfter: 3 });
  const text = await readFile(stopped.run.experimentFile, 'utf8');
  await writeFile(stopped.run.experimentFile, text.replace('"steps"', `"threads": ${4 * cores + 1}, "steps"`));
  const { events, state } = await resume(stopped.run);
  expect(state).toBe('finished');
  expect(eventsOf(events, 'warning').map(({ message }) => message)).toEqual([
    expect.stringMatching(/^training\.threads: expected at most /),
  ]);
});
