/**
 * @file A whole training step (forward, backward, Adam; batch 50) of the models of the MNIST experiments: ours compiled
 * against PyTorch's best configurations and against our eager executor on tfjs-node, WebAssembly and plain JavaScript;
 * where the time of our step goes; and what distortion and observation cost in the LeNet-300-100 experiment.
 */
import { writeImages, type Batches } from './batches.ts';
import { atBetterThreads, measureAll, type Benchmark, type Case, type Result } from './bench.ts';
import type { OurStepOptions } from './contenders/openOurStep.ts';
import { runExperiments } from './experiments.ts';
import { printShares, startOurs } from './ours.ts';
import { preparePython, startTorchStep } from './python.ts';
import { prepareTfjsNode, startTfjsNodeStep } from './tfjs-node.ts';

const models = {
  /** `steps` of a round: a quarter of a second, about. `target`: PyTorch's time over ours, each at its better threads. */
  'lenet-300-100': { steps: 200, target: 1.5 },
  'lenet-5': { steps: 20, target: 1.2 },
} as const;
type Model = keyof typeof models;

/** Steps over which the shares of a step are measured. */
const SHARED_STEPS = 200;

/** Shares of the training time that distortions and observations may take. */
const limits = { distortion: 0.02, observation: 0.03 };

interface Setting {
  readonly model: Model;
  readonly threads: number;
  readonly batches: Batches;
}

const optionsOf = ({ model, threads, batches }: Setting): OurStepOptions => ({
  model: `builtin:${model}`,
  training: { optimizer: { type: 'adam' } },
  batches,
  threads,
  executor: 'compiled',
});

function startEager(setting: Setting, executor: 'wasm' | 'cpu' | 'tensorflow', tfjsNode?: string) {
  const { steps } = models[setting.model];
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
    const batches = writeImages(40, 50);
    const python = preparePython();
    const tfjsNode = options['without-eager'] ? undefined : prepareTfjsNode();
    const names = (Object.keys(models) as Model[]).filter(
      (name) => options.model === undefined || name === options.model,
    );
    const settings = names.flatMap((model) => [1, 2].map((threads): Setting => ({ model, threads, batches })));
    const results = await measureAll(
      settings.map((setting): Case => {
        const work = { ...setting, steps: models[setting.model].steps };
        return {
          name: setting.model,
          threads: setting.threads,
          unit: 'ms/step',
          better: 'lower',
          target: 1,
          rounds: Number(options.rounds),
          ours: () => startOurs(optionsOf(setting), work),
          rivals: [
            () => startTorchStep(python, { ...work, adam: 'fused' }),
            () => startTorchStep(python, { ...work, adam: 'foreach' }),
            ...(tfjsNode === undefined
              ? []
              : [
                  () => startTfjsNodeStep(tfjsNode, work),
                  () => startEager(setting, 'tensorflow', tfjsNode),
                  // The WebAssembly backend has no gradient of a convolution's filter.
                  ...(setting.model === 'lenet-300-100' ? [() => startEager(setting, 'wasm')] : []),
                  // Hundreds of milliseconds a step: once is enough.
                  ...(setting.threads === 1 && setting.model === 'lenet-300-100'
                    ? [() => startEager(setting, 'cpu')]
                    : []),
                ]),
          ],
        };
      }),
    );
    console.log('shares of our step');
    for (const setting of settings) await printShares(setting.model, optionsOf(setting), SHARED_STEPS);
    const better = names.map((name) =>
      atBetterThreads(results, { name, better: 'lower', target: models[name].target }, 'PyTorch'),
    );
    return [...results, ...better, ...(await overheads())];
  },
} satisfies Benchmark;
