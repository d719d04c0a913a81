/** @file Exporting the final model of a run to a file that other programs open, verified on the file itself. */
import { exportFormats, type ExportFormatName } from '../protocol/model/exportFormats.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { readLastEvents } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';
import { evaluateSplit } from '../training/evaluateSplit.ts';
import { readCompressedModel } from '../training/finalModel.ts';
import { withFinalModel } from '../training/index.ts';
import type { Prepared } from '../training/prepare.ts';
import { FileEvaluator } from './fileEvaluator.ts';
import type { ExportSettings, OpenedModel, Port, WrittenWeight } from './format.ts';
import { formats } from './formats.ts';
import { checkTarget, sizesOf, writeVerified } from './target.ts';
import { PredictingModel } from './predictingModel.ts';

/** Largest difference of an output of a verified file from the model's; where outputs are above 1, as a part of the largest. */
const TOLERANCE = 1e-4;

export interface ExportProgress {
  readonly phase: 'loading' | 'writing' | 'verifying';
  /** Samples that were evaluated, and all of them where that is known; while a file is verified. */
  readonly samples?: number;
  readonly of?: number | undefined;
}

export interface ExportOptions extends ExportSettings {
  readonly run: Run;
  /** Default: ONNX. */
  readonly format?: ExportFormatName;
  /** Where the file or folder is written; the folder that it is in must be there. */
  readonly path: string;
  readonly changedFiles?: boolean | undefined;
  /** Largest difference that is allowed, as a part of the largest output or of 1; default: 1e-4. */
  readonly tolerance?: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

export interface ExportReport {
  readonly format: ExportFormatName;
  readonly run: string;
  readonly path: string;
  /** Size of the file on disk, or of all files of the folder. */
  readonly bytes: number;
  /** Size as a download with gzip, each file by itself. */
  readonly gzipBytes: number;
  readonly weights: readonly WrittenWeight[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Samples of each batch that the file takes, or 'any'. */
  readonly batchSize: number | 'any';
  /** What ran the file: 'ONNX Runtime'. */
  readonly engine: string;
  /** What was evaluated on the file: all samples of the test split. */
  readonly metric: string;
  readonly value: number;
  readonly loss: number;
  /** The metric when the run ended. */
  readonly runValue: number | undefined;
  /** Largest difference of an output of the file from the model's with its weights as floats. */
  readonly largestDifference: number;
  /** What {@link largestDifference} may be. */
  readonly allowedDifference: number;
}

/**
 * Writes the final model of a finished run in a format, and evaluates what was written on the test split. It appears once it has
 * been verified.
 * @throws UserError for a model that cannot be written, and for a file that differs from it; the signal's reason when it aborts
 */
export async function exportRun(options: ExportOptions): Promise<ExportReport> {
  const { run, path, format = 'onnx', signal, onProgress } = options;
  await checkTarget(path, exportFormats[format]);
  onProgress({ phase: 'loading' });
  return withFinalModel(options, 'export', async (prepared) => {
    signal.throwIfAborted();
    onProgress({ phase: 'writing' });
    const compressed = await readCompressedModel(run);
    const origin = { run: run.id, experiment: JSON.stringify(prepared.live.experiment) };
    const { content, ...written } = await formats[format].write({ prepared, compressed, origin }, options);
    signal.throwIfAborted();
    const verified = await writeVerified(path, content, async (unverified) => {
      const file = await formats[format].open(unverified, prepared.program);
      try {
        return await verify(file, prepared, options);
      } finally {
        await file.release();
      }
    });
    const finished = (await readLastEvents(run)).findLast((event) => event.type === 'finished');
    return {
      format,
      run: run.id,
      path,
      ...sizesOf(content),
      ...written,
      ...verified,
      runValue: finished?.summary.test,
    };
  });
}

async function verify(
  file: OpenedModel,
  { program, dataset, parameters }: Prepared,
  { path, tolerance = TOLERANCE, signal, onProgress }: ExportOptions,
) {
  const { test } = dataset;
  let samples = 0;
  const onBatch = (count: number) => {
    samples += count;
    onProgress({ phase: 'verifying', samples, of: test.samples });
    signal.throwIfAborted();
  };
  const model = PredictingModel.ofProgram(program, parameters.list);
  try {
    const evaluator = new FileEvaluator(file, { program, model, onBatch });
    const { engine, batchSize } = file;
    const { metric, value, loss } = await evaluateSplit(evaluator, { ...program, batchSize }, dataset, test);
    const { largestDifference, largestOutput } = evaluator;
    const allowedDifference = tolerance * Math.max(1, largestOutput);
    if (!(largestDifference <= allowedDifference)) throw differs(path, largestDifference, allowedDifference);
    return {
      engine,
      batchSize: batchSize ?? ('any' as const),
      metric,
      value,
      loss,
      largestDifference,
      allowedDifference,
    };
  } finally {
    await model.release();
  }
}

function differs(path: string, difference: number, allowed: number): UserError {
  return new UserError(
    `The exported model is not the run's: an output differs by ${difference.toPrecision(3)}, and ${allowed.toPrecision(3)} is ` +
      `allowed. ${path} was not written.`,
    { remedy: 'Try --dense, which writes every weight as floats, and report what you see.', exitCode: ExitCode.failed },
  );
}
