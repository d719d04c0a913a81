/** Commands to a run whose process is on another machine, which this window cannot reach. */
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { beforeEach, expect, test, vi } from 'vitest';
import { ControlCommands } from '../../../../extension/commands/controlCommands.ts';
import { StoredRun } from '../../../../extension/runs/storedRun.ts';
import { identify } from '../../../../server/runs/liveProcess.ts';
import { temporaryRun } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { resetEditor, shown } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

beforeEach(resetEditor);

test.each(['stop', 'pause', 'continue', 'observeNow', 'checkpointNow'] as const)(
  '%s names the machine and the lock; once that is deleted, the run is seen as ended',
  async (name) => {
    const run = await temporaryRun();
    const trainer = { pid: 4711, host: 'old-container' };
    await run.update({ state: 'running', process: trainer });
    writeFileSync(run.lockFile, JSON.stringify(trainer));
    const stored = new StoredRun(run, undefined, {});
    const command = () =>
      new ControlCommands({ launcher: { stop: () => Promise.resolve(false) } } as never)[name]({ kind: 'run', stored });
    const { message, remedy } = await userErrorOf(command);
    expect(message).toContain('is trained by process 4711 on old-container, or was.');
    expect(remedy).toContain(`delete ${run.lockFile}`);
    await rm(run.lockFile);
    await stored.reload();
    await command();
    expect(shown).toEqual([]);
  },
);

test('without a run that is named, each asks one that can do it now', async () => {
  const asked: unknown[] = [];
  const runs = await Promise.all(
    (['queued', 'training', 'paused'] as const).map(async (phase) => {
      const run = await temporaryRun();
      await run.update({ state: phase === 'queued' ? 'queued' : 'running', process: identify(process.pid) });
      const stored = new StoredRun(run, undefined, {});
      stored.live = {
        state: { phase },
        request: (method: string) => Promise.resolve(asked.push([phase, method])),
      } as never;
      return stored;
    }),
  );
  const commandsFor = (...active: StoredRun[]) =>
    new ControlCommands({ store: { active, newest: () => Promise.resolve(active) } } as never);
  await commandsFor(...runs).pause(undefined);
  await commandsFor(...runs).continue(undefined);
  await commandsFor(runs[0], runs[1]).observeNow(undefined);
  expect(asked).toEqual([
    ['training', 'pause'],
    ['paused', 'continue'],
    ['training', 'observe'],
  ]);
  expect(shown).toEqual([]);
});

test.each([
  ['pause', 'No run is training.'],
  ['continue', 'No run is paused.'],
  ['observeNow', 'No run is training.'],
  ['checkpointNow', 'No run is training.'],
  ['stop', 'No run is in progress.'],
] as const)('%s says what is missing where no run can do it: %s', async (name, message) => {
  const run = await temporaryRun();
  await run.update({ state: 'finished' });
  const ended = new StoredRun(run, undefined, {});
  const store = { active: [], newest: () => Promise.resolve([ended]) };
  await new ControlCommands({ store } as never)[name](undefined);
  expect(shown).toEqual([['information', message]]);
});
