import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRun } from '../../../server/runs/createRun.ts';
import { runsFolder } from '../../../server/runs/experimentOf.ts';
import { deleteRun, killRun } from '../../../server/runs/endRun.ts';
import { EventLog } from '../../../server/runs/eventLog.ts';
import { listRunIds, listRuns } from '../../../server/runs/findRun.ts';
import { identify } from '../../../server/runs/liveProcess.ts';
import { lockRun } from '../../../server/runs/lockRun.ts';
import { openRun } from '../../../server/runs/run.ts';
import { metricsAt, temporaryFolder, temporaryRun } from './temporaryRun.ts';

describe('a queued run', () => {
  it('is queued until its process takes it, for a while, and while that process waits', async () => {
    const folder = await temporaryFolder();
    const run = await createRun({ experiment: `${folder}/lenet.deeptwist.jsonc`, text: '{}', state: 'queued' });
    expect((await openRun(run.path)).observedState()).toBe('queued');
    const lock = await lockRun(run, { state: 'queued', endpoint: '/somewhere.sock' });
    const taken = await openRun(run.path);
    expect(taken.observedState()).toBe('queued');
    expect(taken.record.endpoint).toBe('/somewhere.sock');
    await lock.release({ state: 'failed', failure: { message: 'No.', remedy: 'Do.' } });
    const { record } = await openRun(run.path);
    expect(record).toMatchObject({ state: 'failed', failure: { message: 'No.', remedy: 'Do.' } });
    expect(record).not.toHaveProperty('endpoint');
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

it('a process is ended by its identity, with its socket; one that is dead is left alone', async () => {
  const run = await temporaryRun();
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
  const exit = once(other, 'exit');
  const endpoint = `${run.path}/socket`;
  await writeFile(endpoint, '');
  await run.update({ state: 'running', process: identify(other.pid!), endpoint });
  await killRun(run);
  expect((await exit)[1]).toBe('SIGKILL');
  expect(existsSync(endpoint)).toBe(false);
  await killRun(run);
  await run.update({ process: { ...identify(process.pid), startTime: 'another boot/1' } });
  await killRun(run); // Not this process, which has the same number.
  await run.update({ process: { pid: 1, host: 'somewhere-else' } });
  await expect(killRun(run)).rejects.toThrow(/on another machine, somewhere-else/);
});
