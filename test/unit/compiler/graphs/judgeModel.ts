/** @file Runs a model by both executors and says how they compare. */
import { CompiledExecutor } from '../../../../server/compiler/compiledExecutor.ts';
import { EagerExecutor } from '../../../../server/compiler/eagerExecutor.ts';
import { UnsupportedKernel } from '../../../../server/compiler/import/kernel.ts';
import { Random } from '../../../../server/formats/random.ts';
import type { StepBatch } from '../../../../server/compiler/program.ts';
import { UserError } from '../../../../server/protocol/userError.ts';
import { denseGradient } from '../denseGradient.ts';
import { randomModel, type Recipe } from './randomModel.ts';

export interface Verdict {
  /**
   * 'agreed': every number of both executors; 'fell back': the compiler said what it cannot do; 'untrainable': TensorFlow.js cannot
   * train the model, or cannot build it; 'not judged': numbers of TensorFlow.js are not finite, or jump at a rounding error.
   */
  readonly kind: 'agreed' | 'fell back' | 'untrainable' | 'not judged' | 'failed';
  readonly reason: string;
  readonly text: string;
}

/**
 * A part of the largest magnitude of a tensor, or of 2% of that of all gradients where that is more. Both compute in float32;
 * normalizations divide small differences of large numbers. A wrong rule is wrong by far more.
 */
const TOLERANCE = 1e-3;
const SMALL = 0.02;

const settings = { seed: 1, stateBytes: () => 0 };

export async function judgeModel(recipe: Recipe): Promise<Verdict> {
  let text = JSON.stringify(recipe);
  const verdict = (kind: Verdict['kind'], reason = ''): Verdict => ({ kind, reason, text });
  let made: ReturnType<typeof randomModel>;
  try {
    made = randomModel(recipe);
  } catch (error) {
    return verdict('untrainable', `cannot be built: ${(error as Error).message}`);
  }
  text = made.text;
  const { program, batches } = made;
  const eager = new EagerExecutor(program, { ...settings, backend: 'cpu' });
  let compiled: CompiledExecutor | undefined;
  try {
    const options = { ...settings, batchSize: recipe.batchSize, threads: 1, rowGradients: recipe.input % 3 === 0 };
    compiled = await CompiledExecutor.create(program, options);
    for (const [step, batch] of batches.entries()) {
      const compare = comparison(maximumOf(eager));
      const [{ loss: actual }, { loss: expected }] = [await compiled.step(batch, step), await eager.step(batch, step)];
      if (!Number.isFinite(expected + maximumOf(eager)))
        return verdict('not judged', 'the loss or a gradient of TensorFlow.js is not finite');
      const wrong = [compare(`loss of step ${step}`, [actual], [expected])];
      const largest = maximumOf(eager);
      for (const { name, trainable, value } of eager.parameters.list) {
        const own = compiled.parameters.byName.get(name)!;
        if (trainable)
          wrong.push(
            comparison(largest)(
              `gradient of ${name}`,
              denseGradient(own),
              denseGradient(eager.parameters.byName.get(name)!),
            ),
          );
        wrong.push(comparison(0)(name, own.value, value));
      }
      const first = wrong.find((difference) => difference !== undefined);
      if (first !== undefined) {
        const unstable = await isUnstable(eager, batch);
        return unstable ? verdict('not judged', 'TensorFlow.js jumps at a rounding error') : verdict('failed', first);
      }
    }
    const [actual, expected] = [await compiled.evaluate(batches[0]), await eager.evaluate(batches[0])];
    const different =
      comparison(0)('evaluation', [actual.loss], [expected.loss]) ??
      comparison(0)('metric', actual.metrics, expected.metrics);
    return different === undefined ? verdict('agreed') : verdict('failed', different);
  } catch (error) {
    if (error instanceof UnsupportedKernel)
      return verdict('fell back', `${error.kernel} of ${error.layer ?? 'no layer'}: ${error.message}`);
    if (error instanceof UserError) return verdict('untrainable', error.message);
    return verdict('failed', (error as Error).message);
  } finally {
    await compiled?.dispose();
    for (const { variable } of program.weights) variable.dispose();
  }
}

/** Moves of weights and inputs, of their largest magnitude: some units in the last place. */
const ROUNDING = 1e-6;

/** True where the gradients jump when weights and inputs move by rounding errors: a rectifier at 0, say. */
async function isUnstable(eager: EagerExecutor, batch: StepBatch): Promise<boolean> {
  const trained = eager.parameters.list.filter(({ trainable }) => trainable);
  const expected = new Map(trained.map((parameter) => [parameter, denseGradient(parameter).slice()]));
  const largest = maximumOf(eager);
  for (let attempt = 0; attempt < 6; attempt++) {
    const random = new Random(attempt);
    const moved = (value: number) => value + ROUNDING * (2 * random.uniform() - 1);
    for (const { value } of trained) value.set(value.map(moved));
    const inputs = batch.inputs.map((values) => (values instanceof Float32Array ? values.map(moved) : values));
    await eager.step({ ...batch, inputs }, 0);
    for (const [parameter, gradient] of expected)
      if (comparison(largest)('', denseGradient(parameter), gradient) !== undefined) return true;
  }
  return false;
}

const maximumOf = ({ parameters }: EagerExecutor): number =>
  Math.max(
    0,
    ...parameters.list
      .filter(({ trainable }) => trainable)
      .flatMap((parameter) => Array.from(denseGradient(parameter), Math.abs)),
  );

const comparison =
  (largestOfAll: number) =>
  (name: string, actual: ArrayLike<number>, expected: ArrayLike<number>): string | undefined => {
    const magnitude = Array.from(expected).reduce(
      (largest, value) => Math.max(largest, Math.abs(value)),
      SMALL * largestOfAll,
    );
    const allowed = TOLERANCE * magnitude + 1e-5;
    for (let i = 0; i < expected.length; i++) {
      if (Object.is(actual[i], expected[i]) || Math.abs(actual[i] - expected[i]) <= allowed) continue;
      return `${name}[${i}] is ${actual[i]}, expected ${expected[i]} (within ${allowed.toPrecision(2)})`;
    }
    return undefined;
  };
