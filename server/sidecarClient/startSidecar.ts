/** @file Starting the process that trains a run, so that it outlives who started it; and ending one that does not answer. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { oldNodeError } from '../protocol/nodeVersion.ts';
import { UserError } from '../protocol/userError.ts';
import { cannotStart } from '../runs/cannotStart.ts';
import type { Run } from '../runs/run.ts';
import { openRegularFile } from '../runs/workspaceFile.ts';

const TAIL_BYTES = 4096;
const VERSION_MS = 10_000;

export interface SidecarExit {
  /** 0: finished, 1: failed, 130: stopped; null where a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of its log, of this process alone. */
  readonly logTail: string;
}

export interface StartedSidecar {
  readonly pid: number;
  /** Never rejects. */
  readonly exited: Promise<SidecarExit>;
}

interface StartOptions {
  run: Run;
  node: string;
  sidecarScript: string;
  resume?: boolean;
  parallel?: number;
  pauseAt?: number | undefined;
  env?: NodeJS.ProcessEnv;
}

/**
 * Starts `sidecarScript RUN_FOLDER` detached: it has no pipe to this process, and goes on when this process ends. What it
 * prints is appended to `sidecar.log` in the run folder.
 * @param options.node the executable: Node, or VS Code's own (`process.execPath`)
 * @param options.resume to go on with a run that has begun
 * @param options.parallel runs at a time on this machine; the others wait
 * @param options.pauseAt step at whose evaluation, or the first one after it, the run stops with a checkpoint; default: none
 * @throws UserError when the executable cannot be started, or is an old Node; a run that has not begun has failed then
 */
export async function startSidecar({
  run,
  node,
  sidecarScript,
  resume = false,
  parallel = 1,
  pauseAt,
  env = process.env,
}: StartOptions): Promise<StartedSidecar> {
  try {
    await checkVersion(node, env);
    return await spawnSidecar({ run, node, sidecarScript, resume, parallel, pauseAt, env });
  } catch (error) {
    if (error instanceof UserError && !resume) {
      const { message, remedy } = error;
      const failure = { message, ...(remedy !== undefined && { remedy }) };
      // The caller is told of the error that matters even where this one cannot be written.
      await run.update({ state: 'failed', failure }).catch(() => undefined);
    }
    throw error;
  }
}

/** @throws UserError where another executable than this process's is an old Node */
async function checkVersion(node: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (node === process.execPath) return;
  const options = { env: { ...env, ELECTRON_RUN_AS_NODE: '1' }, timeout: VERSION_MS, windowsHide: true };
  // One that cannot be started, or that is no Node, fails right after this.
  const { stdout } = await promisify(execFile)(node, ['--version'], options).catch(() => ({ stdout: '' }));
  const version = /^v\d+\.\d+\.\d+/.exec(stdout)?.[0];
  const error = version === undefined ? undefined : oldNodeError(version, node, { isSetting: true });
  if (error) throw error;
}

async function spawnSidecar({
  run,
  node,
  sidecarScript,
  resume,
  parallel,
  pauseAt,
  env,
}: Required<Omit<StartOptions, 'pauseAt'>> & Pick<StartOptions, 'pauseAt'>): Promise<StartedSidecar> {
  const log = openSync(run.logFile, 'a');
  const folder = dirname(run.record.experiment);
  try {
    const logStart = fstatSync(log).size;
    const pause = pauseAt === undefined ? [] : ['--pause-at', String(pauseAt)];
    const args = [sidecarScript, run.path, '--parallel', String(parallel), ...(resume ? ['--resume'] : []), ...pause];
    const child = spawn(node, args, {
      detached: true,
      stdio: ['ignore', log, log],
      // The folder that a user's modules expect to be in; never the run folder, which could then not be deleted on Windows.
      cwd: existsSync(folder) ? folder : undefined,
      env: { ...env, ELECTRON_RUN_AS_NODE: '1' },
      windowsHide: true,
    });
    child.unref();
    const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('exit', (code, signal) => resolve([code, signal])),
    );
    await once(child, 'spawn').catch((error: unknown) => {
      throw cannotStart("The run's process", node, error);
    });
    const exited = exit.then(async ([code, signal]) => ({ code, signal, logTail: await tail(run.logFile, logStart) }));
    return { pid: child.pid!, exited };
  } finally {
    closeSync(log);
  }
}

/** The last lines of a run's log; empty where there is none. */
export async function readLogTail(run: Run): Promise<string> {
  return tail(run.logFile, 0);
}

async function tail(path: string, start: number): Promise<string> {
  try {
    const file = await openRegularFile(path);
    try {
      const { size } = await file.stat();
      const from = Math.max(start, size - TAIL_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - from)), { position: from });
      const text = buffer.subarray(0, bytesRead).toString();
      return from > start ? text.slice(text.indexOf('\n') + 1) : text;
    } finally {
      await file.close();
    }
  } catch {
    return ''; // The run folder has been deleted.
  }
}
