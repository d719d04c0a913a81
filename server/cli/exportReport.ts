/** @file Making a file in a command, which Ctrl-C cancels, and what is told of the file. */
import { relative } from 'node:path';
import {
  exportFormatNames,
  exportFormats,
  isExportFormat,
  type ExportFormatName,
} from '../protocol/model/exportFormats.ts';
import { formatBytes, formatCount, formatNumber, formatRatio } from '../protocol/formatQuantity.ts';
import { printableJson } from '../protocol/printable.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import type { CommandArguments, CommandContext } from './command.ts';
import type { ExportReport, ModelExportOptions } from './exporter.ts';
import { ExportStatus } from './exportStatus.ts';
import { progressOf } from './progressLines.ts';
import { styled } from './terminal.ts';

/** @throws UserError for a name that is none of a format */
export function formatOf(command: string, name: string): ExportFormatName {
  if (isExportFormat(name)) return name;
  throw new UserError(`deeptwist ${command}: there is no format '${name}'.`, {
    remedy: `Choose one of: ${exportFormatNames.join(', ')}.`,
    exitCode: ExitCode.usage,
  });
}

/** A name for the file or folder of a model. */
export function defaultPath(name: string, format: ExportFormatName): string {
  return name + exportFormats[format].ending;
}

/**
 * Makes a file and prints its report.
 * @param make what makes it
 * @param lines of the report, for people
 * @returns the exit code
 */
export async function reportExport(
  { command, options }: { command: string; options: CommandArguments['options'] },
  { stdout, stderr, onInterrupt }: CommandContext,
  make: (how: Pick<ModelExportOptions, 'signal' | 'onProgress'>) => Promise<ExportReport>,
  lines: (report: ExportReport) => string[],
): Promise<number> {
  const progress = new ExportStatus(stderr, progressOf(command, options.progress));
  const interrupt = onInterrupt(() => progress.clear());
  const { signal } = interrupt;
  try {
    const report = await make({ signal, onProgress: (state) => progress.show(state) });
    progress.clear();
    for (const warning of report.warnings) stderr.write(`${styled(stderr, 'yellow', 'warning:')} ${warning}\n`);
    if (report.notRecorded !== undefined)
      stderr.write(`${styled(stderr, 'yellow', 'warning:')} not listed in the run: ${report.notRecorded}\n`);
    const text = options.json ? [printableJson(report)] : lines(report);
    stdout.write(text.map((line) => `${line}\n`).join(''));
    return ExitCode.done;
  } catch (error) {
    if (!signal.aborted) throw error;
    stderr.write('Cancelled: no file was written.\n');
    return ExitCode.stopped;
  } finally {
    progress.clear();
    interrupt.dispose();
  }
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
    `floats  ${formatBytes(denseBytes)}, ${formatRatio(denseBytes / bytes)} as much`,
    `test    ${metric} ${formatNumber(value)} of the file in ${engine}${ofRun}`,
    `output  differs from ${model} by ${largestDifference.toPrecision(2)} at most`,
    ...checkpointLines(report),
    `batch   ${batchSize === 'any' ? 'of any size' : `of ${batchSize} alone: the model or its graph fixes it`}`,
    styled(stdout, 'bold', relative(directory, path) || path),
  ];
}

function checkpointLines({ step, afterDistortion }: ExportReport): string[] {
  if (step === undefined) return [];
  const weights = afterDistortion
    ? 'right after a distortion'
    : 'with weights as they were trained, not as a distortion leaves them';
  return [`model   the checkpoint of step ${formatCount(step)}, ${weights}`];
}
