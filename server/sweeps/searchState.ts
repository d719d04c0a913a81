/** @file The target and the result of a search, as its folder has them. The search itself is in server/search/. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { JsonText } from '../protocol/experiment/jsonText.ts';
import { oneLine } from '../protocol/experiment/oneLine.ts';
import { withOverrides } from '../protocol/experiment/parseExperiment.ts';
import { valueAt } from '../protocol/experiment/settingPath.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import type { SweepSearch } from '../protocol/wire/sweep.ts';
import { readRegularFile } from '../runs/workspaceFile.ts';
import type { Sweep } from './sweepFolder.ts';

/** File with the settings of a search: the folder of a sweep that has it is that of a search. */
export const SEARCH_FILE = 'search.json';
/** File with the result of a search, written at its end. */
export const RESULT_FILE = 'result.json';
/** Lock file of the process that works on a search. */
export const SEARCHING_FILE = 'searching';

const aboutSchema = z.object({ overrides: z.array(z.string()) });
const measured = z.number().nullable();
const resultSchema = z.object({
  isMet: z.boolean(),
  metric: z.string(),
  best: z.object({ run: z.string(), value: measured, drop: measured, bytes: measured, ratio: measured }).optional(),
});

export function isSearch({ path }: Pick<Sweep, 'path'>): boolean {
  return existsSync(join(path, SEARCH_FILE));
}

/** Undefined for a sweep that is no search. @throws UserError where a file of it is damaged */
export async function readSearch(sweep: Pick<Sweep, 'path' | 'experimentText'>): Promise<SweepSearch | undefined> {
  if (!isSearch(sweep)) return undefined;
  const { overrides } = await readSearchFile(sweep, SEARCH_FILE, aboutSchema);
  const { document } = withOverrides(new JsonText(await sweep.experimentText()), overrides);
  const result = existsSync(join(sweep.path, RESULT_FILE))
    ? await readSearchFile(sweep, RESULT_FILE, resultSchema)
    : undefined;
  return { target: oneLine(valueAt(document, ['target'])), ...(result && { result }) };
}

/** @throws UserError where the file is damaged */
export async function readSearchFile<T>({ path }: Pick<Sweep, 'path'>, name: string, schema: z.ZodType<T>): Promise<T> {
  const file = join(path, name);
  try {
    return schema.parse(JSON.parse(await readRegularFile(file)));
  } catch (error) {
    throw new UserError(`${file} is damaged.`, {
      remedy: 'Start the search again; runs of it that are there stay as they are.',
      exitCode: ExitCode.failed,
      cause: error,
    });
  }
}
