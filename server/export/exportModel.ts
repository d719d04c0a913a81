/** @file Writing a prepared model in a format, on wish thinned, and verifying what was written on the test split. */
import { join } from 'node:path';
import { exportFormats, type ExportFormatName } from '../protocol/model/exportFormats.ts';
import type { ExportedFile } from '../protocol/run/exportedFile.ts';
import { floatBytes } from '../protocol/shape.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import type { ThinningReport } from '../models/thinning/report.ts';
import { writeAtomically } from '../runs/disk.ts';
import type { Prepared } from '../training/prepare.ts';
import { FileEvaluator } from './fileEvaluator.ts';
import type { ExportFigures, ExportSettings, ExportSource, OpenedModel, Port, WrittenWeight } from './format.ts';
import { formats } from './formats.ts';
import { PredictingModel } from './predictingModel.ts';
import { checkTarget, fileSize, fileSizes, writeVerified, type FileSize } from './target.ts';
import { thinSource, type ThinSettings } from './thinSource.ts';

/** Largest difference of an output of a verified file from the model's; where outputs are above 1, as a part of the largest. */
const TOLERANCE = 1e-4;

export interface ModelExportOptions extends ExportSettings {
  /** Default: ONNX. */
  readonly format?: ExportFormatName;
  /** Path of the file or folder that is written; the folder that it is in must be there. */
  readonly path: string;
  /** How the model is made smaller before it is written; undefined where it is written as it is. */
  readonly thin?: ThinSettings | undefined;
  /** Largest difference that is allowed, as a part of the largest output or of 1; default: 1e-4. */
  readonly tolerance?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

/** What is kept of a file, and what else was seen of it. */
export interface ExportReport extends Readonly<ExportedFile> {
  readonly format: ExportFormatName;
  /** Id of the run; absent for a file that does not say of which it is. */
  readonly run?: string | undefined;
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
  /** What was made smaller, layer by layer; absent for a model that was written as it is. */
  readonly thinning?: ThinningReport;
  /** Messages for the user. */
  readonly warnings: readonly string[];
  /** Why the run folder does not tell of the file; absent where it does. */
  readonly notRecorded?: string;
}

/** A model to be written, and what is known of it. */
export interface ModelToExport
  extends Pick<ExportSource, 'compressed' | 'origin'>, Pick<ExportReport, 'afterDistortion' | 'warnings' | 'runValue'> {
  readonly prepared: ReferenceModel & Pick<Prepared, 'loaded' | 'live'>;
}

/** A model whose outputs a file is held to, and the data that it is evaluated on. */
type ReferenceModel = Pick<Prepared, 'program' | 'parameters' | 'dataset'>;

/** @throws UserError for a path that the file or folder cannot have */
export function checkExportPath({ path, format = 'onnx' }: Pick<ModelExportOptions, 'path' | 'format'>): Promise<void> {
  return checkTarget(path, exportFormats[format]);
}

/**
 * Writes a model and evaluates what was written. It appears once it has been verified.
 * @throws UserError for a model that cannot be written, and for a file that differs from it; the signal's reason when it aborts
 */
export async function exportModel(model: ModelToExport, options: ModelExportOptions): Promise<ExportReport> {
  const { prepared, origin, runValue, afterDistortion, warnings } = model;
  const { path, format = 'onnx', thin, signal, onProgress } = options;
  signal.throwIfAborted();
  onProgress({ phase: 'writing' });
  const { run, step } = origin;
  const thinned = thin && (await thinSource(model, thin));
  try {
    const {
      content,
      warnings: limits = [],
      ...written
    } = await formats[format].write(thinned?.source ?? model, options);
    signal.throwIfAborted();
    // What is left out with the factors is no fault of the file: it is held to the model that was written.
    const reference = thinned && thin?.factors ? { ...thinned.source.prepared, dataset: prepared.dataset } : prepared;
    const { files, ...verified } = await writeVerified(path, content, async (unverified) => {
      const found = await verify(unverified, reference, { ...options, format });
      const sizes = fileSizes(content);
      return {
        ...found,
        files: await withCard(unverified, format, sizes, { run, step, ...written, ...found, runValue }),
      };
    });
    return {
      format,
      run,
      path,
      time: Date.now(),
      denseBytes: prepared.parameters.list.reduce((sum, { shape }) => sum + floatBytes(shape), 0),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      gzipBytes: files.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0),
      files,
      step,
      afterDistortion,
      warnings: [...warnings, ...limits],
      ...written,
      ...verified,
      ...(thinned && { thinning: thinned.report }),
      runValue,
    };
  } finally {
    thinned?.dispose();
  }
}

/** Writes the card of a model, where its format has one. @returns the sizes of all files, that of the card too */
async function withCard(
  folder: string,
  format: ExportFormatName,
  sizes: readonly FileSize[],
  figures: Omit<ExportFigures, 'files'>,
): Promise<readonly FileSize[]> {
  const files = sizes.map(({ name, bytes }) => ({ name, bytes }));
  const card = formats[format].describe?.({ ...figures, files });
  if (!card) return sizes;
  await writeAtomically(join(folder, card.name), card.text, { isFileOfItsOwn: true });
  return [...sizes, fileSize(card.name, new TextEncoder().encode(card.text))];
}

/** Evaluates each file that holds the whole model. @returns the figures of the first, and the largest difference of any */
async function verify(
  unverified: string,
  reference: ReferenceModel,
  options: ModelExportOptions & { format: ExportFormatName },
): Promise<VerifiedFile> {
  const { open, alsoOpen = [] } = formats[options.format];
  const verified = await verifyFile(await open(unverified, reference.program), reference, options);
  const engines = [verified.engine];
  let { largestDifference } = verified;
  for (const openOther of alsoOpen) {
    const other = await verifyFile(await openOther(unverified, reference.program), reference, options);
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
  { program, dataset, parameters }: ReferenceModel,
  options: ModelExportOptions,
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

function differs({ path, round = false }: ModelExportOptions, difference: number, allowed: number): UserError {
  const remedy = round
    ? 'Allow more with --tolerance, or leave out --round.'
    : 'Try --dense or another format, which write every weight as floats, and report what you see.';
  return new UserError(
    `The exported model is not the run's: an output differs by ${difference.toPrecision(3)}, and ${allowed.toPrecision(3)} is ` +
      `allowed. ${path} was not written.`,
    { remedy, exitCode: ExitCode.failed },
  );
}
