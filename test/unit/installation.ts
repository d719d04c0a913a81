/** @file The package as it is built, below the checkout: its bundles find their packages there. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * To be called in a test file: makes an installation, with `bin/` and `dist/`, for its tests.
 * @returns gives the installation's folder, once the tests run
 */
export function useInstallation(): () => string {
  let installation: string;
  beforeAll(() => {
    mkdirSync(join(root, '.cache'), { recursive: true });
    installation = mkdtempSync(join(root, '.cache', 'installation-'));
    execFileSync(process.execPath, [join(root, 'scripts', 'build.js'), join(installation, 'dist')]);
    for (const name of ['bin', 'package.json']) cpSync(join(root, name), join(installation, name), { recursive: true });
  });
  afterAll(() => rmSync(installation, { recursive: true }));
  return () => installation;
}
