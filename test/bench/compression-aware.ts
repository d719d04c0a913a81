/**
 * @file Compression-aware training (Alvarez & Salzmann 2017) of LeNet-300-100 and LeNet-5 on MNIST: what each penalty leaves of the
 * model when units and ranks are removed, and at which accuracy. Prints a table over strengths and energies, and says for each
 * claim of the paper whether it is seen: `npm run bench -- compression-aware [--model lenet-5] [--seeds 3] [--keep FOLDER]`.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Benchmark, Result } from './bench.ts';
import { keptFolder, runExperiments, spread, withKeptFolder, type ExperimentRun } from './experiments.ts';

/** Strengths for the layers of a model. The first and the last layers get less or nothing, as in the paper. */
interface Subject {
  /** Layers that are to be of low rank: all have the same tau. */
  readonly lowRank: readonly string[];
  /** lambda of each layer whose units may vanish. */
  readonly groups: Readonly<Record<string, number>>;
  readonly epochs: number;
}

const subjects: Readonly<Record<string, Subject>> = {
  'lenet-300-100': {
    lowRank: ['fc1', 'fc2'],
    groups: { fc1: 0.5, fc2: 0.5 },
    epochs: 10,
  },
  'lenet-5': {
    lowRank: ['conv2', 'fc1'],
    groups: { conv1: 0.1, conv2: 0.3, fc1: 0.4 },
    epochs: 8,
  },
};

/** In the last epochs the learning rate and the thresholds are a tenth, and the model recovers. */
const RECOVERS_FOR_EPOCHS = 3;
const STEPS_PER_EPOCH = 1100;
const LEARNING_RATE = 0.02;
/** Training images that are kept apart: evaluations during training are on them, the table's on the test split. */
const VALIDATION = 5000;
const TAUS = [5, 10, 20];
const ENERGIES = [0.8, 0.9, 1];
/** The largest loss of mean accuracy that counts as none, in percent: that of ten test images. */
const NOT_WORSE = 0.1;

interface Penalties {
  readonly tau: number;
  /** What each lambda of the model is multiplied by; 0 without groups. */
  readonly groups: number;
}

const NONE: Penalties = { tau: 0, groups: 0 };
/** Tried on the validation split, strongest first: the first that loses no accuracy there is taken, else the last. */
const SCALES = [1, 0.5, 0.25];

const nameOf = ({ tau, groups }: Penalties) =>
  [...(groups > 0 ? [`groups, lambda x ${groups}`] : []), ...(tau > 0 ? [`low rank, tau ${tau}`] : [])].join(' and ') ||
  'no penalty';

function compressionOf({ lowRank, groups }: Subject, chosen: Penalties): readonly object[] {
  const each = (names: readonly string[], parameters: (name: string) => object) =>
    Object.fromEntries(names.map((name) => [name, parameters(name)]));
  return [
    ...(chosen.tau > 0 ? [{ method: 'nuclear-norm', layers: each(lowRank, () => ({ tau: chosen.tau })) }] : []),
    ...(chosen.groups > 0
      ? [
          {
            method: 'group-lasso',
            layers: each(Object.keys(groups), (name) => ({ lambda: chosen.groups * groups[name] })),
          },
        ]
      : []),
  ];
}

function runOf(model: string, chosen: Penalties, seed: number): ExperimentRun {
  const subject = subjects[model];
  const list = compressionOf(subject, chosen);
  const overrides = [
    `model=builtin:${model}`,
    `data.validation=${VALIDATION}`,
    `training.optimizer.learningRate=${LEARNING_RATE}`,
    `training.learningRateSchedule.every=${(subject.epochs - RECOVERS_FOR_EPOCHS) * STEPS_PER_EPOCH}`,
    `training.epochs=${subject.epochs}`,
    `compression=${list.length === 0 ? 'null' : JSON.stringify(list)}`,
  ];
  const file = 'examples/mnist/lenet-5-compression-aware.deeptwist.jsonc';
  return { name: `${model} ${nameOf(chosen)}`, file, overrides, seed };
}

/** What thinning leaves of a run's model. */
interface Thinned {
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** On the test split, in percent: of the run's model, and of the thinned file. */
  readonly before: number;
  readonly after: number;
}

interface ThinReport {
  readonly value: number;
  readonly runValue: number;
  readonly thinning: {
    readonly parameters: { readonly after: number };
    readonly multiplyAdds: { readonly after: number };
  };
}

async function thin(run: string, energy: number): Promise<Thinned> {
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-bench-'));
  try {
    const args = ['bin/deeptwist.js', 'thin', run, '--energy', String(energy), '--out', join(folder, 'thin'), '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { value, runValue, thinning } = JSON.parse(stdout) as ThinReport;
    const { parameters, multiplyAdds } = thinning;
    return {
      parameters: parameters.after,
      multiplyAdds: multiplyAdds.after,
      before: 100 * runValue,
      after: 100 * value,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The seeds' models with the same penalties and energy. */
interface Cell extends Penalties {
  readonly energy: number;
  readonly seeds: readonly Thinned[];
}

const mean = (cell: Cell, figure: keyof Thinned) => spread(cell.seeds.map((one) => one[figure])).mean;

function printTable(model: string, cells: readonly Cell[]): void {
  console.log(`\n### ${model}\n`);
  console.log('| penalties | energy | parameters | multiply-adds | accuracy before, % | after thinning, % |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const cell of cells) {
    const accuracies = (['before', 'after'] as const).map((moment) => {
      const { mean: middle, deviation } = spread(cell.seeds.map((one) => one[moment]));
      return `${middle.toFixed(2)} ± ${deviation.toFixed(2)}`;
    });
    const sizes = (['parameters', 'multiplyAdds'] as const).map((figure) => mean(cell, figure).toFixed(0));
    console.log(`| ${[nameOf(cell), String(cell.energy), ...sizes, ...accuracies].join(' | ')} |`);
  }
}

/** The claims of section 5 of the paper, for each energy and tau: fewer parameters than `rival`, at an accuracy not worse. */
function claims(model: string, cells: readonly Cell[]): Result[] {
  const rivals: readonly { of: (cell: Cell) => boolean; rival: (cell: Cell) => Penalties }[] = [
    { of: ({ tau, groups }) => tau > 0 || groups > 0, rival: () => NONE },
    { of: ({ tau, groups }) => tau > 0 && groups > 0, rival: ({ groups }) => ({ tau: 0, groups }) },
    { of: ({ tau, groups }) => tau > 0 && groups > 0, rival: ({ tau }) => ({ tau, groups: 0 }) },
  ];
  return rivals.flatMap(({ of, rival }) =>
    cells.filter(of).map((cell) => {
      const { tau, groups } = rival(cell);
      const other = cells.find((one) => one.tau === tau && one.groups === groups && one.energy === cell.energy)!;
      const lost = mean(other, 'after') - mean(cell, 'after');
      const fewer = mean(cell, 'parameters') < mean(other, 'parameters');
      const seen = fewer && lost <= NOT_WORSE ? 'seen' : 'not seen';
      console.log(
        `${seen}: ${nameOf(cell)} beside ${nameOf(other)} at energy ${cell.energy}: ` +
          `${(mean(other, 'parameters') / mean(cell, 'parameters')).toFixed(2)}x fewer parameters, ` +
          `${lost > 0 ? `${lost.toFixed(2)} points lost` : `${(-lost).toFixed(2)} points won`}`,
      );
      return {
        case: `${model}, energy ${cell.energy}: ${nameOf(cell)}, ${seen}`,
        rival: nameOf(other),
        threads: 1,
        ours: mean(cell, 'parameters'),
        theirs: mean(other, 'parameters'),
        unit: 'parameters',
        ratio: mean(other, 'parameters') / mean(cell, 'parameters'),
        target: 1,
      };
    }),
  );
}

/** The strength of the groups, by seed 1 and the validation split. */
async function searchScale(model: string, keep: string): Promise<number> {
  const tried = [NONE, ...SCALES.map((groups) => ({ tau: 0, groups }))];
  const results = await runExperiments(
    tried.map((one) => runOf(model, one, 1)),
    { keep },
  );
  const [none, ...accuracies] = results.map(({ summary }) => 100 * summary.validation!);
  const scale = SCALES.find((_, index) => none - accuracies[index] <= NOT_WORSE) ?? SCALES.at(-1)!;
  const found = SCALES.map((one, index) => `x ${one}: ${accuracies[index].toFixed(2)}%`);
  console.log(
    `${model}, groups, validation split: none ${none.toFixed(2)}%, ${found.join(', ')}; x ${scale} is taken.`,
  );
  return scale;
}

async function measure(model: string, seeds: number, keep: string): Promise<Result[]> {
  const scale = await searchScale(model, keep);
  const penalties = [0, scale].flatMap((groups) => [0, ...TAUS].map((tau): Penalties => ({ tau, groups })));
  const chosen = penalties.flatMap((one) =>
    Array.from({ length: seeds }, (_, index) => ({ ...one, run: runOf(model, one, index + 1) })),
  );
  await runExperiments(
    chosen.map(({ run }) => run),
    { keep },
  );
  const cells: Cell[] = [];
  for (const one of penalties)
    for (const energy of ENERGIES) {
      const thinned: Thinned[] = [];
      for (const { run } of chosen.filter(({ tau, groups }) => tau === one.tau && groups === one.groups))
        thinned.push(await thin(keptFolder(keep, run), energy));
      cells.push({ ...one, energy, seeds: thinned });
    }
  printTable(model, cells);
  return claims(model, cells);
}

export default {
  options: {
    model: { type: 'string', multiple: true, default: Object.keys(subjects) },
    seeds: { type: 'string', default: '3' },
    keep: { type: 'string' },
  },
  async run({ model, seeds, keep }) {
    return withKeptFolder(keep, async (folder) => {
      const report: Result[] = [];
      for (const name of model as string[]) report.push(...(await measure(name, Number(seeds), folder)));
      return report;
    });
  },
} satisfies Benchmark;
