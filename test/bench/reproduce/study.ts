/**
 * @file A table or a figure of a paper as a study that is fair by construction: each rival has the same number of tries, the best of them is
 * chosen on the validation split with a seed of its own, and the chosen ones are trained with the same seeds and compared in pairs on
 * the test split.
 */
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import type { ChartContent } from '../../../webview/charts/model/content.ts';
import type { Outcomes } from './outcomes.ts';

/** One training by the command line. */
export interface Training {
  readonly name: string;
  /** The experiment, relative to the checkout. */
  readonly file: string;
  /** `path=value` texts; `$PTB` stands for the folder of that corpus. */
  readonly overrides: readonly string[];
  readonly seed: number;
  /** The training whose final weights it begins with. */
  readonly start?: Training | undefined;
  readonly series?: Series | undefined;
}

/** What is recorded of a run besides its result, for figures: numbers by name, made of its events. */
export type Series = (events: readonly RunEvent[]) => Readonly<Record<string, readonly number[]>>;

/** A method, a policy, or the same training without a compression. */
export interface Rival {
  readonly name: string;
  /** `path=value` texts that make the experiment that of the rival. */
  readonly overrides: readonly string[];
  /** Tries of its own where those of the case make no sense for it: as many. */
  readonly tries?: readonly (readonly string[])[];
}

/** Rivals that are compared with the first of them. */
export interface Case {
  readonly name: string;
  readonly file: string;
  /** `path=value` texts of all runs. */
  readonly overrides: readonly string[];
  readonly rivals: readonly Rival[];
  /** The `path=value` texts of each try, the same for all rivals: a single one is not tried. Or the choice that was made elsewhere. */
  readonly tries: readonly (readonly string[])[] | ChoiceElsewhere;
  /**
   * What is chosen by: the best metric on the validation split. Or, of methods that find their ratio themselves, the highest ratio among
   * the tries that are as good as the best one.
   */
  readonly chooses?: 'ratio';
  /** What all runs start from, pre-trained with the same seed. */
  readonly start?: Pick<Training, 'name' | 'file' | 'overrides'>;
  readonly series?: Series;
  /** What papers give for the same network, as lines of Markdown. */
  readonly published: readonly string[];
}

/** The settings that were chosen in another case. */
export interface ChoiceElsewhere {
  readonly of: Case;
  /** By that rival; by default the one of the same name. */
  readonly rival?: string;
}

/** A picture beside the page. */
export interface Figure {
  /** Of its file, `docs/results/NAME.svg`. */
  readonly name: string;
  readonly title: string;
  /** Undefined before there is something to draw. */
  content(outcomes: Outcomes): ChartContent | undefined;
}

export interface Study {
  /** Of its page, `docs/results/NAME.md`. */
  readonly name: string;
  readonly title: string;
  /** What was run and why, as paragraphs of Markdown. */
  readonly introduction: readonly string[];
  readonly cases: readonly Case[];
  readonly figures?: readonly Figure[];
  /** What follows from all cases, as Markdown. */
  conclusion?(outcomes: Outcomes): readonly string[];
}

/** Seed of the tries: it is not among those of the results. */
export const SEED_OF_TRIES = 101;

/** The trainings by which the settings of a rival are chosen; none where there is no choice. */
export function triesOf(work: Case, rival: Rival): Training[] {
  const tries = settingsOf(work, rival);
  return tries.length < 2 ? [] : tries.map((own) => trainingOf(work, rival, own, SEED_OF_TRIES));
}

/** The settings that a rival is tried with. */
export function settingsOf({ tries }: Case, rival: Rival): readonly (readonly string[])[] {
  return rival.tries ?? ('of' in tries ? [] : tries);
}

/** The case and the rival whose tries choose the settings of a rival. */
export function chooserOf(work: Case, rival: Rival): { readonly work: Case; readonly rival: Rival } {
  const { tries } = work;
  if (rival.tries || !('of' in tries)) return { work, rival };
  const name = tries.rival ?? rival.name;
  const chooser = tries.of.rivals.find((one) => one.name === name);
  if (!chooser) throw new Error(`${tries.of.name} has no rival ${name}, whose settings ${work.name} asks for.`);
  return { work: tries.of, rival: chooser };
}

/** The trainings whose results count: the chosen settings with the seeds 1 to `seeds`. */
export function finalsOf(work: Case, rival: Rival, chosen: readonly string[], seeds: number): Training[] {
  return Array.from({ length: seeds }, (_, index) => trainingOf(work, rival, chosen, index + 1));
}

function trainingOf(work: Case, rival: Rival, chosen: readonly string[], seed: number): Training {
  const { name, file, overrides, start, series } = work;
  return {
    name: [name, rival.name, ...chosen.map(shortSetting)].join(' '),
    file,
    overrides: [...overrides, ...rival.overrides, ...chosen],
    seed,
    start: start && { ...start, seed },
    series: seed === SEED_OF_TRIES ? undefined : series,
  };
}

/** `learningRate=0.001` of `training.optimizer.learningRate=0.001` */
export function shortSetting(override: string): string {
  return override.replace(/^[\w.*]*\.(?=\w+=)/, '');
}

/** Where the run folder of a training that others start from is put, relative to the checkout. */
const startFolder = ({ name, seed }: Training) => `.cache/runs/${name}-${seed}`;

/** The command line that repeats a training, with that of what it starts from; it is also what a run is found by. */
export function commandOf(training: Training): string {
  const { file, overrides, seed, start } = training;
  const all = [...overrides, 'training.threads=1', `training.seed=${seed}`];
  // An experiment finds other runs from its own folder.
  if (start) all.push(`start=run:${'../'.repeat(file.split('/').length - 1)}${startFolder(start)}`);
  const command = `npx deeptwist run ${file}${all.map((override) => ` --set ${quoted(override)}`).join('')}`;
  return start ? `${commandOf(start)} --out ${startFolder(start)} && ${command}` : command;
}

/** A variable is replaced by the shell between double quotes alone. */
const quoted = (override: string) => (override.includes('$') ? `"${override}"` : `'${override}'`);
