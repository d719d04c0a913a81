/** @file The user's folder of sockets and tickets on this machine. */
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../protocol/userError.ts';

/** The path of a socket has at most 104 bytes on macOS, with the zero at its end (108 on Linux). */
const SOCKET_PATH_BYTES = 103;

/**
 * Makes `deeptwist-UID` in the folder for temporary files, for this user alone, or finds it.
 * @throws UserError when somebody else has made it
 */
export function runtimeFolder(): string {
  const uid = process.getuid?.(); // userInfo() fails for a user without a name, as in a container.
  const windows = process.platform === 'win32';
  const name = windows ? 'deeptwist' : `deeptwist-${uid}`; // The folder for temporary files is a user's own on Windows.
  const usual = join(tmpdir(), name);
  const longest = Buffer.byteLength(join(usual, `${newName()}.sock`));
  const folder = windows || longest <= SOCKET_PATH_BYTES ? usual : join('/tmp', name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!windows) {
    const made = lstatSync(folder);
    if (!made.isDirectory() || made.uid !== uid || (made.mode & 0o077) !== 0) {
      throw new UserError(`${folder} is not a folder of this user alone, as the runs' sockets need it.`, {
        remedy: `Delete it, or set TMPDIR to another folder. If it is yours: chmod 700 ${folder}`,
      });
    }
  }
  return folder;
}

/** A name that no other process uses. */
export function newName(): string {
  return `${process.pid}-${randomBytes(3).toString('hex')}`;
}

/** The address at which the process of that name listens: a socket in the folder, or a named pipe. */
export function endpointOf(folder: string, name: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\deeptwist-${userInfo().username}-${name}`;
  return join(folder, `${name}.sock`);
}
