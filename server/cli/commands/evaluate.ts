/** @file `deeptwist evaluate`. */
import { resolve } from 'node:path';
import { formatBytes, formatNumber } from '../../protocol/formatQuantity.ts';
import { printableJson } from '../../protocol/printable.ts';
import { ExitCode } from '../../protocol/userError.ts';
import { testMetric } from '../../protocol/run/testMetric.ts';
import { readSummary } from '../../runs/log/readEvents.ts';
import { changedFilesOption } from '../command.ts';
import type { Command, CommandArguments, CommandContext } from '../command.ts';
import { isExported } from '../exportedPath.ts';
import { findFinishedRun } from '../finishedRun.ts';
import { progressOf, progressOption } from '../progressLines.ts';
import { reportWork } from '../reportedWork.ts';
import { wrongUsage } from '../wrongUsage.ts';

export const evaluateCommand: Command = {
  name: 'evaluate',
  positionals: { usage: 'RUN|FILE', minimum: 1, maximum: 1 },
  summary: 'Evaluate the final model of a run again, as it is stored, or an exported file.',
  options: {
    experiment: {
      type: 'string',
      value: 'FILE',
      description: 'For an exported file: the experiment whose data it is evaluated on; default: that of its run.',
    },
    'with-changed-files': changedFilesOption,
    json: { type: 'boolean', description: 'Print the result on standard output as one JSON object.' },
    progress: progressOption,
  },
  async run({ positionals: [reference], options }, context) {
    progressOf('evaluate', options.progress);
    const path = resolve(context.directory, reference);
    if (isExported(path)) return evaluateExported(path, options, context);
    if (options.experiment !== undefined)
      throw wrongUsage(
        'evaluate',
        `there is no exported file ${path}, which --experiment is for`,
        'Leave it out for a run: it has its experiment.',
      );
    const run = await findFinishedRun(reference, context.directory);
    const trainer = await context.loadTrainer();
    const evaluation = await trainer.evaluateRun({ run, changedFiles: options['with-changed-files'] });
    if (options.json) context.stdout.write(printableJson(evaluation) + '\n');
    else {
      const summary = await readSummary(run);
      const runValue = summary && testMetric(summary);
      const recorded = runValue === undefined ? '' : `  (${formatNumber(runValue)} when the run ended)`;
      context.stdout.write(
        `${evaluation.split} ${evaluation.metric} ${formatNumber(evaluation.value)}  loss ${formatNumber(evaluation.loss)}${recorded}\n`,
      );
    }
    return ExitCode.done;
  },
};

async function evaluateExported(
  path: string,
  options: CommandArguments['options'],
  context: CommandContext,
): Promise<number> {
  const { directory } = context;
  const { evaluateFile } = await context.loadExporter();
  return reportWork(context, {
    json: options.json,
    progress: progressOf('evaluate', options.progress),
    cancelled: 'Cancelled.',
    work: (how) =>
      evaluateFile({
        path,
        directory,
        experiment: options.experiment === undefined ? undefined : resolve(directory, options.experiment),
        changedFiles: options['with-changed-files'],
        ...how,
      }),
    lines({ split, metric, value, loss, samples, bytes, engine, runValue }) {
      const recorded = runValue === undefined ? '' : `  (${formatNumber(runValue)} when the run ended)`;
      return [
        `${split} ${metric} ${formatNumber(value)}  loss ${formatNumber(loss)}${recorded}`,
        `${samples} samples, ${formatBytes(bytes)}, in ${engine}`,
      ];
    },
  });
}
