/**
 * @file Trains the runs of a sweep on a cluster with Slurm: submits what is left, watches, and submits again what the cluster loses. Nothing is
 * kept here that a kill could lose: jobs are found by their names, and the run folders tell what is done.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../protocol/userError.ts';
import { formatCount } from '../../protocol/formatQuantity.ts';
import { FILES_AT_ONCE, mapAtOnce } from '../../runs/mapAtOnce.ts';
import { leaveRun } from '../../runs/lockRun.ts';
import { lookAt, newestCheckpoint, type LineOutcome, type QueueOptions } from '../runQueue.ts';
import type { PlannedRun, Sweep } from '../sweepFolder.ts';
import { isEnded, readAccounting, readQueue, type Task } from './jobStates.ts';
import { callSlurm, type Answer } from './programs.ts';
import { jobNames, linesPerJob, slurmFolder, submitLines, type SlurmSetup } from './submission.ts';

/** How often the controller is asked, which serves a whole cluster. */
const POLL_MS = 5000;
/** Looks at which a job must be gone and its run not done: file servers show others what was written a while later. */
const LOOKS = 3;
/** Submissions of a run after which it is given up where none has brought a new checkpoint. */
const MOST_SUBMISSIONS = 3;

export interface SlurmOptions extends Pick<QueueOptions, 'retryFailed' | 'onStart' | 'onEnd' | 'onClaimed'> {
  readonly setup: SlurmSetup;
  /** The built command line. */
  readonly script: string;
  /** True where what is left is submitted and not waited for. */
  readonly detach: boolean;
  /** When it aborts, the jobs are left to themselves. */
  readonly signal: AbortSignal;
  /** Told what happens to the jobs, a sentence or a state of all. */
  readonly onNotice: (text: string) => void;
  readonly pollMs?: number | undefined;
}

/**
 * Trains what is left to do of a sweep on Slurm, until nothing is left, the signal aborts, or, detached, all is submitted.
 * @returns how each line stands, in the order of the plan
 * @throws UserError where Slurm is not there or refuses
 */
export async function trainOnSlurm(sweep: Sweep, options: SlurmOptions): Promise<LineOutcome[]> {
  const perJob = await linesPerJob();
  const watch = new Watch(sweep, options, perJob);
  const pollMs = options.pollMs ?? POLL_MS;
  while (!(await watch.look())) {
    await sleep(pollMs, undefined, { signal: options.signal }).catch(() => undefined);
    if (options.signal.aborted) break;
  }
  return mapAtOnce(sweep.plan, FILES_AT_ONCE, async (planned) => watch.outcomes.get(planned.line) ?? (await lookAt(sweep, planned))); // prettier-ignore
}

/**
 * Takes the jobs of a sweep out of the queue; runs that train stop after their step, with a checkpoint.
 * @returns how many jobs were cancelled
 * @throws UserError where the controller does not answer
 */
export async function cancelOnSlurm(sweep: Sweep, pollMs = 500): Promise<number> {
  const names = jobNames(sweep, await linesPerJob());
  const before = await liveTasks(names);
  const arrays = new Set([...before.values()].map(({ job }) => job.split('_')[0]));
  if (arrays.size > 0) {
    const answer = await callSlurm('scancel', [...arrays]);
    if (answer.code !== 0) throw noAnswer(answer);
    // Until their processes have ended: only then is the run of nobody.
    while ((await liveTasks(names)).size > 0) await sleep(pollMs);
  }
  for (const planned of sweep.plan) {
    const { run } = await lookAt(sweep, planned);
    if (run?.record.state !== 'queued' || !run.record.queue || run.record.process) continue;
    await leaveRun(run, { state: 'stopped' });
  }
  return before.size;
}

async function liveTasks(names: ReadonlyMap<string, number>): Promise<Map<number, Task>> {
  const tasks = await readQueue(new Set(names.keys()));
  if (!Array.isArray(tasks)) throw noAnswer(tasks);
  return byLine(tasks, names).live;
}

function noAnswer({ stderr }: Answer): UserError {
  return new UserError(`Slurm does not answer: ${lastLine(stderr)}`, {
    remedy: 'See `scontrol ping`; try again later.',
  });
}

/** The tasks of each line: that in the queue, or the one that has ended last. */
function byLine(tasks: readonly Task[], names: ReadonlyMap<string, number>) {
  const [live, ended] = [new Map<number, Task>(), new Map<number, Task>()];
  for (const task of tasks) {
    const line = (names.get(task.name) ?? 0) + task.index;
    const known = isEnded(task) ? ended : live;
    const other = known.get(line);
    if (!other || Number(other.job.split('_')[0]) < Number(task.job.split('_')[0])) known.set(line, task);
  }
  return { live, ended };
}

class Watch {
  readonly outcomes = new Map<number, LineOutcome>();
  readonly #sweep: Sweep;
  readonly #options: SlurmOptions;
  readonly #perJob: number;
  readonly #names: ReadonlyMap<string, number>;
  readonly #started = new Set<number>();
  /** Looks at which the job of a line was gone. */
  readonly #gone = new Map<number, number>();
  readonly #submissions = new Map<number, { count: number; checkpoint: string | undefined }>();
  readonly #claimed = new Set<number>();
  #isFirst = true;
  #isSilent = false;
  #shown = '';

  constructor(sweep: Sweep, options: SlurmOptions, perJob: number) {
    this.#sweep = sweep;
    this.#options = options;
    this.#perJob = perJob;
    this.#names = jobNames(sweep, perJob);
  }

  /** @returns true when there is nothing more to wait for */
  async look(): Promise<boolean> {
    const { onNotice, detach } = this.#options;
    const tasks = await readQueue(new Set(this.#names.keys()));
    if (!Array.isArray(tasks)) {
      if (this.#isFirst) throw noAnswer(tasks);
      // What a controller that restarts does not say is not lost.
      if (!this.#isSilent) onNotice(`Slurm does not answer: ${lastLine(tasks.stderr)} It is asked again.`);
      this.#isSilent = true;
      return false;
    }
    this.#isSilent = false;
    const { live, ended } = byLine(tasks, this.#names);
    const left = this.#sweep.plan.filter(({ line }) => !this.outcomes.has(line));
    const lost = (await mapAtOnce(left, FILES_AT_ONCE, (planned) => this.#lookAt(planned, live, ended))).flat();
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (lost.length > 0) await this.#submit(lost, live, ended, isFirst);
    if (this.outcomes.size === this.#sweep.plan.length || detach) return true;
    // What has just been submitted is not in it yet.
    if (lost.length === 0) this.#showCounts(live);
    return false;
  }

  /** @returns the line where it has to be submitted */
  async #lookAt(planned: PlannedRun, live: ReadonlyMap<number, Task>, ended: ReadonlyMap<number, Task>) {
    const { line } = planned;
    const { onStart, onEnd, retryFailed } = this.#options;
    const task = live.get(line);
    if (task?.state === 'PENDING' && !this.#isFirst) {
      this.#gone.delete(line);
      return [];
    }
    const now = await lookAt(this.#sweep, planned);
    const end = (outcome: LineOutcome) => {
      this.outcomes.set(line, outcome);
      onEnd?.(outcome);
      return [];
    };
    if (now.state === 'finished' || now.state === 'stopped early') return end(now);
    if (task) {
      this.#gone.delete(line);
      if (now.run && now.state === 'running' && !this.#started.has(line)) {
        this.#started.add(line);
        onStart?.(planned, now.run, 'started');
      }
      return [];
    }
    if (now.problem || (now.state === 'failed' && !(this.#isFirst && retryFailed))) return end(now);
    if (this.#isFirst) return [planned];
    const looks = (this.#gone.get(line) ?? 0) + 1;
    this.#gone.set(line, looks);
    if (looks < LOOKS) return [];
    if (ended.get(line)?.state === 'CANCELLED') return end({ ...now, problem: cancelled(this.#sweep) });
    return [planned];
  }

  async #submit(
    lost: readonly PlannedRun[],
    live: ReadonlyMap<number, Task>,
    ended: ReadonlyMap<number, Task>,
    isFirst: boolean,
  ): Promise<void> {
    const { onEnd, onNotice, onClaimed, setup, script } = this.#options;
    const since = new Date(this.#sweep.created);
    const remembered = isFirst ? [] : await readAccounting(new Set(this.#names.keys()), since);
    const accounted = byLine(remembered, this.#names).ended;
    const wanted: PlannedRun[] = [];
    for (const planned of lost) {
      const { line } = planned;
      const state = ended.get(line)?.state ?? accounted.get(line)?.state;
      const now = await lookAt(this.#sweep, planned);
      const checkpoint = now.run && (await newestCheckpoint(now.run));
      const before = this.#submissions.get(line);
      const count = before && before.checkpoint === checkpoint ? before.count : 0;
      const problem =
        state === 'CANCELLED' && !isFirst
          ? cancelled(this.#sweep)
          : count >= MOST_SUBMISSIONS
            ? givenUp(this.#sweep, planned, state)
            : undefined;
      if (problem) {
        const outcome = { ...now, problem };
        this.outcomes.set(line, outcome);
        onEnd?.(outcome);
        continue;
      }
      if (before && !this.#claimed.has(line)) onNotice(`[${line}] Slurm no longer has the job of ${planned.run}${state === undefined ? '' : ` (${state})`}: it is submitted again.`); // prettier-ignore
      this.#submissions.set(line, { count: count + 1, checkpoint });
      wanted.push(planned);
    }
    const liveIds = new Set([...live.values()].map(({ id }) => id));
    const submitted = await submitLines(this.#sweep, wanted, {
      setup,
      script,
      perJob: this.#perJob,
      // If a job is not in the queue any more, Slurm has ended its processes, or their machine has.
      isGone: ({ job }) => job !== undefined && this.#names.has(job.name) && !liveIds.has(job.id.split('/').at(-1)),
      onClaimed: (planned, by) => {
        this.#submissions.delete(planned.line);
        if (!this.#claimed.has(planned.line)) onClaimed?.(planned, by);
        this.#claimed.add(planned.line);
      },
    });
    for (const { line } of wanted) this.#gone.delete(line);
    for (const { line } of submitted) this.#claimed.delete(line);
    if (submitted.length > 0) onNotice(`${formatCount(submitted.length)} ${submitted.length === 1 ? 'run is' : 'runs are'} submitted to Slurm.`); // prettier-ignore
  }

  #showCounts(live: ReadonlyMap<number, Task>): void {
    const left = [...live].filter(([line]) => !this.outcomes.has(line)).map(([, task]) => task);
    const waiting = left.filter(({ state }) => state === 'PENDING');
    const reasons = [...new Set(waiting.map(({ reason }) => reason).filter((reason) => reason !== ''))];
    const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
    const text = [
      `${formatCount(left.length - waiting.length)} on the cluster`,
      `${formatCount(waiting.length)} waiting${why}`,
      `${formatCount(this.outcomes.size)} of ${formatCount(this.#sweep.plan.length)} ended`,
    ].join(', ');
    if (text === this.#shown) return;
    this.#shown = text;
    this.#options.onNotice(text);
  }
}

function cancelled({ id }: Sweep): UserError {
  return new UserError('Its job was cancelled.', { remedy: `Submit it again: deeptwist sweep ${id}` });
}

function givenUp(sweep: Sweep, { run }: PlannedRun, state: string | undefined): UserError {
  const how = state === undefined ? '' : `, the last time with ${state}`;
  const more: Readonly<Record<string, string>> = {
    OUT_OF_MEMORY: ' Ask for more memory: --slurm "--mem=8G".',
    TIMEOUT: ' Ask for more time: --slurm "--time=4:00:00"; or write checkpoints more often: training.checkpointEvery.',
  };
  return new UserError(
    `The job of the run ${run} has ended ${MOST_SUBMISSIONS} times without a new checkpoint${how}.`,
    {
      remedy: `See the newest log in ${slurmFolder(sweep)}.${more[state ?? ''] ?? ''}`,
    },
  );
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
