/**
 * @file Pruning on MNIST, as docs/results.md reports it: DeepTwist beside gradual masks and one-shot pruning at the same
 * rates, and DeepTwist at higher and higher rates. Prints the tables of that page, every row with the command that repeats
 * its first seed.
 */
import type { Benchmark, Result } from './bench.ts';
import { commandOf, runExperiments, spread, type ExperimentResult, type ExperimentRun } from './experiments.ts';

type Rates = Readonly<Record<string, number>>;

interface Subject {
  readonly file: string;
  /** Rates at which DeepTwist alone is run, higher and higher. */
  readonly higher: readonly Rates[];
}

const subjects: Readonly<Record<string, Subject>> = {
  'lenet-300-100': {
    file: 'examples/mnist/lenet-300-100-prune.deeptwist.jsonc',
    higher: [
      { fc1: 0.989, fc2: 0.975, fc3: 0.65 },
      { fc1: 0.99, fc2: 0.977, fc3: 0.7 },
    ],
  },
  'lenet-5': {
    file: 'examples/mnist/lenet-5-prune.deeptwist.jsonc',
    higher: [
      { conv1: 0.7, conv2: 0.975, fc1: 0.997, fc2: 0.95 },
      { conv1: 0.7, conv2: 0.98, fc1: 0.998, fc2: 0.96 },
    ],
  },
};

const policies = ['deeptwist', 'gradual-mask', 'one-shot'] as const;

const percent = (value: number) => (100 * value).toFixed(2);

function ratesText(rates: Rates): string {
  return Object.entries(rates)
    .map(([layer, rate]) => `${layer} ${rate}`)
    .join(', ');
}

function plan(subject: Subject, seeds: number): ExperimentRun[] {
  const variants = [
    ...policies.map((policy) => ({ name: policy, overrides: [`compression.policy=${policy}`] })),
    ...subject.higher.map((rates) => ({
      name: ratesText(rates),
      overrides: Object.entries(rates).map(([layer, rate]) => `compression.layers.${layer}.rate=${rate}`),
    })),
  ];
  return variants.flatMap(({ name, overrides }) =>
    Array.from({ length: seeds }, (_, index) => ({ name, file: subject.file, overrides, seed: index + 1 })),
  );
}

function printMarkdown(model: string, results: readonly ExperimentResult[]): void {
  console.log(
    `\n${model}\n\n| run | weight ratio | byte ratio | test accuracy, % | seeds | near-zero weights | command |`,
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const name of new Set(results.map((result) => result.name))) {
    const group = results.filter((result) => result.name === name);
    const { mean, deviation } = spread(group.map(({ summary }) => summary.test));
    const [{ summary }] = group;
    const accuracies = group.map((result) => percent(result.summary.test)).join(', ');
    const near = spread(group.map((result) => result.summary.nearZeros)).mean;
    console.log(
      `| ${name} | ${summary.weightRatio.toFixed(1)} | ${summary.byteRatio.toFixed(1)} | ${percent(mean)} ± ${percent(deviation)} | ` +
        `${accuracies} | ${near.toFixed(0)} of ${summary.weightsKept} | \`${commandOf(group[0])}\` |`,
    );
  }
}

function comparisons(model: string, results: readonly ExperimentResult[]): Result[] {
  const mean = (name: string) => spread(results.filter((r) => r.name === name).map(({ summary }) => summary.test)).mean;
  return policies.slice(1).map((policy) => ({
    case: `${model}, ${results[0].summary.weightRatio.toFixed(0)}x`,
    rival: policy,
    threads: 1,
    ours: 100 * mean('deeptwist'),
    theirs: 100 * mean(policy),
    unit: '% accuracy',
    ratio: mean('deeptwist') / mean(policy),
    target: 1,
  }));
}

export default {
  options: { model: { type: 'string' }, seeds: { type: 'string', default: '3' } },
  async run({ model, seeds }) {
    const chosen = typeof model === 'string' ? [model] : Object.keys(subjects);
    const report: Result[] = [];
    for (const name of chosen) {
      const results = await runExperiments(plan(subjects[name], Number(seeds)));
      printMarkdown(name, results);
      report.push(...comparisons(name, results));
    }
    return report;
  },
} satisfies Benchmark;
