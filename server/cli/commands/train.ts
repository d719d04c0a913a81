/** @file `deeptwist run` and `deeptwist resume`. */
import { relative, resolve } from 'node:path';
import type { RunEvent } from '../../protocol/run/events.ts';
import { printableJson } from '../../protocol/printable.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { findRun } from '../../runs/findRun.ts';
import type { Run } from '../../runs/run.ts';
import { TrainingControl } from '../../training/control.ts';
import { changedFilesOption, jsonOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import { failureLines } from '../report.ts';
import type { TrainingObserver, TrainingOutcome } from '../trainer.ts';

export const runCommand: Command = {
  name: 'run',
  positionals: { usage: 'FILE', minimum: 1, maximum: 1 },
  summary: 'Train and compress the model of an experiment file.',
  options: {
    set: {
      type: 'string',
      multiple: true,
      value: 'PATH=VALUE',
      description:
        'Replace a setting of the file, e.g. --set training.steps=100; null removes it. May be given several times.',
    },
    out: {
      type: 'string',
      value: 'DIR',
      description: 'Make the run folder in DIR; default: .deeptwist/runs beside FILE.',
    },
    json: jsonOption,
  },
  outlivesOutput: true,
  async run({ positionals: [file], options }, context) {
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
        remedy: `See it with \`deeptwist show ${run.id}\`.`,
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

async function train(context: CommandContext, json: boolean, start: Start): Promise<number> {
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
  try {
    const { run, state } = await start({
      onEvent,
      signal: stop.signal,
      control,
      onDecoded: (decoded) => display.showDecoded(decoded),
    });
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
  const resume = `deeptwist resume ${/\s/.test(folder) ? JSON.stringify(folder) : folder}`;
  if (state === 'stopped') return [`Go on with: ${resume}`];
  // What failed fails again until something is mended; without a checkpoint there is nothing to go on from.
  const { listCheckpoints } = await import('../../runs/checkpoints.ts');
  const checkpoints = await listCheckpoints(run).catch(() => []);
  return [checkpoints.length > 0 ? `When that is mended, go on with: ${resume}` : `The run is in ${folder}`];
}

/** Events on standard output, everything else on standard error: a failure, too, for whoever watches. */
function jsonDisplay({
  stdout,
  stderr,
}: CommandContext): Pick<ProgressDisplay, 'show' | 'showDecoded' | 'print' | 'end'> {
  const print = (lines: readonly string[]) => stderr.write(lines.map((line) => `${line}\n`).join(''));
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
