import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../server/formats/random.ts';
import { nonNegative, normConstraint } from '../../../server/optimizers/weightConstraints.ts';

function randomValues(shape: readonly number[]): Float32Array {
  const random = new Random(7, shape.length);
  return Float32Array.from(
    { length: shape.reduce((product, size) => product * size, 1) },
    () => 4 * random.uniform() - 2,
  );
}

/** Lengths of 0.5 to 1: half of the way there, which is what a rate of 0.5 asks for. */
const halfWay = (norm: number) => 0.5 * Math.min(Math.max(norm, 0.5), 1) + 0.5 * norm;

describe('the constraints of weights', () => {
  const shapes = [[6], [5, 4], [3, 2, 4, 5]];
  const axes = (shape: number[]): number[][] => (shape.length === 4 ? [[0], [0, 1, 2], [-1], [1, 3]] : [[0], [-1]]);
  test.each(shapes.flatMap((shape) => axes(shape).map((along) => ({ shape, along }))))(
    'give what TensorFlow.js gives for $shape along $along',
    async ({ shape, along }) => {
      await tf.setBackend('cpu');
      const axis = along as unknown as number; // tfjs takes several, though its type does not say so.
      for (const [constraint, ours] of [
        [tf.constraints.nonNeg(), nonNegative],
        [tf.constraints.unitNorm({ axis }), normConstraint(shape, along, () => 1)],
        [tf.constraints.maxNorm({ axis, maxValue: 0.7 }), normConstraint(shape, along, (norm) => Math.min(norm, 0.7))],
        [
          tf.constraints.minMaxNorm({ axis, minValue: 0.5, maxValue: 1, rate: 0.5 }),
          normConstraint(shape, along, halfWay),
        ],
      ] as const) {
        const values = randomValues(shape);
        const expected = [...constraint.apply(tf.tensor(values.slice(), shape)).dataSync()];
        await ours(values);
        // Both round to float32 a few times.
        values.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
      }
    },
  );

  test('leave a vector of zeros as it is', async () => {
    const values = new Float32Array(4);
    await normConstraint([2, 2], [0], () => 1)(values);
    expect([...values]).toEqual([0, 0, 0, 0]);
  });
});
