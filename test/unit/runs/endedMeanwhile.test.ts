import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { identify, isAlive } from '../../../server/runs/liveProcess.ts';
import { openRun } from '../../../server/runs/run.ts';
import { temporaryRun } from './temporaryRun.ts';

vi.mock('../../../server/runs/liveProcess.ts', { spy: true });

test('a run whose process ends while it is opened has ended as that has recorded, and is not interrupted', async () => {
  const run = await temporaryRun();
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const recorded = { ...identify(process.pid), pid, startTime: 'gone' };
  await run.update({ state: 'running', process: recorded });
  expect((await openRun(run.path)).observedState()).toBe('interrupted');
  vi.mocked(isAlive).mockImplementationOnce(() => {
    const file = `${run.path}/run.json`;
    const { process: _, ...record } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...record, state: 'finished' }));
    return false;
  });
  expect((await openRun(run.path)).observedState()).toBe('finished');
});
