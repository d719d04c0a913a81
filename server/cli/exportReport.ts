/** @file Making a file in a command, which Ctrl-C cancels, and what is told of the file. */
import { relative } from 'node:path';
import {
  exportFormatNames,
  exportFormats,
  isExportFormat,
  type ExportFormatName,
} from '../protocol/model/exportFormats.ts';
import { formatBytes, formatCount, formatNumber, formatRatio } from '../protocol/formatQuantity.ts';
import type { CommandContext } from './command.ts';
import type { ExportReport } from './exporter.ts';
import { reportWork, type ReportedWork } from './reportedWork.ts';
import { styled } from './terminal.ts';
import { wrongUsage } from './wrongUsage.ts';

/** @throws UserError for a name that is none of a format */
export function formatOf(command: string, name: string): ExportFormatName {
  if (isExportFormat(name)) return name;
  throw wrongUsage(command, `there is no format '${name}'`, `Choose one of: ${exportFormatNames.join(', ')}.`);
}

/** A name for the file or folder of a model. */
export function defaultPath(name: string, format: ExportFormatName): string {
  return name + exportFormats[format].ending;
}

/** Makes a file and prints its report. @returns the exit code of the command */
export async function reportExport(
  context: CommandContext,
  making: Pick<ReportedWork<ExportReport>, 'progress' | 'json' | 'work' | 'lines'>,
): Promise<number> {
  return reportWork(context, {
    ...making,
    cancelled: 'Cancelled: no file was written.',
    warnings: ({ warnings, notRecorded }) =>
      notRecorded === undefined ? warnings : [...warnings, `not listed in the run: ${notRecorded}`],
  });
}

/** What was measured on a file. @param before when the metric was measured that stands beside: a clause */
export function fileLines(
  report: ExportReport,
  { stdout, directory }: CommandContext,
  { before, model }: { before: string; model: string },
): string[] {
  const { path, engine, bytes, denseBytes, gzipBytes, batchSize } = report;
  const { metric, value, runValue, largestDifference } = report;
  const ofRun = runValue === undefined ? '' : `  (${formatNumber(runValue)} ${before})`;
  return [
    `file    ${formatBytes(bytes)} on disk, ${formatBytes(gzipBytes)} with gzip`,
    `floats  ${formatBytes(denseBytes)}, ${besideFile(denseBytes, bytes)}`,
    `test    ${metric} ${formatNumber(value)} of the file in ${engine}${ofRun}`,
    `output  differs from ${model} by ${largestDifference.toPrecision(2)} at most`,
    ...checkpointLines(report),
    `batch   ${batchSize === 'any' ? 'of any size' : `of ${batchSize} alone: the model or its graph fixes it`}`,
    styled(stdout, 'bold', relative(directory, path) || path),
  ];
}

/** `the file is 33.2x smaller`. */
function besideFile(denseBytes: number, bytes: number): string {
  if (denseBytes === bytes) return 'as much as the file';
  return denseBytes > bytes
    ? `the file is ${formatRatio(denseBytes / bytes)} smaller`
    : `the file is ${formatRatio(bytes / denseBytes)} larger`;
}

function checkpointLines({ step, afterDistortion }: ExportReport): string[] {
  if (step === undefined) return [];
  const weights = afterDistortion
    ? 'right after a distortion'
    : 'with weights as they were trained, not as a distortion leaves them';
  return [`model   the checkpoint of step ${formatCount(step)}, ${weights}`];
}
