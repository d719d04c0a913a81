/** @file Making the model of a file smaller: of an exported one, or of a model.json of any origin. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { createParameters } from '../compiler/parameters.ts';
import { loadTfjsModel } from '../models/tfjsModelFile.ts';
import { WEIGHTS_FILE, type ExportFormatName } from '../protocol/model/exportFormats.ts';
import { UserError } from '../protocol/userError.ts';
import { modelProgram } from '../training/modelProgram.ts';
import type { Prepared } from '../training/prepare.ts';
import { withDataOfFile, type EvaluateFileOptions } from './evaluateFile.ts';
import { checkExportPath, exportModel, type ExportReport, type ModelExportOptions } from './exportModel.ts';
import { FileEvaluator } from './fileEvaluator.ts';
import { openExport } from './openExport.ts';
import { filePredictor } from './predictingModel.ts';
import { recognizeExport, type RecognizedExport } from './recognizeExport.ts';
import { loadModelFile } from './safetensors/layersFile.ts';
import { modelFileIn } from './tfjs/tfjsFormat.ts';
import type { ThinSettings } from './thinSource.ts';

export interface ThinFileOptions extends ModelExportOptions {
  /** Path of the file or folder. */
  readonly file: string;
  readonly thin: ThinSettings;
  /** As for {@link evaluateFile}: where its data are looked for. */
  readonly data: Pick<EvaluateFileOptions, 'directory' | 'experiment' | 'changedFiles'>;
}

/**
 * Writes the model of a file without what it can do without, and evaluates both files on the test split.
 * @throws UserError for a file that is damaged, of other data or without layers; the signal's reason when it aborts
 */
export async function thinFile(options: ThinFileOptions): Promise<ExportReport> {
  const { file, data, signal, onProgress } = options;
  await checkExportPath(options);
  onProgress({ phase: 'loading' });
  const found = await recognizeExport(file);
  return withDataOfFile(found, { ...options, ...data, path: file }, async (trained) => {
    signal.throwIfAborted();
    await tf.setBackend('cpu');
    const model = await loaders[found.format](file);
    try {
      const prepared = ofModel(model, trained, file);
      const runValue = await valueOf(found, trained, options);
      const experiment = JSON.stringify(trained.live.experiment);
      const origin = { run: found.origin.run, experiment, step: found.origin.step };
      return await exportModel({ prepared, compressed: undefined, origin, runValue, warnings: [] }, options);
    } finally {
      model.dispose();
    }
  });
}

/** The model of a file in the place of the one that its data were made for. */
function ofModel(model: tf.LayersModel, trained: Prepared, file: string) {
  filePredictor(model, trained.program.inputs, file);
  const { loaded, dataset, live } = trained;
  const program = modelProgram({ ...loaded, model }, dataset, live.experiment.training);
  return { loaded, dataset, live, program, parameters: createParameters(program, new Map(), { stateBytes: () => 0 }) };
}

/** The metric of the file before. */
async function valueOf(
  found: RecognizedExport,
  { program, dataset }: Prepared,
  options: ThinFileOptions,
): Promise<number> {
  const { file, signal, onProgress } = options;
  const opened = await openExport(found, file, program);
  try {
    return (await new FileEvaluator(opened, { program, dataset, signal, onProgress }).ofTestSplit()).value;
  } finally {
    await opened.release();
  }
}

const loaders: Readonly<Record<ExportFormatName, (path: string) => Promise<tf.LayersModel>>> = {
  onnx: (path) => {
    throw new UserError(`${path} is a graph of operators: it has no layers that could be made smaller.`, {
      remedy: 'Name its run, or a file with layers: `deeptwist export RUN --format tfjs` writes one.',
    });
  },
  tfjs: async (path) => (await loadTfjsModel(await modelFileIn(path))).model,
  packed: loadModelFile,
  safetensors: loadModelFile,
  huggingface: (path) => loadModelFile(join(path, WEIGHTS_FILE)),
};
