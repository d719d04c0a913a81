/** @file A queue of runs that no other test shares: it is in the system's folder for temporary files, which is another one for these tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** To be called in a test file, for its tests and the processes that they start. */
export function useOwnQueue(): void {
  const system = process.env.TMPDIR;
  let temporary: string;
  beforeAll(() => {
    temporary = mkdtempSync(join(tmpdir(), 'deeptwist-runtime-'));
    process.env.TMPDIR = temporary;
  });
  afterAll(() => {
    if (system === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = system;
    rmSync(temporary, { recursive: true });
  });
}
