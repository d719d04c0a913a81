/** @file The page of a study, made from the records of its runs: a table a case, pictures, and what the papers say of it. */
import { chosenText } from './chosenText.ts';
import { markdownTable } from './markdownTable.ts';
import { differenceText, scaleOf, withMargin, type MetricScale } from './metricScale.ts';
import { ratioOf, testOf, type FindRecord, type Outcome, type Outcomes } from './outcomes.ts';
import { chooserOf, commandOf, finalsOf, SEED_OF_TRIES, settingsOf, type Case, type Study } from './study.ts';
import { pairsOf } from './verdict.ts';
import { claimsOfStudy } from './whatHolds.ts';

export interface PageOptions {
  readonly outcomes: Outcomes;
  readonly find: FindRecord;
  /** Results are of the seeds 1 to this number. */
  readonly seeds: number;
  /** Names of the pictures that were drawn. */
  readonly drawn: ReadonlySet<string>;
}

/** The page as Markdown. */
export function pageOf(study: Study, options: PageOptions): string {
  const { outcomes, seeds, drawn } = options;
  const own = claimsOfStudy(study.name, outcomes);
  return [
    `# ${study.title}`,
    '',
    `Written by \`npm run bench -- reproduce --table ${study.name}\` from [runs.jsonl](runs.jsonl), which has a line for each finished run. ${machinesOf(study, options)}`,
    '',
    ...study.introduction.flatMap((paragraph) => [paragraph, '']),
    `Each rival is tried with as many settings, with seed ${SEED_OF_TRIES}; the best try is that with the best metric on the validation split. The`,
    `figures are of the seeds 1 to ${seeds} on the test split: the mean ± half of its 95% interval (Student's t). The difference from the`,
    'first row is taken in pairs of the same seed; it is _more than noise_ where its interval does not hold 0.',
    ...study.cases
      .filter((work) => hasRuns(work, outcomes))
      .flatMap((work) => ['', `## ${work.name}`, '', ...caseLines(work, options)]),
    ...toCome(study, outcomes),
    ...(study.figures ?? [])
      .filter(({ name }) => drawn.has(name))
      .flatMap(({ name, title }) => ['', `## ${title}`, '', `![${title}](${name}.svg)`]),
    ...(study.conclusion ? ['', ...study.conclusion(outcomes)] : []),
    ...(own.length > 0 ? ['', '## What the papers say', '', ...own] : []),
    '',
  ].join('\n');
}

/** The machines and the days of the runs. */
function machinesOf({ cases }: Study, { outcomes }: PageOptions): string {
  const records = cases.flatMap((work) =>
    work.rivals.flatMap((rival) => [...outcomes.of(work.name, rival.name).runs.values()]),
  );
  const machines = [...new Set(records.map(({ machine }) => machine))].sort();
  const dates = [...new Set(records.map(({ date }) => date))].sort();
  if (dates.length === 0) return '';
  const days = dates.length === 1 ? dates[0] : `${dates[0]} to ${dates.at(-1)}`;
  return `They are of ${machines.join(' and ')}, ${days}.`;
}

const outcomesOf = ({ name, rivals }: Case, outcomes: Outcomes) => rivals.map((rival) => outcomes.of(name, rival.name));

const isBegun = ({ runs, diverged }: Outcome) => runs.size + diverged.length > 0;

const hasRuns = (work: Case, outcomes: Outcomes) => outcomesOf(work, outcomes).some(isBegun);

/** Trainings that a case still asks for. */
function missingOf(work: Case, outcomes: Outcomes): number {
  return outcomesOf(work, outcomes).reduce((sum, { missing }) => sum + missing, 0);
}

/** The cases of which no result is known yet. */
function toCome({ cases }: Study, outcomes: Outcomes): string[] {
  const rest = cases.filter((work) => !hasRuns(work, outcomes));
  if (rest.length === 0) return [];
  return [
    '',
    '## To come',
    '',
    'The command goes on with these:',
    '',
    ...rest.map((work) => `- ${work.name}: ${missingOf(work, outcomes)} runs`),
  ];
}

function caseLines(work: Case, { outcomes, find, seeds }: PageOptions): string[] {
  const all = outcomesOf(work, outcomes);
  const shown = all.filter(isBegun);
  const missing = missingOf(work, outcomes);
  const rest = missing === 0 ? [] : ['', `${missing} runs are to come: the command goes on with them.`];
  const [first] = all;
  const scale = metricOf(shown[0]);
  const [example] = shown;
  const [command] = finalsOf(work, example.rival, example.chosen!, seeds).filter((training) => find(training));
  const hours = all.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  return [
    ...markdownTable(
      ['', 'chosen', 'seeds', 'weight ratio', scale.header, 'difference', ''],
      shown.map((outcome) => outcomeRow(work, outcome, first, seeds)),
    ),
    ...(work.published.length > 0 ? ['', ...work.published] : []),
    ...rest,
    '',
    `Training took ${hours.toFixed(1)} hours by the clock, the tries included: one thread a run, on a machine that other work may have shared. A run of the first row again:`,
    '',
    '```sh',
    commandOf(command),
    '```',
  ];
}

function metricOf({ runs }: Outcome): MetricScale & { readonly header: string } {
  const [record] = runs.values();
  const metric = record?.metric ?? '';
  const scale = scaleOf(metric);
  return { ...scale, header: `test ${metric}${scale.unit === '' ? '' : `, ${scale.unit}`}` };
}

function outcomeRow(work: Case, outcome: Outcome, first: Outcome, seeds: number): string[] {
  const { rival, chosen = [], runs, diverged } = outcome;
  const count = runs.size === seeds ? String(seeds) : `${runs.size} of ${seeds}`;
  const withDiverged = diverged.length === 0 ? count : `${count}, ${diverged.length} diverged`;
  const chooser = chooserOf(work, rival);
  const name = [rival.name, chosenText(chosen, settingsOf(chooser.work, chooser.rival)), withDiverged];
  if (runs.size === 0) return [...name, '', '', '', ''];
  const scale = metricOf(outcome);
  const figures = [ratioOf(outcome).toFixed(1), withMargin(testOf(outcome), scale)];
  return [...name, ...figures, ...differenceCells(outcome, first, scale)];
}

function differenceCells(outcome: Outcome, first: Outcome, scale: MetricScale): string[] {
  const difference = outcome === first ? undefined : pairsOf(outcome, first);
  if (!difference) return ['', ''];
  const verdict = { true: 'more than noise', false: 'noise', undefined: 'too few seeds' } as const;
  return [differenceText(difference, scale), verdict[`${difference.isMoreThanNoise}`]];
}
