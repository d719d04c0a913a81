/** @file A process that could not be started, as an error that says what to do. */
import { NODE_PATH_REMEDY } from '../protocol/nodeVersion.ts';
import { isMissing, reasonOf, refusalOf } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';

/** Codes with which the system refuses any further process, whichever executable it is of. */
const ofSystem = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/**
 * @param what begins the sentence: `The run's process`
 * @param executable that of this process, or the one that the editor's setting names
 */
export function cannotStart(what: string, executable: string, error: unknown): UserError {
  const isOwn = executable === process.execPath;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const ofExecutable = isOwn ? undefined : NODE_PATH_REMEDY;
  const remedy = ofSystem.has(code) ? (refusalOf(error)?.remedy ?? 'End other programs, and try again.') : ofExecutable;
  const reason = isOwn && isMissing(error) ? 'the folder that it is to run in is gone' : reasonOf(error);
  return new UserError(`${what} cannot be started with ${executable}: ${reason}.`, {
    ...(remedy !== undefined && { remedy }),
    cause: error,
  });
}
