/** @file From an experiment to everything that trains: data, model, executor, optimizer, compressor. */
import { dirname, resolve } from 'node:path';
import { createExecutor } from '../compiler/createExecutor.ts';
import type { ParameterSet } from '../compiler/parameters.ts';
import type { Executor } from '../compiler/program.ts';
import { createCompressor, type Compressor } from '../compression/compressor.ts';
import type { CustomDistortion } from '../compression/custom.ts';
import type { CompressibleWeight } from '../compression/targets.ts';
import type { Dataset } from '../data/dataset.ts';
import { openDataset } from '../data/openDataset.ts';
import { loadModel, type LoadedModel } from '../models/loadModel.ts';
import { loadWeights } from '../models/loadWeights.ts';
import { modelWeights } from '../models/modelWeights.ts';
import { exportedFunction, importUserModule } from '../modules/userModule.ts';
import { createOptimizer, optimizerArenaBytes, supportsRowGradients, type Optimizer } from '../optimizers/optimizer.ts';
import type { Experiment } from '../protocol/config.ts';
import { findRun } from '../runs/findRun.ts';
import { finalWeightsFile } from './finalModel.ts';
import { modelProgram, type ModelProgram } from './modelProgram.ts';

export interface Prepared {
  readonly experiment: Experiment;
  readonly dataset: Dataset;
  readonly loaded: LoadedModel;
  readonly program: ModelProgram;
  readonly executor: Executor;
  readonly parameters: ParameterSet;
  readonly optimizer: Optimizer;
  readonly compressor: Compressor | undefined;
  /** All weights, compressed or not, in the model's order. */
  readonly weights: readonly CompressibleWeight[];
  /** What the user should know. */
  readonly warnings: readonly string[];
  /** The user's files that the experiment depends on, absolute. */
  readonly files: readonly string[];
  dispose(): Promise<void>;
}

/**
 * @param file the experiment file; relative paths start from its folder
 * @throws UserError for whatever does not fit together
 */
export async function prepare(experiment: Experiment, file: string): Promise<Prepared> {
  const baseDirectory = dirname(resolve(file));
  const { training, compression } = experiment;
  const warnings: string[] = [];
  const loaded = await loadModel(experiment.model, { baseDirectory, seed: training.seed });
  if (experiment.start !== undefined) {
    const { ignored } = await loadWeights(loaded.model, await startFile(experiment.start, baseDirectory));
    if (ignored.length > 0) warnings.push(`start: the model has no weight for ${ignored.join(', ')}; left out.`);
  }
  const module =
    compression?.method === 'custom' ? await importUserModule(resolve(baseDirectory, compression.module)) : undefined;
  const custom = module === undefined ? undefined : (exportedFunction(module, 'distort') as CustomDistortion);
  const dataset = await openDataset(experiment.data, baseDirectory);
  try {
    const program = modelProgram(loaded, dataset, training, file);
    const { executor, parameters, warning } = await createExecutor(program, training.executor, baseDirectory, {
      batchSize: training.batchSize,
      seed: training.seed,
      threads: training.threads,
      rowGradients: supportsRowGradients(training.optimizer) && compression?.policy !== 'gradual-mask',
      extraBytes: (lengths) => optimizerArenaBytes(training.optimizer, lengths),
    });
    if (warning !== undefined) warnings.push(warning);
    const trained = parameters.list.filter(({ trainable }) => trainable);
    const optimizer = createOptimizer(training.optimizer, training.clip, parameters.arena, trained);
    const weights = compressibleWeights(loaded, parameters);
    const { steps, seed } = training;
    const compressor = compression && createCompressor(compression, weights, { steps, seed, custom });
    return {
      experiment,
      dataset,
      loaded,
      program,
      executor,
      parameters,
      optimizer,
      compressor,
      weights,
      warnings,
      files: [...loaded.files, ...(module?.files ?? [])],
      async dispose() {
        await executor.dispose();
        await dataset.close();
      },
    };
  } catch (error) {
    await dataset.close();
    throw error;
  }
}

async function startFile(start: string, baseDirectory: string): Promise<string> {
  if (!start.startsWith('run:')) return resolve(baseDirectory, start);
  return finalWeightsFile(await findRun(start.slice('run:'.length), baseDirectory));
}

function compressibleWeights(loaded: LoadedModel, parameters: ParameterSet): CompressibleWeight[] {
  const classes = new Map(loaded.model.layers.map((layer) => [layer.name, layer.getClassName()]));
  return modelWeights(loaded.model).map(({ name, layer, weight }) => {
    const { shape, value, gradient } = parameters.byName.get(name)!;
    return {
      name,
      layer,
      weight,
      layerClass: classes.get(layer),
      shape,
      values: value,
      ...(gradient instanceof Float32Array && gradient.length > 0 && { gradient }),
    };
  });
}
