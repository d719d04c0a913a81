/** @file Matrix products. */
import * as tf from '@tensorflow/tfjs';
import type { NodeCall, Operators } from '../nodeCall.ts';
import { broadcastShape, broadcastTo } from '../values.ts';

/** alpha A B + beta C, where A and B may be given transposed. */
function gemm(call: NodeCall): tf.Tensor {
  const [a, b] = [call.floats(0), call.floats(1)];
  const [alpha, beta] = [call.real('alpha', 1), call.real('beta', 1)];
  const product = tf.matMul(a, b, call.integer('transA', 0) !== 0, call.integer('transB', 0) !== 0);
  const scaled = alpha === 1 ? product : tf.mul(product, alpha);
  if (!call.has(2)) return scaled;
  const c = call.floats(2);
  return tf.add(scaled, beta === 1 ? c : tf.mul(c, beta));
}

/** As `numpy.matmul`: leading axes broadcast, a vector is a row on the left and a column on the right. */
function matmul(call: NodeCall): tf.Tensor {
  const [a, b] = [call.floats(0), call.floats(1)];
  const left = a.rank === 1 ? tf.reshape(a, [1, a.size]) : a;
  const right = b.rank === 1 ? tf.reshape(b, [b.size, 1]) : b;
  const product = productOf(left, right);
  const shape = product.shape.slice();
  if (a.rank === 1) shape.splice(-2, 1);
  if (b.rank === 1) shape.splice(-1, 1);
  return tf.reshape(product, shape);
}

function productOf(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  // One product of all rows with a matrix.
  if (b.rank === 2 && a.rank > 2) {
    const rows = tf.reshape(a, [-1, ...a.shape.slice(-1)]);
    return tf.reshape(tf.matMul(rows, b), [...a.shape.slice(0, -1), ...b.shape.slice(1)]);
  }
  if (a.rank === 2 && b.rank === 2) return tf.matMul(a, b);
  // The gradient of a product that broadcasts would keep the axes of the other operand: broadcasting by itself has the right one.
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [left, right] = [a, b].map((x) => broadcastTo(x, [...batch, ...x.shape.slice(-2)]));
  return tf.matMul(left, right);
}

export const linearOperators: Operators = { Gemm: gemm, MatMul: matmul };
