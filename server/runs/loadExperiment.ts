/** @file Reading an experiment file from the disk. */
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { ExperimentSettings } from '../protocol/config.ts';
import { parseExperiment } from '../protocol/parseExperiment.ts';
import { reasonOf, refusalOf } from '../protocol/systemError.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';

/**
 * Reads and checks an experiment file.
 * @returns the exact text for {@link createRun}, and the name to show in messages: the path as seen from the current folder
 * @throws UserError when it cannot be read, or with everything that is wrong in it
 */
export async function loadExperiment(
  file: string,
  overrides: readonly string[] = [],
): Promise<{ text: string; name: string; experiment: ExperimentSettings }> {
  const { text, name } = await readExperiment(file);
  return { text, name, experiment: parseExperiment(text, { file: name, overrides }) };
}

/** The same without a look at what is in it. @throws UserError when it cannot be read */
export async function readExperiment(file: string): Promise<{ text: string; name: string }> {
  const name = relative(process.cwd(), file);
  try {
    return { text: await readFile(file, 'utf8'), name };
  } catch (error) {
    throw new UserError(`The experiment file ${name} cannot be read: ${reasonOf(error)}.`, {
      remedy: refusalOf(error)?.remedy,
      exitCode: ExitCode.usage,
      cause: error,
    });
  }
}
