import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode, UserError } from '../../../server/protocol/userError.ts';
import { mayBelongTo } from '../../../extension/runs/runIds.ts';
import { copySources, readSources } from '../../../server/runs/copySources.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { explainDiskError } from '../../../server/runs/disk.ts';
import { findRun, listRuns } from '../../../server/runs/findRun.ts';
import { lockRun } from '../../../server/runs/lockRun.ts';
import { openRun } from '../../../server/runs/run.ts';
import type { Run } from '../../../server/runs/run.ts';
import { temporaryFolder, temporaryRun } from './temporaryRun.ts';

const noon = new Date(2026, 10, 22, 12, 0, 5);

async function rewriteRecord(run: Run, change: object): Promise<void> {
  const file = join(run.path, 'run.json');
  const record = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...record, ...change }));
}

describe('createRun', () => {
  it('makes a folder beside the experiment, with its text and what is needed to run it again', async () => {
    const folder = await temporaryFolder();
    const experiment = join(folder, 'mnist', 'lenet 5.deeptwist.jsonc');
    await mkdir(join(folder, 'mnist'));
    await mkdir(join(folder, 'models'));
    await writeFile(join(folder, 'models', 'lenet.ts'), 'export {};');
    await writeFile(join(folder, 'mnist', 'distort.js'), '// custom');
    const run = await createRun({
      experiment,
      text: '{ /* exactly\r\nthis */ }',
      overrides: ['training.seed=2'],
      now: noon,
    });
    await copySources(
      run,
      await readSources([join(folder, 'models', 'lenet.ts'), join(folder, 'mnist', 'distort.js')]),
    );
    expect(run.path).toBe(join(folder, 'mnist', '.deeptwist', 'runs', '20261122-120005-lenet-5'));
    expect(await run.experimentText()).toBe('{ /* exactly\r\nthis */ }');
    expect(await readFile(join(run.sourceFolder, '_', 'models', 'lenet.ts'), 'utf8')).toBe('export {};');
    expect(await readFile(join(run.sourceFolder, 'distort.js'), 'utf8')).toBe('// custom');
    expect((await openRun(run.path)).record).toMatchObject({
      format: 1,
      id: '20261122-120005-lenet-5',
      name: 'lenet 5',
      experiment,
      overrides: ['training.seed=2'],
      state: 'running',
      created: noon.toISOString(),
    });
  });

  it('gives runs of the same second different ids, also when they begin at once', async () => {
    const folder = await temporaryFolder();
    const runs = await Promise.all([1, 2, 3].map(() => temporaryRun({ folder, now: noon })));
    expect(runs.map((run) => run.id).sort()).toEqual([
      '20261122-120005-lenet',
      '20261122-120005-lenet-2',
      '20261122-120005-lenet-3',
    ]);
  });

  it('puts the folder where --out says', async () => {
    const out = await temporaryFolder();
    const run = await createRun({ experiment: 'lenet.deeptwist.jsonc', text: '{}', out: join(out, 'deep'), now: noon });
    expect(run.path).toBe(join(out, 'deep', '20261122-120005-lenet'));
  });
});

describe('createRun that cannot', () => {
  it('says what the system refused and leaves no half run', async () => {
    const folder = await temporaryFolder();
    const experiment = join(folder, 'lenet.deeptwist.jsonc');
    const sources = [{ path: join(folder, 'x'.repeat(300)), content: Buffer.from('module') }];
    const error = await createRun({ experiment, text: '{}', sources }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      message: expect.stringContaining('cannot be written: its name is longer than the file system takes.') as string,
      remedy: expect.stringContaining('--out DIR') as string,
    });
    expect(await readdir(join(folder, '.deeptwist', 'runs'))).toEqual([]);
  });

  it.each([
    ['.deeptwist', undefined, 'a part of its path is a file, or a link that leads nowhere'],
    ['results', 'results', 'there is a file of that name'],
  ])('names the file that is in the way: %s', async (file, out, reason) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, file), '');
    const making = createRun({
      experiment: join(folder, 'lenet.deeptwist.jsonc'),
      text: '{}',
      out: out && join(folder, out),
    });
    await expect(making).rejects.toThrow(
      new RegExp(`^${join(folder, file).replaceAll('.', '\\.')}.* cannot be written: ${reason}\\.$`),
    );
  });

  it.runIf(existsSync('/dev/full'))('gives no advice to resume what was not made', async () => {
    const full = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
    const folder = await temporaryFolder();
    expect(explainDiskError(full, folder, 1000, { begun: false })).toMatchObject({
      message: expect.stringMatching(
        /^The disk is full: writing to .* needs \S+ \S+, .* free\. No run was made\.$/,
      ) as string,
      remedy: 'Free some space, then run the experiment again.',
    });
    expect(explainDiskError(full, folder, 1000)).toMatchObject({
      remedy: 'Free some space, then continue with `deeptwist resume`.',
    });
  });

  it('makes ids that a file system takes of names of any length, and the same experiment finds its runs by them', async () => {
    const folder = await temporaryFolder();
    const name = 'long'.repeat(59);
    const experiment = join(folder, `${name}.deeptwist.jsonc`);
    const ids = [];
    for (let i = 0; i < 2; i++) ids.push((await createRun({ experiment, text: '{}', now: noon })).id);
    expect(ids).toEqual([1, 2].map((n) => `20261122-120005-${name.slice(0, 100)}${n > 1 ? `-${n}` : ''}`));
    expect(ids.every((id) => mayBelongTo(id, name))).toBe(true);
    expect((await findRun('last', folder)).record.name).toBe(name);
  });
});

describe('openRun', () => {
  it('refuses a run of a newer version and says what to do', async () => {
    const run = await temporaryRun();
    await rewriteRecord(run, { format: 2, id: 17 });
    const error = await openRun(run.path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      message: `${run.path} was written by a newer DeepTwist: its format is 2, this version reads up to 1.`,
      remedy: 'Update DeepTwist.',
    });
  });

  it('refuses what is no run folder, and a damaged run.json', async () => {
    const run = await temporaryRun();
    await expect(openRun(join(run.path, 'model'))).rejects.toThrow(/is not a run folder/);
    await rewriteRecord(run, { state: 'resting' });
    await expect(openRun(run.path)).rejects.toThrow(/run\.json is damaged: state: /);
    await writeFile(join(run.path, 'run.json'), '{ "form');
    await expect(openRun(run.path)).rejects.toThrow(/run\.json is damaged: it is not JSON/);
  });

  it('sees a run whose process is gone as interrupted', async () => {
    const run = await temporaryRun();
    expect(run.observedState()).toBe('interrupted');
    await run.update({ state: 'finished' });
    expect((await openRun(run.path)).observedState()).toBe('finished');
  });
});

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

describe('listRuns and findRun', () => {
  async function workspace(): Promise<{ folder: string; first: Run; second: Run; third: Run }> {
    const folder = await temporaryFolder();
    const inner = join(folder, 'examples', 'mnist');
    await mkdir(inner, { recursive: true });
    const first = await temporaryRun({ folder, now: new Date(2026, 0, 1) });
    const second = await temporaryRun({ folder: inner, now: new Date(2026, 0, 2) });
    const third = await temporaryRun({ folder, now: new Date(2026, 0, 3) });
    return { folder, first, second, third };
  }

  it('lists the runs of a folder and of those below it, oldest first', async () => {
    const { folder, first, second, third } = await workspace();
    const { runs, unreadable } = await listRuns(folder);
    expect(runs.map((run) => run.path)).toEqual([first.path, second.path, third.path]);
    expect(unreadable).toEqual([]);
    expect((await listRuns(join(first.path, '..'))).runs.map((run) => run.id)).toEqual([first.id, third.id]);
  });

  it('lists the others when one is damaged, and says which that is', async () => {
    const { folder, first, second, third } = await workspace();
    await rewriteRecord(second, { format: 2 });
    const { runs, unreadable } = await listRuns(folder);
    expect(runs.map((run) => run.id)).toEqual([first.id, third.id]);
    expect(unreadable).toMatchObject([{ path: second.path }]);
    await expect(findRun(second.id, folder)).rejects.toThrow(/newer DeepTwist/);
  });

  it('finds a run by id, by the beginning of its id, by path, and the last one', async () => {
    const { folder, first, second, third } = await workspace();
    expect((await findRun(first.id, folder)).path).toBe(first.path);
    expect((await findRun('20260102', folder)).path).toBe(second.path);
    expect((await findRun('last', folder)).path).toBe(third.path);
    expect((await findRun(second.path, '.')).path).toBe(second.path);
    expect((await findRun('examples', folder)).path).toBe(second.path);
  });

  it('finds the newest run of an experiment by its name, one that has finished before others', async () => {
    const { folder, second, third } = await workspace();
    expect((await findRun('lenet', folder)).path).toBe(third.path);
    await rewriteRecord(second, { state: 'finished' });
    expect((await findRun('lenet', folder)).path).toBe(second.path);
  });

  it('refuses a reference to none or to several, as a usage error that helps', async () => {
    const { folder, first } = await workspace();
    await expect(findRun('2026', folder)).rejects.toThrow(/can be any of 3 runs:\n {2}20260101/);
    const error = await findRun(first.id.replace('lenet', 'lennet'), folder).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ exitCode: ExitCode.usage });
    expect((error as Error).message).toContain(`Did you mean '${first.id}'?`);
    await expect(findRun('last', await temporaryFolder())).rejects.toThrow(/There is no run in /);
  });
});
