/** @file Paths, runs and sweeps of agents: those of all folders, and what lies outside, by name or through links, is refused. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { foldersOfRoots, Workspace } from '../../../server/mcp/workspace.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { createSweep } from '../../../server/sweeps/sweepFolder.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

/** A workspace with `inside/`, beside a folder `outside/` with a file. */
async function place() {
  const root = realpathSync(await temporaryFolder());
  const folder = join(root, 'project');
  const outside = join(root, 'outside');
  mkdirSync(join(folder, 'inside'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), '');
  return { root, folder, outside, workspace: new Workspace([folder]) };
}

describe('a path', () => {
  test('in the workspace is taken, there or not, through links that stay in it', async () => {
    const { folder, workspace } = await place();
    symlinkSync(join(folder, 'inside'), join(folder, 'link'));
    expect(workspace.resolve('inside')).toBe(join(folder, 'inside'));
    expect(workspace.resolve('new/deep/file')).toBe(join(folder, 'new', 'deep', 'file'));
    expect(workspace.resolve(join(folder, 'inside', '..', 'a'))).toBe(join(folder, 'a'));
    expect(workspace.resolve('link/new')).toBe(join(folder, 'inside', 'new'));
    expect(workspace.shown(join(folder, 'inside', 'a'))).toBe('inside/a');
  });

  test.each([
    ['above it', '../outside/secret'],
    ['above it, by a way through it', 'inside/../../outside/new'],
    ['elsewhere', '/etc/passwd'],
    ['of a folder whose name begins like that of the workspace', '../project-2/a'],
    ['through a link to a folder', 'out/secret'],
    ['through a link to a folder, to a file that is to be made', 'out/new/file'],
    ['through a link to a file', 'secret'],
    ['through a link that leads nowhere, where a file would be made', 'nowhere'],
    ['through a link to a link', 'twice'],
    ['through links in a circle', 'circle'],
  ])('%s is refused', async (_, path) => {
    const { folder, outside, workspace } = await place();
    symlinkSync(outside, join(folder, 'out'));
    symlinkSync(join(outside, 'secret'), join(folder, 'secret'));
    symlinkSync(join(outside, 'not-there'), join(folder, 'nowhere'));
    symlinkSync(join(folder, 'out'), join(folder, 'twice'));
    symlinkSync(join(folder, 'circle'), join(folder, 'circle'));
    expect(() => workspace.resolve(path)).toThrow(/outside the workspace/);
  });

  test('of a second folder is taken where it is there', async () => {
    const { folder, outside } = await place();
    const both = new Workspace([folder, outside]);
    expect(both.resolve('secret')).toBe(join(outside, 'secret'));
    expect(both.resolve('new')).toBe(join(folder, 'new'));
  });
});

describe('a workspace', () => {
  test('is no home folder, no root of a disk, and has to be there', async () => {
    const { root } = await place();
    expect(() => new Workspace([homedir()])).toThrow(/no project/);
    expect(() => new Workspace(['/'])).toThrow(/no project/);
    expect(() => new Workspace([join(root, 'nothing')])).toThrow(/no folder/);
    symlinkSync('/', join(root, 'disk'));
    expect(() => new Workspace([join(root, 'disk')])).toThrow(/no project/);
  });

  test('of roots takes folders of this machine', () => {
    expect(foldersOfRoots([{ uri: 'file:///a%20b/c' }, { uri: 'https://example.org/' }, { uri: 'nonsense' }])).toEqual(['/a b/c']); // prettier-ignore
  });
});

describe('a run', () => {
  test('whose experiment is said to be elsewhere is not found: its modules would be executed', async () => {
    const { folder, outside, workspace } = await place();
    const experiment = join(outside, 'a.deeptwist.jsonc');
    writeFileSync(experiment, '{}');
    const run = await createRun({ experiment, text: '{}', out: join(folder, '.deeptwist', 'runs') });
    await expect(workspace.findRun(run.id)).rejects.toThrow(/outside the workspace/);
  });

  test('that a link leads to is neither listed nor found', async () => {
    const { folder, outside, workspace } = await place();
    const experiment = join(outside, 'a.deeptwist.jsonc');
    writeFileSync(experiment, '{}');
    const run = await createRun({ experiment, text: '{}' });
    symlinkSync(join(outside, '.deeptwist'), join(folder, '.deeptwist'));
    expect((await workspace.listRuns()).runs).toEqual([]);
    await expect(workspace.findRun(run.id)).rejects.toThrow(/outside the workspace/);
    await expect(workspace.findRun(run.path)).rejects.toThrow(/outside the workspace/);
  });
});

test('a run or a sweep on another computer is refused without a look at it', async () => {
  vi.resetModules();
  vi.doMock('../../../server/runs/workspaceFile.ts', async (original) => ({
    ...(await original<object>()),
    mayBeLookedAt: (path: string) => !path.startsWith('/HOST/'),
  }));
  const { Workspace: Guarded } = await import('../../../server/mcp/workspace.ts');
  vi.doUnmock('../../../server/runs/workspaceFile.ts');
  const { folder } = await place();
  const guarded = new Guarded([folder]);
  await expect(guarded.findRun('/HOST/share/run')).rejects.toThrow('/HOST/share/run is outside the workspace');
  await expect(guarded.findSweep('/HOST/share/sweep')).rejects.toThrow('/HOST/share/sweep is outside the workspace');
});

describe('several folders are searched as one:', () => {
  /** Two folders, and what makes a run or a sweep of an experiment in one of them. */
  async function folders() {
    const root = realpathSync(await temporaryFolder());
    const [a, b] = ['a', 'b'].map((name) => join(root, name));
    for (const folder of [a, b]) mkdirSync(folder);
    const written = (folder: string, name: string) => {
      const experiment = join(folder, `${name}.deeptwist.jsonc`);
      writeFileSync(experiment, '{}');
      return { experiment, text: '{}' };
    };
    const run = (folder: string, name: string, day: number) =>
      createRun({ ...written(folder, name), now: new Date(2026, 10, day) });
    const sweep = (folder: string, name: string, day: number) =>
      createSweep({ ...written(folder, name), overrides: [], combinations: [['training.seed=1']], now: new Date(2026, 10, day) }); // prettier-ignore
    return { a, b, run, sweep, workspace: new Workspace([a, b]) };
  }

  test('the newest run and the newest of an experiment may be in any of them', async () => {
    const { a, b, run, workspace } = await folders();
    await run(a, 'lenet', 1);
    await run(b, 'resnet', 2);
    const newest = await run(b, 'lenet', 3);
    expect((await workspace.findRun('last')).path).toBe(newest.path);
    expect((await workspace.findRun('lenet')).path).toBe(newest.path);
    const other = await run(a, 'lenet', 4);
    expect((await workspace.findRun('last')).path).toBe(other.path);
    expect((await workspace.findRun('lenet')).path).toBe(other.path);
  });

  test('the beginning of an id of several runs is told with all of them', async () => {
    const { a, b, run, workspace } = await folders();
    const runs = [await run(a, 'lenet', 1), await run(a, 'lenet', 2), await run(b, 'resnet', 3)];
    const told = runs.map(({ id, path }) => `\n  ${id}  ${path}`).join('');
    await expect(workspace.findRun('202611')).rejects.toThrow(`'202611' can be any of 3 runs:${told}`);
    expect((await workspace.findRun('20261103')).path).toBe(runs[2].path);
  });

  test('a run that is in none of them is told with all folders', async () => {
    const { a, b, run, workspace } = await folders();
    await expect(workspace.findRun('last')).rejects.toThrow(`There is no run in ${a}, ${b}.`);
    const { id } = await run(b, 'resnet', 1);
    await expect(workspace.findRun(id.replace('resnet', 'resnt'))).rejects.toThrow(`in ${a}, ${b}. Did you mean '${id}'?`); // prettier-ignore
  });

  test('a folder that is seen from any of them, with one run in it, is that run', async () => {
    const { a, b, run, workspace } = await folders();
    mkdirSync(join(a, 'inner'));
    mkdirSync(join(b, 'inner'));
    const { path } = await run(join(b, 'inner'), 'lenet', 1);
    await run(a, 'lenet', 2);
    expect((await workspace.findRun('inner')).path).toBe(path);
    expect((await workspace.findRun(relative(b, path))).path).toBe(path);
  });

  test('a folder in another one has each run once', async () => {
    const { a, run, sweep } = await folders();
    const inner = join(a, 'inner');
    mkdirSync(inner);
    const { id } = await run(inner, 'lenet', 1);
    const made = await sweep(inner, 'lenet', 1);
    for (const workspace of [new Workspace([a, inner]), new Workspace([inner, a])]) {
      expect((await workspace.listRuns()).runs.map((one) => one.id)).toEqual([id]);
      expect((await workspace.findRun('2026')).id).toBe(id);
      expect((await workspace.findSweep('2026'))?.path).toBe(made.path);
    }
  });

  test('so are sweeps', async () => {
    const { a, b, sweep, workspace } = await folders();
    expect(await workspace.findSweep('last')).toBeUndefined();
    const sweeps = [await sweep(a, 'lenet', 1), await sweep(a, 'lenet', 2), await sweep(b, 'lenet', 3)];
    expect((await workspace.findSweep('last'))?.path).toBe(sweeps[2].path);
    expect((await workspace.findSweep('20261103'))?.path).toBe(sweeps[2].path);
    const told = sweeps.map(({ id }) => id).join(', ');
    await expect(workspace.findSweep('202611')).rejects.toThrow(`'202611' can be any of 3 sweeps: ${told}.`);
    const alike = await sweep(b, 'lenet', 2);
    await expect(workspace.findSweep(alike.id)).rejects.toThrow(`2 sweeps: ${sweeps[1].path}, ${alike.path}.`);
  });
});
