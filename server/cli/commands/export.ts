/** @file `deeptwist export`. */
import { resolve } from 'node:path';
import { exportFormatNames } from '../../protocol/model/exportFormats.ts';
import { formatBytes } from '../../protocol/formatQuantity.ts';
import { findRun } from '../../runs/findRun.ts';
import { changedFilesOption } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import type { ExportReport } from '../exporter.ts';
import { defaultPath, fileLines, formatOf, reportExport } from '../exportReport.ts';
import { exportOptionsOfFormats, exportSettings } from '../exportSettings.ts';
import { findFinishedRun } from '../finishedRun.ts';
import { progressOf, progressOption } from '../progressLines.ts';
import { styled } from '../terminal.ts';
import { textTable } from '../textTable.ts';

export const exportCommand: Command = {
  name: 'export',
  positionals: { usage: 'RUN', minimum: 1, maximum: 1 },
  summary: 'Write the final model of a run as a small file that other programs open, and evaluate that file.',
  options: {
    format: {
      type: 'string',
      value: 'FORMAT',
      description: `Format: ${exportFormatNames.join(', ')}; default: the first.`,
    },
    out: {
      type: 'string',
      value: 'PATH',
      description: 'Path of the file or folder; default: the id of the run, here.',
    },
    ...exportOptionsOfFormats,
    checkpoint: {
      type: 'boolean',
      description: 'Export the last checkpoint, also of a run that is not finished, in the place of the final model.',
    },
    'with-changed-files': changedFilesOption,
    json: { type: 'boolean', description: 'Print the report on standard output as one JSON object.' },
    progress: progressOption,
  },
  async run({ positionals: [reference], options }, context) {
    const { directory } = context;
    const format = formatOf('export', options.format ?? exportFormatNames[0]);
    const settings = exportSettings(format, options);
    const progress = progressOf('export', options.progress);
    const run = options.checkpoint
      ? await findRun(reference, directory)
      : await findFinishedRun(reference, directory, 'Or export its last checkpoint: --checkpoint.');
    const { exportRun } = await context.loadExporter();
    return reportExport(context, {
      progress,
      json: options.json,
      work: (how) =>
        exportRun({
          run,
          format,
          path: resolve(directory, options.out ?? defaultPath(run.id, format)),
          ...settings,
          checkpoint: options.checkpoint,
          changedFiles: options['with-changed-files'],
          ...how,
        }),
      lines: (report) => reportLines(report, context),
    });
  },
};

function reportLines(report: ExportReport, context: CommandContext): string[] {
  const { stdout } = context;
  const [header, ...rows] = textTable(
    {
      header: ['weight', 'form', 'bytes'],
      rows: report.weights.map(({ name, form, bytes: size }) => [name, form, formatBytes(size)]),
      right: new Set([2]),
    },
    stdout.columns,
  );
  const file = fileLines(report, context, { before: 'when the run ended', model: "the run's" });
  return [styled(stdout, 'dim', header), ...rows, ...file];
}
