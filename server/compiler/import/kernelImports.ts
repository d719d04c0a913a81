/** @file The kernels of TensorFlow.js that are compiled, all of them. */
import { convolutionKernels } from './convolution.ts';
import { elementwiseKernels } from './elementwise.ts';
import { imageKernels } from './images.ts';
import type { KernelImports } from './kernel.ts';
import { matrixKernels } from './matrix.ts';
import { structureKernels } from './structure.ts';

export const kernelImports: KernelImports = {
  ...elementwiseKernels,
  ...matrixKernels,
  ...convolutionKernels,
  ...imageKernels,
  ...structureKernels,
};
