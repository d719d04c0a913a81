/** @file Training the runs of a sweep from the command line: asks, shows what happens, and ends with the results. */
import { formatCount, formatDuration, formatNumber, formatRatio } from '../protocol/formatQuantity.ts';
import { printableJson } from '../protocol/printable.ts';
import { compressedSize } from '../protocol/run/compressedSize.ts';
import { shownMetric } from '../protocol/run/testMetric.ts';
import { secondsOf } from '../protocol/run/runSeconds.ts';
import { ExitCode, UserError, inOneLine } from '../protocol/userError.ts';
import { runsFolder } from '../runs/experimentOf.ts';
import { pathWord } from '../runs/pathWord.ts';
import { experimentName } from '../runs/run.ts';
import { readSummary } from '../runs/log/readEvents.ts';
import { secondsOfLastRun } from '../sweeps/expectedTime.ts';
import type { PlannedRuns } from '../sweeps/plannedRuns.ts';
import { holderText, ifGone, isElsewhere, type Refusal } from '../runs/lockFile.ts';
import { trainSweep } from '../sweeps/halving.ts';
import { pythonFrom } from '../sweeps/optuna/pythonPath.ts';
import { trainBySearch } from '../sweeps/optuna/trainBySearch.ts';
import { lookAt, type LineOutcome, type QueueOptions } from '../sweeps/runQueue.ts';
import { seedReader } from '../sweeps/seedReader.ts';
import { trainOnSlurm } from '../sweeps/slurm/slurmQueue.ts';
import type { SlurmSetup } from '../sweeps/slurm/submission.ts';
import { createSweep, type Sweep } from '../sweeps/sweepFolder.ts';
import type { CommandContext, CommandOption } from './command.ts';
import { earlyText, resultJson, sweepJson, sweepTable, type SweepResult } from './sweepTable.ts';
import { styled, writeLines } from './terminal.ts';
import { wrongUsage } from './wrongUsage.ts';

/** A sweep with more runs than this is started only where the user says so once more. */
const ASKED_FROM = 101;

export const parallelOption: CommandOption = {
  type: 'string',
  value: 'N',
  description: 'Runs at a time on this machine, those of an editor included; default: 1.',
};

export const yesOption: CommandOption = {
  type: 'boolean',
  description: 'Start more than 100 runs without asking.',
};

export const sweepJsonOption: CommandOption = {
  type: 'boolean',
  description: 'Print each run when it has ended, and then the results, one JSON object a line, and nothing else.',
};

/** @throws UserError for what is no positive integer */
export function parallelOf(command: string, value: string | undefined): number {
  const parallel = Number(value ?? 1);
  if (Number.isInteger(parallel) && parallel >= 1 && parallel <= 1024) return parallel;
  throw wrongUsage(command, `--parallel cannot be '${value}'`, 'Give an integer from 1 to 1024, such as --parallel 2.');
}

/**
 * Makes a sweep. Where it has many runs, the user is asked.
 * @param options.folder of the runs; default: `.deeptwist/runs` beside the file
 * @param options.yes true where nobody is to be asked
 * @returns undefined where the user does not want so many runs
 * @throws UserError where nobody can be asked
 */
export async function confirmedSweep(
  file: string,
  planned: PlannedRuns,
  { folder, parallel, yes }: { folder: string | undefined; parallel: number; yes: boolean },
  { confirm, now, stderr }: CommandContext,
): Promise<Sweep | undefined> {
  for (const warning of planned.warnings) stderr.write(`${styled(stderr, 'yellow', 'warning:')} ${warning}\n`);
  const count = planned.optuna?.runs ?? planned.combinations.length;
  if (count >= ASKED_FROM && !yes) {
    const what = `These are ${formatCount(count)} runs. ${await expectedTime(file, count / parallel, folder)}`;
    if (!confirm) throw new UserError(what, { remedy: 'Add --yes to start them.', exitCode: ExitCode.usage });
    if (!(await confirm(`${what} Start them?`))) return undefined;
  }
  return createSweep({ experiment: file, ...planned, out: folder, now: new Date(now()) });
}

/** @param rounds runs one after the other */
async function expectedTime(file: string, rounds: number, folder = runsFolder(file)): Promise<string> {
  const seconds = await secondsOfLastRun(folder, experimentName(file));
  if (seconds === undefined) return 'How long one takes is not known: none has finished yet.';
  return `They take about ${formatDuration(seconds * rounds)} if each takes as long as the last one, ${formatDuration(seconds)}.`;
}

export interface SweepWork {
  /** Runs at a time on this machine. */
  readonly parallel: number;
  readonly retryFailed: boolean;
  readonly json: boolean;
  /** Another Python for a search than the one that it was begun with. */
  readonly python?: string | undefined;
  /** For runs on Slurm: how they are submitted, and if they are waited for. */
  readonly slurm?: { readonly setup: SlurmSetup; readonly detach: boolean } | undefined;
}

/** Trains what is left to do of a sweep, and shows the results. @returns the exit code */
export async function workOnSweep(
  sweep: Sweep,
  context: CommandContext,
  { parallel, retryFailed, json, slurm, python }: SweepWork,
): Promise<number> {
  const { stdout, stderr } = context;
  const terminal = json ? stderr : stdout;
  const print = (lines: readonly string[]) => writeLines(terminal, lines);
  const goOn = `deeptwist sweep ${pathWord(sweep.path, context.directory)}`;
  const count = sweep.size;
  const width = formatCount(count).length;
  const place = (line: number) => `[${formatCount(line).padStart(width)}/${formatCount(count)}]`;
  const results: SweepResult[] = [];
  const readResult = resultReader(sweep);
  /** Lines whose runs have trained while this process watched: the others are in the table alone. */
  const watched = new Set<number>();
  const seconds: number[] = [];
  const show = async (outcome: LineOutcome, left: number) => {
    const result = await readResult(outcome);
    results.push(result);
    if (json) return void stdout.write(printableJson({ type: 'run', ...resultJson(result) }) + '\n');
    const { line, vary } = outcome.planned;
    if (!watched.has(line) && !outcome.problem && outcome.state !== 'stopped early') return;
    if (result.summary) seconds.push(secondsOf(result.summary));
    const rest = slurm ? '' : timeLeft(seconds, left / parallel);
    print([`${place(line)} ${resultText(result)}  ${vary.join(' ')}${rest}`]);
  };
  const atOnce = slurm ? slurm.setup.parallel : parallel > 1 ? parallel : undefined;
  const many = atOnce === undefined ? '' : `, ${formatCount(atOnce)} at a time`;
  print([`${styled(terminal, 'bold', sweep.id)}  ${formatCount(count)} runs${slurm ? ' on Slurm' : ''}${many}`]);
  const interrupt = context.onInterrupt(() =>
    print([
      slurm
        ? `The jobs stay in the queue. See to them again: ${goOn}; cancel them: ${goOn} --cancel`
        : 'Stopping the runs after their step and saving everything; press Ctrl-C again to leave them to themselves.',
    ]),
  );
  // One after the other, in the order of their ends.
  let shown: Promise<void> = Promise.resolve();
  try {
    let left = count;
    const watching: Pick<QueueOptions, 'retryFailed' | 'signal' | 'onStart' | 'onEnd' | 'onClaimed'> = {
      retryFailed,
      signal: interrupt.signal,
      onStart: ({ line, vary }, { id, lockFile, record: { process: holder } }, how) => {
        watched.add(line);
        const isForeign = how === 'followed' && isElsewhere(holder);
        const by = isForeign ? `  trained by ${heldText({ holder, path: lockFile })}` : '';
        if (!json || isForeign) print([`${place(line)} ${how} ${id}  ${vary.join(' ')}${by}`]);
      },
      onEnd: (outcome) => {
        const stillLeft = --left;
        if (outcome.state !== 'not begun' || outcome.problem) shown = shown.then(() => show(outcome, stillLeft));
      },
      onClaimed: ({ line }, refusal) => print([`${place(line)} is seen to by ${heldText(refusal)}`]),
    };
    if (slurm)
      await trainOnSlurm(sweep, {
        ...watching,
        ...slurm,
        script: context.commandScript,
        onNotice: (text) => print([text]),
      });
    else if (sweep.optuna)
      await trainBySearch(
        sweep,
        { ...sweep.optuna, ...(python !== undefined && { python: pythonFrom(context.directory, python) }) },
        {
          ...watching,
          parallel,
          sidecarScript: context.sidecarScript,
        },
      );
    else await trainSweep(sweep, { ...watching, parallel, sidecarScript: context.sidecarScript });
    await shown;
  } finally {
    interrupt.dispose();
  }
  const all = await readResults(sweep, results, readResult);
  if (json) stdout.write(printableJson({ type: 'sweep', id: sweep.id, path: sweep.path, ...sweepJson(all) }) + '\n');
  else writeLines(stdout, ['', ...sweepTable(all, stdout)]);
  const open = all.filter(({ summary, state }) => !summary && state !== 'stopped early');
  if (open.length === 0 && sweep.plan.length === sweep.size) return ExitCode.done;
  if (slurm?.detach === true && !interrupt.signal.aborted) {
    print([`See to them: ${goOn}; cancel them: ${goOn} --cancel`]);
    return ExitCode.done;
  }
  print(openLines(sweep, open, goOn, context.directory));
  return interrupt.signal.aborted ? ExitCode.stopped : ExitCode.failed;
}

/** @param rounds runs one after the other that are left */
function timeLeft(seconds: readonly number[], rounds: number): string {
  if (seconds.length === 0 || rounds === 0) return '';
  const mean = seconds.reduce((sum, one) => sum + one, 0) / seconds.length;
  return `  about ${formatDuration(Math.max(1, mean * rounds))} left`;
}

/** The process that has a line, with what to do where it is another machine's, of which nobody here knows if it lives. */
function heldText({ holder, path }: Refusal): string {
  return `${holderText(holder)}${isElsewhere(holder) ? `. ${ifGone(path)}` : ''}`;
}

/** @param goOn the command that goes on with the sweep */
function openLines(sweep: Sweep, open: readonly SweepResult[], goOn: string, directory: string): string[] {
  const failed = open.filter(({ state }) => state === 'failed').length;
  const ofThem = failed === 0 ? '' : `, ${formatCount(failed)} of them ${failed === 1 ? 'has' : 'have'} failed`;
  const are = open.length === 1 ? 'run is' : 'runs are';
  const lasting = open.filter(({ fault }) => fault !== undefined).length;
  const isPlanned = sweep.plan.length === sweep.size;
  return [
    ...(open.length === 0 ? [] : [`${formatCount(open.length)} ${are} not finished${ofThem}.`]),
    ...(isPlanned ? [] : [`${formatCount(sweep.size - sweep.plan.length)} are not planned yet.`]),
    ...(lasting === 0
      ? []
      : [
          `With the same settings, ${formatCount(lasting)} of them ${lasting === 1 ? 'fails' : 'fail'} again: ` +
            `mend the settings, and start the file again: ${pathWord(sweep.experiment, directory)}`,
        ]),
    ...(isPlanned && lasting === open.length
      ? []
      : [`Go on with: ${goOn}${failed > lasting ? ' --retry-failed' : ''}`]),
  ];
}

/** All lines of a sweep: those that are known, and the others as they stand. */
async function readResults(
  sweep: Sweep,
  known: readonly SweepResult[],
  read: ReturnType<typeof resultReader>,
): Promise<SweepResult[]> {
  const byLine = new Map(known.map((result) => [result.planned.line, result]));
  const all: SweepResult[] = [];
  for (const planned of sweep.plan) all.push(byLine.get(planned.line) ?? (await read(await lookAt(sweep, planned))));
  return all;
}

/** Finds what a line came to. */
function resultReader(sweep: Sweep): (outcome: LineOutcome) => Promise<SweepResult> {
  const seedOf = seedReader(sweep);
  return async ({ planned, state, run, problem }) => {
    const seed = await seedOf(planned);
    const summary = run && state === 'finished' ? await readSummary(run) : undefined;
    const told = problem ?? run?.record.failure;
    const early = state === 'stopped early' ? run?.record.stoppedEarly : undefined;
    return {
      planned,
      state,
      seed,
      path: sweep.runFolder(planned),
      summary,
      ...(early && { early }),
      ...(told && { problem: inOneLine(told) }),
      ...(!problem && { fault: run?.record.failure?.fault }),
    };
  };
}

function resultText({ summary, state, problem, early }: SweepResult): string {
  if (early) return earlyText(early);
  if (!summary) return problem === undefined ? state : `${state}: ${problem}`;
  const { ratio } = compressedSize(summary);
  return `${summary.metric} ${formatNumber(shownMetric(summary))}  ${formatRatio(ratio)}`;
}
