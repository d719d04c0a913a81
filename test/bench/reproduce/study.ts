/**
 * @file A table of a paper as a study that is fair by construction: each rival has the same tries, the best of them is chosen on the
 * validation split with a seed of its own, and the chosen ones are trained with the same seeds and compared in pairs on the test split.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import {
  sampleDifference,
  sampleStatistics,
  type SampleStatistics,
} from '../../../server/protocol/run/sampleStatistics.ts';
import { root } from '../../../scripts/root.js';
import { commandOf, runExperiments, type ExperimentResult, type ExperimentRun } from '../experiments.ts';
import { describeMachine } from '../machine.ts';

/** A method or a policy. */
export interface Rival {
  readonly name: string;
  /** `path=value` texts that make the experiment that of the rival. */
  readonly overrides: readonly string[];
}

/** Rivals that are compared with the first of them. */
export interface Case {
  readonly name: string;
  /** The experiment, relative to the checkout. */
  readonly file: string;
  /** `path=value` texts of all runs. */
  readonly overrides: readonly string[];
  readonly rivals: readonly Rival[];
  /** The `path=value` texts of each try, the same for all rivals. */
  readonly tries: readonly (readonly string[])[];
  /** What papers give for the same network, as lines of Markdown. */
  readonly published: readonly string[];
}

export interface Study {
  readonly title: string;
  /** What was run and why, as paragraphs of Markdown. */
  readonly introduction: readonly string[];
  readonly cases: readonly Case[];
}

/** Seed of the tries: it is not among those of the results. */
const SEED_OF_TRIES = 101;

export interface StudyOptions {
  /** The name of the page `docs/results/NAME.md`. */
  readonly name: string;
  /** Results are of the seeds 1 to this number. */
  readonly seeds: number;
  /** The folder of the run folders: what is finished there is not run again. */
  readonly keep: string;
  /** When no further run of a case is begun, in milliseconds of `Date.now()`. */
  readonly until: (name: string) => number;
}

/** What came of a rival of a case. */
export interface Outcome {
  readonly rival: Rival;
  /** The settings of the best try. */
  readonly chosen: readonly string[];
  readonly runs: readonly ExperimentResult[];
}

/** The runs of a case; undefined where the time was up before all were finished. */
async function runCase(work: Case, options: StudyOptions): Promise<Outcome[] | undefined> {
  const { seeds, keep } = options;
  const { tries } = work;
  const until = options.until(work.name);
  const run = (rival: Rival, chosen: readonly string[], seed: number): ExperimentRun => ({
    name: [work.name, rival.name, ...chosen.map(shortSetting)].join(' '),
    file: work.file,
    overrides: [...work.overrides, ...rival.overrides, ...chosen],
    seed,
  });
  const tried = await runExperiments(
    work.rivals.flatMap((rival) => tries.map((own) => run(rival, own, SEED_OF_TRIES))),
    { keep, until },
  );
  if (!tried) return undefined;
  const rivals = work.rivals.map((rival, i) => {
    return { rival, chosen: tries[bestOf(tried.slice(i * tries.length, (i + 1) * tries.length))] };
  });
  const finished = await runExperiments(
    rivals.flatMap(({ rival, chosen }) => Array.from({ length: seeds }, (_, i) => run(rival, chosen, i + 1))),
    { keep, until },
  );
  return finished && rivals.map((own, i) => ({ ...own, runs: finished.slice(i * seeds, (i + 1) * seeds) }));
}

/** Index of the run with the best validation accuracy. */
function bestOf(runs: readonly ExperimentResult[]): number {
  const accuracies = runs.map(({ name, summary }) => {
    if (summary.validation === undefined) throw new Error(`The run ${name} has no validation split.`);
    return summary.validation;
  });
  return accuracies.indexOf(Math.max(...accuracies));
}

/** `learningRate=0.001` of `training.optimizer.learningRate=0.001` */
const shortSetting = (override: string) => override.replace(/^[\w.]*\.(?=\w+=)/, '');

/** Runs what is left of a study and writes its page; cases that are not finished are named there. */
export async function runStudy(study: Study, options: StudyOptions): Promise<ReadonlyMap<string, readonly Outcome[]>> {
  const outcomes = new Map<string, readonly Outcome[]>();
  for (const work of study.cases) {
    const own = await runCase(work, options);
    if (own) outcomes.set(work.name, own);
    await writePage(study, outcomes, options);
  }
  return outcomes;
}

async function writePage(
  study: Study,
  outcomes: ReadonlyMap<string, readonly Outcome[]>,
  { name, seeds }: StudyOptions,
): Promise<void> {
  const { cpu, cores, node, date } = describeMachine();
  const lines = [
    `# ${study.title}`,
    '',
    `Written by \`npm run bench -- reproduce --table ${name} --seeds ${seeds}\` on ${date} (${cores} cores of an ${cpu}, Node ${node}).`,
    '',
    ...study.introduction.flatMap((paragraph) => [paragraph, '']),
    `Each rival was tried with the same settings, as many times, with seed ${SEED_OF_TRIES}; the best try is that of the best accuracy on the`,
    `validation split. The figures are of the seeds 1 to ${seeds} on the test split: the mean ± half of its 95% interval (Student's t). The`,
    `difference from the first row is taken in pairs of the same seed; it is _more than noise_ where its interval does not hold 0.`,
    ...study.cases.flatMap((work) => ['', `## ${work.name}`, '', ...caseLines(work, outcomes.get(work.name))]),
    '',
  ];
  const folder = join(root, 'docs', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.md`), await format(lines.join('\n'), { parser: 'markdown', printWidth: 140 }));
}

function caseLines(work: Case, outcomes: readonly Outcome[] | undefined): string[] {
  if (!outcomes) return ['Not run to the end yet: the command goes on with it.'];
  const [first] = outcomes;
  const hours =
    outcomes.flatMap(({ runs }) => runs).reduce((sum, { summary }) => sum + summary.trainingSeconds, 0) / 3600;
  return [
    '| | chosen | weight ratio | test accuracy, % | difference, points | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...outcomes.map((outcome) => outcomeRow(outcome, first)),
    '',
    ...work.published,
    '',
    `The first seed of the first row again: \`${commandOf(first.runs[0])}\`. Training of these rows took ${hours.toFixed(1)} hours of one thread.`,
  ];
}

function outcomeRow(outcome: Outcome, first: Outcome): string {
  const { rival, chosen, runs } = outcome;
  const ratio = sampleStatistics(runs.map(({ summary }) => summary.weightRatio)).mean;
  const difference = sampleDifference(accuracies(first), accuracies(outcome));
  const verdict =
    outcome === first
      ? ['', '']
      : [
          inPercent(difference),
          difference.isMoreThanNoise === undefined
            ? 'one seed'
            : difference.isMoreThanNoise
              ? 'more than noise'
              : 'noise',
        ];
  const cells = [
    rival.name,
    chosen.map(shortSetting).join(', '),
    ratio.toFixed(1),
    inPercent(sampleStatistics([...accuracies(outcome).values()])),
    ...verdict,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Test accuracy by seed. */
function accuracies({ runs }: Outcome): Map<number, number> {
  return new Map(runs.map(({ seed, summary }) => [seed, summary.test]));
}

const inPercent = ({ mean, margin }: Pick<SampleStatistics, 'mean' | 'margin'>) =>
  (100 * mean).toFixed(2) + (margin === undefined ? '' : ` ± ${(100 * margin).toFixed(2)}`);
