/** @file Chooses how a program is run. */
import * as tf from '@tensorflow/tfjs';
import { formatCount } from '../protocol/formatQuantity.ts';
import { elementCount } from '../protocol/shape.ts';
import { UserError } from '../protocol/userError.ts';
import { CompiledExecutor, type ExecutorOptions } from './compiledExecutor.ts';
import { chooseEagerBackend } from './eagerBackend.ts';
import { EagerExecutor } from './eagerExecutor.ts';
import { checkWebGpu, DeviceError, type Device } from './device.ts';
import type { DeviceMemory } from './deviceMemory.ts';
import { UnsupportedKernel } from './import/kernel.ts';
import { outOfMemory } from './outOfMemory.ts';
import type { ParameterSet } from './parameters.ts';
import type { Executor, Program, StepBatch } from './program.ts';

export interface CreatedExecutor {
  readonly executor: Executor;
  readonly parameters: ParameterSet;
  /** The memory of the device, where weights, gradients and optimizer state stay there. */
  readonly memory?: DeviceMemory | undefined;
  /** Why the program is not compiled, or not on the device, although that was wanted, for the user. */
  readonly warning?: string | undefined;
}

interface CreateOptions extends Omit<ExecutorOptions, 'device'> {
  readonly evaluationBatchSize: number;
  /** 'auto': the one on which a step takes less time, measured now. Default: 'cpu'. */
  readonly device?: Device | 'auto';
  /** The device on which the run was until now, which 'auto' keeps. */
  readonly deviceBefore?: Device | undefined;
}

/**
 * An executor that has trained nothing, but is known to train and to evaluate: no mistake shows hours later.
 * @param kind 'auto' compiles and falls back to the eager executor when an operation has no lowering
 * @param directory folder of the user's model
 * @throws UnsupportedKernel when `kind` is 'compiled' and the program cannot be; DeviceError where `device` is 'webgpu' and cannot be used;
 * UserError where there is not enough memory
 */
export async function createExecutor(
  program: Program,
  kind: ExecutorKind,
  directory: string,
  options: CreateOptions,
): Promise<CreatedExecutor> {
  try {
    return await createTried(program, kind, directory, options);
  } catch (error) {
    const { batchSize, evaluationBatchSize } = options;
    const what = `training steps of ${formatCount(batchSize)} and evaluations of ${formatCount(evaluationBatchSize)} samples`;
    throw outOfMemory(error, what) ?? error;
  }
}

type ExecutorKind = 'auto' | 'compiled' | 'eager';

async function createTried(
  program: Program,
  kind: ExecutorKind,
  directory: string,
  options: CreateOptions,
): Promise<CreatedExecutor> {
  if (kind === 'eager') return createEager(program, directory, options);
  try {
    const { device = 'cpu', deviceBefore } = options;
    const { executor, warning }: Chosen =
      device === 'auto'
        ? await createFaster(program, deviceBefore, options)
        : { executor: await createCompiled(program, device, options) };
    return { executor, parameters: executor.parameters, memory: executor.memory, warning };
  } catch (error) {
    if (kind === 'compiled' || !(error instanceof UnsupportedKernel)) throw error;
    const where = error.layer === undefined ? '' : ` of the layer '${error.layer}'`;
    const reason = `The operation ${error.kernel}${where} cannot be compiled: ${error.message}.`;
    const created = await createEager(program, directory, options).catch((failure: unknown) => {
      if (!(failure instanceof UserError)) throw failure;
      const { remedy, exitCode } = failure;
      throw new UserError(`${failure.message} ${reason}`, { remedy, exitCode, cause: failure });
    });
    const warning = `${reason} Training continues with ${created.executor.description}, which is ${slownessOf(created.executor)}.`;
    return { ...created, warning };
  }
}

async function createCompiled(program: Program, device: Device, options: CreateOptions): Promise<CompiledExecutor> {
  if (device === 'webgpu') checkWebGpu();
  const executor = await CompiledExecutor.create(program, { ...options, device });
  try {
    await executor.evaluate(zeroBatch(program, options.evaluationBatchSize));
    await executor.claimWeights();
    return executor;
  } catch (error) {
    await executor.dispose();
    throw error;
  }
}

interface Chosen {
  readonly executor: CompiledExecutor;
  readonly warning?: string;
}

/** The graphics processor where there is one and it is the faster, else the processor, with the reason. */
async function createFaster(program: Program, before: Device | undefined, options: CreateOptions): Promise<Chosen> {
  const onProcessor = () => createCompiled(program, 'cpu', options);
  if (before === 'cpu') return { executor: await onProcessor() };
  let graphics: CompiledExecutor | undefined;
  let onGraphics: number;
  try {
    graphics = await createCompiled(program, 'webgpu', options);
    if (before === 'webgpu') return { executor: graphics };
    onGraphics = await graphics.timeStep();
  } catch (error) {
    await graphics?.dispose();
    if (!(error instanceof DeviceError)) throw error;
    return { executor: await onProcessor(), warning: `training.device: the processor trains. ${error.message}` };
  }
  const processor = await onProcessor();
  const seconds = await processor.timeStep();
  const [executor, slower] = onGraphics < seconds ? [graphics, processor] : [processor, graphics];
  await slower.dispose();
  if (executor === graphics) return { executor };
  const milliseconds = (time: number) => `${(1000 * time).toPrecision(2)} ms`;
  const warning =
    `training.device: the processor trains, because it is faster for this model: forward and backward pass take ` +
    `${milliseconds(seconds)}, on the graphics processor ${milliseconds(onGraphics)}.`;
  return { executor, warning };
}

/** How a backend of TensorFlow.js compares with compiled steps, as far as it can be said of all models. */
function slownessOf({ description }: Executor): string {
  if (description.endsWith('tensorflow')) return 'slower';
  return description.endsWith('wasm')
    ? 'slower, often by ten times and more'
    : 'slower, often by a hundred times and more: install @tensorflow/tfjs-node beside the model to do better';
}

async function createEager(program: Program, directory: string, options: CreateOptions): Promise<CreatedExecutor> {
  const { seed, seeding, stateBytes, groups } = options;
  const variables = changedVariables(program);
  const initial = variables.map((variable) => variable.dataSync().slice());
  const backend = await chooseEagerBackend(directory, async (candidate) => {
    const trial = new EagerExecutor(program, { backend: candidate, seed, seeding, stateBytes: () => 0 });
    await trial.step(zeroBatch(program, options.batchSize), 0);
    await trial.evaluate(zeroBatch(program, options.evaluationBatchSize));
  });
  // A trial moves the averages of batch normalization.
  tf.tidy(() => {
    variables.forEach((variable, index) => variable.assign(tf.tensor(initial[index], variable.shape, variable.dtype)));
  });
  const executor = new EagerExecutor(program, { backend, seed, seeding, stateBytes, groups });
  return { executor, parameters: executor.parameters };
}

/** The variables that a step may change: the weights, and what else a layer or the loss assigns to. */
function changedVariables({ weights, frozen }: Program): tf.Variable[] {
  const unchanged = new Set(frozen?.weights.map(({ variable }) => variable));
  const registered = Object.values(tf.engine().state.registeredVariables);
  return [...new Set([...weights.map(({ variable }) => variable), ...registered])].filter((one) => !unchanged.has(one));
}

function zeroBatch(program: Program, size: number): StepBatch {
  const zeros = ({ dtype, shape }: Program['inputs'][number]) =>
    new (dtype === 'int32' ? Int32Array : Float32Array)(size * elementCount(shape));
  return { size, inputs: program.inputs.map(zeros), targets: program.targets.map(zeros) };
}
