/** @file One use of a TensorFlow.js kernel: random operands and what is computed of them. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { elementCount } from '../../../../server/protocol/shape.ts';
import type { Program, SampleType } from '../../../../server/compiler/program.ts';
import { Random } from '../../../../server/formats/random.ts';
import { functionProgram } from '../programs.ts';

export interface Operand {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** 'weight' is a float32 with a gradient, 'float32' one without. */
  readonly kind: 'weight' | 'float32' | 'int32' | 'bool';
}

export interface KernelCase {
  readonly operands: readonly Operand[];
  /** Results that are not float32 are cast. */
  readonly compute: (operands: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** Shown when the case fails. */
  readonly settings?: unknown;
  /**
   * The gradients of the operands are compared with difference quotients of `compute`, because those of the `cpu` backend
   * are wrong. Only for results that are linear in each operand, where the quotients are exact.
   */
  readonly differenceQuotients?: boolean;
  /** TensorFlow.js has no gradient of it, or one that ends with an error: all gradients are compared with difference quotients. */
  readonly untrainable?: boolean;
}

/** Cases in which `compute`, or its gradient, runs the kernel. */
export type KernelRow = fc.Arbitrary<KernelCase>;

export type Range = readonly [minimum: number, maximum: number];

/** Multiples of 1/8: they often meet the kinks (0, 6, a tie), and both sides compute sums of them nearly exactly. */
const eighths = ([minimum, maximum]: Range) =>
  fc.integer({ min: minimum * 8, max: maximum * 8 }).map((eighth) => eighth / 8);

export function operand(
  shape: readonly number[],
  range: Range = [-3, 3],
  kind: Operand['kind'] = 'weight',
): fc.Arbitrary<Operand> {
  const count = elementCount(shape);
  const element = kind === 'int32' || kind === 'bool' ? fc.integer({ min: range[0], max: range[1] }) : eighths(range);
  return fc
    .array(element, { minLength: count, maxLength: count, size: 'max' })
    .map((values) => ({ shape, values, kind }));
}

/** Numbers around 0 that are all different, by more than the half that a difference quotient moves one. */
export const distinct = (shape: readonly number[]): fc.Arbitrary<Operand> => {
  const count = elementCount(shape);
  const values = Array.from({ length: count }, (_, i) => 0.625 * (i - Math.floor(count / 2)));
  return fc
    .shuffledSubarray(values, { minLength: count })
    .map((shuffled) => ({ shape, values: shuffled, kind: 'weight' }));
};

/** `rank` sizes from 1 to 4. */
export const shapes = (minimum: number, maximum: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength: minimum, maxLength: maximum });

/** `shape` as an operand may have it that broadcasts to it: leading axes missing, others of size 1. */
export const broadcastable = (shape: readonly number[]): fc.Arbitrary<number[]> =>
  fc
    .record({
      dropped: fc.integer({ min: 0, max: shape.length }),
      ones: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
    })
    .map(({ dropped, ones }) => shape.map((size, axis) => (ones[axis] ? 1 : size)).slice(dropped));

/**
 * The program whose gradients are all that there is to know of a case: the loss is sum(results * cotangents), so the
 * gradient of a cotangent is a result, element by element, and that of an operand is the kernel's gradient.
 */
export function caseProgram({ operands, compute }: KernelCase): { program: Program; inputs: number[][] } {
  const isWeight = ({ kind }: Operand) => kind === 'weight';
  const named = operands.map((operand, i) => ({ ...operand, name: `operand${i}` }));
  const fed = named.filter((operand) => !isWeight(operand));
  const evaluate = (weights: Record<string, tf.Tensor>, inputs: tf.Tensor[]) => {
    let next = 0;
    const tensors = named.map((operand) => {
      if (isWeight(operand)) return weights[operand.name];
      const input = tf.reshape(inputs[next++], [...operand.shape]);
      return operand.kind === 'bool' ? tf.cast(input, 'bool') : input;
    });
    return [compute(tensors)].flat().map((result) => tf.cast(result, 'float32'));
  };
  const weights = Object.fromEntries(
    named.filter(isWeight).map(({ name, values, shape }) => [name, tf.tensor([...values], [...shape])] as const),
  );
  const inputs = fed.map(({ values }) => [...values]);
  const types = fed.map(({ kind, shape }): SampleType => ({ dtype: kind === 'float32' ? kind : 'int32', shape }));
  const results = tf.tidy(() =>
    evaluate(
      weights,
      inputs.map((values, i) => tf.tensor(values, [...types[i].shape], types[i].dtype)),
    ).map(({ shape }) => shape),
  ) as unknown as number[][];
  const random = new Random(operands.length + elementCount(results[0]));
  const cotangents = Object.fromEntries(
    results.map((shape, i) => [
      `result${i}`,
      tf.tensor(
        Float32Array.from({ length: elementCount(shape) }, () => random.uniform() + 0.5),
        shape,
      ),
    ]),
  );
  const program = functionProgram({ ...weights, ...cotangents }, types, (variables, batch) =>
    evaluate(variables, batch)
      .map((result, i) => tf.sum(tf.mul(result, variables[`result${i}`])))
      .reduce((sum, term) => tf.add(sum, term)),
  );
  return { program, inputs };
}
