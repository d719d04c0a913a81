import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { convolutionKernels } from '../../../../server/compiler/import/convolution.ts';
import { elementwiseKernels } from '../../../../server/compiler/import/elementwise.ts';
import { imageKernels } from '../../../../server/compiler/import/images.ts';
import { matrixKernels } from '../../../../server/compiler/import/matrix.ts';
import { structureKernels } from '../../../../server/compiler/import/structure.ts';
import { compareCase } from './compareCase.ts';
import { convolutionRows } from './convolutionRows.ts';
import { elementwiseRows } from './elementwiseRows.ts';
import { imageRows } from './imageRows.ts';
import { matrixRows } from './matrixRows.ts';
import { structureRows } from './structureRows.ts';

const tables = [
  { table: 'elementwise', kernels: elementwiseKernels, rows: elementwiseRows, runs: 6 },
  { table: 'structure', kernels: structureKernels, rows: structureRows, runs: 8 },
  { table: 'matrix', kernels: matrixKernels, rows: matrixRows, runs: 10 },
  { table: 'convolution', kernels: convolutionKernels, rows: convolutionRows, runs: 10 },
  { table: 'image', kernels: imageKernels, rows: imageRows, runs: 10 },
];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(tables)('A kernel of the $table imports', ({ kernels, rows, runs }) => {
  it('is tested, each of them', () => {
    expect(Object.keys(rows).sort()).toEqual(Object.keys(kernels).sort());
  });

  it.each(Object.entries(rows))('%s', async (kernel, cases) => {
    await fc.assert(
      fc.asyncProperty(cases, (example) => compareCase(kernel, example)),
      { seed: 1, numRuns: runs, endOnFailure: true },
    );
  });
});
