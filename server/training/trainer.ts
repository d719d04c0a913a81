/** @file From a model and the settings that are in effect to everything that trains it: program, executor, optimizer, compressor. */
import type { ExecutorOptions } from '../compiler/compiledExecutor.ts';
import { createExecutor, type CreatedExecutor } from '../compiler/createExecutor.ts';
import { DeviceError, type Device } from '../compiler/device.ts';
import type { DeviceMemory } from '../compiler/deviceMemory.ts';
import { UnsupportedKernel } from '../compiler/import/kernel.ts';
import type { ParameterSet } from '../compiler/parameters.ts';
import type { Executor } from '../compiler/program.ts';
import { Compressor } from '../compression/compressor.ts';
import { planCompression, type CompressionPlan, type PlannedCompression } from '../compression/plan.ts';
import type { TrainedTensor } from '../compression/stored/storedWeights.ts';
import type { CompressibleWeight } from '../compression/targets/targets.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Seeding } from '../formats/random.ts';
import { arenaBytes } from '../memory/arena.ts';
import type { LoadedModel } from '../models/loadModel.ts';
import { modelWeights, withoutValue, type ModelWeight } from '../models/modelWeights.ts';
import { createDeviceOptimizer } from '../optimizers/deviceOptimizer.ts';
import { gradientSumBytes } from '../optimizers/gradientSums.ts';
import { KernelThreads } from '../optimizers/kernelThreads.ts';
import { createOptimizer, optimizerArenaBytes, supportsRowGradients, type Optimizer } from '../optimizers/optimizer.ts';
import type { Experiment, TrainingConfig } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { samplesPerStep } from '../protocol/experiment/times.ts';
import { directionWarning } from '../protocol/run/metricDirection.ts';
import { AccumulatingExecutor } from './accumulatingExecutor.ts';
import { BestModel } from './bestModel.ts';
import { ConstrainedWeights } from './constrainedWeights.ts';
import { evaluationBatchSize } from './evaluateSplit.ts';
import { modelProgram, type ModelProgram } from './modelProgram.ts';
import { createNoise, noiseTensors } from './objective/variationalNoise.ts';
import type { LoadedTeacher } from './teacher.ts';

/** What depends on the sizes of the model's layers. */
export interface Trainer {
  /** The model with what its module says of it. */
  readonly loaded: LoadedModel;
  readonly program: ModelProgram;
  readonly executor: Executor;
  readonly parameters: ParameterSet;
  readonly optimizer: Optimizer;
  readonly compressor: Compressor | undefined;
  readonly constraints: ConstrainedWeights;
  /** Keeps the best model; undefined where the experiment keeps the last one. */
  readonly best: BestModel | undefined;
  /** All weights, compressed or not, in the model's order. */
  readonly weights: readonly CompressibleWeight[];
}

/** What a model is trained with. */
export interface Training {
  readonly experiment: Experiment;
  /** Folder of the experiment file. */
  readonly directory: string;
  readonly dataset: Dataset;
  readonly seeding: Seeding;
  readonly teacher: LoadedTeacher | undefined;
  /** Those of the experiment, with what was loaded for them. */
  readonly compressions: readonly PlannedCompression[];
  /** False where the model is only evaluated, which the processor does. */
  readonly trains: boolean;
  /** The device on which the run was until now; undefined for a new run. */
  readonly deviceBefore: Device | undefined;
}

/** A trainer, with messages for the user. */
interface CreatedTrainer {
  readonly trainer: Trainer;
  readonly warnings: readonly string[];
  /** Disposes of all that was made for the trainer, and not of the model. */
  dispose(): Promise<void>;
}

/** @throws UserError where model, data and settings do not fit together, SettingError where one setting does not */
export async function createTrainer(
  loaded: LoadedModel,
  { experiment, directory, dataset, seeding, teacher, compressions, trains, deviceBefore }: Training,
): Promise<CreatedTrainer> {
  const { training, distillation } = experiment;
  const named = modelWeights(loaded.model);
  const { steps, seed } = training;
  const plan = compressions.length > 0 ? planCompression(compressions, named, { steps, seed }) : undefined;
  const samples = samplesPerEpoch(dataset, samplesPerStep(training));
  const noise = plan && trains ? createNoise(loaded.model, named, plan.noisy, samples) : undefined;
  let created: CreatedExecutor | undefined;
  let threads: KernelThreads | undefined;
  const dispose = async () => {
    await threads?.dispose();
    await created?.executor.dispose();
    noise?.dispose();
  };
  try {
    const program = modelProgram(loaded, dataset, training, {
      lesson: distillation && teacher && { config: distillation, teacher },
      noise,
    });
    created = await createProgramExecutor(experiment, program, dataset, {
      ...{ directory, seeding, plan, deviceBefore },
      device: trains ? training.device : 'cpu',
      keepsWeights: noise === undefined && training.accumulate === 1 && canStayOnDevice(named, plan),
      updates: trains,
    });
    const { parameters, memory, warning } = created;
    threads = new KernelThreads(parameters.threads);
    const executor =
      training.accumulate > 1
        ? new AccumulatingExecutor(created.executor, parameters, training, threads)
        : created.executor;
    const beside = noise && noiseTensors(noise, parameters);
    const updated = { named, parameters, memory, plan, beside, threads };
    const { weights, compressor, optimizer } = await createUpdate(training, updated);
    const constraints = await ConstrainedWeights.create(program.weights, parameters, compressor);
    const best = training.keepBest ? new BestModel(parameters) : undefined;
    return {
      trainer: { loaded, program, executor, parameters, optimizer, compressor, constraints, best, weights },
      warnings: [
        ...[warning, directionWarning(program.metric)].filter((text) => text !== undefined),
        ...constraints.warnings,
      ],
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** What a training step needs of its executor: for the optimizer, for sums of gradients, and for what is trained in the place of weights. */
export function executorNeeds(
  { optimizer, accumulate }: Pick<TrainingConfig, 'optimizer' | 'accumulate'>,
  plan: CompressionPlan | undefined,
): Pick<ExecutorOptions, 'rowGradients' | 'stateBytes' | 'groups'> {
  const accumulates = accumulate > 1;
  const state = (length: number) => optimizerArenaBytes(optimizer, length);
  return {
    // Each batch has rows of its own: their sum is dense.
    rowGradients: supportsRowGradients(optimizer) && !plan?.denseGradients && !accumulates,
    stateBytes: (length) => state(length) + (accumulates ? gradientSumBytes(length) : 0),
    groups: plan?.trained.map(({ length }) => 2 * arenaBytes(length) + state(length)) ?? [],
  };
}

/** True where the host needs no weight and no gradient between two steps, but at distortions. */
function canStayOnDevice(named: readonly ModelWeight[], plan: CompressionPlan | undefined): boolean {
  const trained = named.filter(({ trainable }) => trainable);
  return trained.length > 0 && trained.every(({ constraint }) => constraint === undefined) && !plan?.actsAtEveryStep;
}

/** A model where an executor has its weights. */
interface Updated {
  readonly named: readonly ModelWeight[];
  readonly parameters: ParameterSet;
  /** The memory of the device, where the weights stay there. */
  readonly memory?: DeviceMemory | undefined;
  readonly plan: CompressionPlan | undefined;
  /** The tensors that the training step has beside the weights. */
  readonly beside?: readonly TrainedTensor[] | undefined;
  /** Those that update weights on the host; default: the one that calls. */
  readonly threads?: KernelThreads;
}

/** What changes the weights of a model after a step. */
export async function createUpdate(
  { optimizer, clip }: TrainingConfig,
  { named, parameters, memory, plan, beside, threads }: Updated,
): Promise<Pick<Trainer, 'weights' | 'compressor' | 'optimizer'>> {
  const { groups, list } = parameters;
  const weights = compressibleWeights(named, parameters);
  const compressor = plan && new Compressor(plan, weights, (length, i) => groups[i].float32(length), beside);
  const trained = list.filter(({ name, trainable }) => trainable && !plan?.replaced.has(name));
  return {
    weights,
    compressor,
    optimizer: memory
      ? await createDeviceOptimizer(optimizer, clip, memory, trained)
      : createOptimizer(optimizer, clip, [...trained, ...(compressor?.trained ?? [])], threads),
  };
}

/** Samples that the weights are learned from; undefined where the data set does not say. */
function samplesPerEpoch(dataset: Dataset, samplesOfStep: number): number | undefined {
  const steps = dataset.stepsPerEpoch(samplesOfStep);
  return steps === undefined ? undefined : steps * samplesOfStep;
}

/** @throws SettingError when the program was to be compiled and cannot be */
async function createProgramExecutor(
  { training }: Experiment,
  program: ModelProgram,
  { test }: Dataset,
  {
    directory,
    seeding,
    plan,
    ...device
  }: { directory: string; seeding: Seeding; plan: CompressionPlan | undefined } & Pick<
    Parameters<typeof createExecutor>[3],
    'device' | 'deviceBefore' | 'keepsWeights' | 'updates'
  >,
): Promise<CreatedExecutor> {
  try {
    return await createExecutor(program, training.executor, directory, {
      batchSize: training.batchSize,
      evaluationBatchSize: evaluationBatchSize(program, test),
      seed: training.seed,
      seeding,
      threads: training.threads,
      ...device,
      ...executorNeeds(training, plan),
    });
  } catch (error) {
    if (error instanceof DeviceError) {
      const { message, remedy } = error;
      const reason = message.replace(/^The /, 'the ').replace(/\.$/, '');
      throw new SettingError(['training', 'device'], reason, { ...(remedy !== undefined && { remedy }), cause: error });
    }
    if (!(error instanceof UnsupportedKernel)) throw error;
    const { kernel, layer, message } = error;
    const where = layer === undefined ? '' : ` of the layer '${layer}'`;
    throw new SettingError(['training', 'executor'], `the operation ${kernel}${where} cannot be compiled: ${message}`, {
      remedy: 'Set training.executor to "eager", which is slower, or do without the operation.',
      cause: error,
    });
  }
}

/** The weights of a model where an executor has them. */
function compressibleWeights(weights: readonly ModelWeight[], parameters: ParameterSet): CompressibleWeight[] {
  return weights.map((weight) => {
    const { shape, value, gradient } = parameters.byName.get(weight.name)!;
    return {
      ...withoutValue(weight),
      shape,
      values: value,
      ...(gradient instanceof Float32Array && gradient.length > 0 && { gradient }),
    };
  });
}
