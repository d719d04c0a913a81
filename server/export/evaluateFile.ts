/** @file Evaluates an exported file or folder on the test split of the data that it was trained on. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ExportFormatName } from '../protocol/model/exportFormats.ts';
import { UserError } from '../protocol/userError.ts';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import { testMetric } from '../protocol/run/testMetric.ts';
import { listRuns } from '../runs/findRun.ts';
import { readSummary } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';
import { withExperiment, withPreparedRun } from '../training/index.ts';
import type { Prepared } from '../training/prepare.ts';
import { FileEvaluator } from './fileEvaluator.ts';
import { openExport } from './openExport.ts';
import { recognizeExport, type RecognizedExport } from './recognizeExport.ts';

export interface EvaluateFileOptions {
  /** Absolute. */
  readonly path: string;
  /** Folder below which the run of the file is looked for; also below that of the file. */
  readonly directory: string;
  /** Path of the experiment whose data are taken, in the place of the run's. */
  readonly experiment?: string | undefined;
  readonly changedFiles?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

export interface FileEvaluation {
  readonly format: ExportFormatName;
  readonly path: string;
  /** Size of the file, or of all files of the folder together. */
  readonly bytes: number;
  /** What ran the file. */
  readonly engine: string;
  readonly split: 'test';
  readonly samples: number;
  readonly metric: string;
  readonly value: number;
  readonly loss: number;
  /** What the file says of itself: the run that it is of, and the step of a checkpoint. */
  readonly run?: string | undefined;
  readonly step?: number | undefined;
  /** The metric when the run ended, where the file is its final model. */
  readonly runValue?: number | undefined;
}

/** @throws UserError for a file that is damaged, of no known format, or of another model; the signal's reason when it aborts */
export async function evaluateFile(options: EvaluateFileOptions): Promise<FileEvaluation> {
  const { path, onProgress } = options;
  onProgress({ phase: 'loading' });
  const found = await recognizeExport(path);
  return withDataOfFile(found, options, async (prepared, run) => {
    const evaluation = await evaluated(found, prepared, options);
    if (!run || found.origin.step !== undefined) return evaluation;
    const summary = await readSummary(run);
    return { ...evaluation, runValue: summary && testMetric(summary) };
  });
}

/**
 * Prepares the data for a file, and what was trained on them: the experiment that is named, or the run of the file.
 * @param use gets the run as well, where it is that of the file
 * @throws UserError where the file does not say of which run it is, or that is gone
 */
export async function withDataOfFile<R>(
  found: RecognizedExport,
  options: Pick<EvaluateFileOptions, 'path' | 'directory' | 'experiment' | 'changedFiles'>,
  use: (prepared: Prepared, run?: Run) => Promise<R>,
): Promise<R> {
  const { experiment, changedFiles } = options;
  if (experiment !== undefined) return withExperiment(experiment, use);
  const run = await runOf(found, options);
  return withPreparedRun({ run, changedFiles }, 'evaluate', (prepared) => use(prepared, run));
}

/**
 * The run that a file names. A file comes from anywhere: what it names is looked for among the runs, never opened as a path.
 * @param id as the file has it
 * @param folders below which runs are looked for
 */
export async function findRunOfFile(id: string | undefined, folders: readonly string[]): Promise<Run | undefined> {
  if (id === undefined) return undefined;
  for (const folder of folders) {
    const run = (await listRuns(folder)).runs.find((one) => one.id === id);
    if (run) return run;
  }
  return undefined;
}

async function runOf(
  { origin }: RecognizedExport,
  { path, directory }: Pick<EvaluateFileOptions, 'path' | 'directory'>,
): Promise<Run> {
  const remedy = 'Name an experiment with the data to evaluate it on: --experiment FILE.';
  if (origin.run === undefined) throw new UserError(`${path} does not say of which run it is.`, { remedy });
  const run = await findRunOfFile(origin.run, [directory, dirname(path)]);
  if (run) return run;
  throw new UserError(`The run ${origin.run}, which ${path} is of, is not in ${directory}.`, { remedy });
}

async function evaluated(
  { format, origin, files }: RecognizedExport,
  { program, dataset }: Prepared,
  { path, signal, onProgress }: EvaluateFileOptions,
): Promise<FileEvaluation> {
  signal.throwIfAborted();
  const file = await openExport({ format }, path, program);
  try {
    const evaluator = new FileEvaluator(file, { program, dataset, signal, onProgress });
    const { metric, value, loss } = await evaluator.ofTestSplit();
    const { samples } = evaluator;
    const sizes = await Promise.all(files.map(async (name) => (await stat(name)).size));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    return { format, path, bytes, engine: file.engine, split: 'test', samples, metric, value, loss, ...origin };
  } finally {
    await file.release();
  }
}
