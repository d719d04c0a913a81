/**
 * @file A file that one process holds at a time, and that names it. The file of a process that has died is taken over, with the
 * same care: whoever wants to replace what a dead process left first holds a second file, whose name comes from what is to be
 * replaced, and looks once more. Since no two holdings have the same content, that right is never for another one than was seen.
 *
 * Files appear with their whole content, by a hard link or a rename, which are atomic also on network file systems. Where a file
 * system has no links, a file is made exclusively and then written; it is then empty for a moment, and left alone meanwhile.
 */
import { createHash, randomBytes } from 'node:crypto';
import { link, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isExisting, isMissing } from '../protocol/systemError.ts';
import { identify, isAlive } from './liveProcess.ts';
import { processIdentitySchema, type ProcessIdentity } from './runRecord.ts';

/** A file without content may be one that is being written; after this many milliseconds its writer died writing it. */
const WRITING_MS = 2000;
/** Each attempt after the first follows something that another process did meanwhile. */
const ATTEMPTS = 100;
const RETRY_MS = 5;

export interface HeldFile {
  release(): Promise<void>;
}

/** What keeps a file from being taken. */
export interface Refusal {
  /** Undefined where it cannot be told. */
  readonly holder: ProcessIdentity | undefined;
  /** The file that it holds: the wanted one, or the right to take that over. */
  readonly path: string;
}

/** The process that holds a file, as messages name it. */
export function holderText(holder: Refusal['holder']): string {
  return holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
}

/** True for a process on another machine: nobody here knows if it lives. */
export function isElsewhere(holder: Refusal['holder']): holder is ProcessIdentity {
  return holder !== undefined && isAlive(holder) === 'unknown';
}

/** What to do about a file that a process on another machine holds, which may have died. */
export function ifGone(path: Refusal['path']): string {
  return `If that machine no longer runs it, delete ${path}`;
}

interface Content {
  readonly text: string;
  readonly holder: ProcessIdentity | undefined;
  /** Milliseconds since it was written. */
  readonly age: number;
  /** Different for every holding; fit for a file name. */
  readonly key: string;
}

/**
 * Takes the file at `path` for this process, unless another holds it, or this one does already.
 * @param isGone true for a process of another machine that is known to have ended
 */
export async function takeFile(
  path: string,
  isGone: (holder: ProcessIdentity) => boolean = () => false,
): Promise<HeldFile | Refusal> {
  const text = JSON.stringify({ ...identify(process.pid), holding: randomBytes(8).toString('hex') });
  const held: HeldFile = {
    async release() {
      if ((await read(path))?.text === text) await rm(path, { force: true });
    },
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await sleep(RETRY_MS);
    if (await create(path, text)) return held;
    const found = await read(path);
    if (!found) continue; // It has just been released.
    if (found.text === text) return held; // A network file system lost its answer and said, asked again, that the file is there.
    const gone = isElsewhere(found.holder) && isGone(found.holder);
    if (!gone && !isAbandoned(found)) return { holder: found.holder, path };
    const right = await takeFile(`${path}.${found.key}`, isGone);
    if (!('release' in right)) return right;
    try {
      if ((await read(path))?.key === found.key) {
        await replace(path, text);
        return held;
      }
    } finally {
      await right.release();
    }
  }
  return { holder: undefined, path };
}

/** The process that holds the file, if it lives or may live. */
export async function holderOf(path: string): Promise<ProcessIdentity | undefined> {
  const found = await read(path);
  return found && !isAbandoned(found) ? found.holder : undefined;
}

/** Removes what processes left that died while they took the file. To be called by its holder. */
export async function removeAbandoned(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const file = join(dirname(path), name);
    const found = await read(file);
    if (found && isAbandoned(found)) await rm(file, { force: true });
  }
}

function isAbandoned({ holder, age }: Content): boolean {
  return holder ? isAlive(holder) === false : age > WRITING_MS;
}

/** Makes the file with its content. @returns false where it is there already */
async function create(path: string, text: string): Promise<boolean> {
  return withTemporary(path, text, async (temporary) => {
    try {
      await link(temporary, path);
      return true;
    } catch (error) {
      if (isExisting(error)) return false;
    }
    try {
      await writeFile(path, text, { flag: 'wx' });
      return true;
    } catch (error) {
      if (isExisting(error)) return false;
      throw error;
    }
  });
}

async function replace(path: string, text: string): Promise<void> {
  await withTemporary(path, text, (temporary) => rename(temporary, path));
}

async function withTemporary<R>(path: string, text: string, work: (temporary: string) => Promise<R>): Promise<R> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    return await work(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Undefined where there is no such file. */
async function read(path: string): Promise<Content | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    const { mtimeMs } = await stat(path);
    const holder = parse(text);
    // What is not whole says nothing about its holding; its time does.
    const key = createHash('sha256').update(holder ? text : `${text}${mtimeMs}`);
    return { text, holder, age: Date.now() - mtimeMs, key: key.digest('hex').slice(0, 16) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function parse(text: string): ProcessIdentity | undefined {
  try {
    return processIdentitySchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
