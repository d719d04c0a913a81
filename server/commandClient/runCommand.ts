/** @file The command line `deeptwist` in a process of its own: it loads the user's code, which an extension host or a server of agents never does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cannotStart } from '../runs/cannotStart.ts';
import { LastLines } from './lastLines.ts';

/** Characters of the standard output that are kept: those of a report, and not what a user's module prints without end. */
const MOST_OUTPUT = 16 * 1024 * 1024;

export interface CommandRun {
  /** Path of Node, or of a program that becomes it with `ELECTRON_RUN_AS_NODE`. */
  readonly node: string;
  /** Path of the script, then its arguments. */
  readonly args: readonly string[];
  readonly directory: string;
  /** Aborted: the process is asked to stop, and killed when it has not after {@link graceMs}. */
  readonly signal: AbortSignal;
  /** Milliseconds that the command has to stop in order; 0 for one that leaves nothing half-done. */
  readonly graceMs: number;
  /** Called with each line of standard error. */
  readonly onLine?: (line: string) => void;
}

interface CommandEnd {
  /** The exit code, or the signal that killed the process. */
  readonly exit: number | NodeJS.Signals;
  readonly output: string;
  /** The last lines of standard error. */
  readonly lastWords: string;
}

/**
 * Runs a command to its end.
 * @throws UserError where the process cannot be started
 */
export async function runCommand({ node, args, directory, signal, graceMs, onLine }: CommandRun): Promise<CommandEnd> {
  const child = spawn(node, args, {
    // A process that is to stop in order is disconnected from: on Windows, no signal asks politely.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    cwd: directory,
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    windowsHide: true,
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < MOST_OUTPUT) output += text;
  });
  const last = new LastLines();
  let line = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    last.add(text);
    const lines = (line + text).split('\n');
    line = lines.pop() ?? '';
    for (const whole of lines) onLine?.(whole);
  });
  const kill = () => void child.kill('SIGKILL');
  let killing: NodeJS.Timeout | undefined;
  const stop = () => {
    if (graceMs > 0 && child.connected) child.disconnect();
    killing = setTimeout(kill, graceMs);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    const exited = new Promise<CommandEnd['exit']>((resolve, reject) => {
      child.once('error', (error) => reject(cannotStart('A process', node, error)));
      child.once('exit', (code, killedBy) => resolve(code ?? killedBy ?? 'SIGKILL'));
    });
    // Not the event `close`: there is none for a process that was disconnected from.
    const closed = [child.stdout, child.stderr].flatMap((stream) => (stream ? [once(stream, 'close')] : []));
    const exit = await exited;
    await Promise.all(closed);
    if (line !== '') onLine?.(line);
    return { exit, output, lastWords: last.take() };
  } finally {
    clearTimeout(killing);
    signal.removeEventListener('abort', stop);
  }
}
