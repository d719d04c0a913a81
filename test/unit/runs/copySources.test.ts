import { posix, win32 } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copiedFile, copyName } from '../../../server/runs/copySources.ts';

describe('the copy of a file in source/', () => {
  it.each([
    ['/p/e', '/p/e/model.ts', 'model.ts'],
    ['/p/e', '/p/models/deep/lenet.ts', '_/models/deep/lenet.ts'],
    ['/p/e', '/data.ts', '_/_/data.ts'],
    ['/p/e', '/p/e/_/__/model.ts', '__/___/model.ts'],
    ['/p/e', '/p/e/_private.ts', '_private.ts'],
  ])('stays within it and tells of which file it is: %s %s', (folder, file, copy) => {
    expect(copyName(folder, file, posix)).toBe(copy);
    expect(copiedFile(folder, copy, posix)).toBe(file);
  });

  it.each([
    ['C:\\p\\e', 'C:\\p\\models\\lenet.ts', '_\\models\\lenet.ts'],
    ['C:\\p\\e', 'D:\\models\\lenet.ts', '_drive-D\\models\\lenet.ts'],
    ['\\\\server\\home\\e', 'D:\\lenet.ts', '_drive-D\\lenet.ts'],
    ['C:\\p\\e', '\\\\server\\share\\models\\lenet.ts', '_share\\server\\share\\models\\lenet.ts'],
  ])('stays within it on Windows, also for another drive or share: %s %s', (folder, file, copy) => {
    expect(copyName(folder, file, win32)).toBe(copy);
    expect(win32.isAbsolute(copy)).toBe(false);
    expect(copiedFile(folder, copy, win32)).toBe(file);
  });
});
