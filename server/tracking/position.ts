/** @file How much of a run's log was written or sent elsewhere: a small file that one process has at a time. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { isMissing } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';
import { explainDiskError, writeAtomically } from '../runs/disk.ts';
import { takeFile, type HeldFile } from '../runs/lockFile.ts';
import { readRegularFile } from '../runs/workspaceFile.ts';

export const placeSchema = z.object({ offset: z.int().min(0), cuts: z.int().min(0) });

/** A file with a position, held by this process until it is closed. */
export class Position<Content> {
  readonly #path: string;
  readonly #lock: HeldFile;
  readonly #schema: z.ZodType<Content>;

  private constructor(path: string, schema: z.ZodType<Content>, lock: HeldFile) {
    this.#path = path;
    this.#schema = schema;
    this.#lock = lock;
  }

  /**
   * Makes the folders above the file.
   * @param writes what the position is of, for the message where another process has it
   * @throws UserError where the folder cannot be written, or another process has the file
   */
  static async open<Content>(path: string, schema: z.ZodType<Content>, writes: string): Promise<Position<Content>> {
    const lockPath = `${path}.lock`;
    let lock: Awaited<ReturnType<typeof takeFile>>;
    try {
      await mkdir(dirname(path), { recursive: true });
      lock = await takeFile(lockPath);
    } catch (error) {
      throw explainDiskError(error, dirname(path), 0);
    }
    if ('release' in lock) return new Position(path, schema, lock);
    const { holder } = lock;
    throw new UserError(
      `Another process${holder ? ` (${holder.pid} on ${holder.host})` : ''} is writing ${writes} at the moment.`,
      {
        remedy: `Wait until it has ended; a run that trains does this itself. Where none is left, remove ${lock.path}.`,
      },
    );
  }

  /** @returns undefined where there is none that can be read: everything is then done from the beginning */
  async read(): Promise<Content | undefined> {
    try {
      return this.#schema.safeParse(JSON.parse(await readRegularFile(this.#path))).data;
    } catch (error) {
      if (error instanceof SyntaxError || isMissing(error)) return undefined;
      throw error;
    }
  }

  async write(content: Content): Promise<void> {
    await writeAtomically(this.#path, JSON.stringify(content) + '\n');
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }
}
