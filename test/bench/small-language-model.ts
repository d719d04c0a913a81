/**
 * @file The small LSTM language model (two layers of 200 units) with two and four bits, by quantized distillation (Polino et al. 2018),
 * straight-through and DeepTwist's binary codes; and with the ranks that nuclear-norm training (Alvarez & Salzmann 2017) finds, beside
 * DeepTwist's low rank at the same ranks. All go on from one pre-trained model, which is the teacher as well:
 * `npm run bench -- small-language-model --data FOLDER --keep FOLDER`. It takes hours; what is finished in the folder is not run again.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from '../../scripts/root.js';
import type { Benchmark, Result } from './bench.ts';
import {
  besidePretrained,
  keptFolder,
  runExperiments,
  withKeptFolder,
  type ExperimentResult,
  type ExperimentRun,
} from './experiments.ts';

const SEED = 1;
const pretrainFile = 'examples/language-model/small-pretrain.deeptwist.jsonc';
const LAYERS = ['embedding', 'lstm*', 'softmax'];

/** First learning rates that are tried with two bits, and for ranks, on the validation split. */
const LEARNING_RATES = [0.1, 0.4];
const TAUS = [2, 10];
/** S_D of codes, and of both ways to low rank, in steps. */
const CODES_DISTORT_EVERY = 200;
const RANKS_DISTORT_EVERY = 100;

/** A way to make the pre-trained model smaller. */
interface Way {
  readonly name: string;
  readonly distilled?: boolean;
  readonly compression: object;
}

const layers = (parameters: object) => Object.fromEntries(LAYERS.map((name) => [name, parameters]));
const uniform = (bits: number) => ({
  method: 'quantize',
  policy: 'straight-through',
  distortEvery: 1,
  layers: layers({ levels: 'uniform', bits, bucket: 256 }),
});

const quantized = (bits: number): readonly Way[] => [
  { name: `quantized distillation, ${bits} bits`, distilled: true, compression: uniform(bits) },
  { name: `straight-through, ${bits} bits`, compression: uniform(bits) },
  {
    name: `DeepTwist, alternating codes, ${bits} bits`,
    compression: {
      method: 'quantize',
      distortEvery: CODES_DISTORT_EVERY,
      layers: layers({ levels: 'binary', bits, algorithm: 'alternating' }),
    },
  },
];

const nuclearNorm = (tau: number): Way => ({
  name: `nuclear norm, tau ${tau}`,
  compression: {
    method: 'nuclear-norm',
    distortEvery: RANKS_DISTORT_EVERY,
    unit: 'steps',
    energy: 0.9,
    layers: { 'lstm*': { tau } },
  },
});

/** DeepTwist's low rank with a rank for each weight. */
const lowRank = (name: string, ranks: ReadonlyMap<string, number>): Way => ({
  name,
  compression: {
    method: 'low-rank',
    distortEvery: RANKS_DISTORT_EVERY,
    layers: Object.fromEntries([...ranks].map(([weight, rank]) => [weight, { rank }])),
  },
});

interface Found {
  readonly result: ExperimentResult;
  readonly learningRate: number;
}

class Series {
  readonly #keep: string;
  readonly #data: string;
  readonly #steps: number;
  readonly pretrained: ExperimentRun;

  constructor(keep: string, data: string, lengths: { readonly epochs: number; readonly steps: number }) {
    this.#keep = keep;
    this.#data = `data.path=${data}`;
    this.#steps = lengths.steps;
    this.pretrained = {
      name: 'pretrained',
      file: pretrainFile,
      overrides: [this.#data, `training.epochs=${lengths.epochs}`, fallsAfter(lengths.epochs)],
      seed: SEED,
    };
  }

  run(runs: readonly ExperimentRun[]): Promise<ExperimentResult[]> {
    return runExperiments(runs, { keep: this.#keep });
  }

  /** Trains with each learning rate; what it found with the lowest perplexity on the validation split. */
  async search(way: Way): Promise<Found> {
    const results = await this.run(LEARNING_RATES.map((rate) => this.#further(way, rate)));
    const found = results.map((result, index) => ({ result, learningRate: LEARNING_RATES[index] }));
    const validation = ({ result }: Found) => result.summary.validation!;
    return found.toSorted((a, b) => validation(a) - validation(b))[0];
  }

  async train(way: Way, learningRate: number): Promise<ExperimentResult> {
    const [result] = await this.run([this.#further(way, learningRate)]);
    return result;
  }

  #further({ name, distilled, compression }: Way, learningRate: number): ExperimentRun {
    const start = `run:${keptFolder(this.#keep, this.pretrained)}`;
    const distillation = { teacher: start, temperature: 1, weight: 0.7 };
    const overrides = [
      this.#data,
      `start=${start}`,
      'training.epochs=null',
      `training.steps=${this.#steps}`,
      'training.learningRateSchedule=null',
      `training.optimizer.learningRate=${learningRate}`,
      ...(distilled ? [`distillation=${JSON.stringify(distillation)}`] : []),
      `compression=${JSON.stringify(compression)}`,
    ];
    return { name: `${name}, lr ${learningRate}`, file: pretrainFile, overrides, seed: SEED };
  }
}

/** The learning rate is halved after each epoch from this one on: the same part of training as in the protocol with 13 epochs. */
const fallsAfter = (epochs: number) =>
  `training.learningRateSchedule.epoch=${Math.max(1, Math.round((epochs * 4) / 13))}`;

/** Ranks that a run of a nuclear norm ended with, of the weights that became factors. */
function ranksOf({ summary }: ExperimentResult): ReadonlyMap<string, number> {
  const factored = summary.layers.filter(
    ({ shape, weights, weightsKept }) => shape.length === 2 && weightsKept < weights,
  );
  return new Map(factored.map(({ name, shape: [m, n], weightsKept }) => [name, Math.round(weightsKept / (m + n))]));
}

async function measure(series: Series): Promise<Result[]> {
  const [pretrained] = await series.run([series.pretrained]);
  const found: ExperimentResult[] = [];
  for (const [index, way] of quantized(2).entries()) {
    const { result, learningRate } = await series.search(way);
    found.push(result, await series.train(quantized(4)[index], learningRate));
  }
  for (const tau of TAUS) {
    const { result } = await series.search(nuclearNorm(tau));
    found.push(result);
    const ranks = ranksOf(result);
    if (ranks.size === 0) console.log(`tau ${tau} leaves every weight whole.`);
    else found.push((await series.search(lowRank(`DeepTwist, low rank as by tau ${tau}`, ranks))).result);
  }
  console.log('\n| run | validation | test perplexity | weight ratio | byte ratio | minutes |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const { name, summary } of [pretrained, ...found]) {
    const { validation, test, weightRatio, byteRatio, trainingSeconds } = summary;
    const figures = [validation!, test, weightRatio, byteRatio].map((value) => value.toFixed(2));
    console.log(`| ${[name, ...figures, (trainingSeconds / 60).toFixed(1)].join(' | ')} |`);
  }
  return found.map((run) => besidePretrained(run.name, run, pretrained));
}

export default {
  options: {
    data: { type: 'string', default: join(root, 'examples', 'language-model', 'data', 'brown') },
    keep: { type: 'string' },
    /** Those of pre-training. */
    epochs: { type: 'string', default: '13' },
    /** Those of what goes on from it. */
    steps: { type: 'string', default: '10000' },
  },
  async run({ data, keep, epochs, steps }) {
    const corpus = resolve(data as string);
    if (!existsSync(corpus))
      throw new Error(
        `There is no corpus in ${corpus}. Make the Brown corpus: node examples/language-model/prepare.js`,
      );
    const lengths = { epochs: Number(epochs), steps: Number(steps) };
    return withKeptFolder(keep, (folder) => measure(new Series(folder, corpus, lengths)));
  },
} satisfies Benchmark;
