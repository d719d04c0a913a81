/** @file `deeptwist export`. */
import { relative, resolve } from 'node:path';
import { exportFormatNames, exportFormats, isExportFormat } from '../../protocol/model/exportFormats.ts';
import { formatBytes, formatCount, formatNumber, formatRatio } from '../../protocol/formatQuantity.ts';
import { printableJson } from '../../protocol/printable.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { findRun } from '../../runs/findRun.ts';
import { changedFilesOption } from '../command.ts';
import type { Command } from '../command.ts';
import type { ExportReport } from '../exporter.ts';
import { ExportStatus } from '../exportStatus.ts';
import { doInterruptibly } from '../interruptibleWork.ts';
import { exportOptionsOfFormats, exportSettings } from '../exportSettings.ts';
import { findFinishedRun } from '../finishedRun.ts';
import { progressOf, progressOption } from '../progressLines.ts';
import { styled } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
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
    const { directory, stdout, stderr } = context;
    const { format = exportFormatNames[0] } = options;
    if (!isExportFormat(format))
      throw new UserError(`deeptwist export: there is no format '${format}'.`, {
        remedy: `Choose one of: ${exportFormatNames.join(', ')}.`,
        exitCode: ExitCode.usage,
      });
    const settings = exportSettings(format, options);
    const progress = new ExportStatus(stderr, progressOf('export', options.progress));
    const run = options.checkpoint
      ? await findRun(reference, directory)
      : await findFinishedRun(reference, directory, 'Or export its last checkpoint: --checkpoint.');
    const { exportRun } = await context.loadExporter();
    return doInterruptibly(context, {
      progress,
      cancelled: 'Cancelled: no file was written.',
      work: (signal) =>
        exportRun({
          run,
          format,
          path: resolve(directory, options.out ?? run.id + exportFormats[format].ending),
          ...settings,
          checkpoint: options.checkpoint,
          changedFiles: options['with-changed-files'],
          signal,
          onProgress: (state) => progress.show(state),
        }),
      report(report) {
        const { warnings, notRecorded } = report;
        const all = notRecorded === undefined ? warnings : [...warnings, `not listed in the run: ${notRecorded}`];
        for (const warning of all) stderr.write(`${styled(stderr, 'yellow', 'warning:')} ${warning}\n`);
        if (options.json) stdout.write(printableJson(report) + '\n');
        else stdout.write(reportLines(report, context).join('\n') + '\n');
      },
    });
  },
};

function reportLines(report: ExportReport, { stdout, directory }: { stdout: Terminal; directory: string }): string[] {
  const { path, engine, bytes, denseBytes, gzipBytes, weights, batchSize } = report;
  const { metric, value, runValue, largestDifference } = report;
  const [header, ...rows] = textTable(
    {
      header: ['weight', 'form', 'bytes'],
      rows: weights.map(({ name, form, bytes: size }) => [name, form, formatBytes(size)]),
      right: new Set([2]),
    },
    stdout.columns,
  );
  const ofRun = runValue === undefined ? '' : `  (${formatNumber(runValue)} when the run ended)`;
  return [
    styled(stdout, 'dim', header),
    ...rows,
    `file    ${formatBytes(bytes)} on disk, ${formatBytes(gzipBytes)} with gzip`,
    `floats  ${formatBytes(denseBytes)}, ${besideFile(denseBytes, bytes)}`,
    `test    ${metric} ${formatNumber(value)} of the file in ${engine}${ofRun}`,
    `output  differs from the run's by ${largestDifference.toPrecision(2)} at most`,
    ...checkpointLines(report),
    `batch   ${batchSize === 'any' ? 'of any size' : `of ${batchSize} alone: the model or its graph fixes it`}`,
    styled(stdout, 'bold', relative(directory, path) || path),
  ];
}

/** `33.2x as much`; of a file that is larger than the floats, how much more it takes. */
function besideFile(denseBytes: number, bytes: number): string {
  return denseBytes >= bytes
    ? `${formatRatio(denseBytes / bytes)} as much`
    : `the file takes ${formatRatio(bytes / denseBytes)} as much`;
}

function checkpointLines({ step, afterDistortion }: ExportReport): string[] {
  if (step === undefined) return [];
  const weights = afterDistortion
    ? 'right after a distortion'
    : 'with weights as they were trained, not as a distortion leaves them';
  return [`model   the checkpoint of step ${formatCount(step)}, ${weights}`];
}
