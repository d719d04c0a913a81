/**
 * @file Finds the random tensors of a traced step. TensorFlow.js draws random numbers in JavaScript, so a naive trace
 * would freeze a dropout mask into a constant. Here a tensor that is written inside one of tfjs's random operations
 * becomes a `Random` node, which yields fresh numbers at every step.
 *
 * tfjs seeds such an operation by one call of Math.random. That call is answered here, so the same generator can be
 * started again with standard parameters (uniform in [0, 1), normal with mean 0 and deviation 1); as both families are
 * affine in their parameters, two elements give the parameters and the rest confirm them.
 */
import * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../protocol/shape.ts';
import { withMathRandom } from '../../formats/mathRandom.ts';
import { Random } from '../../formats/random.ts';
import { random } from '../build.ts';
import type { Distribution, Node } from '../ir.ts';
import { UnsupportedKernel } from '../import/kernel.ts';

/** What tfjs appends to the name of an operation for the scope that it opens for it. */
const OPERATION_SCOPE = '__op';

const currentScopes = () => tf.engine().state.scopeStack.map(({ name }) => name);

/** Random operations by the name of the scope that tfjs opens for them, and their standard form. */
const families: Readonly<Record<string, (shape: number[], seed: number) => tf.Tensor>> = {
  randomUniform__op: (shape, seed) => tf.randomUniform(shape, 0, 1, 'float32', seed),
  randomNormal__op: (shape, seed) => tf.randomNormal(shape, 0, 1, 'float32', seed),
  truncatedNormal__op: (shape, seed) => tf.truncatedNormal(shape, 0, 1, 'float32', seed),
};

function distribution(family: string, offset: number, scale: number): Distribution {
  return family === 'randomUniform__op'
    ? { kind: 'uniform', minimum: offset, maximum: offset + scale }
    : { kind: 'normal', mean: offset, deviation: scale, truncated: family === 'truncatedNormal__op' };
}

export class RandomnessDetector {
  readonly #random: Random;
  #lastSeed: number | undefined;
  #streams = 0;
  #sample: ArrayLike<number> | undefined | 'wanted';

  readonly #layer: () => string | undefined;

  /**
   * @param seed of Math.random: the same gives the same graph to the last bit of an estimated parameter
   * @param layer name of the layer that is being called, for messages
   */
  constructor(seed: number, layer: () => string | undefined) {
    this.#random = new Random(seed);
    this.#layer = layer;
  }

  /**
   * Runs a program with Math.random answered and watched.
   * @throws UnsupportedKernel when it is called outside of a random operation: JavaScript may branch on the number, at every step
   * anew, and two recordings may well take the same branch
   */
  watch<R>(program: () => R): R {
    return withMathRandom(() => {
      const operation = currentScopes().findLast((name) => name.endsWith(OPERATION_SCOPE));
      if (operation === undefined || !(operation in families)) {
        throw new UnsupportedKernel(
          operation?.replace(OPERATION_SCOPE, '') ?? 'Math.random',
          'JavaScript draws a number at every step, which a graph would freeze: draw several by tf.randomUniform, and choose by tf.where',
          this.#layer(),
        );
      }
      return (this.#lastSeed = this.#random.uniform());
    }, program);
  }

  /** True for a written tensor that is this detector's own sample of a standard distribution. */
  sampling(values: tf.backend_util.BackendValues): boolean {
    if (this.#sample !== 'wanted') return false;
    this.#sample = values as ArrayLike<number>;
    return true;
  }

  /** The `Random` node that a tensor, just written by the program, stands for; undefined when it is not random. */
  recognise(values: ArrayLike<number>, shape: readonly number[]): Node | undefined {
    const scopes = currentScopes();
    const family = scopes.findLast((name) => name in families);
    if (family === undefined) return undefined;
    const seed = this.#lastSeed;
    this.#lastSeed = undefined;
    // A dropout layer with a fixed seed: tfjs would drop the same units at every step; a random mask is what is meant.
    if (scopes.includes('dropout__op')) return this.#node(distribution(family, 0, 1), shape);
    // An operation with a fixed seed gives the same tensor at every step: a constant.
    if (seed === undefined) return undefined;
    const found = fitAffine(this.#standard(family, elementCount(shape), seed), values);
    if (found === undefined)
      throw new UnsupportedKernel(
        family.replace(OPERATION_SCOPE, ''),
        elementCount(shape) === 1
          ? 'one number does not tell its distribution: draw two or more'
          : 'its distribution is not recognised',
        this.#layer(),
      );
    return this.#node(distribution(family, ...found), shape);
  }

  #node(drawn: Distribution, shape: readonly number[]): Node {
    return random(drawn, this.#streams++, shape);
  }

  #standard(family: string, count: number, seed: number): ArrayLike<number> {
    this.#sample = 'wanted';
    families[family]([count], seed).dispose();
    const sample = this.#sample as ArrayLike<number> | 'wanted';
    this.#sample = undefined;
    if (sample === 'wanted') throw new Error('TensorFlow.js wrote no random tensor.');
    return sample;
  }
}

/** [offset, scale] with values = offset + scale * standard in every element; undefined when there are none. */
function fitAffine(standard: ArrayLike<number>, values: ArrayLike<number>): [number, number] | undefined {
  const apart = Array.from(standard, (value) => Math.abs(value - standard[0]));
  const far = apart.findIndex((distance) => distance > 0.1);
  // A few numbers may all be close together.
  const other = far < 0 ? apart.reduce((best, distance, index) => (distance > apart[best] ? index : best), 0) : far;
  if (apart[other] < 1e-3) return undefined;
  const scale = (values[other] - values[0]) / (standard[other] - standard[0]);
  const offset = values[0] - scale * standard[0];
  const magnitude = Math.abs(offset) + Math.abs(scale);
  const tolerance = 1e-4 * magnitude;
  const fits = Array.from(values).every((value, i) => Math.abs(value - (offset + scale * standard[i])) <= tolerance);
  return fits ? [roundOff(offset, magnitude), roundOff(scale, magnitude)] : undefined;
}

/** Removes the rounding of float32: 0.30000001 -> 0.3, and what is left of 0. */
function roundOff(value: number, magnitude: number): number {
  const decimals = Math.min(100, Math.max(0, 4 - Math.floor(Math.log10(magnitude))));
  const rounded = Number(value.toFixed(decimals));
  return Math.abs(rounded - value) <= 1e-5 * magnitude ? rounded : value;
}
