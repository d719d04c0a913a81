/**
 * @file The paper's language-model experiments on the Brown corpus, or on files of the Penn Treebank's form, as docs/results.md
 * reports them: `npm run bench -- language-model [--part pruning] [--only 'rank 64'] [--epochs 6] [--data FOLDER]`. Prints the
 * tables of that page. It takes hours: runs are kept in `.cache/bench/language-model/`, and what is finished there is not run again.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from '../../scripts/root.js';
import type { EventOf } from '../../server/protocol/run/events.ts';
import type { Benchmark, Result } from './bench.ts';
import {
  besidePretrained,
  commandOf,
  isEvaluationInTraining,
  keptEvents,
  keptFolder,
  runExperiments,
  type ExperimentResult,
  type ExperimentRun,
} from './experiments.ts';
import { AT_ONCE, experiment, FOLDER, ofLayers, WEIGHTS_STAY } from './reproduce/pennTreebank.ts';

const SEED = 1;

const RATES = [0.8, 0.85, 0.9, 0.95];
const BITS = [1, 2, 3];
const RANKS = [128, 96, 64, 32, 16];
/** One for all ranks, as in the paper's Figure 2a; at higher ones the embedding and the softmax overfit further. */
const LOW_RANK_LEARNING_RATE = 0.1;
/** Initial learning rates that are searched, as the paper did for each rank, and where. */
const SEARCHED = {
  pruning: { rate: 0.9, learningRates: [0.5, 1, 2] },
  lowRank: { ranks: [128, 64, 16], learningRates: [0.03, 0.1, 0.3] },
};
/** Rank for the course of the perplexity. */
const COURSE_RANK = 64;
/** S_D of small-low-rank, in steps. */
const LOW_RANK_DISTORTS_EVERY = 100;

interface Options {
  /** Epochs of retraining. The paper takes as many as for pre-training. */
  readonly epochs: number;
  /** Paths of the corpus, relative to the experiments, as in their files. */
  readonly data: readonly string[];
  /** Its files, as `data.files`; evaluations during training are then of the test split. */
  readonly withoutValidation: { readonly train: string; readonly test: string };
  readonly keep: string;
  /** Matches the names of runs that are done: the others are left out. */
  readonly only: RegExp;
}

interface Variant {
  readonly name: string;
  readonly file: string;
  readonly overrides: readonly string[];
}

/** The learning rate falls, and pruning ends, at the same part of retraining as in the protocol with 13 epochs. */
const part = (epochs: number, of13: number) => Math.max(1, Math.round((epochs * of13) / 13));

const pretraining: readonly Variant[] = [
  { name: 'small-pretrain', file: experiment('small-pretrain'), overrides: [] },
  { name: 'one-layer-pretrain', file: experiment('one-layer-pretrain'), overrides: [] },
];

/** The parts of the series, each with its runs. */
const parts: Readonly<Record<string, (options: Options) => readonly Variant[]>> = {
  pruning: (options) => [
    ...RATES.flatMap((rate) =>
      ['deeptwist', 'gradual-mask'].map((policy) => pruned(options, { policy, rate, learningRate: 1 })),
    ),
    ...RATES.map((rate) => oneShot('small-prune', `one-shot ${rate}`, ofLayers({ rate }))),
  ],
  'pruning-search': (options) =>
    SEARCHED.pruning.learningRates.flatMap((learningRate) =>
      ['deeptwist', 'gradual-mask'].map((policy) =>
        pruned(options, { policy, rate: SEARCHED.pruning.rate, learningRate }),
      ),
    ),
  'low-rank': (options) =>
    RANKS.flatMap((rank) =>
      [false, true].flatMap((shared) => [
        lowRank(options, { rank, shared, learningRate: LOW_RANK_LEARNING_RATE }),
        oneShot('small-low-rank', `one-shot ${rankName(rank, shared)}`, rankSettings(rank, shared)),
      ]),
    ),
  factors: (options) =>
    RANKS.flatMap((rank) =>
      [false, true].map((shared) =>
        lowRank(options, { rank, shared, learningRate: LOW_RANK_LEARNING_RATE, policy: 'factors' }),
      ),
    ),
  'low-rank-search': (options) =>
    SEARCHED.lowRank.ranks.flatMap((rank) =>
      SEARCHED.lowRank.learningRates.map((learningRate) => lowRank(options, { rank, shared: false, learningRate })),
    ),
  /** What the test perplexity is right after distortions, some times an epoch (Fig. 2b). */
  course: (options) => [
    lowRank(options, { rank: COURSE_RANK, shared: false, learningRate: LOW_RANK_LEARNING_RATE }, [
      'data.path=null',
      `data.files=${JSON.stringify(options.withoutValidation)}`,
      `training.evaluateEvery=${7 * LOW_RANK_DISTORTS_EVERY}`,
    ]),
  ],
  quantization: (options) =>
    BITS.flatMap((bits) => [
      ...(bits === 1 ? ['greedy'] : ['greedy', 'alternating']).map((algorithm) =>
        variant('one-layer-quantize', `${bits} bits ${algorithm}`, [
          `training.epochs=${options.epochs}`,
          ...ofLayers({ bits, algorithm }),
        ]),
      ),
      oneShot('one-layer-quantize', `one-shot ${bits} bits`, ofLayers({ bits, algorithm: 'alternating' })),
    ]),
  'straight-through': ({ epochs }) =>
    BITS.map((bits) =>
      variant('one-layer-quantize', `straight-through ${bits} bits alternating`, [
        'compression.policy=straight-through',
        `training.epochs=${epochs}`,
        ...ofLayers({ bits, algorithm: 'alternating' }),
      ]),
    ),
};

function variant(base: string, name: string, overrides: readonly string[]): Variant {
  return { name: `${base} ${name}`, file: experiment(base), overrides };
}

function pruned(
  { epochs }: Options,
  { policy, rate, learningRate }: { policy: string; rate: number; learningRate: number },
): Variant {
  return variant('small-prune', `${policy} ${rate} lr ${learningRate} ${epochs} epochs`, [
    `compression.policy=${policy}`,
    ...ofLayers({ rate }),
    `compression.schedule.to=${part(epochs, 3)}`,
    ...retraining(epochs, learningRate),
  ]);
}

function lowRank(
  { epochs }: Options,
  {
    rank,
    shared,
    learningRate,
    policy = 'deeptwist',
  }: { rank: number; shared: boolean; learningRate: number; policy?: string },
  more: readonly string[] = [],
): Variant {
  const name = `${policy} ${rankName(rank, shared)} lr ${learningRate} ${epochs} epochs${more.length > 0 ? ' course' : ''}`;
  return variant('small-low-rank', name, [
    `compression.policy=${policy}`,
    ...rankSettings(rank, shared),
    ...retraining(epochs, learningRate),
    ...more,
  ]);
}

/** The pre-trained model, compressed once. */
function oneShot(base: string, name: string, overrides: readonly string[]): Variant {
  return variant(base, name, [
    ...overrides,
    ...AT_ONCE,
    WEIGHTS_STAY,
    ...(base === 'small-prune' ? ['compression.schedule=null'] : []),
  ]);
}

const retraining = (epochs: number, learningRate: number) => [
  `training.epochs=${epochs}`,
  `training.learningRateSchedule.epoch=${part(epochs, 4)}`,
  `training.optimizer.learningRate=${learningRate}`,
];
const rankName = (rank: number, shared: boolean) => `rank ${rank}${shared ? ' shared' : ''}`;
const rankSettings = (rank: number, shared: boolean) => [
  `compression.layers.lstm*.rank=${rank}`,
  `compression.layers.lstm*.sharedProjection=${shared}`,
];

/** @param start where the pre-trained models are; undefined for one of them */
function runOf({ name, file, overrides }: Variant, { data }: Options, start?: string): ExperimentRun {
  const from = start === undefined ? [] : [`start=run:${start}`];
  return { name, file, overrides: [...data, ...overrides, ...from], seed: SEED };
}

/** The file of a split, absolute: `ptb.train.txt`. */
function fileOf(corpus: string, split: 'train' | 'test'): string {
  const name = readdirSync(corpus).find((entry) => entry.endsWith(`.${split}.txt`));
  if (name === undefined) throw new Error(`There is no file *.${split}.txt in ${corpus}.`);
  return join(corpus, name);
}

async function runPart(name: string, options: Options): Promise<ExperimentResult[]> {
  const variants = parts[name](options).filter((one) => options.only.test(one.name));
  const base = pretraining[name === 'quantization' || name === 'straight-through' ? 1 : 0];
  const baseRun = runOf(base, options);
  const [pretrained] = await runExperiments([baseRun], { threads: 'default', keep: options.keep });
  const start = keptFolder(options.keep, baseRun);
  const runs = variants.map((one) => runOf(one, options, start));
  return [pretrained, ...(await runExperiments(runs, { keep: options.keep }))];
}

function printPart(name: string, results: readonly ExperimentResult[]): void {
  console.log(
    `\n### ${name}\n\n| run | test perplexity | before the last distortion | weight ratio | byte ratio | near zero | minutes |`,
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const { name: run, summary } of results) {
    const { test, testBeforeLastDistortion: before, weightRatio, byteRatio, nearZeros, trainingSeconds } = summary;
    const figures = [
      test.toFixed(2),
      before.toFixed(2),
      weightRatio.toFixed(2),
      byteRatio.toFixed(2),
      String(nearZeros),
    ];
    console.log(`| ${[run, ...figures, (trainingSeconds / 60).toFixed(1)].join(' | ')} |`);
  }
  for (const result of results) console.log(`\n    ${commandOf(result)}`);
}

/** Mean change of the singular values before and after the rank, of every weight: at the start, in the middle, at the end (Fig. 3). */
function printSpectra(results: readonly ExperimentResult[], { keep }: Options): void {
  console.log('\n### Singular values\n\n| run | weight | rank | middle: before, after the rank | end: before, after |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const run of results) {
    const spectra = keptEvents(keptFolder(keep, run)).filter(
      (event): event is EventOf<'spectrum'> => event.type === 'spectrum',
    );
    if (spectra.length < 3) continue;
    const [first, middle, last] = [spectra[0], spectra[Math.floor(spectra.length / 2)], spectra.at(-1)!];
    for (const { name, rank, singularValues } of first.weights) {
      if (rank === undefined) continue;
      const changes = [middle, last].map(({ weights }) => {
        const later = weights.find((weight) => weight.name === name)!.singularValues;
        const change = (from: number, to: number) =>
          100 * (sum(later.slice(from, to)) / sum(singularValues.slice(from, to)) - 1);
        return `${change(0, rank).toFixed(1)}%, ${change(rank, singularValues.length).toFixed(1)}%`;
      });
      console.log(`| ${[run.name, name, String(rank), ...changes].join(' | ')} |`);
    }
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The metric of each evaluation during training (Fig. 2b): after the epoch's last distortion, where epochs end with one. */
function printCourse(results: readonly ExperimentResult[], { keep }: Options): void {
  console.log('\n### Perplexity after each epoch\n');
  for (const run of results) {
    const evaluations = keptEvents(keptFolder(keep, run)).filter(isEvaluationInTraining);
    if (evaluations.length > 1)
      console.log(
        `- ${run.name} (${evaluations[0].split}): ${evaluations.map(({ value }) => value.toFixed(1)).join(', ')}`,
      );
  }
}

export default {
  options: {
    part: { type: 'string', multiple: true, default: Object.keys(parts) },
    only: { type: 'string', default: '' },
    epochs: { type: 'string', default: '13' },
    data: { type: 'string' },
  },
  async run({ part: chosen, only, epochs, data }) {
    const names = chosen as string[];
    const unknown = names.find((name) => !(name in parts));
    if (unknown !== undefined) throw new Error(`There is no part ${unknown}, but ${Object.keys(parts).join(', ')}.`);
    const corpus = typeof data === 'string' ? resolve(data) : join(root, FOLDER, 'data', 'brown');
    if (!existsSync(corpus))
      throw new Error(`There is no corpus in ${corpus}. Make the Brown corpus: node ${FOLDER}/prepare.js`);
    const series = typeof data === 'string' ? corpus.replaceAll(/[^\w.-]+/g, '-') : 'brown';
    const options: Options = {
      epochs: Number(epochs),
      data: typeof data === 'string' ? [`data.path=${corpus}`] : [],
      withoutValidation: { train: fileOf(corpus, 'train'), test: fileOf(corpus, 'test') },
      keep: join(root, '.cache', 'bench', 'language-model', series),
      only: new RegExp(only as string),
    };
    const report: Result[] = [];
    for (const name of names) {
      const results = await runPart(name, options);
      const [pretrained, ...others] = results;
      printPart(name, results);
      printCourse(results, options);
      if (name.startsWith('low-rank')) printSpectra(results, options);
      report.push(...others.map((run) => besidePretrained(`${name}: ${run.name}`, run, pretrained)));
    }
    return report;
  },
} satisfies Benchmark;
