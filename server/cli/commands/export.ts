/** @file `deeptwist export`. */
import { relative, resolve } from 'node:path';
import {
  exportFormatNames,
  exportFormats,
  exportOptions,
  isExportFormat,
  type ExportFormatName,
  type ExportOptionFacts,
} from '../../protocol/model/exportFormats.ts';
import { formatBytes, formatNumber } from '../../protocol/formatQuantity.ts';
import { printableJson } from '../../protocol/printable.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { changedFilesOption } from '../command.ts';
import type { Command, CommandArguments, CommandOption } from '../command.ts';
import type { ExportProgress, ExportReport, ExportSettings } from '../exporter.ts';
import { findFinishedRun } from '../finishedRun.ts';
import { styled } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { textTable } from '../textTable.ts';

const optionsOfFormats = Object.entries<ExportOptionFacts>(exportOptions).map(
  ([name, { description, values }]): [string, CommandOption] => [
    name,
    values === undefined ? { type: 'boolean', description } : { type: 'string', value: values.join('|'), description },
  ],
);

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
    ...Object.fromEntries(optionsOfFormats),
    'with-changed-files': changedFilesOption,
    json: { type: 'boolean', description: 'Print the report on standard output as one JSON object.' },
  },
  async run({ positionals: [reference], options }, context) {
    const { directory, stdout, stderr } = context;
    const { format = exportFormatNames[0] } = options;
    if (!isExportFormat(format))
      throw new UserError(`deeptwist export: there is no format '${format}'.`, {
        remedy: `Choose one of: ${exportFormatNames.join(', ')}.`,
        exitCode: ExitCode.usage,
      });
    const settings = settingsOf(format, options);
    const run = await findFinishedRun(reference, directory);
    const { exportRun } = await context.loadExporter();
    const progress = new ExportStatus(stderr);
    const interrupt = context.onInterrupt(() => progress.clear());
    const { signal } = interrupt;
    try {
      const report = await exportRun({
        run,
        format,
        path: resolve(directory, options.out ?? run.id + exportFormats[format].ending),
        ...settings,
        changedFiles: options['with-changed-files'],
        signal,
        onProgress: (state) => progress.show(state),
      });
      progress.clear();
      if (options.json) stdout.write(printableJson(report) + '\n');
      else
        stdout.write(
          reportLines(report, context)
            .map((line) => `${line}\n`)
            .join(''),
        );
      return ExitCode.done;
    } catch (error) {
      if (!signal.aborted) throw error;
      stderr.write('Cancelled: no file was written.\n');
      return ExitCode.stopped;
    } finally {
      progress.clear();
      interrupt.dispose();
    }
  },
};

/** @throws UserError for an option that the format does not take, or not with this value */
function settingsOf(format: ExportFormatName, options: CommandArguments['options']): ExportSettings {
  const takes = (name: ExportFormatName, option: string) => exportFormats[name].options.some((one) => one === option);
  for (const [option] of optionsOfFormats) {
    if (!Object.hasOwn(options, option) || takes(format, option)) continue;
    const takers = exportFormatNames.filter((name) => takes(name, option));
    throw new UserError(`deeptwist export: the format ${format} takes no --${option}.`, {
      remedy: `Leave it out, or choose the format ${takers.join(' or ')}.`,
      exitCode: ExitCode.usage,
    });
  }
  return {
    dense: options.dense,
    sparseInitializers: options['sparse-initializers'],
    names: chosen('names', exportOptions.names.values, options.names),
  };
}

/** @throws UserError for a value that the option does not have */
function chosen<T extends string>(option: string, values: readonly T[], value: string | undefined): T | undefined {
  const found = values.find((one) => one === value);
  if (value === undefined || found !== undefined) return found;
  throw new UserError(`deeptwist export: --${option} cannot be '${value}'.`, {
    remedy: `Choose one of: ${values.join(', ')}.`,
    exitCode: ExitCode.usage,
  });
}

/** One line that is rewritten while a file is made, on a terminal. */
class ExportStatus {
  readonly #terminal: Terminal;
  #isShown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show({ phase, samples, of }: ExportProgress): void {
    if (!this.#terminal.interactive) return;
    this.clear();
    this.#terminal.write(
      phase === 'verifying' ? `Evaluating the file: ${samples}/${of ?? '?'} samples` : PHASES[phase],
    );
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown) this.#terminal.clearLine();
    this.#isShown = false;
  }
}

const PHASES = { loading: 'Loading the model…', writing: 'Writing the file…' } as const;

function reportLines(report: ExportReport, { stdout, directory }: { stdout: Terminal; directory: string }): string[] {
  const { path, engine, bytes, gzipBytes, weights, batchSize, metric, value, runValue, largestDifference } = report;
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
    `test    ${metric} ${formatNumber(value)} of the file in ${engine}${ofRun}`,
    `output  differs from the run's by ${largestDifference.toPrecision(2)} at most`,
    `batch   ${batchSize === 'any' ? 'of any size' : `of ${batchSize} alone: the model or its graph fixes it`}`,
    styled(stdout, 'bold', relative(directory, path) || path),
  ];
}
