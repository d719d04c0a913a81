/** @file Paths of agents: what lies outside the workspace, by name or through links, is refused. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { foldersOfRoots, Workspace } from '../../../server/mcp/workspace.ts';
import { createRun } from '../../../server/runs/createRun.ts';
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
