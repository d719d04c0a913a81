/** @file Making a new run folder. */
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RUN_FORMAT_VERSION } from '../protocol/run/runFormat.ts';
import { isExisting, refusalOf } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';
import { copySources, type SourceFile } from './copySources.ts';
import { explainDiskError, writeAtomically } from './disk.ts';
import { recordedExperiment, runsFolder } from './experimentOf.ts';
import { experimentName, nameInIds, writeNewRun } from './run.ts';
import type { Run } from './run.ts';
import type { RunRecord } from './runRecord.ts';

/**
 * Makes `<id>/` in `out`, by default in {@link runsFolder}, with the experiment's text. The id is `YYYYMMDD-HHMMSS-NAME`, in
 * local time, with a number behind it if that is taken.
 * @param experiment path of the experiment file
 * @param changes that the run shall take while it trains, as another did
 * @param sources of which the run keeps copies
 * @param id in the place of one by the time; such a folder must not be there
 * @param sweep the id of the sweep that the run belongs to
 * @param state `queued`: a process that was started for the run will take it; `running`: this one does, at once
 */
export async function createRun({
  experiment,
  text,
  overrides = [],
  changes,
  sources = [],
  state = 'running',
  out,
  id: given,
  sweep,
  now = new Date(),
}: {
  experiment: string;
  text: string;
  overrides?: readonly string[];
  changes?: RunRecord['changes'];
  sources?: readonly SourceFile[];
  state?: 'queued' | 'running';
  out?: string | undefined;
  id?: string;
  sweep?: string;
  now?: Date;
}): Promise<Run> {
  const file = resolve(experiment);
  const folder = out === undefined ? runsFolder(file) : resolve(out);
  const name = experimentName(file);
  let made: string | undefined;
  try {
    await mkdir(folder, { recursive: true });
    const id = given ?? (await claimName(folder, newId(name, now)));
    if (given !== undefined) await mkdir(join(folder, given));
    made = join(folder, id);
    const run = await writeNewRun(made, {
      format: RUN_FORMAT_VERSION,
      id,
      name,
      ...recordedExperiment(made, file),
      overrides: [...overrides],
      ...(changes && { changes }),
      ...(sweep !== undefined && { sweep }),
      state,
      created: now.toISOString(),
      updated: now.toISOString(),
      cuts: [],
    });
    await writeAtomically(run.experimentFile, text);
    await copySources(run, sources);
    return run;
  } catch (error) {
    // Half a run would be in the way, and cannot be resumed.
    if (made !== undefined) await rm(made, { recursive: true, force: true }).catch(() => undefined);
    const cause = error instanceof UserError ? error.cause : error;
    throw refusalOf(cause) ? explainDiskError(cause, folder, Buffer.byteLength(text), { begun: false }) : error;
  }
}

/** `YYYYMMDD-HHMMSS-NAME`, in local time. */
export function newId(name: string, now: Date): string {
  return `${timestamp(now)}-${nameInIds(name)}`;
}

/**
 * Makes the first folder in `folder` that is not there: of the wanted name, or of that with a number behind it. Making a folder is what cannot
 * happen twice.
 * @returns its name
 */
export async function claimName(folder: string, wanted: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const id = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    try {
      await mkdir(join(folder, id));
      return id;
    } catch (error) {
      if (!isExisting(error)) throw error;
    }
  }
}

function timestamp(time: Date): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const date = `${time.getFullYear()}${pad(time.getMonth() + 1)}${pad(time.getDate())}`;
  return `${date}-${pad(time.getHours())}${pad(time.getMinutes())}${pad(time.getSeconds())}`;
}
