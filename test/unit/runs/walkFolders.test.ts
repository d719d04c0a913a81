import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRun, listRunIds, listRuns } from '../../../server/runs/findRun.ts';
import type { Run } from '../../../server/runs/run.ts';
import { walkFolders } from '../../../server/runs/walkFolders.ts';
import { temporaryFolder, temporaryRun } from './temporaryRun.ts';

/** Moves a folder aside and puts a link in its place. */
async function replaceByLink(path: string): Promise<void> {
  const disk = join(await temporaryFolder(), 'moved');
  await rename(path, disk);
  await symlink(disk, path);
}

describe('runs behind links', () => {
  it.each([
    ['.deeptwist', (folder: string) => join(folder, '.deeptwist')],
    ['.deeptwist/runs', (folder: string) => join(folder, '.deeptwist', 'runs')],
    ['the run folder', (_: string, run: Run) => run.path],
  ])('are found where %s is a link', async (_, link) => {
    const folder = await temporaryFolder();
    const run = await temporaryRun({ folder });
    await replaceByLink(link(folder, run));
    expect(await listRunIds(join(folder, '.deeptwist', 'runs'))).toEqual([run.id]);
    const found = await findRun('last', folder);
    expect(found.path).toBe(run.path);
    expect(found.record.experiment).toBe(run.record.experiment);
    expect((await findRun(run.id, folder)).path).toBe(run.path);
  });

  it('are found where the folder of the experiment is a link, and once where two ways lead to them', async () => {
    const folder = await temporaryFolder();
    const mnist = join(folder, 'mnist');
    await mkdir(mnist);
    const run = await temporaryRun({ folder: mnist });
    await symlink(mnist, join(folder, 'again'));
    expect((await listRuns(folder)).runs.map(({ path }) => path)).toEqual([run.path]);
    await replaceByLink(mnist);
    await rm(join(folder, 'again'));
    expect((await listRuns(folder)).runs.map(({ path }) => path)).toEqual([run.path]);
  });

  it('are listed once where two projects keep them in one folder', async () => {
    const folder = await temporaryFolder();
    for (const name of ['a', 'b']) await mkdir(join(folder, name));
    const run = await temporaryRun({ folder: join(folder, 'a') });
    await symlink(join(folder, 'a', '.deeptwist'), join(folder, 'b', '.deeptwist'));
    expect((await listRuns(folder)).runs.map(({ id }) => id)).toEqual([run.id]);
    expect((await listRuns(join(folder, 'b'))).runs.map(({ id }) => id)).toEqual([run.id]);
  });
});

describe('walkFolders', () => {
  it('visits each folder once where links go in circles, and passes over what is no folder or hidden', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'a', 'b'), { recursive: true });
    for (const name of ['.git', 'node_modules']) await mkdir(join(folder, name));
    await writeFile(join(folder, 'file'), '');
    await symlink(folder, join(folder, 'a', 'up'));
    await symlink('self', join(folder, 'self'));
    await symlink('nowhere', join(folder, 'broken'));
    const visited: string[] = [];
    await walkFolders(folder, (path, { files }) => {
      visited.push(path);
      if (path === folder) expect(files.toSorted()).toEqual(['broken', 'file', 'self']);
      return true;
    });
    expect(visited).toEqual([folder, join(folder, 'a'), join(folder, 'a', 'b')]);
  });
});

describe('a run folder of somebody else', () => {
  it.runIf(process.platform !== 'win32').each([
    ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
    ['a device without an end', (file: string) => symlink('/dev/zero', file)],
    ['a folder', (file: string) => mkdir(file)],
  ])('is told of where its run.json is %s, and the others are listed', async (_, replace) => {
    const folder = await temporaryFolder();
    const good = await temporaryRun({ folder, now: new Date(2026, 0, 1) });
    const bad = await temporaryRun({ folder, now: new Date(2026, 0, 2) });
    await rm(join(bad.path, 'run.json'));
    await replace(join(bad.path, 'run.json'));
    const { runs, unreadable } = await listRuns(folder);
    expect(runs.map(({ id }) => id)).toEqual([good.id]);
    expect(unreadable.map(({ error }) => error.message)).toEqual([
      `${join(bad.path, 'run.json')} is no regular file, but a folder, a pipe or a device.`,
    ]);
  });
});
