/** @file Successive halving on this machine, rung by rung: which runs go on depends on their values alone, not on when they came. */
import { leaveRun } from '../runs/lockRun.ts';
import { FILES_AT_ONCE, mapAtOnce } from '../runs/mapAtOnce.ts';
import { compareValues, keptAt, rungStep, valueAt, type Halving, type RungValue } from './rungs.ts';
import { trainLines, type LineOutcome, type QueueOptions } from './runQueue.ts';
import type { PlannedRun, Sweep } from './sweepFolder.ts';

/**
 * Trains what is left to do of a sweep, all runs to their ends or, where the sweep halves, the better ones.
 * @returns how each line stands, in the order of the plan
 */
export async function trainSweep(sweep: Sweep, options: QueueOptions): Promise<LineOutcome[]> {
  const { halving } = sweep;
  return halving ? trainByHalving(sweep, halving, options) : trainLines(sweep, sweep.plan, options);
}

async function trainByHalving(sweep: Sweep, halving: Halving, options: QueueOptions): Promise<LineOutcome[]> {
  const outcomes = new Map<number, LineOutcome>();
  const told = new Set<number>();
  const tell = (outcome: LineOutcome) => {
    const { line } = outcome.planned;
    if (!told.has(line)) options.onEnd?.(outcome);
    told.add(line);
  };
  let lines: readonly PlannedRun[] = sweep.plan;
  for (let rung = 0; lines.length > 0; rung++) {
    const step = rungStep(halving, rung);
    const inRung = await trainLines(sweep, lines, {
      ...options,
      retryFailed: options.retryFailed && rung === 0,
      pauseAt: step,
      onEnd: (outcome) => {
        if (isOver(outcome)) tell(outcome);
      },
    });
    for (const outcome of inRung) outcomes.set(outcome.planned.line, outcome);
    const values = await mapAtOnce(inRung, FILES_AT_ONCE, async ({ run }) => run && (await valueAt(run, step)));
    // Without the value of a run that can still get one, nothing is decided.
    const isOpen = inRung.some((outcome, i) => !isOver(outcome) && !values[i]);
    if (options.signal.aborted || isOpen || inRung.every(isOver)) break;
    const places = placesOf(inRung, values);
    const count = keptAt(halving, inRung.length);
    for (const [i, outcome] of inRung.entries()) {
      if (places[i] <= count || isOver(outcome)) continue;
      const stopped = await stopEarly(sweep, outcome, values[i], { place: places[i], of: inRung.length });
      outcomes.set(outcome.planned.line, stopped);
      tell(stopped);
    }
    lines = inRung.filter((_, i) => places[i] <= count).map(({ planned }) => planned);
  }
  const all = sweep.plan.map((planned): LineOutcome => outcomes.get(planned.line) ?? { planned, state: 'not begun' });
  all.forEach(tell);
  return all;
}

/** True where nothing more comes of a run in this call. */
function isOver({ state, problem }: LineOutcome): boolean {
  return state === 'finished' || state === 'failed' || state === 'stopped early' || problem !== undefined;
}

/** The place of each among all, from 1; of those that are alike, the earlier lines come first. */
function placesOf(outcomes: readonly LineOutcome[], values: readonly (RungValue | undefined)[]): number[] {
  const order = outcomes
    .map((outcome, i) => ({ line: outcome.planned.line, value: values[i], i }))
    .sort((a, b) => compareValues(a.value, b.value) || a.line - b.line)
    .map(({ i }) => i);
  return outcomes.map((_, i) => 1 + order.indexOf(i));
}

/** Records that a run does not go on. It can be gone on with all the same. */
async function stopEarly(
  sweep: Sweep,
  outcome: LineOutcome,
  value: RungValue | undefined,
  place: { readonly place: number; readonly of: number },
): Promise<LineOutcome> {
  const { run, planned } = outcome;
  if (!run || !value) return outcome;
  const claim = await sweep.claim(planned);
  if (!('release' in claim)) return outcome;
  try {
    await leaveRun(run, { state: 'stopped', stoppedEarly: { step: value.step, ...place } });
    return { ...outcome, state: 'stopped early' };
  } finally {
    await claim.release();
  }
}
