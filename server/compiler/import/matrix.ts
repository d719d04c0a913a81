/** @file Matrix products of TensorFlow.js in IR operations. */
import type * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../protocol/shape.ts';
import { cast, matmul, plainMatmul, reduce, reshape, transpose } from '../build.ts';
import type { Node } from '../ir.ts';
import { activated, biased } from './activation.ts';
import { kernel, listed, type KernelImports } from './kernel.ts';

/** ONNX Runtime has no product of integers that are to be transposed on the way. */
function product(a: Node, b: Node, transposeA: boolean, transposeB: boolean): Node {
  if ([a, b].some(({ type }) => type.dtype === 'bool'))
    throw new TypeError("TensorFlow.js counts truth values in bytes: cast them, by tf.cast(x, 'int32')");
  return (a.type.dtype === 'float32' ? matmul : plainMatmul)(a, b, transposeA, transposeB);
}

/**
 * A sum of products by names of axes, as one matrix product: axes that are in both operands and the result are its batch, those in both
 * and not in the result are summed, the rest are rows and columns.
 */
function einsum(operands: readonly Node[], equation: string): Node {
  const [left, result] = equation.replace(/\s/g, '').split('->');
  const terms = left.split(',');
  const sizes = new Map(terms.flatMap((term, i) => [...term].map((axis, at) => [axis, operands[i].type.shape[at]])));
  const sizeOf = (axes: string) => elementCount([...axes].map((axis) => sizes.get(axis) as number));
  /** The operand with the axes in this order; those that it has beside them are summed. */
  const arranged = (operand: number, axes: string) => {
    const own = [...terms[operand]];
    const summed = own.flatMap((axis, at) => (axes.includes(axis) ? [] : [at]));
    const kept = own.filter((axis) => axes.includes(axis));
    return transpose(
      reduce('Sum', operands[operand], summed),
      [...axes].map((axis) => kept.indexOf(axis)),
    );
  };
  if (terms.length === 1) return arranged(0, result);
  const [a, b] = terms;
  const batch = [...result].filter((axis) => a.includes(axis) && b.includes(axis)).join('');
  const inner = [...a].filter((axis) => b.includes(axis) && !result.includes(axis)).join('');
  const rows = [...result].filter((axis) => a.includes(axis) && !b.includes(axis)).join('');
  const columns = [...result].filter((axis) => b.includes(axis) && !a.includes(axis)).join('');
  const stack = (operand: number, first: string, second: string) =>
    reshape(arranged(operand, batch + first + second), [sizeOf(batch), sizeOf(first), sizeOf(second)]);
  const joined = batch + rows + columns;
  const products = reshape(
    product(stack(0, rows, inner), stack(1, inner, columns), false, false),
    [...joined].map((axis) => sizes.get(axis) as number),
  );
  return transpose(
    products,
    [...result].map((axis) => joined.indexOf(axis)),
  );
}

export const matrixKernels: KernelImports = {
  BatchMatMul: kernel<tf.BatchMatMulAttrs>(({ a, b }, { transposeA, transposeB }) =>
    product(a, b, transposeA, transposeB),
  ),
  _FusedMatMul: kernel<tf._FusedMatMulAttrs>((inputs, { transposeA, transposeB, activation, leakyreluAlpha }) => {
    const y = biased(product(inputs.a, inputs.b, transposeA, transposeB), inputs.bias);
    return activated(y, activation, inputs.preluActivationWeights, leakyreluAlpha);
  }),
  Einsum: kernel<tf.EinsumAttrs>((inputs, { equation }) =>
    einsum(
      listed(inputs).map((operand) => (operand.type.dtype === 'bool' ? cast(operand, 'int32') : operand)),
      equation,
    ),
  ),
};
