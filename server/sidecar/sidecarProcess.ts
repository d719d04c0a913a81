/** @file A run's process: its arguments, its signals, and its exit code. */
import module from 'node:module';
import { parseArgs } from 'node:util';
import { explainUncaught } from '../modules/userCalls.ts';
import { ExitCode, UserError, inOneLine } from '../protocol/userError.ts';
import { stackOf } from '../protocol/thrown.ts';
import { lockRun } from '../runs/lockRun.ts';
import { openRun, type Run } from '../runs/run.ts';
import { failure, recordEnd } from '../training/ending.ts';
import { log } from './log.ts';
import { Sidecar } from './sidecar.ts';
import { Ticket } from './ticket.ts';

// From Node 22.1 on: the bundles and TensorFlow.js are compiled once for all runs.
(module as { enableCompileCache?: () => void }).enableCompileCache?.();

// Nothing that happens to a terminal or to a log that cannot be written ends a run.
process.on('SIGHUP', () => undefined);
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

let run: Run | undefined;
try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      resume: { type: 'boolean', default: false },
      parallel: { type: 'string', default: '1' },
      'pause-at': { type: 'string' },
    },
  });
  const parallel = Number(values.parallel);
  const pauseAt = Number(values['pause-at'] ?? Infinity);
  if (positionals.length !== 1 || !(parallel >= 1) || !(pauseAt >= 1)) {
    const usage = 'usage: sidecar.js RUN_FOLDER [--resume] [--parallel N] [--pause-at STEP]';
    throw new UserError(usage, { exitCode: ExitCode.usage });
  }
  run = await openRun(positionals[0]);
  const ticket = new Ticket(run.path);
  process.on('exit', () => ticket.remove());
  const sidecar = new Sidecar(run, ticket);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void exitWith(sidecar.interrupt()));
  for (const uncaught of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(uncaught, (error: unknown) => {
      log(stackOf(error));
      void exitWith(sidecar.fail(explainUncaught(error)));
    });
  }
  await exitWith(sidecar.train({ resume: values.resume, parallel, pauseAt }));
} catch (error) {
  log(error instanceof UserError ? inOneLine(error) : String((error as Error).stack ?? error));
  if (run) await recordUnstarted(run, error).catch((reason: unknown) => log(String(reason)));
  process.exit(error instanceof UserError ? error.exitCode : ExitCode.failed);
}

/** Records what kept this process from taking the run: nobody waits for it then. @throws UserError where another process has it */
async function recordUnstarted(taken: Run, error: unknown): Promise<void> {
  const lock = await lockRun(taken, { state: 'queued' });
  const end = await recordEnd(taken, failure(error, 0, taken), { onEvent: () => undefined });
  await lock.release(end);
}

/** Threads of data and of ONNX Runtime may still be there: the process does not wait for them. */
async function exitWith(code: Promise<number | undefined>): Promise<void> {
  const exit = await code;
  if (exit !== undefined) process.exit(exit);
}
