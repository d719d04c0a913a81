/** @file Reading an experiment file from the disk. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { FormatError } from '../formats/formatError.ts';
import { decodeText } from '../formats/text.ts';
import type { ExperimentSettings } from '../protocol/experiment/schema.ts';
import { parseExperiment } from '../protocol/experiment/parseExperiment.ts';
import { reasonOf, refusalOf } from '../protocol/systemError.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { isRunCopy } from './keptCopy.ts';
import { openRun } from './run.ts';

/**
 * Reads and checks an experiment file.
 * @returns the exact text for {@link createRun}, and the name to show in messages: the path as seen from the current folder
 * @throws UserError when it cannot be read, or with everything that is wrong in it
 */
export async function loadExperiment(
  file: string,
  overrides: readonly string[] = [],
): Promise<{ text: string; name: string; experiment: ExperimentSettings }> {
  const { text, name } = await readForNewRuns(file);
  return { text, name, experiment: parseExperiment(text, { file: name, overrides }) };
}

/**
 * The same without a look at what is in it, for a file of which runs are made.
 * @throws UserError when it cannot be read, or is the copy that a run keeps: its paths do not lead to the modules that the run had
 */
export async function readForNewRuns(file: string): Promise<{ text: string; name: string }> {
  const read = await readExperiment(file);
  if (!isRunCopy(file)) return read;
  const { id, record } = await openRun(dirname(file));
  throw new UserError(`${read.name} is the copy that the run ${id} keeps of its experiment file.`, {
    remedy: `Use the file itself, ${relative(process.cwd(), record.experiment)}, or a copy of it beside its modules.`,
    exitCode: ExitCode.usage,
  });
}

/** Bytes of an experiment file at most: a thousand times what one has. */
const MOST_BYTES = 2 ** 22;

/**
 * The text of an experiment file, without a look at what is in it: UTF-8, or UTF-16 with its byte order mark, as editors open it.
 * @throws UserError when it cannot be read
 */
export async function readExperiment(file: string): Promise<{ text: string; name: string }> {
  const name = relative(process.cwd(), file);
  const unreadable = (reason: string, remedy?: string, cause?: unknown) =>
    new UserError(`The experiment file ${name} cannot be read: ${reason}.`, {
      exitCode: ExitCode.usage,
      ...(remedy !== undefined && { remedy }),
      cause,
    });
  try {
    // Before it is opened: to open a pipe waits for who writes it.
    const status = await stat(file);
    if (status.isDirectory()) throw unreadable('it is a folder');
    if (!status.isFile()) throw unreadable('it is no regular file');
    if (status.size > MOST_BYTES) throw unreadable(`it has ${status.size} bytes, more than ${MOST_BYTES}`);
    return { text: decodeText(await readFile(file)), name };
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof FormatError) throw unreadable(error.message, error.remedy, error);
    throw unreadable(reasonOf(error), refusalOf(error)?.remedy, error);
  }
}
