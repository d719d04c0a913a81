/**
 * @file What a user's modules do while nobody waits for them: errors of timers and of promises that nobody handles, and promises
 * that are never settled. Loads no TensorFlow.js, so that every process can ask.
 */
import { basename } from 'node:path';
import { withCodePlace, type CodePlace } from '../protocol/codePlace.ts';
import { UserError } from '../protocol/userError.ts';
import { messageOf } from '../protocol/thrown.ts';

/** The files of the modules that were loaded, absolute. */
const loaded = new Set<string>();
/** What is being waited for, `createModel() of /path/model.ts`, and how to give up. */
const pending = new Map<string, (error: UserError) => void>();

/** Minutes in which a function of a module must have done its work. A download of a model takes long; nothing takes so long. */
const LIMIT_MINUTES = 30;

export function rememberFiles(files: readonly string[]): void {
  for (const file of files) loaded.add(file);
}

/** An error's message, and `file:line:column` of the innermost call in one of the files, the modules that were loaded. */
export function withPlace(error: unknown, files: Iterable<string> = loaded, message = messageOf(error)): string {
  const place = placeOf(error, files);
  return place === undefined ? message : withCodePlace(message, place);
}

/** The remedy for an error of a module: `Fix net.ts, line 6.` */
export function fixOf(path: string, error: unknown, files: Iterable<string>): string {
  const place = placeOf(error, files);
  return place === undefined ? `Fix ${basename(path)}.` : `Fix ${basename(place.file)}, line ${place.line}.`;
}

function placeOf(error: unknown, files: Iterable<string>): CodePlace | undefined {
  if (!(error instanceof Error)) return undefined;
  const names = [...files];
  for (const frame of error.stack?.split('\n') ?? []) {
    const file = names.find((name) => frame.includes(`${name}:`));
    if (file === undefined) continue;
    const [, line, column] = /^:(\d+):(\d+)/.exec(frame.slice(frame.indexOf(file) + file.length)) ?? [];
    if (column !== undefined) return { file, line: Number(line), column: Number(column) };
  }
  return undefined;
}

/**
 * Waits for what a function of a module returned.
 * @param call `createModel() of /path/model.ts`
 * @throws UserError when it takes too long, or nothing is left that could settle it
 */
export async function settled(call: string, returned: unknown): Promise<unknown> {
  if (!isPromise(returned)) return returned;
  let limit: NodeJS.Timeout | undefined;
  const givenUp = new Promise<never>((_, reject) => {
    pending.set(call, reject);
    limit = setTimeout(
      () => reject(neverEnded(`${call} has not ended within ${LIMIT_MINUTES} minutes`)),
      LIMIT_MINUTES * 60_000,
    ).unref();
  });
  try {
    return await Promise.race([returned, givenUp]);
  } finally {
    clearTimeout(limit);
    pending.delete(call);
  }
}

/** Ends all waiting, because the process has nothing left to do. @returns whether anything was waited for */
export function giveUpWaiting(): boolean {
  for (const [call, giveUp] of pending)
    giveUp(neverEnded(`${call} does not end: nothing is left that it could wait for`));
  return pending.size > 0;
}

function neverEnded(message: string): UserError {
  return new UserError(`${message}.`, { remedy: 'Correct the module: a promise that it returns must be settled.' });
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';
}

/** An error that reached nobody, as one that names the module which threw it; others as they are. */
export function explainUncaught(error: unknown): Error {
  if (error instanceof UserError) return error;
  const place = placeOf(error, loaded);
  if (place === undefined) return error instanceof Error ? error : new Error(messageOf(error));
  return new UserError(`${place.file} threw an error where nobody waits for it: ${withPlace(error)}`, {
    remedy: 'Correct the module: catch the error, or await what may fail.',
    cause: error,
  });
}
