/**
 * @file Pruned and quantized LeNets as files, beside those of Deep Compression (Han et al. 2016), which are 1 in 40 and 1 in 39 of the
 * dense weights: the bytes of `model/compressed.safetensors`, and the test error of the weights that it holds.
 */
import { beside, type Benchmark, type Result } from './bench.ts';
import { runExperiments, spread, type ExperimentResult } from './experiments.ts';

interface Subject {
  readonly file: string;
  /** The file is to be at most 1 in so many of the dense weights. */
  readonly ratio: number;
  /** Most test errors, in percent. */
  readonly error: number;
}

const subjects: Readonly<Record<string, Subject>> = {
  'lenet-300-100': {
    file: 'examples/mnist/lenet-300-100-prune-quantize.deeptwist.jsonc',
    ratio: 100,
    error: 2,
  },
  'lenet-5': { file: 'examples/mnist/lenet-5-prune-quantize.deeptwist.jsonc', ratio: 150, error: 1 },
};

function results(name: string, { ratio, error }: Subject, runs: readonly ExperimentResult[]): Result[] {
  const summaries = runs.map(({ summary }) => summary);
  const bytes = summaries.map(({ fileBytes }) => fileBytes!);
  const errors = summaries.map(({ test }) => 100 * (1 - test));
  const { mean, deviation } = spread(errors);
  const dense = summaries[0].bytes;
  console.log(
    `${name}: files of ${bytes.join(', ')} bytes, 1 in ${bytes.map((own) => (dense / own).toFixed(1)).join(', ')}; test error ` +
      `${errors.map((own) => own.toFixed(2)).join(', ')}%, mean ${mean.toFixed(2)} ± ${deviation.toFixed(2)}`,
  );
  return [
    beside(dense / ratio, `${name}, largest file`, Math.max(...bytes), 'bytes'),
    beside(error, `${name}, mean test error`, mean, '%'),
  ];
}

export default {
  options: {
    model: { type: 'string' },
    seeds: { type: 'string', default: '3' },
    /** `--set` texts, separated by spaces. */
    set: { type: 'string', default: '' },
    keep: { type: 'string' },
  },
  async run({ model, seeds, set, keep }) {
    const report: Result[] = [];
    for (const name of typeof model === 'string' ? [model] : Object.keys(subjects)) {
      const overrides = String(set).split(' ').filter(Boolean);
      const runs = Array.from({ length: Number(seeds) }, (_, index) => ({
        name,
        file: subjects[name].file,
        overrides,
        seed: index + 1,
      }));
      const kept = typeof keep === 'string' ? { keep } : {};
      report.push(...results(name, subjects[name], await runExperiments(runs, kept)));
    }
    return report;
  },
} satisfies Benchmark;
