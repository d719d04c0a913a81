/** @file Cases of the kernels in import/images.ts. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { operand, type KernelCase, type KernelRow } from './kernelCase.ts';

type Pair = [number, number];

const size = (maximum: number) => fc.integer({ min: 1, max: maximum });
const pair = (maximum: number): fc.Arbitrary<Pair> => fc.tuple(size(maximum), size(maximum));

type Resize = (x: tf.Tensor4D, size: Pair, alignCorners: boolean, halfPixelCenters: boolean) => tf.Tensor;

interface ResizeSettings {
  image: Pair;
  newSize: Pair;
  align: boolean;
  centers: boolean;
}

const resized = (compute: Resize, untrainable: boolean, settings: fc.Arbitrary<ResizeSettings>): KernelRow =>
  settings.chain(({ image, newSize, align, centers }) =>
    operand([2, ...image, 2]).map((x): KernelCase => ({
      operands: [x],
      compute: ([tensor]) => compute(tensor as tf.Tensor4D, newSize, align, centers && !align),
      settings: { newSize, align, centers },
      differenceQuotients: true,
      untrainable,
    })),
  );

/**
 * The gradient in TensorFlow.js knows no half-pixel centres. That of the `cpu` backend is transposed unless the image is a square, does not
 * end where corners are aligned to a single pixel, and mixes up the images of a batch.
 */
const trainedResizing = (compute: Resize): KernelRow => {
  const square = fc.integer({ min: 2, max: 4 }).map((side): Pair => [side, side]);
  return resized(
    compute,
    false,
    fc.record({ image: square, newSize: pair(7), align: fc.boolean(), centers: fc.boolean() }),
  );
};
const resizing = (compute: Resize): KernelRow =>
  resized(compute, true, fc.record({ image: pair(4), newSize: pair(7), align: fc.boolean(), centers: fc.boolean() }));

const bilinear: Resize = (...settings) => tf.image.resizeBilinear(...settings);
const nearest: Resize = (...settings) => tf.image.resizeNearestNeighbor(...settings);

/** Cases of an image [batch, height, width, channels] of given sizes. */
const image = (
  sizes: fc.Arbitrary<[number, number, number, number]>,
  compute: (x: tf.Tensor4D, settings: { first: number; second: number }) => tf.Tensor,
  untrainable = true,
): KernelRow =>
  fc.tuple(sizes, fc.record({ first: size(3), second: size(3) })).chain(([shape, settings]) =>
    operand(shape).map((x): KernelCase => ({
      operands: [x],
      compute: ([tensor]) => compute(tensor as tf.Tensor4D, settings),
      settings,
      untrainable,
    })),
  );

const anySize = fc.tuple(size(3), size(4), size(4), size(4));
/** Blocks of 2 x 3 pixels, whole ones but for a border of one in front of the columns. */
const blocks = [2, 3];
const border: [number, number][] = [
  [0, 0],
  [1, 0],
];
const inBlocks = fc
  .tuple(size(2), size(2), size(2), size(3))
  .map(([batch, rows, columns, depth]): [number, number, number, number] => [batch, 2 * rows, 3 * columns - 1, depth]);
const ofBlocks = fc
  .tuple(size(2), size(2), size(2), size(3))
  .map(([batch, rows, columns, depth]): [number, number, number, number] => [6 * batch, rows, columns, depth]);
const spaceToBatch = image(inBlocks, (x) => tf.spaceToBatchND(x, blocks, border), false);
const batchToSpace = image(ofBlocks, (x) => tf.batchToSpaceND(x, blocks, border), false);

/** Sides of a box in quarters of the image. */
const box = (min: number, max: number) => fc.array(fc.integer({ min, max }), { minLength: 4, maxLength: 4 });

/** Boxes inside of the image and beyond it, all of them alike or not; they have no gradient. */
const crops: KernelRow = fc
  .tuple(
    anySize,
    pair(4),
    fc.tuple(box(0, 4), fc.array(box(-2, 6), { maxLength: 2 })).map(([first, others]) => [first, ...others]),
    fc.constantFrom<'bilinear' | 'nearest'>('bilinear', 'nearest'),
    fc.constantFrom(0, -1.5),
  )
  .chain(([shape, newSize, quarters, method, beyond]) =>
    operand(shape, [-3, 3], 'float32').map((x): KernelCase => {
      const boxes = quarters.map((sides) => sides.map((quarter) => quarter / 4));
      return {
        operands: [x],
        settings: { boxes, newSize, method, beyond },
        compute: ([tensor]) => {
          const indices = tf.tensor1d(
            boxes.map((_, index) => index % shape[0]),
            'int32',
          );
          return tf.image.cropAndResize(tensor as tf.Tensor4D, tf.tensor2d(boxes), indices, newSize, method, beyond);
        },
      };
    }),
  );

const lrn = image(
  anySize,
  (x, { first, second }) => tf.localResponseNormalization(x, first, 1, 0.5, second / 2),
  false,
);

export const imageRows: Readonly<Record<string, KernelRow>> = {
  ResizeBilinear: resizing(bilinear),
  ResizeBilinearGrad: trainedResizing(bilinear),
  ResizeNearestNeighbor: resizing(nearest),
  ResizeNearestNeighborGrad: trainedResizing(nearest),
  CropAndResize: crops,
  FlipLeftRight: image(anySize, (x) => tf.image.flipLeftRight(x)),
  DepthToSpace: image(fc.tuple(size(2), size(3), size(3), fc.constant(8)), (x) => tf.depthToSpace(x, 2)),
  SpaceToBatchND: spaceToBatch,
  BatchToSpaceND: batchToSpace,
  LRN: lrn,
  LRNGrad: lrn,
};
