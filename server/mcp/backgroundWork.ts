/** @file The processes that see to sweeps and searches: they go on when the server of agents ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Sweep } from '../sweeps/sweepFolder.ts';
import type { Call } from './tool.ts';

/** File in the folder of a sweep with the output of its process. */
const LOG = 'queue.log';

/** Starts the process that sees to the runs of a sweep: it has no pipe to this one, and goes on without it. */
export async function workOn(
  command: 'sweep' | 'search',
  sweep: Sweep,
  parallel: number,
  options: readonly string[],
  { scripts }: Call,
): Promise<void> {
  const log = openSync(join(sweep.path, LOG), 'a');
  try {
    const child = spawn(
      process.execPath,
      [scripts.command, command, sweep.path, '--parallel', String(parallel), ...options],
      {
        detached: true,
        stdio: ['ignore', log, log],
        cwd: dirname(sweep.experiment),
        env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
        windowsHide: true,
      },
    );
    child.unref();
    await once(child, 'spawn');
  } finally {
    closeSync(log);
  }
}
