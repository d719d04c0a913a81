/** @file Cases of the kernels in import/matrix.ts. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { operand, shapes, type KernelCase, type KernelRow } from './kernelCase.ts';

const size = (maximum: number) => fc.integer({ min: 1, max: maximum });

interface ProductSettings {
  transposeA: boolean;
  transposeB: boolean;
}

const productSettings = fc.record({ transposeA: fc.boolean(), transposeB: fc.boolean() });

function productShapes({ transposeA, transposeB }: ProductSettings, batchA: number[], batchB: number[]) {
  return fc.record({ m: size(4), k: size(4), n: size(4) }).map(({ m, k, n }) => ({
    a: [...batchA, ...(transposeA ? [k, m] : [m, k])],
    b: [...batchB, ...(transposeB ? [n, k] : [k, n])],
    units: n,
  }));
}

const batches = fc
  .tuple(shapes(0, 2), fc.constantFrom('same', 'a is one', 'b is one'))
  .map(([batch, kind]): [number[], number[]] => {
    const one = batch.map(() => 1);
    return [kind === 'a is one' ? one : batch, kind === 'b is one' ? one : batch];
  });

const products: KernelRow = fc.tuple(productSettings, batches).chain(([settings, [batchA, batchB]]) =>
  productShapes(settings, batchA, batchB).chain(({ a, b }) =>
    // TensorFlow.js does not sum the gradient over the axes that an operand was broadcast along.
    fc
      .tuple(...[a, b].map((shape) => operand(shape, [-3, 3], batchA.join() === batchB.join() ? 'weight' : 'float32')))
      .map((operands): KernelCase => ({
        operands,
        compute: ([x, y]) => tf.matMul(x, y, settings.transposeA, settings.transposeB),
        settings,
      })),
  ),
);

export const activations = fc.constantFrom<tf.fused.Activation>(
  ...(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'prelu', 'leakyrelu'] as const),
);

const fusedProducts: KernelRow = fc.tuple(productSettings, activations).chain(([settings, activation]) =>
  productShapes(settings, [], []).chain(({ a, b, units }) =>
    fc.tuple(operand(a), operand(b), operand([units]), operand([units])).map((operands): KernelCase => ({
      operands,
      compute: ([x, y, bias, preluActivationWeights]) =>
        tf.fused.matMul({ a: x, b: y, ...settings, bias, activation, preluActivationWeights, leakyreluAlpha: 0.3 }),
      settings: { ...settings, activation },
    })),
  ),
);

/** One axis is summed, at most: of several, TensorFlow.js 4.22 sums over one and leaves the others. */
const equations = [
  'ij,jk->ik',
  'bij,bkj->bki',
  'bhqd,bhkd->bhqk',
  'ij,ij->i',
  'ij,k->jik',
  'ij,jk->ki',
  'i,i->',
  'ijk->ki',
];

const einsum: KernelRow = fc
  .tuple(fc.constantFrom(...equations), fc.array(size(4), { minLength: 26, maxLength: 26 }))
  .chain(([equation, sizes]) => {
    const terms = equation.split('->')[0].split(',');
    const shapesOf = terms.map((term) => [...term].map((axis) => sizes[axis.charCodeAt(0) - 97]));
    return fc.tuple(...shapesOf.map((shape) => operand(shape))).map((operands): KernelCase => ({
      operands,
      compute: (tensors) => tf.einsum(equation, ...tensors),
      settings: equation,
      untrainable: true,
    }));
  });

export const matrixRows: Readonly<Record<string, KernelRow>> = {
  BatchMatMul: products,
  _FusedMatMul: fusedProducts,
  Einsum: einsum,
};
