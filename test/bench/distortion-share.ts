/**
 * @file What distortions cost beside the training steps: low rank in the language model of 2 x 650 units, binary codes in
 * that of 300 units. Few steps are trained, with distortions oftener than the case says; the mean time of a distortion and
 * of a step tell the share.
 *
 * Before the first run: npm ci --prefix examples && node examples/language-model/prepare.js
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark, Result } from './bench.ts';
import { runExperiments } from './experiments.ts';
import { cacheFolder } from './prepare.ts';

interface Share {
  readonly name: string;
  readonly model: string;
  readonly timeSteps: number;
  readonly method: Record<string, unknown>;
  /** S_D of the case, and in the run that is measured. */
  readonly every: number;
  readonly measuredEvery: number;
  readonly steps: number;
  /** Largest share of the training steps' time. */
  readonly limit: number;
}

const SHARES: readonly Share[] = [
  {
    name: '2 x 650, rank 256, S_D 100',
    model: 'medium',
    timeSteps: 35,
    method: { method: 'low-rank', layers: { 'lstm*': { rank: 256 } } },
    every: 100,
    // One of the ten that count is from the start, as in every run.
    measuredEvery: 10,
    steps: 120,
    limit: 0.03,
  },
  ...[1, 2, 3].map((bits) => ({
    name: `300, ${bits} bit${bits === 1 ? '' : 's'} alternating, S_D 2000`,
    model: '300',
    timeSteps: 30,
    method: {
      method: 'quantize',
      layers: Object.fromEntries(
        ['embedding', 'lstm*', 'softmax'].map((layer) => [layer, { bits, algorithm: 'alternating', scales: 'row' }]),
      ),
    },
    every: 2000,
    measuredEvery: 20,
    steps: 120,
    limit: 0.02,
  })),
];

/** The Brown corpus with short validation and test texts: what is not trained is not measured. */
function shortCorpus(): string {
  const folder = cacheFolder('data');
  for (const part of ['train', 'valid', 'test']) {
    const text = readFileSync(join('examples', 'language-model', 'data', 'brown', `brown.${part}.txt`), 'utf8');
    const lines = part === 'train' ? text : `${text.split('\n').slice(0, 200).join('\n')}\n`;
    writeFileSync(join(folder, `short.${part}.txt`), lines);
  }
  return folder;
}

export default {
  options: { case: { type: 'string' } },
  async run({ case: chosen }) {
    const corpus = shortCorpus();
    const shares = SHARES.filter(({ name }) => chosen === undefined || name.startsWith(String(chosen)));
    const runs = await runExperiments(
      shares.map(({ name, model, timeSteps, method, measuredEvery, steps }) => {
        const training = {
          optimizer: { type: 'sgd', learningRate: 1 },
          clip: { globalNorm: 5 },
          batchSize: 20,
          steps,
        };
        return {
          name,
          file: 'examples/language-model/small-pretrain.deeptwist.jsonc',
          overrides: [
            `model=builtin:lstm-lm-${model}`,
            `data=${JSON.stringify({ type: 'text', path: corpus, timeSteps })}`,
            `training=${JSON.stringify(training)}`,
            `compression=${JSON.stringify({ ...method, distortEvery: measuredEvery })}`,
            `observe.every=${steps}`,
          ],
          seed: 1,
        };
      }),
      { threads: 'default' },
    );
    return runs.map(({ summary }, i): Result => {
      const { name, steps, measuredEvery, every, limit } = shares[i];
      const step = summary.trainingSeconds / steps;
      // The first and the last are observed, and their time counts as observation.
      const distortion = summary.distortionSeconds / (steps / measuredEvery - 2);
      console.log(
        `  ${name}: ${(1000 * step).toFixed(1)} ms a step, ${(1000 * distortion).toFixed(1)} ms a distortion`,
      );
      const share = distortion / (step * every);
      return {
        case: name,
        rival: 'limit',
        threads: 2,
        ours: 100 * share,
        theirs: 100 * limit,
        unit: '% of training',
        ratio: limit / share,
        target: 1,
      };
    });
  },
} satisfies Benchmark;
