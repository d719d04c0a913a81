/**
 * @file A whole training step (forward, backward, Adam; batch 50) of the models of the MNIST experiments: ours compiled
 * against PyTorch's best configurations and against our eager executor on tfjs-node, WebAssembly and plain JavaScript;
 * where the time of our step goes; and what distortion and observation cost in the LeNet-300-100 experiment.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { writeBatches } from './batches.ts';
import { measureAll, type Benchmark, type Case, type Comparison } from './bench.ts';
import { bundleContender, startNodeChild } from './child.ts';
import { runExperiments } from './experiments.ts';
import { preparePython, startTorchStep } from './python.ts';
import { prepareTfjsNode, startTfjsNodeStep } from './tfjs-node.ts';

const models = {
  /** `steps` of a round: a quarter of a second, about. `target`: PyTorch's time over ours, each at its better threads. */
  'lenet-300-100': { steps: 200, target: 1.5 },
  'lenet-5': { steps: 20, target: 1.2 },
} as const;
type Model = keyof typeof models;

/** Shares of the training time that distortions and observations may take. */
const limits = { distortion: 0.02, observation: 0.03 };

const ourStep = join('test', 'bench', 'contenders', 'ourStep.ts');
const scripts = join('.cache', 'bench');

interface Setting {
  readonly model: Model;
  readonly threads: number;
  readonly batches: ReturnType<typeof writeBatches>;
}

const argumentsOf = ({ model, threads, batches }: Setting, ...executor: string[]) => [
  ...[model, String(threads), batches.file, String(batches.count), String(batches.size)],
  ...executor,
];

function startOurs(setting: Setting, kind: 'compiled' | 'wasm' | 'cpu' | 'tensorflow', tfjsNode = '.') {
  const { steps } = models[setting.model];
  return startNodeChild({
    name: kind === 'compiled' ? 'compiled' : `eager, ${kind}`,
    entry: ourStep,
    script: join(scripts, 'ourStep.mjs'),
    arguments: argumentsOf(setting, kind, tfjsNode),
    environment: {
      TF_NUM_INTRAOP_THREADS: String(setting.threads),
      TF_NUM_INTEROP_THREADS: String(setting.threads),
      OMP_NUM_THREADS: String(setting.threads),
      TF_CPP_MIN_LOG_LEVEL: '2',
    },
    steps: kind === 'compiled' ? steps : Math.max(1, Math.round(steps / (kind === 'cpu' ? 50 : 10))),
  });
}

/** Each side at the number of threads that suits it best, against the better configuration of PyTorch. */
function atBetterThreads(model: Model, results: readonly Comparison[]): Comparison {
  const own = results.filter((result) => result.case === model);
  const rivals = own.filter(({ rival }) => rival.startsWith('PyTorch'));
  const ours = rivals.reduce((best, result) => (result.ours < best.ours ? result : best));
  const theirs = rivals.reduce((best, result) => (result.theirs < best.theirs ? result : best));
  return {
    ...ours,
    case: `${model}, better threads`,
    rival: `${theirs.rival}, ${theirs.threads} threads`,
    theirs: theirs.theirs,
    ratio: theirs.theirs / ours.ours,
    target: models[model].target,
  };
}

async function printShares(setting: Setting): Promise<void> {
  const script = join(scripts, 'stepShares.mjs');
  await bundleContender(join('test', 'bench', 'contenders', 'stepShares.ts'), script);
  const output = execFileSync(process.execPath, [script, ...argumentsOf(setting)], { encoding: 'utf8' });
  const { millisecondsPerStep, ...shares } = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Record<
    string,
    number
  >;
  const text = Object.entries(shares).map(([name, share]) => `${name} ${(100 * share).toFixed(1)}%`);
  console.log(
    `  ${setting.model}, ${setting.threads} threads: ${millisecondsPerStep.toFixed(3)} ms/step: ${text.join(', ')}`,
  );
}

async function overheads(): Promise<Comparison[]> {
  const file = 'examples/mnist/lenet-300-100-prune.deeptwist.jsonc';
  const [{ summary }] = await runExperiments([{ name: 'LeNet-300-100', file, overrides: [], seed: 1 }], {
    threads: 'default',
  });
  const { trainingSeconds, distortionSeconds, observationSeconds } = summary;
  const result = (name: string, seconds: number, limit: number): Comparison => ({
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
    const batches = writeBatches(40, 50);
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
          ours: () => startOurs(setting, 'compiled'),
          rivals: [
            () => startTorchStep(python, { ...work, adam: 'fused' }),
            () => startTorchStep(python, { ...work, adam: 'foreach' }),
            ...(tfjsNode === undefined
              ? []
              : [
                  () => startTfjsNodeStep(tfjsNode, work),
                  () => startOurs(setting, 'tensorflow', tfjsNode),
                  // The WebAssembly backend has no gradient of a convolution's filter.
                  ...(setting.model === 'lenet-300-100' ? [() => startOurs(setting, 'wasm')] : []),
                  // Hundreds of milliseconds a step: once is enough.
                  ...(setting.threads === 1 && setting.model === 'lenet-300-100'
                    ? [() => startOurs(setting, 'cpu')]
                    : []),
                ]),
          ],
        };
      }),
    );
    console.log('shares of our step');
    for (const setting of settings) await printShares(setting);
    return [...results, ...names.map((model) => atBetterThreads(model, results)), ...(await overheads())];
  },
} satisfies Benchmark;
