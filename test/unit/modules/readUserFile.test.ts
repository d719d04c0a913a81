import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FormatError } from '../../../server/formats/formatError.ts';
import { readUserFile } from '../../../server/modules/readUserFile.ts';
import { userErrorOf } from '../userErrorOf.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'deeptwist-files-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (path: string) => readUserFile(path, (bytes) => bytes.length, 'the remedy');

test.runIf(process.platform !== 'win32')('a pipe is refused, not waited for', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect((await userErrorOf(() => read(pipe))).message).toBe(`${pipe} cannot be read: it is no regular file.`);
});

test.runIf(process.platform !== 'win32')('a device without an end is refused', async () => {
  expect((await userErrorOf(() => read('/dev/zero'))).message).toBe('/dev/zero cannot be read: it is no regular file.');
});

test('a folder is refused', async () => {
  expect((await userErrorOf(() => read(folder))).message).toBe(`${folder} cannot be read: it is a folder.`);
});

test('a file that is larger than memory is refused before it is read, with the size that can be', async () => {
  const path = join(folder, 'large');
  writeFileSync(path, '');
  truncateSync(path, 2 ** 43); // No room on the disk: it has no content.
  const error = await userErrorOf(() => read(path));
  expect(error.message).toMatch(/large cannot be read: it has 8796093022208 bytes; .* possible up to \d+ here\.$/);
  expect(error.remedy).toMatch(/several files.*data module/);
});

describe('what is not usable has the remedy that fits best', () => {
  const remedyOf = async (content: string, error: FormatError) => {
    const path = join(folder, 'file');
    writeFileSync(path, content);
    const decode = () => {
      throw error;
    };
    return (await userErrorOf(() => readUserFile(path, decode, 'the remedy of the setting'))).remedy;
  };

  test.each([
    ['what the content is', '<html>', new FormatError('no', { remedy: 'of the format' }), /^Download it again/],
    ['that of the format', 'content', new FormatError('no', { remedy: 'of the format' }), /^of the format$/],
    ['that of the setting', 'content', new FormatError('no'), /^the remedy of the setting$/],
  ])('%s', async (_, content, error, remedy) => {
    expect(await remedyOf(content, error)).toMatch(remedy);
  });
});
