import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sourceOfFile } from '../../../server/modules/userFile.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);

test('ranges of a file are read whole, however few bytes the system reads at once', async () => {
  const path = join(await temporaryFolder(), 'file');
  await writeFile(path, content);
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(1000), fc.integer({ min: 1, max: 300 }), (a, b, most) => {
      const [begin, end] = [Math.min(a, b), Math.max(a, b)];
      const source = sourceOfFile(path, 'Make it again.', most);
      expect(source.length).toBe(1000);
      expect(Uint8Array.from(source.read(begin, end))).toEqual(content.slice(begin, end));
    }),
  );
});

test('a file that has become shorter, or has gone, is an error that names it', async () => {
  const path = join(await temporaryFolder(), 'file');
  await writeFile(path, content);
  const source = sourceOfFile(path, 'Make it again.');
  await truncate(path, 10);
  expect((await userErrorOf(() => source.read(5, 20))).message).toBe(`${path} has become shorter since it was opened.`);
  await rm(path);
  const { message, remedy } = await userErrorOf(() => source.read(5, 20));
  expect(message).toBe(`${path} cannot be read: there is no such file.`);
  expect(remedy).toBe('Make it again.');
});
