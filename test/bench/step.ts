/**
 * @file A whole training step (forward, backward, Adam; batch 50) of the models of the MNIST experiments, against PyTorch's
 * best configurations and tfjs-node.
 */
import { join } from 'node:path';
import { writeBatches } from './batches.ts';
import type { Benchmark, Case } from './bench.ts';
import { startNodeChild } from './child.ts';
import { preparePython, startTorchStep } from './python.ts';
import { prepareTfjsNode, startTfjsNodeStep } from './tfjs-node.ts';

/** Steps of a round: about a fifth of a second. */
const steps = { 'lenet-300-100': 100, 'lenet-5': 20 };
const models = ['lenet-300-100', 'lenet-5'] as const;

export default {
  options: {
    rounds: { type: 'string', default: '15' },
    'without-tfjs-node': { type: 'boolean', default: false },
  },
  cases(options) {
    const batches = writeBatches(40, 50);
    const python = preparePython();
    const tfjsNode = options['without-tfjs-node'] ? undefined : prepareTfjsNode();
    return models.flatMap((model) =>
      [1, 2].map((threads): Case => {
        const work = { model, threads, batches, steps: steps[model] };
        return {
          name: model,
          threads,
          unit: 'ms/step',
          better: 'lower',
          target: 1,
          rounds: Number(options.rounds),
          ours: () =>
            startNodeChild({
              name: 'DeepTwist',
              entry: join('test', 'bench', 'contenders', 'ourStep.ts'),
              script: join('.cache', 'bench', 'ourStep.mjs'),
              arguments: [model, String(threads), batches.file, String(batches.count), String(batches.size)],
              steps: steps[model],
            }),
          rivals: [
            () => startTorchStep(python, { ...work, adam: 'fused' }),
            () => startTorchStep(python, { ...work, adam: 'foreach' }),
            ...(tfjsNode === undefined ? [] : [() => startTfjsNodeStep(tfjsNode, work)]),
          ],
        };
      }),
    );
  },
} satisfies Benchmark;
