import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, win32 } from 'node:path';
import { describe, expect, test as base, vi } from 'vitest';
import { listRuns } from '../../../server/runs/findRun.ts';
import { readBackwards } from '../../../server/runs/log/readBackwards.ts';
import { readEvents } from '../../../server/runs/log/readEvents.ts';
import { openRun } from '../../../server/runs/run.ts';
import { readLogTail } from '../../../server/sidecarClient/startSidecar.ts';
import {
  hashRegularFile,
  isInside,
  mayBeLookedAt,
  openRegularFile,
  readBeginningSync,
  readRegularFile,
} from '../../../server/runs/workspaceFile.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { lenet } from '../language/lenet.ts';
import { userErrorOf } from '../userErrorOf.ts';

const test = base.extend<{ folder: string }>({
  folder: async ({ task: _ }, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'deeptwist-files-'));
    await use(folder);
    rmSync(folder, { recursive: true });
  },
});

/** Each is opened by nothing that reads a file: it would never end, or never begin. */
const traps: Readonly<Record<string, (path: string) => void>> = {
  'a device that never ends': (path) => symlinkSync('/dev/zero', path),
  'a pipe that nobody writes to': (path) => execFileSync('mkfifo', [path]),
  'a folder': (path) => mkdirSync(path),
};

describe.runIf(process.platform !== 'win32').each(Object.entries(traps))('%s', (_, make) => {
  test('is refused by every way to read a file', async ({ folder }) => {
    const path = join(folder, 'file');
    make(path);
    const error = await userErrorOf(() => readRegularFile(path));
    expect(error.message).toMatch(/file is not a file, but (a device|a pipe|a folder)\.$/);
    expect(error.remedy).toBeDefined();
    await expect(openRegularFile(path)).rejects.toThrow('is not a file');
    await expect(hashRegularFile(path, 1000)).rejects.toThrow('is not a file');
    expect(() => readBeginningSync(path, 1000)).toThrow('is not a file');
  });

  test('in the place of any file of a run does not stop who looks at the run', async ({ folder }) => {
    const run = await createRun({ experiment: join(folder, 'lenet.deeptwist.jsonc'), text: lenet });
    const replace = (file: string) => {
      rmSync(file, { recursive: true, force: true });
      make(file);
    };
    for (const file of [run.eventsFile, run.logFile, run.experimentFile]) replace(file);
    await expect(readEvents(run).next()).rejects.toThrow('is not a file');
    await expect(readBackwards(run, ['metrics'], () => true)).rejects.toThrow('is not a file');
    await expect(run.experimentText()).rejects.toThrow('is not a file');
    expect(await readLogTail(run)).toBe('');
    replace(join(run.path, 'run.json'));
    await expect(openRun(run.path)).rejects.toThrow('is not a file');
    expect((await listRuns(folder)).unreadable).toHaveLength(1);
  });
});

test('a socket is refused', async ({ folder }) => {
  const path = join(folder, 'socket');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  await expect(readRegularFile(path)).rejects.toThrow('is not a file, but a socket');
  await new Promise((resolve) => server.close(resolve));
});

test('a file with more bytes than are read is refused before it is read', async ({ folder }) => {
  const path = join(folder, 'large');
  writeFileSync(path, '');
  truncateSync(path, 100 * 1024 ** 3);
  await expect(readRegularFile(path)).rejects.toThrow('has 107,374,182,400 bytes: at most 16,777,216 are read');
  await expect(hashRegularFile(path, 1024)).rejects.toThrow('at most 1,024 are read');
  expect(readBeginningSync(path, 4)).toBe('\0\0\0\0');
});

test.runIf(process.platform === 'linux')('of a file without a size, which may never end, nothing is read', async () => {
  // 2^48 / 4096 * 8 bytes, all of them there.
  expect(await readRegularFile('/proc/self/pagemap')).toBe('');
  expect(await hashRegularFile('/proc/self/pagemap', 1000)).toBe(createHash('sha256').digest('hex'));
});

test('the text and the hash of a file are those of its bytes, and a hash can be stopped', async ({ folder }) => {
  const path = join(folder, 'text');
  const text = 'größe '.repeat(100_000);
  writeFileSync(path, text);
  expect(await readRegularFile(path)).toBe(text);
  expect(await hashRegularFile(path, 1e6)).toBe(createHash('sha256').update(text).digest('hex'));
  await expect(hashRegularFile(path, 1e6, AbortSignal.abort())).rejects.toThrow('aborted');
  await expect(readRegularFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each([
  ['/home/a/model.ts', ['/home/a'], true],
  ['/home/a', ['/home/a'], true],
  ['/home/..a/model.ts', ['/home'], true],
  ['/home/ab/model.ts', ['/home/a'], false],
  ['/home/model.ts', ['/home/a', '/srv'], false],
  ['/dev/zero', ['/home/a'], false],
  ['/home/a/../b', ['/home/a'], false],
])('%s in %s: %s', (path, folders, expected) => {
  expect(isInside(path, folders)).toBe(expected);
});

test('on Windows, another computer is not asked for a path unless the folder is on it', async () => {
  vi.resetModules();
  vi.doMock('node:path', () => win32);
  const windows = await import('../../../server/runs/workspaceFile.ts');
  vi.doUnmock('node:path');
  const looked = (path: string, folder: string) => windows.mayBeLookedAt(path, folder);
  expect(looked('\\\\evil.example\\share\\x', 'C:\\project')).toBe(false);
  expect(looked('//evil.example/share/x', 'C:\\project')).toBe(false);
  expect(looked('\\\\?\\UNC\\evil.example\\share\\x', 'C:\\project')).toBe(false);
  expect(looked('\\\\evil.example\\share\\x', '\\\\home\\me\\project')).toBe(false);
  expect(looked('\\\\HOME\\me\\data', '\\\\home\\me\\project')).toBe(true);
  expect(looked('D:\\data', 'C:\\project')).toBe(true);
  expect(windows.isInside('D:\\data', ['C:\\project'])).toBe(false);
  expect(windows.isInside('\\\\evil.example\\share\\x', ['C:\\project'])).toBe(false);
});

test('elsewhere every path may be looked at', () => {
  expect(mayBeLookedAt('/data/mnist', '/home/me')).toBe(true);
});
