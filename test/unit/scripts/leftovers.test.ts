import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { removeWithLeftovers, temporaryFolder } from '../../../scripts/leftovers.js';
import { temporaryFolder as folderOfTest } from '../runs/temporaryRun.ts';

vi.mock('../../../scripts/patience.js', () => ({ PATIENCE: 300, TEST_TIMEOUT: 900 }));

test('a folder of tests is removed with its links, not with what they lead to', async () => {
  const elsewhere = await folderOfTest();
  writeFileSync(join(elsewhere, 'kept'), '');
  const { path } = temporaryFolder();
  mkdirSync(join(path, 'deeptwist-x'));
  [elsewhere, '/', path].forEach((to, i) => symlinkSync(to, join(path, `link-${i}`)));
  expect(await removeWithLeftovers(path)).toEqual([]);
  expect([existsSync(path), existsSync(join(elsewhere, 'kept'))]).toEqual([false, true]);
});

test.runIf(process.platform !== 'win32')('a socket of a run that was left behind is told of', async () => {
  const { path } = temporaryFolder();
  const folder = join(path, 'deeptwist-1000');
  mkdirSync(folder);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, 'run'), resolve));
  expect(await removeWithLeftovers(path)).toEqual([`A socket was left behind: ${join(folder, 'run')}`]);
  expect(existsSync(path)).toBe(false);
  server.close();
});
