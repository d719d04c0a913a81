/** @file `deeptwist export` in a process of its own. */
import type { ExportFormatName } from '../../server/protocol/model/exportFormats.ts';
import { exportedFileSchema, type ExportedFile } from '../../server/protocol/run/exportedFile.ts';
import { runReporting, type ReportingProcess } from '../../server/commandClient/runReporting.ts';

export interface ExportRequest {
  /** The run folder. */
  readonly run: string;
  readonly format: ExportFormatName;
  /** Absolute path of the file or folder. */
  readonly path: string;
  /** Options of the command that are on, without dashes. */
  readonly options: readonly string[];
}

/**
 * Exports the final model of a run.
 * @returns undefined where the signal aborted; no file was written then
 * @throws UserError as {@link runReporting}
 */
export async function runExport(
  { run, format, path, options }: ExportRequest,
  process: ReportingProcess,
): Promise<ExportedFile | undefined> {
  const flags = options.map((option) => `--${option}`);
  const report = await runReporting(['export', run, '--format', format, '--out', path, ...flags], run, process);
  return report === undefined ? undefined : exportedFileSchema.parse(report);
}
