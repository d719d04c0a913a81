import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deleteRun } from '../../../server/runs/deleteRun.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { runsFolder } from '../../../server/runs/experimentOf.ts';
import { killRun } from '../../../server/sidecarClient/endRun.ts';
import { EventLog } from '../../../server/runs/eventLog.ts';
import { listRunIds, listRuns } from '../../../server/runs/findRun.ts';
import { identify } from '../../../server/runs/liveProcess.ts';
import { lockRun } from '../../../server/runs/lockRun.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { endpointOf, newName, runtimeFolder } from '../../../server/runs/runtimeFolder.ts';
import { findRunProcess, removeTicket, writeTicket } from '../../../server/runs/tickets.ts';
import { metricsAt, temporaryFolder, temporaryRun } from '../runs/temporaryRun.ts';

describe('a queued run', () => {
  it('is queued until its process takes it, for a while, and while that process waits', async () => {
    const folder = await temporaryFolder();
    const run = await createRun({ experiment: `${folder}/lenet.deeptwist.jsonc`, text: '{}', state: 'queued' });
    expect((await openRun(run.path)).observedState()).toBe('queued');
    const lock = await lockRun(run, { state: 'queued' });
    const taken = await openRun(run.path);
    expect(taken.observedState()).toBe('queued');
    await lock.release({ state: 'failed', failure: { message: 'No.', remedy: 'Do.' } });
    const { record } = await openRun(run.path);
    expect(record).toMatchObject({ state: 'failed', failure: { message: 'No.', remedy: 'Do.' } });
    expect(record).not.toHaveProperty('process');
  });

  it('is interrupted when no process has taken it', async () => {
    const run = await temporaryRun();
    await run.update({ state: 'queued' });
    const updated = new Date(Date.now() - 60_000).toISOString();
    const text = JSON.stringify({ ...run.record, updated });
    await writeFile(`${run.path}/run.json`, text);
    expect((await openRun(run.path)).observedState()).toBe('interrupted');
  });
});

describe('deleting a run', () => {
  it('is refused while a process writes it, and leaves nothing', async () => {
    const run = await temporaryRun();
    const runs = dirname(run.path);
    expect(runs).toBe(runsFolder(run.record.experiment));
    const lock = await lockRun(run);
    await expect(deleteRun(run)).rejects.toThrow(new RegExp(`is being trained by process ${process.pid}`));
    await lock.release({ state: 'stopped' });
    expect(await listRunIds(runs)).toEqual([run.id]);
    await deleteRun(run);
    expect(existsSync(run.path)).toBe(false);
    expect(await listRunIds(runs)).toEqual([]);
  });

  it('whose run.json claims an id with a path in it removes the run folder alone', async () => {
    const run = await temporaryRun();
    const project = dirname(run.record.experiment);
    const precious = `${project}/precious`;
    await mkdir(precious);
    for (const id of ['x/../../../precious', '../../precious', precious, '..', '', 'a\u0000b']) {
      const claimed = await createRun({ experiment: run.record.experiment, text: '{}', state: 'queued' });
      await writeFile(`${claimed.path}/run.json`, JSON.stringify({ ...claimed.record, state: 'finished', id }));
      const opened = await openRun(claimed.path);
      expect(opened.id).toBe(basename(claimed.path));
      await deleteRun(opened);
      expect(existsSync(claimed.path)).toBe(false);
      expect(existsSync(precious)).toBe(true);
    }
    expect(await readdir(dirname(run.path))).toEqual([run.id]);
  });

  it('that is a link removes the link, and not the folder it leads to', async () => {
    const run = await temporaryRun();
    const elsewhere = await temporaryFolder();
    await cp(run.path, `${elsewhere}/kept`, { recursive: true });
    const link = `${dirname(run.path)}/link`;
    await symlink(`${elsewhere}/kept`, link);
    await deleteRun(await openRun(link));
    expect(await readdir(dirname(run.path))).toEqual([run.id]);
    expect(await readdir(`${elsewhere}/kept`)).toContain('run.json');
  });

  it('that was cut short is not seen as a run', async () => {
    const run = await temporaryRun();
    await rename(run.path, `${dirname(run.path)}/.deleted-${run.id}`);
    expect((await listRuns(dirname(run.record.experiment))).runs).toEqual([]);
  });

  it('under its writer is told at the next write, and nothing is written elsewhere', async () => {
    const run = await temporaryRun();
    const log = await EventLog.open(run);
    log.append(metricsAt(1));
    log.flush();
    await rm(run.path, { recursive: true });
    log.append(metricsAt(2));
    expect(() => log.flush()).toThrow(`The folder ${run.path} was deleted or moved`);
    log.close();
    log.close();
    expect(() => log.append(metricsAt(3))).toThrow();
    await expect(run.update({ state: 'failed' })).rejects.toThrow(/was deleted or moved/);
    expect(existsSync(run.path)).toBe(false);
  });
});

describe('ending the process of a run', () => {
  const sleeper = () => spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
  const ticketOf = (run: Run, pid: number) => {
    const [folder, name] = [runtimeFolder(), newName()];
    writeTicket(folder, name, { process: identify(pid), run: run.path });
    return { socket: endpointOf(folder, name), name, folder };
  };

  it('ends the one whose ticket names the run, and removes ticket and socket; one that is dead is left alone', async () => {
    const run = await temporaryRun();
    const other = sleeper();
    const exit = once(other, 'exit');
    const { socket, folder, name } = ticketOf(run, other.pid!);
    await writeFile(socket, '');
    await run.update({ state: 'running', process: identify(other.pid!) });
    expect(findRunProcess(run)).toMatchObject({ endpoint: socket, process: { pid: other.pid } });
    await killRun(run);
    expect((await exit)[1]).toBe('SIGKILL');
    expect((await readdir(folder)).filter((file) => file.startsWith(name))).toEqual([]);
    await killRun(run);
    await run.update({ process: { ...identify(process.pid), startTime: 'another boot/1' } });
    await killRun(run); // Not this process, which has the same number.
    await run.update({ process: { pid: 1, host: 'somewhere-else' } });
    await expect(killRun(run)).rejects.toThrow(/on another machine, somewhere-else/);
  });

  it('does nothing to a process or a file that run.json alone names', async () => {
    const [run, trained] = [await temporaryRun(), await temporaryRun()];
    const victim = sleeper();
    const file = `${dirname(run.record.experiment)}/notes.txt`;
    await writeFile(file, 'mine');
    const { folder, name } = ticketOf(trained, victim.pid!); // A process of this user, which trains another run.
    try {
      const claim = { ...run.record, state: 'running', process: identify(victim.pid!), endpoint: file };
      await writeFile(`${run.path}/run.json`, JSON.stringify(claim));
      const opened = await openRun(run.path);
      expect(findRunProcess(opened)).toBeUndefined();
      await expect(killRun(opened)).rejects.toThrow(/no editor of yours started it/);
      expect(victim.exitCode ?? victim.signalCode).toBeNull();
      expect(existsSync(file)).toBe(true);
    } finally {
      removeTicket(folder, name);
      victim.kill('SIGKILL');
    }
  });

  it('finds the process of a run that is reached through a link', async () => {
    const run = await temporaryRun();
    const link = `${dirname(run.path)}/link`;
    await symlink(run.path, link);
    const { folder, name } = ticketOf(run, process.pid);
    try {
      await run.update({ state: 'running', process: identify(process.pid) });
      expect(findRunProcess(await openRun(link))?.process.pid).toBe(process.pid);
    } finally {
      removeTicket(folder, name);
    }
  });
});
