/** @file `deeptwist export-log`: what runs have recorded, for TensorBoard and MLflow. */
import { relative, resolve } from 'node:path';
import { formatCount } from '../../protocol/formatQuantity.ts';
import { printableJson } from '../../protocol/printable.ts';
import { ExitCode } from '../../protocol/userError.ts';
import { findRun } from '../../runs/findRun.ts';
import { openRun, type Run } from '../../runs/run.ts';
import { choiceOf } from '../choiceOf.ts';
import type { Command, CommandArguments, CommandContext } from '../command.ts';
import { writeLines } from '../terminal.ts';
import { wrongUsage } from '../wrongUsage.ts';
import type { Destination, ExportedLog } from '../../tracking/index.ts';

const programs = ['tensorboard', 'mlflow'] as const;

export const exportLogCommand: Command = {
  name: 'export-log',
  positionals: { usage: 'RUN…', minimum: 1, maximum: Infinity },
  summary: 'Write what runs have recorded for TensorBoard, or send it to MLflow; data that is there already stays.',
  options: {
    to: { type: 'string', value: 'PROGRAM', description: `Program: ${programs.join(', ')}.` },
    out: {
      type: 'string',
      value: 'DIR',
      description:
        "Folder for TensorBoard, with a folder for each run; default: the run's logging.tensorBoard, else tensorboard/ in its folder.",
    },
    uri: {
      type: 'string',
      value: 'URL',
      description: 'Address of the MLflow server; default: MLFLOW_TRACKING_URI.',
    },
    experiment: {
      type: 'string',
      value: 'NAME',
      description:
        "Experiment on the MLflow server; default: the run's logging.mlflow.experiment, else the name of its experiment file.",
    },
    follow: { type: 'boolean', description: 'Go on with runs that train, until they end or Ctrl-C.' },
    json: { type: 'boolean', description: 'Print what became of each run on standard output, one JSON object a line.' },
  },
  async run({ positionals, options }, context) {
    const to = choiceOf('export-log', 'to', programs, options.to);
    if (to === undefined)
      throw wrongUsage('export-log', 'expected --to PROGRAM', `Choose one of: ${programs.join(', ')}.`);
    refuseOthers(to, options);
    const runs = await Promise.all(positionals.map((reference) => findRun(reference, context.directory)));
    const { laterDestination } = await import('../../tracking/index.ts');
    const { out, uri, experiment } = options;
    const folder = out === undefined ? undefined : resolve(context.directory, out);
    // All that can be refused is refused before anything is written.
    const all = await Promise.all(
      runs.map(async (run) => ({ run, destination: await laterDestination(run, to, { folder, uri, experiment }) })),
    );
    const interrupt = context.onInterrupt(() => undefined);
    try {
      const exporting = all.map((one) => exportOne(one, options, context, interrupt.signal));
      // Each is waited for, also where one before it has failed.
      const [failed] = (await Promise.allSettled(exporting)).filter((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
    } finally {
      interrupt.dispose();
    }
    return interrupt.signal.aborted ? ExitCode.stopped : ExitCode.done;
  },
};

/** An option for another program is a mistake of which the user should hear. */
function refuseOthers(to: (typeof programs)[number], options: CommandArguments['options']): void {
  const others = to === 'tensorboard' ? (['uri', 'experiment'] as const) : (['out'] as const);
  const given = others.find((name) => options[name] !== undefined);
  if (given !== undefined) throw wrongUsage('export-log', `--${given} is not for ${to}`, `Leave it out.`);
}

async function exportOne(
  { run, destination }: { run: Run; destination: Destination },
  { follow = false, json = false }: CommandArguments['options'],
  { directory, stdout }: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const { exportLog } = await import('../../tracking/index.ts');
  const isTraining = async () => ['running', 'queued'].includes((await openRun(run.path)).observedState());
  const atEnd = async () => !follow || !(await isTraining());
  const exported = await exportLog(run, destination, { signal, atEnd });
  if (json) {
    const { events, passedOver, page } = exported;
    stdout.write(printableJson({ run: run.id, ...destination, events, passedOver, page }) + '\n');
    return;
  }
  writeLines(stdout, exportedLines(run, destination, exported, { directory, goesOn: !follow && (await isTraining()) }));
}

function exportedLines(
  run: Run,
  destination: Destination,
  { events, passedOver, page }: ExportedLog,
  { directory, goesOn }: { directory: string; goesOn: boolean },
): string[] {
  const where = destination.to === 'tensorboard' ? relative(directory, destination.folder) || '.' : (page ?? '');
  const count = events === 0 ? 'nothing new' : events === 1 ? '1 event' : `${formatCount(events)} events`;
  return [
    `${run.id}: ${count} -> ${where}`,
    ...(passedOver === 0 ? [] : [`  ${formatCount(passedOver)} damaged lines of the log were passed over.`]),
    ...(goesOn ? ['  The run still trains: --follow continues with it.'] : []),
  ];
}
