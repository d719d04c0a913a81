/** @file `deeptwist evaluate`. */
import { formatNumber } from '../../protocol/formatQuantity.ts';
import { printableJson } from '../../protocol/printable.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { findRun } from '../../runs/findRun.ts';
import { readLastEvents } from '../../runs/log/readEvents.ts';
import { changedFilesOption, jsonOption } from '../command.ts';
import type { Command } from '../command.ts';

export const evaluateCommand: Command = {
  name: 'evaluate',
  positionals: { usage: 'RUN', minimum: 1, maximum: 1 },
  summary: 'Evaluate the final model of a run again, as it is stored.',
  options: { 'with-changed-files': changedFilesOption, json: jsonOption },
  async run({ positionals: [reference], options }, context) {
    const run = await findRun(reference, context.directory);
    if (run.record.state !== 'finished')
      throw new UserError(`The run ${run.id} has no final model: it is ${run.observedState()}.`, {
        remedy: `Finish it with \`deeptwist resume ${run.id}\`.`,
      });
    const trainer = await context.loadTrainer();
    const evaluation = await trainer.evaluateRun({ run, changedFiles: options['with-changed-files'] });
    if (options.json) context.stdout.write(printableJson(evaluation) + '\n');
    else {
      const finished = (await readLastEvents(run)).findLast((event) => event.type === 'finished');
      const recorded = finished ? `  (${formatNumber(finished.summary.test)} when the run ended)` : '';
      context.stdout.write(
        `${evaluation.split} ${evaluation.metric} ${formatNumber(evaluation.value)}  loss ${formatNumber(evaluation.loss)}${recorded}\n`,
      );
    }
    return ExitCode.done;
  },
};
