/** @file The package as it is built, below the checkout: its bundles find their packages there. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, inject } from 'vitest';
import { root } from '../../scripts/root.js';

/**
 * To be called in a test file: gives its tests an installation, with `bin/` and `dist/`. It is made once for all files, and no test changes it.
 * @returns gives the installation's folder, once the tests run
 */
export function useInstallation(): () => string {
  const folder = () => join(inject('installations'), 'package');
  beforeAll(() => {
    if (!existsSync(folder())) install(folder());
  });
  return folder;
}

/** A copy of an installation, for a test that changes it; it is removed with the other ones. */
export function copyInstallation(folder: string): string {
  const copy = mkdtempSync(join(inject('installations'), 'copy-'));
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** Builds in a folder of its own, which is then renamed: another process may be at it, too. The first one's stays. */
function install(folder: string): void {
  const made = mkdtempSync(join(inject('installations'), 'made-'));
  execFileSync(process.execPath, [join(root, 'scripts', 'build.js'), join(made, 'dist')]);
  for (const name of ['bin', 'package.json']) cpSync(join(root, name), join(made, name), { recursive: true });
  try {
    renameSync(made, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}
