/** @file `deeptwist export` in a process of its own. */
import { l10n } from 'vscode';
import type { ExportFormatName } from '../../server/protocol/model/exportFormats.ts';
import { exportedFileSchema, type ExportedFile } from '../../server/protocol/run/exportedFile.ts';
import { ExitCode, UserError } from '../../server/protocol/userError.ts';
import { parseProgressLine, type CommandError, type ExportProgress } from '../../server/protocol/wire/progressLine.ts';
import { runCommand } from './runCommand.ts';

/** A batch is evaluated to its end before an export stops, and what was written is removed. */
const GRACE_MS = 10_000;

export interface ExportRequest {
  /** The run folder. */
  readonly run: string;
  readonly format: ExportFormatName;
  /** Absolute path of the file or folder. */
  readonly path: string;
  /** Options of the command that are on, without dashes. */
  readonly options: readonly string[];
}

interface ExportProcess {
  /** Path of Node. */
  readonly node: string;
  /** Path of the command `deeptwist`. */
  readonly command: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

/**
 * Exports the final model of a run.
 * @returns undefined where the signal aborted; no file was written then
 * @throws UserError for what the command refuses, with its remedy and the option with which it would do it all the same
 */
export async function runExport(
  { run, format, path, options }: ExportRequest,
  { node, command, signal, onProgress }: ExportProcess,
): Promise<ExportedFile | undefined> {
  const failures: CommandError[] = [];
  const machine = ['--json', '--progress', 'json'];
  const flags = options.map((option) => `--${option}`);
  const { exit, output, lastWords } = await runCommand({
    node,
    args: [command, 'export', run, '--format', format, '--out', path, ...flags, ...machine],
    directory: run,
    signal,
    graceMs: GRACE_MS,
    onLine: (text) => {
      const line = parseProgressLine(text);
      if (line && 'progress' in line) onProgress(line.progress);
      else if (line) failures.push(line.error);
    },
  });
  if (exit === ExitCode.done) return exportedFileSchema.parse(JSON.parse(output));
  if (signal.aborted) return undefined;
  const failure = failures.at(-1);
  if (failure) throw new UserError(failure.message, failure);
  throw new UserError(l10n.t('The process of the export ended before it did ({0}).', exit), {
    ...(lastWords !== '' && { remedy: l10n.t('It printed last: {0}', lastWords) }),
  });
}
