/** @file What is added between a first convolution and its pooling, which become one convolution where that is a bias (tilePooling.ts). */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { topologicalOrder } from '../../../server/compiler/ir.ts';
import { tilePooling } from '../../../server/compiler/passes/tilePooling.ts';
import { optimize } from '../../../server/compiler/optimize.ts';
import { traceTraining } from '../../../server/compiler/trace/traceProgram.ts';
import { compareExecutors } from './compareExecutors.ts';
import { functionProgram, randomBatch } from './programs.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const values = (shape: readonly number[], seed: number) =>
  tf.tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(3 * i + seed)),
    [...shape],
  );

/** A step of a convolution, an addend as TensorFlow.js broadcasts it (samples, rows, columns, channels), and a pooling that tiles. */
function program(image: readonly number[], filters: number, addend: readonly number[], isTrained: boolean) {
  const constant = values(addend, 2);
  const w = values([2, 2, 1, filters], 1);
  return functionProgram(
    isTrained ? { w, added: constant } : { w },
    [{ dtype: 'float32', shape: image }],
    ({ w: filter, added = constant }, [x]) => {
      const sum = tf.add(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same'), added);
      return tf.sum(tf.square(tf.maxPool(sum as tf.Tensor4D, 2, 2, 'valid')));
    },
  );
}

const addends: Record<string, [image: number[], filters: number, addend: number[]]> = {
  'a bias': [[4, 8, 1], 8, [8]],
  'a bias of all axes': [[4, 8, 1], 8, [1, 1, 1, 8]],
  'a number': [[4, 8, 1], 8, []],
  'a number for each column': [[4, 8, 1], 8, [1, 1, 8, 1]],
  'a number for each row': [[8, 4, 1], 8, [1, 8, 1, 1]],
  'a number for each of as many samples as filters': [[2, 8, 1], 4, [4, 1, 1, 1]],
  'a bias that makes more channels of one': [[4, 8, 1], 1, [8]],
  'a number for each row and channel': [[2, 8, 1], 4, [2, 1, 4]],
};

describe.each([true, false])('between a convolution and its pooling, trained: %s,', (isTrained) => {
  test.each(Object.entries(addends))('%s is added as TensorFlow.js adds it', async (_, [image, filters, addend]) => {
    const made = program(image, filters, addend, isTrained);
    await compareExecutors(made, [randomBatch(made, 4, 1)]);
  });
});

test.each(['a bias', 'a bias of all axes'])('%s becomes part of one convolution with the pooling', async (name) => {
  const [image, filters, addend] = addends[name];
  const traced = await traceTraining(program(image, filters, addend, true), 4);
  const before = await optimize(traced, new Set(['tile-pooling']));
  const strides = topologicalOrder(tilePooling(before)).flatMap(({ op, params }) =>
    op === 'Conv' ? [params.strides.join()] : [],
  );
  expect(strides).toContain('2,2');
});
