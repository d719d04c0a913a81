/** @file What a machine has to have before the tests in a real editor can run, on a Linux of which only the PATH is seen. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { browser, findChromium } from '../../../scripts/editor/chromium.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-path-'));
  vi.stubEnv('PATH', folder);
  vi.stubEnv('CHROMIUM', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** A program that ends with the exit code, whatever its arguments are. */
function program(name: string, exitCode = 0): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nexit ${exitCode}\n`, { mode: 0o755 });
  return path;
}

describe.runIf(process.platform === 'linux')('the browser of the tests', () => {
  test('is the first on the PATH that can be started', () => {
    program('chromium-browser', 1); // Ubuntu's, which says how to install one.
    const edge = program('microsoft-edge');
    expect(findChromium()).toBe(edge);
  });

  test('is the one that CHROMIUM names, which has to be there', () => {
    program('chromium');
    const own = program('own');
    vi.stubEnv('CHROMIUM', own);
    expect(findChromium()).toBe(own);
    vi.stubEnv('CHROMIUM', join(folder, 'gone'));
    expect(() => browser.isMissing()).toThrow(`The environment variable CHROMIUM names ${join(folder, 'gone')}`);
  });

  test('is asked for in a sentence where it cannot be installed', () => {
    expect(() => browser.isMissing()).toThrow(
      'The tests in a real editor need Chromium, Chrome or Edge, and none was found. Install one, or name its executable in the environment variable CHROMIUM.',
    );
  });

  test('is installed on a Debian by root; another user is told the command', () => {
    program('apt-get');
    const user = vi.spyOn(process as { getuid(): number }, 'getuid').mockReturnValue(0);
    expect(browser.isMissing()).toBe(true);
    user.mockReturnValue(1000);
    expect(() => browser.isMissing()).toThrow(/Install them: sudo apt-get install chromium/);
  });
});
