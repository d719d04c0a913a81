/** @file `deeptwist sweep`. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { formatCount } from '../../protocol/formatQuantity.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { findSweep } from '../../sweeps/findSweep.ts';
import { runsFolder } from '../../runs/experimentOf.ts';
import { leaveRun } from '../../runs/lockRun.ts';
import { holderText, ifGone } from '../../runs/lockFile.ts';
import { pathWord } from '../../runs/pathWord.ts';
import type { Run } from '../../runs/run.ts';
import { Ladder } from '../../sweeps/asynchronousHalving.ts';
import { checkVolumes, jobOptions, kubernetesJob, type JobOptions } from '../../sweeps/kubernetesJob.ts';
import { pythonFrom, recordedPython } from '../../sweeps/optuna/pythonPath.ts';
import { plannedRuns } from '../../sweeps/plannedRuns.ts';
import { readSweep } from '../../sweeps/runQueue.ts';
import { ownJob, requeueOwnJob } from '../../sweeps/slurm/ownJob.ts';
import { sbatchOptions } from '../../sweeps/slurm/programs.ts';
import { cancelOnSlurm } from '../../sweeps/slurm/slurmQueue.ts';
import { linesPerJob, readSetup, writeSetup, type SlurmSetup } from '../../sweeps/slurm/submission.ts';
import type { PlannedRun, Sweep } from '../../sweeps/sweepFolder.ts';
import { choiceOf } from '../choiceOf.ts';
import type { Command, CommandArguments, CommandContext } from '../command.ts';
import { parallelOf, parallelOption, confirmedSweep, sweepJsonOption, workOnSweep, yesOption } from '../sweepWork.ts';
import { earlyText } from '../sweepTable.ts';
import { writeLines } from '../terminal.ts';
import { wrongUsage } from '../wrongUsage.ts';
import { outOption, setOption, train } from './train.ts';

export const sweepCommand: Command = {
  name: 'sweep',
  positionals: { usage: 'FILE|SWEEP', minimum: 1, maximum: 1 },
  summary: 'Train the runs of "sweep" in an experiment file, or go on with a sweep.',
  options: {
    set: setOption,
    out: outOption,
    parallel: parallelOption,
    yes: yesOption,
    'retry-failed': { type: 'boolean', description: 'Go on with runs that have failed, too.' },
    print: { type: 'boolean', description: 'Print a command for each run that is left, and start nothing.' },
    task: { type: 'string', value: 'N', description: 'Train the run of line N of the plan, in this process.' },
    engine: {
      type: 'string',
      value: 'local|slurm|kubernetes',
      description:
        'Place where the runs train: this machine (default), array jobs of Slurm, or the Job of Kubernetes that is printed.',
    },
    slurm: {
      type: 'string',
      value: 'OPTIONS',
      mayBeginWithDash: true,
      description: 'More options of sbatch, as one text: --slurm "--partition=gpu --time=1:00:00".',
    },
    detach: { type: 'boolean', description: 'Submit to Slurm what is left, and do not wait.' },
    cancel: {
      type: 'boolean',
      description: 'Cancel the jobs of the sweep on Slurm; runs that train stop with a checkpoint.',
    },
    image: { type: 'string', value: 'NAME', description: 'Image with Node and deeptwist, for a Job of Kubernetes.' },
    volume: {
      type: 'string',
      multiple: true,
      value: 'CLAIM:PATH',
      description: 'Claim of a volume, and its path here and in the containers, for a Job of Kubernetes.',
    },
    resources: {
      type: 'string',
      value: 'LIST',
      description: 'Resources of each run, as cpu=2,memory=4Gi, for a Job of Kubernetes.',
    },
    json: sweepJsonOption,
    search: {
      type: 'string',
      value: 'optuna',
      description: 'Ask Optuna, in your Python, for the settings of each run, within the bounds of a random sweep.',
    },
    storage: { type: 'string', value: 'URL', description: "Optuna's storage; default: a file in the sweep's folder." },
    study: { type: 'string', value: 'NAME', description: "Optuna's study; default: the id of the sweep." },
    python: { type: 'string', value: 'PATH', description: 'The Python that has optuna; default: python3.' },
  },
  outlivesOutput: true,
  async run({ positionals: [reference], options }, context) {
    const parallel = parallelOf('sweep', options.parallel);
    const engine = engineOf(options);
    const file = resolve(context.directory, reference);
    const isNew = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    if (isNew && (options.task ?? options.cancel) !== undefined) {
      const remedy = 'Make one by `deeptwist sweep FILE --print`, and give its id.';
      throw wrongUsage('sweep', `${options.task === undefined ? '--cancel' : '--task'} needs a sweep`, remedy);
    }
    if (!isNew && (options.set ?? options.out) !== undefined)
      throw wrongUsage('sweep', '--set and --out are for a new sweep', 'Give an experiment file, or leave them out.');
    const optuna = optunaOf(options, engine, isNew);
    const sbatch = sbatchOptions(options.slurm ?? '');
    const kubernetes = engine === 'kubernetes' ? jobOptions(options) : undefined;
    const text = options.print
      ? '--print'
      : options.cancel
        ? '--cancel'
        : kubernetes
          ? '--engine kubernetes'
          : undefined;
    if (options.json && text !== undefined) throw wrongUsage('sweep', `${text} prints no JSON`, 'Leave --json out.');
    const isForSlurm = (options.slurm ?? options.detach) !== undefined;
    // Before there is a plan: where something is wrong, or there is no Slurm, nothing is made.
    if (isNew && isForSlurm && engine !== 'slurm') throw notForSlurm();
    if (isNew && engine === 'slurm') await linesPerJob();
    if (isNew && kubernetes) {
      const runs = options.out === undefined ? runsFolder(file) : resolve(context.directory, options.out);
      checkVolumes([dirname(file), runs], kubernetes.volumes);
    }
    const sweep = isNew
      ? await newSweep(file, options, { parallel, optuna }, context)
      : await existingSweep(reference, context);
    if (!sweep) return ExitCode.stopped;
    if (options.task !== undefined) return trainLine(sweep, options, context);
    if (options.cancel) return cancel(sweep, context);
    if (sweep.optuna && isElsewhere(options, engine)) throw searchElsewhere();
    if (kubernetes) return printJob(sweep, kubernetes, context);
    if (options.print) return printCommands(sweep, context);
    const before = await readSetup(sweep);
    let setup: SlurmSetup | undefined;
    if (engine === 'slurm' || (engine === undefined && before)) {
      const atOnce = options.parallel === undefined ? before?.parallel : parallel;
      setup = {
        options: options.slurm === undefined ? (before?.options ?? []) : sbatch,
        ...(atOnce !== undefined && { parallel: atOnce }),
      };
      await writeSetup(sweep, setup);
    }
    if (!setup && isForSlurm) throw notForSlurm();
    return workOnSweep(sweep, context, {
      parallel,
      retryFailed: options['retry-failed'] === true,
      json: options.json === true,
      python: options.python,
      slurm: setup && { setup, detach: options.detach === true },
    });
  },
};

function notForSlurm(): UserError {
  return wrongUsage('sweep', '--slurm and --detach are for Slurm', 'Add --engine slurm, or leave them out.');
}

const engines = ['local', 'slurm', 'kubernetes'] as const;

function engineOf({ engine, image, volume, resources }: CommandArguments['options']) {
  const known = choiceOf('sweep', 'engine', engines, engine);
  if (known !== 'kubernetes' && (image ?? volume ?? resources) !== undefined)
    throw wrongUsage(
      'sweep',
      '--image, --volume and --resources are for a Job of Kubernetes',
      'Add --engine kubernetes, or leave them out.',
    );
  return known;
}

/** What chooses the settings of the runs, by the command line: undefined where they are all in the plan, or in a sweep that is there. */
function optunaOf(
  { search, storage, study, python, print }: CommandArguments['options'],
  engine: ReturnType<typeof engineOf>,
  isNew: boolean,
) {
  if (search !== undefined && search !== 'optuna')
    throw wrongUsage('sweep', `--search cannot be '${search}'`, 'Give --search optuna, or leave it out.');
  if (search !== undefined && !isNew)
    throw wrongUsage('sweep', '--search is for a new sweep', 'Give an experiment file, or leave it out.');
  if (search !== undefined && isElsewhere({ print }, engine)) throw searchElsewhere();
  if (search === undefined && ((storage ?? study) !== undefined || (isNew && python !== undefined)))
    throw wrongUsage(
      'sweep',
      '--storage, --study and --python are for a search',
      'Add --search optuna, or leave them out.',
    );
  if (search === undefined) return undefined;
  return {
    python: python ?? (process.platform === 'win32' ? 'python' : 'python3'),
    ...(storage !== undefined && { storage }),
    ...(study !== undefined && { study }),
  };
}

/** True where others than this process begin the runs of the plan. */
function isElsewhere({ print }: Pick<CommandArguments['options'], 'print'>, engine: ReturnType<typeof engineOf>) {
  return (engine ?? 'local') !== 'local' || print === true;
}

function searchElsewhere(): UserError {
  const remedy =
    'Call `deeptwist sweep` for it on several machines of one file system, or in a job of the cluster: each asks for runs of its own.';
  return wrongUsage('sweep', 'a search has no list of runs to give to a cluster', remedy);
}

async function cancel(sweep: Sweep, { stdout, directory }: CommandContext): Promise<number> {
  const count = await cancelOnSlurm(sweep);
  const jobs = count === 1 ? 'job is' : 'jobs are';
  writeLines(stdout, [
    count === 0 ? `No job of ${sweep.id} is in the queue.` : `${formatCount(count)} ${jobs} cancelled.`,
    `Go on with: deeptwist sweep ${pathWord(sweep.path, directory)}`,
  ]);
  return ExitCode.done;
}

/** Nothing is applied: whoever has a cluster looks at it first. */
async function printJob(
  sweep: Sweep,
  options: JobOptions,
  { stdout, stderr, directory }: CommandContext,
): Promise<number> {
  stdout.write(kubernetesJob(sweep, options));
  const folder = pathWord(sweep.path, directory);
  writeLines(stderr, [
    `A Job for ${formatCount(sweep.plan.length)} runs: save it, and \`kubectl apply -f FILE\`. Their results: deeptwist sweep ${folder} --print`,
  ]);
  return ExitCode.done;
}

/** Undefined where the user does not want so many runs. */
async function newSweep(
  file: string,
  { set = [], out, yes = false, print = false, engine }: CommandArguments['options'],
  { parallel, optuna }: { parallel: number; optuna: ReturnType<typeof optunaOf> },
  context: CommandContext,
): Promise<Sweep | undefined> {
  const folder = out === undefined ? undefined : resolve(context.directory, out);
  const search = optuna && {
    ...optuna,
    python: recordedPython(dirname(file), pythonFrom(context.directory, optuna.python)),
  };
  // To print them starts none.
  return confirmedSweep(
    file,
    await plannedRuns(file, set, search),
    { folder, parallel, yes: yes || print || engine === 'kubernetes' },
    context,
  );
}

async function existingSweep(reference: string, { directory }: CommandContext): Promise<Sweep> {
  const sweep = await findSweep(reference, directory);
  if (sweep) return sweep;
  throw new UserError(`There is no experiment file and no sweep '${reference}' in ${directory}.`, {
    remedy: 'Give the path of a file, or the id of a sweep, which is the name of its folder in .deeptwist/sweeps.',
    exitCode: ExitCode.usage,
  });
}

/** For `xargs`, `parallel` and schedulers: each command makes its run, or goes on with it. */
async function printCommands(sweep: Sweep, { stdout, stderr, directory }: CommandContext): Promise<number> {
  const left = (await readSweep(sweep)).filter(({ state }) => state !== 'finished' && state !== 'stopped early');
  const folder = pathWord(sweep.path, directory);
  writeLines(
    stdout,
    left.map(({ planned: { line } }) => `deeptwist sweep ${folder} --task ${line}`),
  );
  writeLines(stderr, [
    `${formatCount(left.length)} of ${formatCount(sweep.plan.length)} runs are left. Their results: deeptwist sweep ${folder}`,
  ]);
  return ExitCode.done;
}

async function trainLine(sweep: Sweep, options: CommandArguments['options'], context: CommandContext): Promise<number> {
  const planned = sweep.plan[Number(options.task) - 1] as (typeof sweep.plan)[number] | undefined;
  if (!planned || String(planned.line) !== options.task)
    throw wrongUsage(
      'sweep',
      `there is no line '${options.task}' in the plan of ${sweep.id}`,
      `Give a number from 1 to ${sweep.plan.length}.`,
    );
  const claim = await sweep.claim(planned);
  if (!('release' in claim)) {
    const { holder, path } = claim;
    throw new UserError(`The run ${planned.run} is seen to by ${holderText(holder)}.`, {
      remedy: `Wait until it has ended. ${ifGone(path)}.`,
    });
  }
  try {
    const run = (await sweep.openRun(planned)) ?? (await sweep.makeRun(planned));
    return await trainTask(sweep, planned, run, options, context);
  } finally {
    await claim.release();
  }
}

/** Trains the run of a line that this process has claimed. */
async function trainTask(
  sweep: Sweep,
  { line }: PlannedRun,
  run: Run,
  { json = false, engine }: CommandArguments['options'],
  context: CommandContext,
): Promise<number> {
  if (run.record.state === 'finished') {
    context.stderr.write(`The run ${run.id} is finished.\n`);
    return ExitCode.done;
  }
  const job = engine === 'slurm' ? ownJob() : undefined;
  if (job !== undefined) await run.update({ queue: { engine: 'slurm', job } });
  const ladder = sweep.halving && new Ladder(sweep.path, line, sweep.halving);
  // The queue of this machine leaves no rungs on the disk, but the run says that it was stopped.
  let early = ladder && (run.record.stoppedEarly ?? ladder.stoppedBefore());
  let code: number = ExitCode.stopped;
  if (!early) {
    const trainer = await context.loadTrainer();
    const stop = new AbortController();
    code = await train(context, json, (training) =>
      trainer.resumeRun({
        run,
        ...training,
        signal: AbortSignal.any([training.signal, stop.signal]),
        onEvent(event) {
          training.onEvent(event);
          early ??= ladder?.onEvent(event);
          if (early) stop.abort();
        },
      }),
    );
  }
  await run.reload();
  if (early && code === ExitCode.stopped) {
    await leaveRun(run, { state: 'stopped', stoppedEarly: early });
    context.stderr.write(`The run ${run.id} is ${earlyText(early)}.\n`);
    return ExitCode.done;
  }
  if (job !== undefined && code === ExitCode.stopped && (await requeueOwnJob(run)))
    context.stderr.write(`The job ${job} is back in the queue.\n`);
  return code;
}
