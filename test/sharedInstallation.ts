/** @file The folder of the installation that all test files of one run of Vitest share: which it is, and its end. `unit/installation.ts` makes it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { root } from '../scripts/root.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of a folder below the checkout that is empty until a test needs an installation. */
    installations: string;
  }
}

/** @returns removes the folder */
export default function setUp(project: TestProject): () => void {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache', 'installation-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // In watch mode, the sources are tested as they are then.
  project.onTestsRerun(() => {
    remove();
    mkdirSync(folder);
  });
  project.provide('installations', folder);
  return remove;
}
