/** @file Chooses how a program is run. */
import * as tf from '@tensorflow/tfjs';
import { formatCount } from '../protocol/formatQuantity.ts';
import { elementCount } from '../protocol/shape.ts';
import { UserError } from '../protocol/userError.ts';
import { CompiledExecutor, type ExecutorOptions } from './compiledExecutor.ts';
import { chooseEagerBackend } from './eagerBackend.ts';
import { EagerExecutor } from './eagerExecutor.ts';
import { UnsupportedKernel } from './import/kernel.ts';
import { outOfMemory } from './outOfMemory.ts';
import type { ParameterSet } from './parameters.ts';
import type { Executor, Program, StepBatch } from './program.ts';

export interface CreatedExecutor {
  readonly executor: Executor;
  readonly parameters: ParameterSet;
  /** Why the program is not compiled although that was wanted, for the user. */
  readonly warning?: string;
}

/**
 * An executor that has trained nothing, but is known to train and to evaluate: no mistake shows hours later.
 * @param kind 'auto' compiles and falls back to the eager executor when an operation has no lowering
 * @param directory folder of the user's model
 * @throws UnsupportedKernel when `kind` is 'compiled' and the program cannot be, UserError where there is not enough memory
 */
export async function createExecutor(
  program: Program,
  kind: ExecutorKind,
  directory: string,
  options: TriedOptions,
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
type TriedOptions = ExecutorOptions & { evaluationBatchSize: number };

async function createTried(
  program: Program,
  kind: ExecutorKind,
  directory: string,
  options: TriedOptions,
): Promise<CreatedExecutor> {
  if (kind === 'eager') return createEager(program, directory, options);
  try {
    const executor = await CompiledExecutor.create(program, options);
    try {
      await executor.evaluate(zeroBatch(program, options.evaluationBatchSize));
    } catch (error) {
      await executor.dispose();
      throw error;
    }
    return { executor, parameters: executor.parameters };
  } catch (error) {
    if (kind === 'compiled' || !(error instanceof UnsupportedKernel)) throw error;
    const where = error.layer === undefined ? '' : ` of the layer '${error.layer}'`;
    const reason = `The operation ${error.kernel}${where} cannot be compiled: ${error.message}.`;
    const created = await createEager(program, directory, options).catch((failure: unknown) => {
      if (!(failure instanceof UserError)) throw failure;
      const { remedy, exitCode } = failure;
      throw new UserError(`${failure.message} ${reason}`, { remedy, exitCode, cause: failure });
    });
    const warning = `${reason} Training goes on with ${created.executor.description}, which is ${slownessOf(created.executor)}.`;
    return { ...created, warning };
  }
}

/** How a backend of TensorFlow.js compares with compiled steps, as far as it can be said of all models. */
function slownessOf({ description }: Executor): string {
  if (description.endsWith('tensorflow')) return 'slower';
  return description.endsWith('wasm')
    ? 'slower, often by ten times and more'
    : 'slower, often by a hundred times and more: install @tensorflow/tfjs-node beside the model to do better';
}

async function createEager(program: Program, directory: string, options: TriedOptions): Promise<CreatedExecutor> {
  const { seed, seeding, stateBytes, groups } = options;
  const initial = program.weights.map(({ variable }) => variable.dataSync().slice());
  const backend = await chooseEagerBackend(directory, async (candidate) => {
    const trial = new EagerExecutor(program, { backend: candidate, seed, seeding, stateBytes: () => 0 });
    await trial.step(zeroBatch(program, options.batchSize), 0);
    await trial.evaluate(zeroBatch(program, options.evaluationBatchSize));
  });
  // A trial moves the averages of batch normalization.
  tf.tidy(() => {
    program.weights.forEach(({ variable }, index) =>
      variable.assign(tf.tensor(initial[index], variable.shape, variable.dtype)),
    );
  });
  const executor = new EagerExecutor(program, { backend, seed, seeding, stateBytes, groups });
  return { executor, parameters: executor.parameters };
}

function zeroBatch(program: Program, size: number): StepBatch {
  const zeros = ({ dtype, shape }: Program['inputs'][number]) =>
    new (dtype === 'int32' ? Int32Array : Float32Array)(size * elementCount(shape));
  return { size, inputs: program.inputs.map(zeros), targets: program.targets.map(zeros) };
}
