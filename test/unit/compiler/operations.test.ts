/** @file The table of docs/operations.md, made from the compiler's own tables: `npm run unit -- FILE -u` writes it. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { format } from 'prettier';
import { beforeAll, expect, it } from 'vitest';
import { kernelImports } from '../../../server/compiler/import/kernelImports.ts';
import { recordedGradients, withGradients } from '../../../server/compiler/trace/gradients.ts';

const document = join(import.meta.dirname, '../../../docs/operations.md');

const introduction = `# Operations

What becomes of each operation of TensorFlow.js in a training step, by the names that its kernels have and that warnings use (\`tf.mul\` is
\`Multiply\`). A **compiled** one runs in ONNX Runtime. A step that uses one that is **eager** runs in TensorFlow.js, as a whole, and a
warning says so: see [the engine](engine.md). An operation on constants alone, as \`Range\` and \`LinSpace\` always are, is computed once, and
the step is compiled. One whose gradient is **none** can be used where no gradient has to pass: on inputs and targets, in metrics, or on what
is made of them. Where the result is a comparison, a count or an index, the gradient is 0.

A use of a compiled operation may still be eager: for types that it has no meaning for, a data format that it does not have. The warning
gives the reason. This page is made from the compiler's tables by \`test/unit/compiler/operations.test.ts\`.

`;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The kernels of the backend that has all. */
const kernels = () =>
  tf
    .getKernelsForBackend('cpu')
    .map(({ kernelName }) => kernelName)
    .sort((a, b) => a.replace('_', '').localeCompare(b.replace('_', ''), 'en'));

const way = (kernel: string) => (kernel in kernelImports ? 'compiled' : 'eager');

/** A fused kernel brings its gradient with it. */
function gradientWay(kernel: string): string {
  if (/^_?Fused(?!BatchNorm)/.test(kernel)) return way(kernel);
  return (tf.getGradient(kernel) as tf.GradConfig | undefined) === undefined ? 'none' : way(kernel);
}

it('All operations that are compiled are kernels of TensorFlow.js', () => {
  expect(Object.keys(kernelImports).filter((kernel) => !kernels().includes(kernel))).toEqual([]);
});

it('The documented table of operations is that of the compiler', async () => {
  const rows = withGradients(
    () => kernels().map((kernel) => `| \`${kernel}\` | ${way(kernel)} | ${gradientWay(kernel)} |`),
    recordedGradients(() => undefined),
  );
  const table = ['| operation | in a step | its gradient |', '| --- | --- | --- |', ...rows].join('\n');
  const text = await format(`${introduction}${table}\n`, { parser: 'markdown' });
  await expect(text).toMatchFileSnapshot(document);
});
