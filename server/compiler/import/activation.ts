/** @file What TensorFlow.js's fused kernels do to a product or convolution: a bias, and an activation. */
import { binary, make, unary } from '../build.ts';
import type { Node } from '../ir.ts';
import { leakyRelu, prelu } from './elementwise.ts';

export const biased = (x: Node, bias: Node | undefined): Node => (bias === undefined ? x : binary('Add', x, bias));

/** @param slopes of a `prelu` */
export function activated(x: Node, activation: string | undefined, slopes: Node | undefined, alpha?: number): Node {
  switch (activation ?? 'linear') {
    case 'linear':
      return x;
    case 'relu':
      return unary('Relu', x);
    case 'relu6':
      return make('Clip', { minimum: 0, maximum: 6 }, [x]);
    case 'elu':
      return unary('Elu', x);
    case 'sigmoid':
      return unary('Sigmoid', x);
    case 'prelu':
      if (slopes === undefined) throw new TypeError('it has no slopes');
      return prelu(x, slopes);
    case 'leakyrelu':
      return leakyRelu(x, alpha ?? 0.2);
    default:
      throw new TypeError(`it applies ${activation}`);
  }
}
