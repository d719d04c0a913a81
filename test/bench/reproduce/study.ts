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

/** Makes numbers by name of the events of a run, which are recorded besides its result, for figures. */
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
   * The try with the best metric on the validation split is chosen; with `ratio`, for methods that find their ratio themselves, the one with
   * the highest ratio among the tries that are as good as the best one.
   */
  readonly chooses?: 'ratio';
  /** The pre-training of the same seed, whose weights all runs start from. */
  readonly start?: Pick<Training, 'name' | 'file' | 'overrides'>;
  readonly series?: Series;
  /** What papers give for the same network, as lines of Markdown. */
  readonly published: readonly string[];
}

/** The settings that were chosen in another case. */
export interface ChoiceElsewhere {
  readonly of: Case;
  /** Name of the rival there; by default the same name. */
  readonly rival?: string;
}

/** A picture beside the page. */
export interface Figure {
  /** Name of its file: `docs/results/NAME.svg`. */
  readonly name: string;
  readonly title: string;
  /** Undefined before there is something to draw. */
  content(outcomes: Outcomes): ChartContent | undefined;
}

export interface Study {
  /** Name of its page: `docs/results/NAME.md`. */
  readonly name: string;
  readonly title: string;
  /** What was run and why, as paragraphs of Markdown. */
  readonly introduction: readonly string[];
  readonly cases: readonly Case[];
  readonly figures?: readonly Figure[];
  /** The conclusion from all cases, as Markdown. */
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

/** The run folder of a training that others start from, relative to the checkout. */
const startFolder = ({ name, seed }: Training) => `.cache/runs/${name}-${seed}`;

/** The command line that repeats a training, with that of what it starts from; it is also what a run is found by. */
export function commandOf(training: Training): string {
  const { file, start } = training;
  // An experiment finds other runs from its own folder.
  const toCheckout = '../'.repeat(file.split('/').length - 1);
  const settings = settingsFor(training, (of) => toCheckout + startFolder(of));
  const command = `npx deeptwist run ${file}${settings.map((setting) => ` --set ${quoted(setting)}`).join('')}`;
  return start ? `${commandOf(start)} --out ${startFolder(start)} && ${command}` : command;
}

/**
 * The `path=value` texts with which a training is run.
 * @param folderOf the run folder of what it starts from
 */
export function settingsFor({ overrides, seed, start }: Training, folderOf: (start: Training) => string): string[] {
  return [
    ...overrides,
    'training.threads=1',
    `training.seed=${seed}`,
    ...(start ? [`start=run:${folderOf(start)}`] : []),
  ];
}

/** The shell replaces a variable between double quotes alone. */
const quoted = (setting: string) => (setting.includes('$') ? `"${setting}"` : `'${setting}'`);
