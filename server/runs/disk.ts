/** @file Writing that survives a crash, and a full disk that is told as what it is. */
import { existsSync, statfsSync } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FilePieces } from '../formats/filePieces.ts';
import { formatBytes } from '../protocol/formatQuantity.ts';
import { explainSystemError, isExisting, refusalOf } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';

/** End of the name of a file that is being written; one that is left over means that a write was cut short. */
const TEMPORARY = '.tmp';

/**
 * Replaces the file at `path` so that a reader, also after a power cut, sees the old content or the new one, whole. There
 * must be one writer at a time.
 * @throws UserError when the disk is full; the old content is then untouched
 */
export async function writeAtomically(
  path: string,
  content: Uint8Array | string | FilePieces,
  context: DiskErrorContext = {},
): Promise<void> {
  const temporary = path + TEMPORARY;
  try {
    const file = await open(temporary, 'w');
    try {
      // Each goes where the one before it has ended.
      for (const piece of isInPieces(content) ? content.pieces : [content]) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    const bytes = isInPieces(content) ? content.bytes : Buffer.byteLength(content);
    throw explainDiskError(error, dirname(path), bytes, context);
  }
}

function isInPieces(content: Uint8Array | string | FilePieces): content is FilePieces {
  return typeof content === 'object' && 'pieces' in content;
}

/** Makes a folder in one that is there, unless it is there already. A deleted run folder does not come back by it. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!isExisting(error)) throw explainDiskError(error, dirname(path), 0);
  }
}

/** What folders that cannot be opened or synchronized answer: vboxsf, some network file systems, one without read permission. */
const CANNOT_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EPERM', 'EACCES']);

/**
 * Makes renames and new files in `folder` durable, where its file system can: the file itself has been synchronized, and a power cut
 * can at most undo its renaming.
 */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // Windows cannot open a folder; NTFS journals its metadata.
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && CANNOT_SYNC.has(String(error.code)))) throw error;
  } finally {
    await handle?.close();
  }
}

/** What a message about the disk may say of the run. */
export interface DiskErrorContext {
  /** False where there is no run to go on with yet. */
  readonly begun?: boolean;
  /** True for a file outside of the run folder, which a user has asked for. */
  readonly isFileOfItsOwn?: boolean;
}

/**
 * What kept something from being written, as a {@link UserError}: a full disk with how much is free and how much was needed, a
 * limit of the size of files, a folder that is gone, and whatever else the system refuses. Any other error is returned as it is.
 */
export function explainDiskError(
  error: unknown,
  folder: string,
  neededBytes: number,
  { begun = true, isFileOfItsOwn = false }: DiskErrorContext = {},
): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const [kept, goOn] = isFileOfItsOwn
    ? ['No file was made.', 'then try again']
    : begun
      ? ['What was recorded before is intact.', 'then continue with `deeptwist resume`']
      : ['No run was made.', 'then run the experiment again'];
  if (begun && !isFileOfItsOwn && code === 'ENOENT' && !existsSync(folder)) return deletedFolder(folder);
  if (code === 'EFBIG') {
    return new UserError(`A file in ${folder} may not grow: its size has reached a limit. ${kept}`, {
      remedy: `Raise the limit (\`ulimit -f\`), or use a file system for larger files; ${goOn}.`,
      cause: error,
    });
  }
  // EDQUOT: none left in the user's quota.
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new UserError(
      `The disk is full: writing to ${folder} needs ${formatBytes(neededBytes)}, ${freeSpace(folder)}. ${kept}`,
      { remedy: `Free some space, ${goOn}.`, cause: error },
    );
  }
  return explainSystemError(error, {
    path: folder,
    cannot: 'written',
    ...(!begun && {
      remedy: `${refusalOf(error)?.remedy} With \`deeptwist run FILE --out DIR\` runs are made elsewhere.`,
    }),
  });
}

/** What a run's process is told that finds its folder gone. */
export function deletedFolder(path: string): UserError {
  return new UserError(`The folder ${path} was deleted or moved while the run was being trained.`, {
    remedy: 'Start the experiment again; next time, stop the run before its folder is deleted.',
  });
}

function freeSpace(folder: string): string {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return `${formatBytes(bavail * bsize)} are free`;
  } catch {
    return 'the free space is unknown';
  }
}
