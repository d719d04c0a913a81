/** @file Exporting the final model of a run to a file that other programs open, verified on the file itself. */
import type { PackedWeight } from '../formats/packed/packedFile.ts';
import { reasonOf } from '../protocol/systemError.ts';
import { testMetric } from '../protocol/run/testMetric.ts';
import { recordExport } from '../runs/exportedFiles.ts';
import { readSummary } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';
import { readCompressedModel } from '../training/finalModel.ts';
import { withCheckpoint, withFinalModel } from '../training/index.ts';
import type { Prepared } from '../training/prepare.ts';
import { checkExportPath, exportModel, type ExportReport, type ModelExportOptions } from './exportModel.ts';

export { evaluateFile } from './evaluateFile.ts';
export { thinFile } from './thinFile.ts';

export interface ExportOptions extends ModelExportOptions {
  readonly run: Run;
  /** True for the newest checkpoint in the place of the final model. */
  readonly checkpoint?: boolean | undefined;
  readonly changedFiles?: boolean | undefined;
}

/**
 * Writes the final model of a finished run in a format, or a checkpoint, and evaluates what was written on the test split. It appears
 * once it has been verified.
 * @throws UserError for a model that cannot be written, and for a file that differs from it; the signal's reason when it aborts
 */
export async function exportRun(options: ExportOptions): Promise<ExportReport> {
  const { run, onProgress } = options;
  await checkExportPath(options);
  onProgress({ phase: 'loading' });
  return withModelOf(options, async (prepared, { step, ...state }) => {
    const summary = step === undefined ? await readSummary(run) : undefined;
    const runValue = summary && testMetric(summary);
    const origin = { run: run.id, experiment: JSON.stringify(prepared.live.experiment), step };
    const report = await exportModel({ prepared, origin, runValue, ...state }, options);
    const notRecorded = await recordExport(run, report).then(() => undefined, reasonOf);
    return { ...report, ...(notRecorded !== undefined && { notRecorded }) };
  });
}

/** What is exported besides the floats. */
interface ModelState extends Pick<ExportReport, 'step' | 'afterDistortion' | 'warnings'> {
  readonly compressed: ReadonlyMap<string, PackedWeight> | undefined;
}

function withModelOf<R>(
  { run, checkpoint = false, changedFiles, thin }: ExportOptions,
  use: (prepared: Prepared, state: ModelState) => Promise<R>,
): Promise<R> {
  const command = thin ? 'thin' : 'export';
  if (checkpoint) return withCheckpoint({ run, changedFiles }, 'export', use);
  return withFinalModel({ run, changedFiles }, command, async (prepared) =>
    use(prepared, { compressed: await readCompressedModel(run), warnings: [] }),
  );
}
