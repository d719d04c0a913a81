import { cp, mkdir, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRun } from '../../../server/runs/createRun.ts';
import { findRun, listRuns } from '../../../server/runs/findRun.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { temporaryFolder } from './temporaryRun.ts';

const NAME = 'lenet.deeptwist.jsonc';

/** A project `before/` with a run, in a folder of its own. */
async function project(out?: string): Promise<{ folder: string; before: string; run: Run }> {
  const folder = await realpath(await temporaryFolder());
  const before = join(folder, 'before');
  await mkdir(before);
  await writeFile(join(before, NAME), '{}');
  const run = await createRun({ experiment: join(before, NAME), text: '{}', out: out && join(folder, out) });
  return { folder, before, run };
}

/** Makes `run.json` one of a version that recorded nothing but the absolute path. */
async function forgetRelativePath(run: Run, experiment = run.record.experiment): Promise<void> {
  const file = join(run.path, 'run.json');
  const { relativeExperiment, ...record } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  expect(relativeExperiment).toBeDefined();
  await writeFile(file, JSON.stringify({ ...record, experiment }));
}

async function experimentIn(folder: string): Promise<string> {
  return (await findRun('last', folder)).record.experiment;
}

describe('the experiment of a run', () => {
  it.each([
    ['a run of today', async () => undefined],
    ['a run that recorded an absolute path alone', forgetRelativePath],
    ['a run of a project on Windows', (run: Run) => forgetRelativePath(run, `C:\\Users\\me\\before\\${NAME}`)],
  ])('moves with its project: %s', async (_, record) => {
    const { folder, before, run } = await project();
    await record(run);
    await rename(before, join(folder, 'after'));
    expect(await experimentIn(join(folder, 'after'))).toBe(join(folder, 'after', NAME));
  });

  it.each([
    ['a run of today', async () => undefined],
    ['a run that recorded an absolute path alone', forgetRelativePath],
  ])('is the one of the copy where a project was copied beside the original: %s', async (_, record) => {
    const { folder, before, run } = await project();
    await record(run);
    await cp(before, join(folder, 'copy'), { recursive: true });
    expect(await experimentIn(join(folder, 'copy'))).toBe(join(folder, 'copy', NAME));
    expect(await experimentIn(before)).toBe(join(before, NAME));
  });

  it('is one of the copy also where its file is no longer there', async () => {
    const { folder, before } = await project();
    await cp(before, join(folder, 'copy'), { recursive: true });
    await rm(join(folder, 'copy', NAME));
    expect(await experimentIn(join(folder, 'copy'))).toBe(join(folder, 'copy', NAME));
  });

  it('moves with a project whose runs are in another folder of it, and stays where that folder alone is moved', async () => {
    const { folder, before, run } = await project('before/results');
    await rename(before, join(folder, 'after'));
    const moved = join(folder, 'after', 'results', run.id);
    expect((await openRun(moved)).record.experiment).toBe(join(folder, 'after', NAME));

    const other = await project('runs');
    await mkdir(join(other.folder, 'disk'));
    await rename(join(other.folder, 'runs'), join(other.folder, 'disk', 'runs'));
    expect(await experimentIn(join(other.folder, 'disk', 'runs'))).toBe(join(other.before, NAME));
  });

  it('is the recorded one of a run that --out put among the runs of another project', async () => {
    const { folder, before } = await project('other/.deeptwist/runs');
    await writeFile(join(folder, 'other', NAME), '{}');
    expect(await experimentIn(join(folder, 'other'))).toBe(join(before, NAME));
  });

  it('is found from the place that a link to the runs leads to', async () => {
    const { folder, before, run } = await project();
    await rename(join(before, '.deeptwist'), join(folder, 'scratch'));
    await symlink(join(folder, 'scratch'), join(before, '.deeptwist'));
    expect((await openRun(run.path)).record.experiment).toBe(join(before, NAME));
    expect((await openRun(join(folder, 'scratch', 'runs', run.id))).record.experiment).toBe(join(before, NAME));
  });

  it('stays in run.json as it was recorded when a moved run is written', async () => {
    const { folder, before, run } = await project();
    await rename(before, join(folder, 'after'));
    const [moved] = (await listRuns(folder)).runs;
    await moved.update({ state: 'stopped' });
    const record: unknown = JSON.parse(await readFile(join(moved.path, 'run.json'), 'utf8'));
    expect(record).toMatchObject({
      state: 'stopped',
      experiment: join(before, NAME),
      relativeExperiment: `../../../${basename(NAME)}`,
    });
    expect(moved.id).toBe(run.id);
    expect(moved.record.experiment).toBe(join(folder, 'after', NAME));
  });
});
