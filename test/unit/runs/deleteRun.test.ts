import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deleteRun } from '../../../server/runs/deleteRun.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { runsFolder } from '../../../server/runs/experimentOf.ts';
import { EventLog } from '../../../server/runs/log/eventLog.ts';
import { listRunIds, listRuns } from '../../../server/runs/findRun.ts';
import { lockRun } from '../../../server/runs/lockRun.ts';
import { openRun } from '../../../server/runs/run.ts';
import { metricsAt, temporaryFolder, temporaryRun } from './temporaryRun.ts';

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

  it('is refused while a process on another machine may write it, until its lock is deleted', async () => {
    const run = await temporaryRun();
    const trainer = { pid: 1, host: 'somewhere-else' };
    await run.update({ state: 'running', process: trainer });
    await writeFile(run.lockFile, JSON.stringify(trainer));
    expect((await openRun(run.path)).observedState()).toBe('running');
    await expect(deleteRun(run)).rejects.toMatchObject({
      message: `The run ${run.id} is trained by process 1 on somewhere-else, or was.`,
      remedy: expect.stringContaining(`If that machine no longer runs it, delete ${run.lockFile}: `) as string,
    });
    await rm(run.lockFile);
    expect((await openRun(run.path)).observedState()).toBe('interrupted');
    await deleteRun(run);
    expect(existsSync(run.path)).toBe(false);
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
