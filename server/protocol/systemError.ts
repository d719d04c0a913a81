/** @file What a refusal of the operating system means for a user: one text for each code, whoever meets it. */
import { UserError } from './userError.ts';
import { messageOf } from './thrown.ts';

export interface SystemRefusal {
  /** Ends the sentence "… cannot be read: …". */
  readonly reason: string;
  readonly remedy: string;
}

const permissions = 'Change its permissions, or those of its folder.';

const refusals: Readonly<Record<string, SystemRefusal>> = {
  EACCES: { reason: 'permission denied', remedy: permissions },
  EPERM: { reason: 'the system does not permit it', remedy: permissions },
  EROFS: { reason: 'its file system is read-only', remedy: 'Use a folder on another file system.' },
  ENOSPC: { reason: 'the disk is full', remedy: 'Free some space, and try again.' },
  EDQUOT: { reason: "the user's disk quota is used up", remedy: 'Free some space, and try again.' },
  ENOENT: { reason: 'there is no such file', remedy: 'Correct the path; a link on the way may lead nowhere.' },
  ENOTDIR: {
    reason: 'a part of its path is a file, or a link that leads nowhere',
    remedy: 'Rename that file, or correct the path.',
  },
  EISDIR: { reason: 'it is a folder', remedy: 'Give the path of a file.' },
  EEXIST: { reason: 'there is a file of that name', remedy: 'Rename that file, or use another folder.' },
  ENAMETOOLONG: { reason: 'its name is longer than the file system takes', remedy: 'Use a shorter name.' },
  ELOOP: { reason: 'its links lead in a circle', remedy: 'Correct the links.' },
  EMFILE: {
    reason: 'this process has as many files open as it may',
    remedy: 'Raise the limit of open files (`ulimit -n`), and try again.',
  },
  ENFILE: { reason: 'the system has as many files open as it can', remedy: 'End other programs, and try again.' },
  EBUSY: { reason: 'another program uses it', remedy: 'Close that program, and try again.' },
  EIO: { reason: 'its disk reports an error', remedy: 'Check the disk, or use another.' },
};

/** System calls that change something. */
const WRITING = new Set([
  'mkdir',
  'write',
  'rename',
  'unlink',
  'rmdir',
  'rm',
  'link',
  'copyfile',
  'ftruncate',
  'fsync',
]);

/** What the system refused; undefined for an error that is none of the known refusals. */
export function refusalOf(error: unknown): SystemRefusal | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return Object.hasOwn(refusals, code) ? refusals[code] : undefined;
}

/** True for the error that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** True for the error that something of that name is there already. */
export function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/** Why a file cannot be read: the system's reason in plain words, or the text of another error. */
export function reasonOf(error: unknown): string {
  return refusalOf(error)?.reason ?? messageOf(error);
}

/**
 * A refusal of the system as an error that a user can mend; any other error as it is.
 * @param options.path of the file or folder, where the error does not name one
 * @param options.cannot what could not be done; by default, what the error tells of it
 * @param options.remedy in place of the usual one
 */
export function explainSystemError(
  error: unknown,
  options: { path?: string; cannot?: 'read' | 'written'; remedy?: string } = {},
): unknown {
  const refusal = refusalOf(error);
  if (!refusal) return error;
  const { path, syscall } = error as { path?: string; syscall?: string };
  const cannot = options.cannot ?? (syscall === 'open' ? 'opened' : WRITING.has(syscall ?? '') ? 'written' : 'read');
  return new UserError(`${path ?? options.path ?? 'A file'} cannot be ${cannot}: ${refusal.reason}.`, {
    remedy: options.remedy ?? refusal.remedy,
    cause: error,
  });
}
