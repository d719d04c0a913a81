/** @file `deeptwist sweep`. */
import { statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { formatCount } from '../../protocol/formatQuantity.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { findSweep } from '../../sweeps/findSweep.ts';
import { plannedRuns } from '../../sweeps/plannedRuns.ts';
import { readSweep } from '../../sweeps/runQueue.ts';
import type { Sweep } from '../../sweeps/sweepFolder.ts';
import type { Command, CommandArguments, CommandContext } from '../command.ts';
import {
  holderText,
  parallelOf,
  parallelOption,
  confirmedSweep,
  sweepJsonOption,
  workOnSweep,
  yesOption,
} from '../sweepWork.ts';
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
    json: sweepJsonOption,
  },
  outlivesOutput: true,
  async run({ positionals: [reference], options }, context) {
    const parallel = parallelOf('sweep', options.parallel);
    const file = resolve(context.directory, reference);
    const isNew = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    if (isNew && options.task !== undefined)
      throw wrongUsage('sweep', '--task needs a sweep', 'Make one by `deeptwist sweep FILE --print`, and give its id.');
    if (!isNew && (options.set ?? options.out) !== undefined)
      throw wrongUsage('sweep', '--set and --out are for a new sweep', 'Give an experiment file, or leave them out.');
    const sweep = isNew ? await newSweep(file, options, parallel, context) : await existingSweep(reference, context);
    if (!sweep) return ExitCode.stopped;
    if (options.task !== undefined) return trainLine(sweep, options, context);
    if (options.print) return printCommands(sweep, context);
    return workOnSweep(sweep, context, {
      parallel,
      retryFailed: options['retry-failed'] === true,
      json: options.json === true,
    });
  },
};

/** Undefined where the user does not want so many runs. */
async function newSweep(
  file: string,
  { set = [], out, yes = false, print = false }: CommandArguments['options'],
  parallel: number,
  context: CommandContext,
): Promise<Sweep | undefined> {
  const folder = out === undefined ? undefined : resolve(context.directory, out);
  // To print them starts none.
  return confirmedSweep(file, await plannedRuns(file, set), { folder, parallel, yes: yes || print }, context);
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
  const left = (await readSweep(sweep)).filter(({ state }) => state !== 'finished');
  const folder = quoted(relative(directory, sweep.path) || '.');
  writeLines(
    stdout,
    left.map(({ planned: { line } }) => `deeptwist sweep ${folder} --task ${line}`),
  );
  writeLines(stderr, [
    `${formatCount(left.length)} of ${formatCount(sweep.plan.length)} runs are left. Their results: deeptwist sweep ${sweep.id}`,
  ]);
  return ExitCode.done;
}

/** As a POSIX shell takes it. */
function quoted(path: string): string {
  return /^[\w./@:+-]+$/.test(path) && !path.startsWith('-') ? path : `'${path.replaceAll("'", `'\\''`)}'`;
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
      remedy: `Wait until it has ended. If that machine no longer runs it, delete ${path}.`,
    });
  }
  try {
    const run = (await sweep.openRun(planned)) ?? (await sweep.makeRun(planned));
    if (run.record.state === 'finished') {
      context.stderr.write(`The run ${run.id} is finished.\n`);
      return ExitCode.done;
    }
    const trainer = await context.loadTrainer();
    return await train(context, options.json === true, (training) => trainer.resumeRun({ run, ...training }));
  } finally {
    await claim.release();
  }
}
