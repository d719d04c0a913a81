/** @file `deeptwist run` and `deeptwist resume`. */
import { relative, resolve } from 'node:path';
import type { RunEvent } from '../../protocol/run/events.ts';
import { printableJson } from '../../protocol/printable.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { findRun } from '../../runs/findRun.ts';
import { pathWord } from '../../runs/pathWord.ts';
import type { Run } from '../../runs/run.ts';
import { seededRuns } from '../../sweeps/plannedRuns.ts';
import { TrainingControl } from '../../training/control.ts';
import { changedFilesOption, jsonOption } from '../command.ts';
import type { Command, CommandArguments, CommandContext, CommandOption } from '../command.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import { failureLines } from '../report.ts';
import { parseSeeds } from '../seedList.ts';
import { setOptions } from '../setOptions.ts';
import { confirmedSweep, parallelOf, parallelOption, workOnSweep, yesOption } from '../sweepWork.ts';
import { writeLines } from '../terminal.ts';
import type { TrainingObserver, TrainingOutcome } from '../trainer.ts';
import { wrongUsage } from '../wrongUsage.ts';

export const setOption: CommandOption = {
  type: 'string',
  multiple: true,
  value: 'PATH=VALUE',
  description:
    'Replace a setting of the file, e.g. --set training.steps=100; null removes it. May be given several times.',
};

export const outOption: CommandOption = {
  type: 'string',
  value: 'DIR',
  description: 'Make run folders in DIR; default: .deeptwist/runs beside FILE.',
};

export const runCommand: Command = {
  name: 'run',
  positionals: { usage: 'FILE', minimum: 1, maximum: 1 },
  summary: 'Train and compress the model of an experiment file.',
  options: {
    set: setOption,
    out: outOption,
    seeds: {
      type: 'string',
      value: 'LIST',
      description:
        'Train a run for each seed, 1..5 or 1,3,7, and show mean, deviation and 95% interval of the results.',
    },
    parallel: parallelOption,
    yes: yesOption,
    json: {
      ...jsonOption,
      description: `${jsonOption.description} With --seeds: each run when it has ended, and then the results.`,
    },
  },
  outlivesOutput: true,
  async run({ positionals: [file], options }, context) {
    if (options.seeds !== undefined) return trainSeeds(resolve(context.directory, file), options, context);
    if ((options.parallel ?? options.yes) !== undefined)
      throw wrongUsage('run', '--parallel and --yes are for several runs', 'Give --seeds, or leave them out.');
    const trainer = await context.loadTrainer();
    const out = options.out === undefined ? undefined : resolve(context.directory, options.out);
    return train(context, options.json === true, (training) =>
      trainer.runExperiment({
        file: resolve(context.directory, file),
        overrides: options.set ?? [],
        out,
        ...training,
      }),
    );
  },
};

/** A run for each seed, as a sweep that can be gone on with. */
async function trainSeeds(
  file: string,
  { seeds = '', set = [], out, parallel: given, yes = false, json = false }: CommandArguments['options'],
  context: CommandContext,
): Promise<number> {
  const parallel = parallelOf('run', given);
  const planned = await seededRuns(file, set, parseSeeds(seeds));
  const folder = out === undefined ? undefined : resolve(context.directory, out);
  const sweep = await confirmedSweep(file, planned, { folder, parallel, yes }, context);
  return sweep ? workOnSweep(sweep, context, { parallel, retryFailed: false, json }) : ExitCode.stopped;
}

export const resumeCommand: Command = {
  name: 'resume',
  positionals: { usage: 'RUN', minimum: 1, maximum: 1 },
  summary: 'Go on with a run that was stopped, failed or was killed, from its last checkpoint.',
  options: { 'with-changed-files': changedFilesOption, json: jsonOption },
  outlivesOutput: true,
  async run({ positionals: [reference], options }, context) {
    const run = await findRun(reference, context.directory);
    if (run.record.state === 'finished')
      throw new UserError(`The run ${run.id} is finished: there is nothing to go on with.`, {
        remedy: `See it with \`deeptwist show ${pathWord(run.path, context.directory)}\`.`,
        exitCode: ExitCode.usage,
      });
    const trainer = await context.loadTrainer();
    return train(context, options.json === true, (training) =>
      trainer.resumeRun({ run, changedFiles: options['with-changed-files'], ...training }),
    );
  },
};

type Start = (training: TrainingObserver) => Promise<TrainingOutcome>;

const exitCodes = { finished: ExitCode.done, failed: ExitCode.failed, stopped: ExitCode.stopped } as const;

/** Trains one run in this process, and shows it. @returns the exit code */
export async function train(context: CommandContext, json: boolean, start: Start): Promise<number> {
  const display = json ? jsonDisplay(context) : new ProgressDisplay(context);
  const control = new TrainingControl();
  context.uncaught.onError((error) => control.fail(error));
  const stop = new AbortController();
  // Before it trains, there is nothing to save: a signal ends the process, also where a module of the user's has the thread.
  let interrupt: { dispose: () => void } | undefined;
  const listen = () =>
    context.onInterrupt(() => {
      stop.abort();
      display.print(['Stopping after this step and saving everything; press Ctrl-C again to end at once.']);
    });
  const onEvent = (event: RunEvent) => {
    if (event.type === 'started') interrupt ??= listen();
    display.show(event);
  };
  const notices: string[] = [];
  try {
    const { run, state } = await start({
      onEvent,
      signal: stop.signal,
      control,
      onNotice: (message) => notices.push(message),
      onDecoded: (decoded) => display.showDecoded(decoded),
    });
    display.print(notices);
    display.print(await closingLines(run, state, context.directory));
    return exitCodes[state];
  } finally {
    interrupt?.dispose();
    display.end();
  }
}

async function closingLines(run: Run, state: TrainingOutcome['state'], directory: string): Promise<string[]> {
  const folder = relative(directory, run.path) || '.';
  if (state === 'finished') return [`The run is in ${folder}`];
  const resume = `deeptwist resume ${pathWord(run.path, directory)}`;
  if (state === 'stopped') return [`Go on with: ${resume}`];
  const { experiment, overrides, failure } = run.record;
  const again = `deeptwist run ${pathWord(experiment, directory)}${setOptions(overrides)}`;
  if (failure?.fault) return [`The run is in ${folder}`, `When its settings are mended, run the file again: ${again}`];
  // What failed fails again until something is mended; without a checkpoint there is nothing to go on from.
  const { listCheckpoints } = await import('../../runs/checkpoints.ts');
  const checkpoints = await listCheckpoints(run).catch(() => []);
  if (checkpoints.length === 0) return [`The run is in ${folder}`];
  return [`When that is mended, go on with: ${resume}`, `To mend it by other settings, run the file again: ${again}`];
}

/** Events on standard output, everything else on standard error: a failure, too, for whoever watches. */
function jsonDisplay({
  stdout,
  stderr,
}: CommandContext): Pick<ProgressDisplay, 'show' | 'showDecoded' | 'print' | 'end'> {
  const print = (lines: readonly string[]) => writeLines(stderr, lines);
  return {
    show(event) {
      stdout.write(printableJson(event) + '\n');
      if (event.type === 'failed') print(failureLines(event, stderr));
    },
    showDecoded: () => undefined,
    print,
    end: () => undefined,
  };
}
