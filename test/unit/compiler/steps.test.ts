/** @file Derivatives of rectifiers as steep slopes: at the numbers next to where they jump. */
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { binary, cast, constant, make, scalar, unary } from '../../../server/compiler/build.ts';
import { topologicalOrder, type Node } from '../../../server/compiler/ir.ts';
import { optimize } from '../../../server/compiler/optimize.ts';
import { simplify } from '../../../server/compiler/passes/simplify.ts';
import { traceTraining } from '../../../server/compiler/trace/traceProgram.ts';
import { evaluateGraph } from './passes/evaluateGraph.ts';
import { functionProgram } from './programs.ts';

/** Numbers of float32 around one, that itself among them. */
function around(value: number): number[] {
  const [bits] = new Int32Array(Float32Array.of(value).buffer);
  return [-1000, -2, -1, 0, 1, 2, 1000].map((steps) => new Float32Array(Int32Array.of(bits + steps).buffer)[0]);
}

const valuesOf = async (node: Node) => [...((await evaluateGraph({ outputs: new Map([['y', node]]) })).get('y') ?? [])];

const everywhere = [-Infinity, -1e38, -7, -1e-30, 0, 2e-38, 1e-30, 0.5, 7, 1e38, Infinity];

test('a step is 1 above 0, else 0', async () => {
  expect(await valuesOf(unary('Step', constant(everywhere, [everywhere.length])))).toEqual(
    everywhere.map((x) => (x > 0 ? 1 : 0)),
  );
});

test.each([6, 1, 0.1, 20, 255, 1e-20, 3e20])('numbers up to %d are 1, others 0', async (given) => {
  const bound = Math.fround(given);
  const values = [...everywhere, ...around(bound), 2 * bound, bound / 2].map(Math.fround);
  expect(await valuesOf(make('UpTo', { bound }, [constant(values, [values.length])]))).toEqual(
    values.map((x) => (x <= bound ? 1 : 0)),
  );
});

test('what is no number is not up to a bound, but the derivative of a bounded rectifier is no number either', async () => {
  const x = constant([NaN, -1, 0.5, 7], [4]);
  const simplified = (node: Node) => simplify({ outputs: new Map([['y', node]]) }).outputs.get('y')!;
  const isUpTo = cast(binary('LessEqual', x, scalar(6)), 'float32');
  expect(await valuesOf(simplified(isUpTo))).toEqual([0, 1, 1, 0]);
  const derivative = simplified(binary('Mul', isUpTo, unary('Step', x)));
  expect(derivative.inputs.map(({ op }) => op)).toEqual(['UpTo', 'Step']);
  expect(await valuesOf(derivative)).toEqual([NaN, 0, 1, 0]);
});

test('the derivative of relu6 is two slopes', async () => {
  const program = functionProgram({ w: tf.tensor1d([-1, 2, 7]) }, [], ({ w }) => tf.sum(tf.relu6(w)));
  const graph = await optimize(await traceTraining(program, 1));
  expect(topologicalOrder(graph).map(({ op }) => op)).toEqual(expect.arrayContaining(['UpTo', 'Step']));
});
