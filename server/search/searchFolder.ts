/**
 * @file What a search keeps in the folder of its sweep, beside the plan of its runs:
 * ```
 * search.json     SearchRecord: what it is about
 * measured.json   what was measured of the dense model; written once
 * result.json     what it came to; written at its end
 * searching       the process that works on it now
 * ```
 * A search is a sweep whose runs are decided one after the other: its plan grows, and is else that of a sweep.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../protocol/userError.ts';
import { writeAtomically } from '../runs/disk.ts';
import { holderText, ifGone, takeFile, type HeldFile } from '../runs/lockFile.ts';
import { readSearchFile, RESULT_FILE, SEARCH_FILE, SEARCHING_FILE } from '../sweeps/searchState.ts';
import type { Sweep } from '../sweeps/sweepFolder.ts';
import { measuredWeightSchema } from './ways.ts';

const MEASURED_FILE = 'measured.json';

const recordSchema = z.object({
  format: z.literal(1),
  overrides: z.array(z.string()).describe('`path=value` texts of --set.'),
  budget: z.number().describe('Runs of the full length that all training together may take.'),
  reference: z
    .object({
      run: z
        .string()
        .optional()
        .describe(
          'Name of the run folder that has the dense model, or a path that ends with it; absent where there is none.',
        ),
      isReused: z.boolean().describe('True where that run was there before the search.'),
    })
    .optional(),
});
export type SearchRecord = z.output<typeof recordSchema>;

const measuredSchema = z.object({
  value: z.number().describe('Metric of the dense model on the validation split.'),
  weights: z.array(measuredWeightSchema),
  seconds: z.number().describe('That measuring took.'),
});
export type MeasuredModel = z.output<typeof measuredSchema>;

export async function readRecord(sweep: Sweep): Promise<SearchRecord> {
  return readSearchFile(sweep, SEARCH_FILE, recordSchema);
}

export async function writeRecord(sweep: Sweep, record: SearchRecord): Promise<void> {
  await writeAtomically(join(sweep.path, SEARCH_FILE), `${JSON.stringify(record, null, 2)}\n`);
}

/** Undefined where nothing has been measured yet. */
export async function readMeasured(sweep: Sweep): Promise<MeasuredModel | undefined> {
  return existsSync(join(sweep.path, MEASURED_FILE)) ? readSearchFile(sweep, MEASURED_FILE, measuredSchema) : undefined;
}

export async function writeMeasured(sweep: Sweep, measured: MeasuredModel): Promise<void> {
  await writeAtomically(join(sweep.path, MEASURED_FILE), `${JSON.stringify(measured)}\n`);
}

export async function writeResult(sweep: Sweep, result: unknown): Promise<void> {
  await writeAtomically(join(sweep.path, RESULT_FILE), `${JSON.stringify(result, null, 2)}\n`);
}

/** @throws UserError where another process works on the search */
export async function takeSearch(sweep: Sweep): Promise<HeldFile> {
  const held = await takeFile(join(sweep.path, SEARCHING_FILE));
  if ('release' in held) return held;
  const { holder, path } = held;
  throw new UserError(`The search ${sweep.id} is worked on by ${holderText(holder)}.`, {
    remedy: `Wait until it has ended. ${ifGone(path)}.`,
  });
}
