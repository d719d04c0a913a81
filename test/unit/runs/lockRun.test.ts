import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { utimes, writeFile } from 'node:fs/promises';
import { describe, expect, it, test } from 'vitest';
import { root } from '../../../scripts/root.js';
import { UserError } from '../../../server/protocol/userError.ts';
import { identify, isAlive } from '../../../server/runs/liveProcess.ts';
import { lockRun } from '../../../server/runs/lockRun.ts';
import { openRun } from '../../../server/runs/run.ts';
import { raceForLocks } from '../../bench/lockRace.ts';
import { temporaryRun } from './temporaryRun.ts';

function idleProcess() {
  return spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
}

describe('lockRun', () => {
  it('marks the run as running in this process, and leaves it in the state it is released in', async () => {
    const run = await temporaryRun();
    const lock = await lockRun(run);
    expect((await openRun(run.path)).record).toMatchObject({ state: 'running', process: { pid: process.pid } });
    expect((await openRun(run.path)).observedState()).toBe('running');
    await lock.release({ state: 'stopped' });
    expect((await openRun(run.path)).record.process).toBeUndefined();
    expect((await openRun(run.path)).observedState()).toBe('stopped');
    expect(existsSync(run.lockFile)).toBe(false);
  });

  it('sees what another process wrote since the run was opened, and leaves that where it is told no state', async () => {
    const run = await temporaryRun();
    await (await openRun(run.path)).update({ state: 'stopped', cuts: [7] });
    const lock = await lockRun(run);
    expect(run.record).toMatchObject({ state: 'running', cuts: [7] });
    await lock.release();
    expect((await openRun(run.path)).record).toMatchObject({ state: 'stopped', cuts: [7] });
  });

  it('refuses a run that a live process is writing', async () => {
    const run = await temporaryRun();
    const other = idleProcess();
    try {
      await writeFile(run.lockFile, JSON.stringify(identify(other.pid!)));
      const error = await lockRun(run).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).toContain(`${run.path} is in use by process ${other.pid} on `);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    const lock = await lockRun(run); // The other has been killed and could not remove its lock.
    await lock.release({ state: 'finished' });
  });

  it('removes what a process had just begun to write when it was killed', async () => {
    const run = await temporaryRun();
    const begun = `${run.lockFile}.e27e9a1afb99.tmp`;
    await writeFile(begun, '');
    const lock = await lockRun(run);
    expect(existsSync(begun)).toBe(true); // Another process could be writing it.
    const before = new Date(Date.now() - 10_000);
    await utimes(begun, before, before);
    await lock.release({ state: 'stopped' });
    expect(existsSync(begun)).toBe(false);
  });

  it('refuses a second lock in the same process', async () => {
    const run = await temporaryRun();
    await lockRun(run);
    await expect(lockRun(await openRun(run.path))).rejects.toThrow(/is in use by/);
  });

  it('lets one of several get the lock of a dead process', async () => {
    const run = await temporaryRun();
    await writeFile(run.lockFile, JSON.stringify({ ...identify(process.pid), startTime: 'another boot/1' }));
    const outcomes = await Promise.allSettled([1, 2, 3].map(async () => lockRun(await openRun(run.path))));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  it('leaves the lock of another machine alone and says how to remove it', async () => {
    const run = await temporaryRun();
    await writeFile(run.lockFile, JSON.stringify({ pid: 1, host: 'somewhere-else' }));
    const error = await lockRun(run).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ remedy: `If that machine no longer runs it, delete ${run.lockFile}.` });
  });

  it('takes over a lock whose writer died writing it, and waits for one that is being written', async () => {
    const run = await temporaryRun();
    await writeFile(run.lockFile, '');
    await expect(lockRun(run)).rejects.toThrow(/in use by another process/);
    await utimes(run.lockFile, new Date(), Date.now() / 1000 - 60);
    await (await lockRun(run)).release({ state: 'finished' });
  });
});

test.each([2, 3, 5])(
  'of %d processes that take a run at the same moment one has it, and none of its updates is lost',
  async (processes) => {
    const { faults, right } = await raceForLocks(root, processes, 30);
    expect(faults).toEqual([]);
    expect(right).toBe(30);
  },
);

describe('isAlive', () => {
  it('does not take a process for an earlier one with the same pid', () => {
    const self = identify(process.pid);
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, startTime: 'another boot/1' })).toBe(false);
    expect(isAlive({ ...self, host: 'somewhere-else' })).toBe('unknown');
  });
});
