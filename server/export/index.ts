/** @file Exporting the final model of a run to a file that other programs open, verified on the file itself. */
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeOnnxModel } from '../formats/onnx.ts';
import { DenseWeight } from '../formats/packed/dense.ts';
import { SparseWeight } from '../formats/packed/sparse.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { explainDiskError, writeAtomically } from '../runs/disk.ts';
import { readLastEvents } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';
import { evaluateSplit } from '../training/evaluateSplit.ts';
import { readCompressedModel } from '../training/finalModel.ts';
import { withFinalModel } from '../training/index.ts';
import type { Prepared } from '../training/prepare.ts';
import { FileExecutor } from './onnx/fileExecutor.ts';
import { withWeights, type WrittenWeight } from './onnx/onnxModel.ts';
import { predictionGraph } from './onnx/predictionGraph.ts';
import { portNames } from './portNames.ts';

/** Largest difference of an output of a verified file from the model's; where outputs are above 1, as a part of the largest. */
const TOLERANCE = 1e-4;

export interface ExportProgress {
  readonly phase: 'loading' | 'writing' | 'verifying';
  /** Samples that were evaluated, and all of them where that is known; while a file is verified. */
  readonly samples?: number;
  readonly of?: number | undefined;
}

export interface ExportOptions {
  readonly run: Run;
  /** Where the file is written; the folder must be there. */
  readonly path: string;
  /** True to write every weight as floats. */
  readonly dense: boolean;
  readonly changedFiles?: boolean | undefined;
  /** Largest difference that is allowed, as a part of the largest output or of 1; default: 1e-4. */
  readonly tolerance?: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

export interface ExportReport {
  readonly format: 'onnx';
  readonly run: string;
  readonly path: string;
  /** Size of the file on disk. */
  readonly bytes: number;
  /** Size of the file as a download with gzip. */
  readonly gzipBytes: number;
  readonly weights: readonly WrittenWeight[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Samples of each batch that the file takes, or 'any'. */
  readonly batchSize: number | 'any';
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

interface Port {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/**
 * Writes the final model of a finished run as an ONNX file, and evaluates that file on the test split. The file appears once it
 * has been verified.
 * @throws UserError for a model that cannot be written, and for a file that differs from it; the signal's reason when it aborts
 */
export async function exportRun(options: ExportOptions): Promise<ExportReport> {
  const { run, path, signal, onProgress } = options;
  await checkTarget(path);
  onProgress({ phase: 'loading' });
  return withFinalModel(options, 'export', async (prepared) => {
    signal.throwIfAborted();
    onProgress({ phase: 'writing' });
    const { bytes, graph, weights, names, batchSize } = await writtenModel(prepared, options);
    signal.throwIfAborted();
    const unverified = `${path}.unverified`;
    try {
      await writeAtomically(unverified, bytes, { isFileOfItsOwn: true });
      const verified = await verify(unverified, prepared, { ...options, names, batchSize });
      await rename(unverified, path).catch((error: unknown) => {
        throw explainDiskError(error, path, 0, { isFileOfItsOwn: true });
      });
      const finished = (await readLastEvents(run)).findLast((event) => event.type === 'finished');
      return {
        format: 'onnx',
        run: run.id,
        path,
        bytes: (await stat(path)).size,
        gzipBytes: gzipSync(bytes).length,
        weights,
        inputs: [...graph.inputs],
        outputs: [...graph.outputs],
        batchSize: batchSize ?? 'any',
        ...verified,
        runValue: finished?.summary.test,
      };
    } finally {
      await rm(unverified, { force: true });
    }
  });
}

/** @throws UserError for a path that no file can have */
async function checkTarget(path: string): Promise<void> {
  const isFolder = async (place: string) => (await stat(place).catch(() => undefined))?.isDirectory();
  if (await isFolder(path))
    throw new UserError(`${path} is a folder.`, { remedy: 'Give the path of a file.', exitCode: ExitCode.usage });
  if (await isFolder(dirname(path))) return;
  throw new UserError(`The folder ${dirname(path)} does not exist.`, {
    remedy: 'Make it, or name another.',
    exitCode: ExitCode.usage,
  });
}

async function writtenModel({ program, parameters, live }: Prepared, { run, dense }: ExportOptions) {
  const compressed = dense ? undefined : await readCompressedModel(run);
  const weights = new Map(
    parameters.list.map(({ name, shape, value }) => {
      // A run without a compressed file can have zeros all the same.
      const small = () => compressed?.get(name) ?? SparseWeight.of(shape, value);
      return [name, dense ? new DenseWeight(shape, value) : small()];
    }),
  );
  const factored = new Set([...weights].flatMap(([name, weight]) => (weight.form === 'factors' ? name : [])));
  const { graph, batchSize } = await predictionGraph(program, program.batchSize, factored);
  const names = portNames(program.inputNames, program.outputNames);
  const model = withWeights(graph, weights, names);
  const bytes = encodeOnnxModel(model.graph, {
    'deeptwist.run': run.id,
    'deeptwist.experiment': JSON.stringify(live.experiment),
  });
  return { ...model, bytes, names, batchSize };
}

async function verify(
  file: string,
  { program, dataset, parameters }: Prepared,
  {
    names,
    batchSize,
    path,
    tolerance = TOLERANCE,
    signal,
    onProgress,
  }: ExportOptions & { names: ReadonlyMap<string, string>; batchSize: number | undefined },
): Promise<Pick<ExportReport, 'metric' | 'value' | 'loss' | 'largestDifference' | 'allowedDifference'>> {
  const { test } = dataset;
  let samples = 0;
  const onBatch = (count: number) => {
    samples += count;
    onProgress({ phase: 'verifying', samples, of: test.samples });
    signal.throwIfAborted();
  };
  const executor = await FileExecutor.open(file, { program, parameters, names, batchSize, onBatch });
  try {
    const evaluation = await evaluateSplit(executor, { ...program, batchSize }, dataset, test);
    const { metric, value, loss } = evaluation;
    const { largestDifference, largestOutput } = executor;
    const allowedDifference = tolerance * Math.max(1, largestOutput);
    if (!(largestDifference <= allowedDifference)) throw differs(path, largestDifference, allowedDifference);
    return { metric, value, loss, largestDifference, allowedDifference };
  } finally {
    await executor.release();
  }
}

function differs(path: string, difference: number, allowed: number): UserError {
  return new UserError(
    `The exported model is not the run's: an output differs by ${difference.toPrecision(3)}, and ${allowed.toPrecision(3)} is ` +
      `allowed. ${path} was not written.`,
    { remedy: 'Try --dense, which writes every weight as floats, and report what you see.', exitCode: ExitCode.failed },
  );
}
