/**
 * @file A whole training step (forward, backward, Adam): of the models of the MNIST experiments, and of networks of PyTorch as
 * they come in, exported as ONNX. Ours compiled against PyTorch's best configurations, and the first two against our eager
 * executor on tfjs-node, WebAssembly and plain JavaScript, too; where the time of our step goes; and what distortion and
 * observation cost in the LeNet-300-100 experiment. `--model A,B` takes some of the models.
 */
import { relative } from 'node:path';
import { writeImages, writeSamples, type Batches } from './batches.ts';
import { atBetterThreads, measureAll, type Benchmark, type Case, type Result } from './bench.ts';
import type { OurStepOptions } from './contenders/openOurStep.ts';
import { runExperiments } from './experiments.ts';
import { printShares, startOurs } from './ours.ts';
import { exportTorchModel, preparePython, startTorchStep } from './python.ts';
import { prepareTfjsNode, startTfjsNodeStep } from './tfjs-node.ts';

interface Model {
  /** Steps of a round: a quarter of a second, about. */
  readonly steps: number;
  /** PyTorch's time over ours, each at its better number of threads. Two-layer LSTMs are `npm run bench -- lstm`. */
  readonly target: number;
  readonly hasConvolutions: boolean;
  readonly batches: () => Batches;
  /** True for a model of PyTorch, which is exported as ONNX; else it is built in. */
  readonly isImported: boolean;
}

const builtIn = { batches: () => writeImages(40, 50), isImported: false };
const imported = (size: number, shape: readonly number[]) => ({
  batches: () => writeSamples(4, size, shape),
  isImported: true,
  steps: 1,
});
const models: ReadonlyMap<string, Model> = new Map([
  ['lenet-300-100', { ...builtIn, steps: 200, target: 1.5, hasConvolutions: false }],
  ['lenet-5', { ...builtIn, steps: 20, target: 1, hasConvolutions: true }],
  ['resnet-20', { ...imported(64, [3, 32, 32]), target: 1, hasConvolutions: true }],
  ['mobilenet-v2', { ...imported(32, [3, 32, 32]), target: 0.9, hasConvolutions: true }],
  ['u-net', { ...imported(16, [3, 64, 64]), target: 0.9, hasConvolutions: true }],
  ['transformer', { ...imported(16, [128, 256]), target: 0.9, hasConvolutions: false }],
  ['gru', { ...imported(20, [35, 200]), steps: 5, target: 1, hasConvolutions: false }],
  ['mlp-8192', { ...imported(50, [784]), target: 1, hasConvolutions: false }],
]);

/** Steps of a round over which the shares of a step are measured. */
const SHARED_ROUNDS = 10;

/** Shares of the training time that distortions and observations may take. */
const limits = { distortion: 0.02, observation: 0.03 };

interface Setting {
  readonly name: string;
  readonly model: Model;
  /** As an experiment names it. */
  readonly reference: string;
  readonly threads: number;
  readonly batches: Batches;
}

const optionsOf = ({ reference, model, threads, batches }: Setting): OurStepOptions => ({
  model: reference,
  training: {
    optimizer: { type: 'adam' },
    ...(model.isImported && { loss: 'sparse-categorical-crossentropy-from-logits' }),
  },
  batches,
  threads,
  executor: 'compiled',
});

function startEager(setting: Setting, executor: 'wasm' | 'cpu' | 'tensorflow', tfjsNode?: string) {
  const { steps } = setting.model;
  return startOurs(
    { ...optionsOf(setting), executor, tfjsNode },
    { steps: Math.max(1, Math.round(steps / (executor === 'cpu' ? 50 : 10))) },
  );
}

async function overheads(): Promise<Result[]> {
  const file = 'examples/mnist/lenet-300-100-prune.deeptwist.jsonc';
  const [{ summary }] = await runExperiments([{ name: 'LeNet-300-100', file, overrides: [], seed: 1 }], {
    threads: 'default',
  });
  const { trainingSeconds, distortionSeconds, observationSeconds } = summary;
  const result = (name: string, seconds: number, limit: number): Result => ({
    case: name,
    rival: 'limit',
    threads: 2,
    ours: (100 * seconds) / trainingSeconds,
    theirs: 100 * limit,
    unit: '% of training',
    ratio: (limit * trainingSeconds) / seconds,
    target: 1,
  });
  return [
    result('distortions', distortionSeconds, limits.distortion),
    result('observation', observationSeconds, limits.observation),
  ];
}

export default {
  options: {
    rounds: { type: 'string', default: '15' },
    'without-eager': { type: 'boolean', default: false },
    model: { type: 'string' },
  },
  async run(options) {
    const python = preparePython();
    const names = options.model === undefined ? [...models.keys()] : String(options.model).split(',');
    const settings = names.flatMap((name) => {
      const model = models.get(name);
      if (!model) throw new Error(`There is no model '${name}': the models are ${[...models.keys()].join(', ')}.`);
      const reference = model.isImported ? `./${relative('.', exportTorchModel(python, name))}` : `builtin:${name}`;
      const batches = model.batches();
      return [1, 2].map((threads): Setting => ({ name, model, reference, threads, batches }));
    });
    const isEager = !options['without-eager'] && settings.some(({ model }) => !model.isImported);
    const tfjsNode = isEager ? prepareTfjsNode() : undefined;
    const results = await measureAll(
      settings.map((setting): Case => {
        const { name, model, threads, batches } = setting;
        const rival = { model: name, threads, batches, steps: model.steps };
        const torch = (adam: 'fused' | 'foreach', channelsLast: boolean) => () =>
          startTorchStep(python, { ...rival, adam, channelsLast });
        return {
          name,
          threads,
          unit: 'ms/step',
          better: 'lower',
          target: 1,
          rounds: Number(options.rounds),
          ours: () => startOurs(optionsOf(setting), { steps: model.steps }),
          rivals: [
            torch('fused', model.hasConvolutions),
            // What is better for a network of few large layers need not be for one of many: each has its turn.
            model.isImported && model.hasConvolutions ? torch('fused', false) : torch('foreach', model.hasConvolutions),
            ...(tfjsNode === undefined || model.isImported
              ? []
              : [
                  () => startTfjsNodeStep(tfjsNode, { model: name, threads, batches, steps: model.steps }),
                  () => startEager(setting, 'tensorflow', tfjsNode),
                  // The WebAssembly backend has no gradient of a convolution's filter.
                  ...(name === 'lenet-300-100' ? [() => startEager(setting, 'wasm')] : []),
                  // Hundreds of milliseconds a step: once is enough.
                  ...(threads === 1 && name === 'lenet-300-100' ? [() => startEager(setting, 'cpu')] : []),
                ]),
          ],
        };
      }),
    );
    console.log('shares of our step');
    for (const setting of settings)
      await printShares(setting.name, optionsOf(setting), SHARED_ROUNDS * setting.model.steps);
    const better = names.map((name) =>
      atBetterThreads(results, { name, better: 'lower', target: models.get(name)?.target ?? 1 }, 'PyTorch'),
    );
    return [...results, ...better, ...(names.includes('lenet-300-100') ? await overheads() : [])];
  },
} satisfies Benchmark;
