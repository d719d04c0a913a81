/** @file Exporting the final model of a run to a file that other programs open, verified on the file itself. */
import { join } from 'node:path';
import type { PackedWeight } from '../formats/packed/packedFile.ts';
import { exportFormats, type ExportFormatName } from '../protocol/model/exportFormats.ts';
import type { ExportedFile } from '../protocol/run/exportedFile.ts';
import { floatBytes } from '../protocol/shape.ts';
import { reasonOf } from '../protocol/systemError.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import { writeAtomically } from '../runs/disk.ts';
import { recordExport } from '../runs/exportedFiles.ts';
import { readLastEvents } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';
import { readCompressedModel } from '../training/finalModel.ts';
import { withCheckpoint, withFinalModel } from '../training/index.ts';
import type { Prepared } from '../training/prepare.ts';
import { FileEvaluator } from './fileEvaluator.ts';
import type { ExportSettings, OpenedModel, Port, WrittenWeight } from './format.ts';
import { formats } from './formats.ts';
import { PredictingModel } from './predictingModel.ts';
import { checkTarget, fileSize, fileSizes, writeVerified, type FileSize } from './target.ts';

export { evaluateFile } from './evaluateFile.ts';

/** Largest difference of an output of a verified file from the model's; where outputs are above 1, as a part of the largest. */
const TOLERANCE = 1e-4;

export interface ExportOptions extends ExportSettings {
  readonly run: Run;
  /** Default: ONNX. */
  readonly format?: ExportFormatName;
  /** Where the file or folder is written; the folder that it is in must be there. */
  readonly path: string;
  /** True for the newest checkpoint in the place of the final model. */
  readonly checkpoint?: boolean | undefined;
  readonly changedFiles?: boolean | undefined;
  /** Largest difference that is allowed, as a part of the largest output or of 1; default: 1e-4. */
  readonly tolerance?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

/** What is kept of the file, and what else was seen of it. */
export interface ExportReport extends Readonly<ExportedFile> {
  readonly format: ExportFormatName;
  readonly run: string;
  readonly weights: readonly WrittenWeight[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Samples of each batch that the file takes, or 'any'. */
  readonly batchSize: number | 'any';
  readonly value: number;
  readonly loss: number;
  readonly runValue: number | undefined;
  /** Size of the file, or of each file in the folder. */
  readonly files: readonly FileSize[];
  /** Steps that the weights were trained for; absent for the final model. */
  readonly step?: number | undefined;
  /** For a checkpoint: true where its last step was followed by a distortion, so that weights are as compressed. */
  readonly afterDistortion?: boolean | undefined;
  /** Messages for the user. */
  readonly warnings: readonly string[];
  /** Why the run folder does not tell of the file; absent where it does. */
  readonly notRecorded?: string;
}

/**
 * Writes the final model of a finished run in a format, or a checkpoint, and evaluates what was written on the test split. It appears
 * once it has been verified.
 * @throws UserError for a model that cannot be written, and for a file that differs from it; the signal's reason when it aborts
 */
export async function exportRun(options: ExportOptions): Promise<ExportReport> {
  const { run, path, format = 'onnx', signal, onProgress } = options;
  await checkTarget(path, exportFormats[format]);
  onProgress({ phase: 'loading' });
  return withModelOf(options, async (prepared, { compressed, warnings, ...state }) => {
    signal.throwIfAborted();
    onProgress({ phase: 'writing' });
    const { write, describe } = formats[format];
    const origin = { run: run.id, experiment: JSON.stringify(prepared.live.experiment), step: state.step };
    const { content, ...written } = await write({ prepared, compressed, origin }, options);
    signal.throwIfAborted();
    const finished = (await readLastEvents(run)).findLast((event) => event.type === 'finished');
    const runValue = state.step === undefined ? finished?.summary.test : undefined;
    const { files, ...verified } = await writeVerified(path, content, async (unverified) => {
      const verified = await verify(unverified, prepared, { ...options, format });
      const files = fileSizes(content);
      const figures = { run: run.id, step: state.step, ...written, ...verified, runValue };
      const card = describe?.({ ...figures, files: files.map(({ name, bytes }) => ({ name, bytes })) });
      if (!card) return { ...verified, files };
      await writeAtomically(join(unverified, card.name), card.text, { isFileOfItsOwn: true });
      return { ...verified, files: [...files, fileSize(card.name, new TextEncoder().encode(card.text))] };
    });
    const report: ExportReport = {
      format,
      run: run.id,
      path,
      time: Date.now(),
      denseBytes: prepared.parameters.list.reduce((sum, { shape }) => sum + floatBytes(shape), 0),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      gzipBytes: files.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0),
      files,
      ...state,
      warnings,
      ...written,
      ...verified,
      runValue,
    };
    const notRecorded = await recordExport(run, report).then(() => undefined, reasonOf);
    return { ...report, ...(notRecorded !== undefined && { notRecorded }) };
  });
}

/** What is exported besides the floats. */
interface ModelState extends Pick<ExportReport, 'step' | 'afterDistortion' | 'warnings'> {
  readonly compressed: ReadonlyMap<string, PackedWeight> | undefined;
}

function withModelOf<R>(
  { run, checkpoint = false, changedFiles }: ExportOptions,
  use: (prepared: Prepared, state: ModelState) => Promise<R>,
): Promise<R> {
  if (checkpoint) return withCheckpoint({ run, changedFiles }, 'export', use);
  return withFinalModel({ run, changedFiles }, 'export', async (prepared) =>
    use(prepared, { compressed: await readCompressedModel(run), warnings: [] }),
  );
}

/** Evaluates each file that holds the whole model. @returns the figures of the first, and the largest difference of any */
async function verify(
  unverified: string,
  prepared: Prepared,
  options: ExportOptions & { format: ExportFormatName },
): Promise<VerifiedFile> {
  const { open, alsoOpen = [] } = formats[options.format];
  const verified = await verifyFile(await open(unverified, prepared.program), prepared, options);
  const engines = [verified.engine];
  let { largestDifference } = verified;
  for (const openOther of alsoOpen) {
    const other = await verifyFile(await openOther(unverified, prepared.program), prepared, options);
    engines.push(other.engine);
    largestDifference = Math.max(largestDifference, other.largestDifference);
  }
  return { ...verified, engine: engines.join(' and '), largestDifference };
}

type VerifiedFile = Pick<
  ExportReport,
  'engine' | 'batchSize' | 'metric' | 'value' | 'loss' | 'largestDifference' | 'allowedDifference'
>;

async function verifyFile(
  file: OpenedModel,
  { program, dataset, parameters }: Prepared,
  options: ExportOptions,
): Promise<VerifiedFile> {
  const { tolerance = TOLERANCE, signal, onProgress } = options;
  const model = PredictingModel.ofProgram(program, parameters.list);
  try {
    const evaluator = new FileEvaluator(file, { program, dataset, model, signal, onProgress });
    const { metric, value, loss } = await evaluator.ofTestSplit();
    const { largestDifference, largestOutput } = evaluator;
    const allowedDifference = tolerance * Math.max(1, largestOutput);
    if (!(largestDifference <= allowedDifference)) throw differs(options, largestDifference, allowedDifference);
    const figures = { metric, value, loss, largestDifference, allowedDifference };
    return { engine: file.engine, batchSize: file.batchSize ?? 'any', ...figures };
  } finally {
    await model.release();
    await file.release();
  }
}

function differs({ path, round = false }: ExportOptions, difference: number, allowed: number): UserError {
  const remedy = round
    ? 'Allow more with --tolerance, or leave out --round.'
    : 'Try --dense or another format, which write every weight as floats, and report what you see.';
  return new UserError(
    `The exported model is not the run's: an output differs by ${difference.toPrecision(3)}, and ${allowed.toPrecision(3)} is ` +
      `allowed. ${path} was not written.`,
    { remedy, exitCode: ExitCode.failed },
  );
}
