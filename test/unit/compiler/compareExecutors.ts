/** @file Runs a program by both executors and holds every number of the compiled one to the eager one's on `cpu`. */
import { expect } from 'vitest';
import { CompiledExecutor, type ExecutorOptions } from '../../../server/compiler/compiledExecutor.ts';
import { EagerExecutor } from '../../../server/compiler/eagerExecutor.ts';
import type { Parameter } from '../../../server/compiler/parameters.ts';
import type { Executor, Program, StepBatch } from '../../../server/compiler/program.ts';
import { createOptimizer, optimizerArenaBytes } from '../../../server/optimizers/optimizer.ts';
import type { OptimizerConfig } from '../../../server/protocol/experiment/schema.ts';
import { denseGradient } from './denseGradient.ts';
import { TOLERANCE, expectClose } from './expectClose.ts';

export interface Comparison {
  /** {@link expectClose}'s. */
  readonly tolerance?: number;
  /** Updates the weights of both after each step; without it only the steps are compared. */
  readonly optimizer?: OptimizerConfig;
  /** Tolerance of the parameters after training; the two runs drift apart as rounding errors are fed back. */
  readonly trainedTolerance?: number;
  readonly rowGradients?: boolean;
  readonly skippedPasses?: ExecutorOptions['skippedPasses'];
}

const SEED = 1;

/**
 * One step per batch: compares loss, gradients and updated weights of each, then the evaluation of the last batch.
 * With an optimizer only the losses are compared on the way, and the parameters at the end.
 */
export async function compareExecutors(
  program: Program,
  batches: readonly StepBatch[],
  comparison: Comparison = {},
): Promise<void> {
  const { tolerance = TOLERANCE, optimizer, trainedTolerance = 1e-3, rowGradients = false, skippedPasses } = comparison;
  const stateBytes = (length: number) => (optimizer ? optimizerArenaBytes(optimizer, length) : 0);
  const options = { batchSize: batches[0].size, seed: SEED, threads: 1, rowGradients, stateBytes, skippedPasses };
  const compiled = await CompiledExecutor.create(program, options);
  const eager = new EagerExecutor(program, { backend: 'cpu', seed: SEED, stateBytes });
  const executors = [compiled, eager];
  const updates = optimizer && executors.map((executor) => createUpdate(executor, optimizer));
  for (const [step, batch] of batches.entries()) {
    const [actual, expected] = [await compiled.step(batch, step), await eager.step(batch, step)];
    const lossTolerance = optimizer ? trainedTolerance : tolerance;
    expectClose(`loss of step ${step}`, [actual.loss], [expected.loss], lossTolerance);
    expect(Object.keys(actual.parts)).toEqual(Object.keys(expected.parts));
    expectClose(`parts of its loss`, Object.values(actual.parts), Object.values(expected.parts), lossTolerance);
    expect(Object.keys(actual.shares)).toEqual(Object.keys(expected.shares));
    expectClose('shares of its batch', Object.values(actual.shares), Object.values(expected.shares), lossTolerance);
    if (updates) updates.forEach((update) => update());
    else compareStep(compiled, eager, tolerance);
  }
  if (updates) compareParameters(compiled, eager, trainedTolerance);
  const [actual, expected] = [await compiled.evaluate(batches[0]), await eager.evaluate(batches[0])];
  const evaluated = ({ loss, metrics }: typeof actual) => [loss, ...metrics];
  expectClose('evaluation', evaluated(actual), evaluated(expected), updates ? trainedTolerance : tolerance);
  await compiled.dispose();
}

type WithParameters = Executor & Pick<EagerExecutor, 'parameters'>;

function createUpdate({ parameters }: WithParameters, config: OptimizerConfig): () => void {
  const trainables = parameters.list.filter(({ trainable }) => trainable);
  const optimizer = createOptimizer(config, undefined, trainables);
  return () => optimizer.step(config.learningRate);
}

function compareStep(compiled: WithParameters, eager: WithParameters, tolerance: number): void {
  for (const expected of eager.parameters.list) {
    const actual = compiled.parameters.byName.get(expected.name) as Parameter;
    if (expected.trainable)
      expectClose(`gradient of ${expected.name}`, denseGradient(actual), denseGradient(expected), tolerance);
    expectClose(expected.name, actual.value, expected.value, tolerance);
  }
}

function compareParameters(compiled: WithParameters, eager: WithParameters, tolerance: number): void {
  for (const { name, value } of eager.parameters.list)
    expectClose(name, compiled.parameters.byName.get(name)?.value as Float32Array, value, tolerance);
}
