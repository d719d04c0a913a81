import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { syncFolder } from '../../../server/runs/disk.ts';
import { findRun } from '../../../server/runs/findRun.ts';
import { useInstallation } from '../installation.ts';
import { workspace } from '../training/workspace.ts';
import { temporaryFolder } from './temporaryRun.ts';

const installation = useInstallation();

describe('the synchronization of a folder', () => {
  // The kernel answers EINVAL for a folder of /proc, which is not on a disk.
  test.runIf(process.platform === 'linux')('is left out where its file system has none', async () => {
    const folder = await open('/proc');
    await expect(folder.sync()).rejects.toThrow('EINVAL');
    await folder.close();
    await syncFolder('/proc');
  });

  test('fails where the folder has gone', async () => {
    await expect(syncFolder(join(await temporaryFolder(), 'gone'))).rejects.toThrow('ENOENT');
  });
});

/** Makes every fsync of a folder fail as on vboxsf, in the processes that load it. */
const shim = `
  #define _GNU_SOURCE
  #include <dlfcn.h>
  #include <errno.h>
  #include <sys/stat.h>
  int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    struct stat s;
    if (fstat(fd, &s) == 0 && S_ISDIR(s.st_mode)) { errno = EINVAL; return -1; }
    return real(fd);
  }`;
const hasCompiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;

test.runIf(hasCompiler)('a run trains on a file system whose folders cannot be synchronized', async () => {
  const { folder, file } = await workspace();
  await mkdir(join(folder, 'shim'));
  const library = join(folder, 'shim', 'shim.so');
  await writeFile(join(folder, 'shim', 'shim.c'), shim);
  execFileSync('cc', ['-shared', '-fPIC', '-o', library, join(folder, 'shim', 'shim.c'), '-ldl']);
  const env = { ...process.env, LD_PRELOAD: library };
  execFileSync(process.execPath, [join(installation(), 'bin', 'deeptwist.js'), 'run', file], { env, stdio: 'pipe' });
  expect((await findRun('last', folder)).record.state).toBe('finished');
});
