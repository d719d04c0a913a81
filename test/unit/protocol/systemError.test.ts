import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainSystemError, reasonOf } from '../../../server/protocol/systemError.ts';
import { UserError } from '../../../server/protocol/userError.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

function refusedBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('the system did not refuse it');
}

describe('a refusal of the system', () => {
  it.each<[string, (folder: string) => unknown, string]>([
    ['EISDIR', (folder) => writeFileSync(folder, ''), 'opened: it is a folder.'],
    [
      'ENOTDIR',
      (folder) => mkdirSync(join(folder, 'file', 'x')),
      'written: a part of its path is a file, or a link that leads nowhere.',
    ],
    ['EEXIST', (folder) => mkdirSync(join(folder, 'file')), 'written: there is a file of that name.'],
    ['ENOENT', (folder) => readlinkSync(join(folder, 'none')), 'read: there is no such file.'],
    ['ELOOP', (folder) => readFileSync(join(folder, 'circle')), 'opened: its links lead in a circle.'],
    [
      'ENAMETOOLONG',
      (folder) => mkdirSync(join(folder, 'x'.repeat(300))),
      'written: its name is longer than the file system takes.',
    ],
  ])('is told with the path, what could not be done, and what to do: %s', async (code, action, end) => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    symlinkSync('circle', join(folder, 'circle'));
    const error = refusedBy(() => action(folder));
    expect(error).toMatchObject({ code });
    const explained = explainSystemError(error) as UserError;
    expect(explained).toBeInstanceOf(UserError);
    expect(explained.message).toBe(`${(error as { path: string }).path} cannot be ${end}`);
    expect(explained.remedy).toMatch(/\.$/);
    expect(explained.cause).toBe(error);
  });

  it('is not what other errors are taken for', () => {
    const error = Object.assign(new Error('odd'), { code: 'toString' });
    expect(explainSystemError(error)).toBe(error);
    expect(explainSystemError('text')).toBe('text');
    expect(reasonOf(error)).toBe('odd');
  });
});
