/** @file Reads sweeps for the editor, again and again: of runs that are finished, what was read before is known. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { inOneLine } from '../protocol/userError.ts';
import type { SweepContent, SweptRunResult, SweptRunRow } from '../protocol/wire/sweep.ts';
import { FILES_AT_ONCE, mapAtOnce } from '../runs/mapAtOnce.ts';
import { RUN_FILE, type Run } from '../runs/run.ts';
import { resultOf } from '../runs/runResult.ts';
import { readSummary } from '../runs/log/readEvents.ts';
import { readNotes } from './runNotes.ts';
import { readSearch } from './searchState.ts';
import { lookAt, type LineState } from './runQueue.ts';
import { seedReader } from './seedReader.ts';
import { isSweepFolder, openSweep, PLAN_FILE, type PlannedRun, type Sweep } from './sweepFolder.ts';

type ReadRun = Pick<SweptRunRow, 'state' | 'result' | 'problem' | 'fault'>;

interface KnownSweep {
  readonly sweep: Sweep;
  readonly seedOf: ReturnType<typeof seedReader>;
  /** Time of the plan that was read last. */
  planTime: number | undefined;
  /** By line, with the time of the `run.json` that it was read from. */
  readonly read: Map<number, { readonly changed: number; readonly run: ReadRun }>;
}

export class SweepReader {
  readonly #known = new Map<string, KnownSweep>();

  /**
   * A sweep as it is now.
   * @param path of its folder
   * @throws UserError for a folder that is no sweep or is damaged
   */
  async read(path: string): Promise<SweepContent> {
    // One that has gone, or has been moved away, is no longer known.
    if (!isSweepFolder(path)) this.#known.delete(path);
    const known = this.#known.get(path) ?? (await openKnown(path));
    this.#known.set(path, known);
    const { sweep, seedOf } = known;
    const planTime = timeOf(join(path, PLAN_FILE));
    if (planTime !== known.planTime) await sweep.reloadPlan();
    known.planTime = planTime;
    const notes = await readNotes(path);
    const rows = await mapAtOnce(sweep.plan, FILES_AT_ONCE, async (planned): Promise<SweptRunRow> => {
      const note = notes.get(planned.run);
      return {
        line: planned.line,
        id: planned.run,
        key: sweep.runFolder(planned),
        vary: planned.vary,
        seed: await seedOf(planned),
        ...(await readRun(known, planned)),
        ...(note && { note }),
      };
    });
    const search = await readSearch(sweep);
    const { id, experiment, size } = sweep;
    return { id, path: sweep.path, experiment, size, rows, ...(search && { search }) };
  }
}

async function openKnown(path: string): Promise<KnownSweep> {
  const planTime = timeOf(join(path, PLAN_FILE));
  const sweep = await openSweep(path);
  return { sweep, planTime, seedOf: seedReader(sweep), read: new Map() };
}

async function readRun({ sweep, read }: KnownSweep, planned: PlannedRun): Promise<ReadRun> {
  const changed = timeOf(join(sweep.runFolder(planned), RUN_FILE));
  if (changed === undefined) return { state: 'planned' };
  const known = read.get(planned.line);
  // The process of a run that is not finished may have gone: only a look at it tells.
  if (known?.changed === changed && known.run.state === 'finished') return known.run;
  const { state, run, problem: met } = await lookAt(sweep, planned);
  const failure = run?.record.failure;
  const problem = met ?? failure;
  const result = run && state === 'finished' ? await shownResult(run) : undefined;
  const found: ReadRun = {
    state: stateOf(state),
    ...(result && { result }),
    ...(problem && state !== 'finished' && { problem: inOneLine(problem) }),
    ...(!met && state === 'failed' && failure?.fault && { fault: failure.fault }),
  };
  read.set(planned.line, { changed, run: found });
  return found;
}

function stateOf(state: LineState): SweptRunRow['state'] {
  if (state === 'not begun') return 'planned';
  return state === 'stopped early' ? 'early' : state;
}

/** The result of a finished run, from `run.json`; for a run of an earlier version, from the end of its log. */
export async function shownResult(run: Run): Promise<SweptRunResult | undefined> {
  const recorded = run.record.result;
  const hasSizes = recorded?.bytes !== undefined && recorded.bytesKept !== undefined;
  const summary = hasSizes ? undefined : await readSummary(run);
  const result = summary ? resultOf(summary) : recorded;
  if (result?.bytes === undefined || result.bytesKept === undefined) return undefined;
  const { metric, test, validation, loss, bytes, bytesKept, byteRatio, fileBytes, seconds } = result;
  return { metric, test, validation, loss, bytes, bytesKept, byteRatio, fileBytes, seconds };
}

/** Undefined where there is no file. */
function timeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
