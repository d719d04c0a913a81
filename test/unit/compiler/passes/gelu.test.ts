import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { topologicalOrder, type Graph } from '../../../../server/compiler/ir.ts';
import { optimize } from '../../../../server/compiler/optimize.ts';
import { traceEvaluation, traceTraining } from '../../../../server/compiler/trace/traceProgram.ts';
import { compareExecutors } from '../compareExecutors.ts';
import { functionProgram } from '../programs.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Compute = (x: tf.Tensor) => tf.Tensor;
const cdf = (argument: tf.Tensor) => tf.add(tf.erf(argument), 1);
const byRoot: Compute = (x) => tf.div(x, Math.SQRT2);

const gelus: Readonly<Record<string, Compute>> = {
  'by PyTorch': (x) => tf.mul(tf.mul(x, cdf(byRoot(x))), 0.5),
  'by ONNX': (x) => tf.mul(tf.mul(x, 0.5), cdf(tf.mul(x, Math.SQRT1_2))),
  'by Keras': (x) => tf.mul(0.5, tf.mul(x, tf.add(1, tf.erf(byRoot(x))))),
  'with the other order of its factors': (x) => tf.mul(cdf(byRoot(x)), tf.mul(0.5, x)),
  'that is doubled': (x) => tf.mul(x, cdf(byRoot(x))),
  'of a product': (x) => gelus['by PyTorch'](tf.mul(x, tf.cos(x))),
  twice: (x) => gelus['by PyTorch'](gelus['by Keras'](x)),
  'below a negative': (x) => tf.mul(tf.neg(gelus['by PyTorch'](x)), 3),
};

const others: Readonly<Record<string, Compute>> = {
  'of another width': (x) => tf.mul(tf.mul(x, cdf(tf.mul(x, 0.8))), 0.5),
  'of two operands': (x) => tf.mul(tf.mul(tf.sin(x), cdf(byRoot(x))), 0.5),
  'whose operand something else reads': (x) => tf.mul(gelus['by ONNX'](x), tf.sin(x)),
  'with another term': (x) => tf.mul(tf.mul(x, tf.add(tf.erf(byRoot(x)), 2)), 0.5),
};

const values = Float32Array.of(-20, -6, -5, -2.5, -1, -1e-3, 0, 1e-6, 0.3, 1, 3, 5.5, 12);
const program = (compute: Compute) =>
  functionProgram({ w: tf.tensor1d(values) }, [{ dtype: 'float32', shape: [values.length] }], ({ w }, [sample]) =>
    tf.sum(tf.mul(compute(w), tf.reshape(sample, [-1]))),
  );
const batches = [{ size: 1, inputs: [values.map((x) => Math.sin(x))], targets: [] }];
const count = (graph: Graph, op: string) => topologicalOrder(graph).filter((node) => node.op === op).length;

describe('A GELU', () => {
  test.each(Object.entries(gelus))('%s is trained by the distribution and its density', async (name, compute) => {
    const graph = await optimize(await traceTraining(program(compute), 1));
    expect(count(graph, 'Erf')).toBe(0);
    expect(count(graph, 'NormalDensity')).toBe(name === 'twice' ? 2 : 1);
    await compareExecutors(program(compute), batches);
  });

  test('is what it was where it is not trained', async () => {
    const graph = await optimize(await traceEvaluation(program(gelus['by PyTorch']), 1));
    expect([count(graph, 'Erf'), count(graph, 'NormalCdf')]).toEqual([1, 0]);
  });
});

test.each(Object.entries(others))('What is like a GELU, but %s, is left as it is', async (_, compute) => {
  const graph = await optimize(await traceTraining(program(compute), 1));
  expect([count(graph, 'Erf'), count(graph, 'NormalCdf')]).toEqual([1, 0]);
  await compareExecutors(program(compute), batches);
});
