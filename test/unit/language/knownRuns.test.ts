import { utimesSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KnownRuns } from '../../../server/language/knownRuns.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { identify } from '../../../server/runs/liveProcess.ts';
import { RUN_FILE } from '../../../server/runs/run.ts';
import { lenet } from './lenet.ts';

test('a run that has ended since it was read is known to have, without a watcher that tells', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'deeptwist-runs-'));
  try {
    const experiment = join(folder, 'lenet.deeptwist.jsonc');
    const run = await createRun({ experiment, text: lenet });
    await run.update({ state: 'running', process: identify(process.pid) });
    const known = new KnownRuns();
    expect((await known.around(experiment)).map(({ state }) => state)).toEqual(['running']);
    await run.update({ state: 'finished', process: undefined });
    // Some disks count time in steps of milliseconds.
    utimesSync(join(run.path, RUN_FILE), 1, 2);
    expect((await known.around(experiment)).map(({ state }) => state)).toEqual(['finished']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
