/** Commands to a run whose process is on another machine, which this window cannot reach. */
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { beforeEach, expect, test, vi } from 'vitest';
import { ControlCommands } from '../../../../extension/commands/controlCommands.ts';
import { StoredRun } from '../../../../extension/runs/storedRun.ts';
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
    const command = () => new ControlCommands({} as never)[name]({ kind: 'run', stored });
    const { message, remedy } = await userErrorOf(command);
    expect(message).toContain('is trained by process 4711 on old-container, or was.');
    expect(remedy).toContain(`delete ${run.lockFile}`);
    await rm(run.lockFile);
    await stored.reload();
    await command();
    expect(shown).toEqual([]);
  },
);
