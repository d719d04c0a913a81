/** @file Differences of an experiment file from what a run was trained with, line by line: pure, without VS Code. */
import type { ExperimentSettings } from '../../server/protocol/experiment/schema.ts';
import { JsonText } from '../../server/protocol/experiment/jsonText.ts';
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import { settingChanges, type SettingChange } from '../../server/protocol/experiment/settingChanges.ts';
import { parseSettingPath, type SettingPath } from '../../server/protocol/experiment/settingPath.ts';
import { asOfRun } from '../runs/settingsOfRun.ts';

export interface LineDifferences {
  /** Counts from 0. */
  readonly line: number;
  /** From the run's value to the file's. */
  readonly changes: readonly SettingChange[];
  /** The run's values: `0.9`, or with names where a value alone would not tell which it is. */
  readonly text: string;
}

/** Characters of a value that are shown. */
const LENGTH = 60;
/** Changes of one line that are shown. */
const SHOWN = 20;

/** From the settings of a run to those of its file. */
export function differencesFromRun(run: ExperimentSettings, file: ExperimentSettings): SettingChange[] {
  return settingChanges(asOfRun(run), asOfRun(file));
}

/**
 * A setting that the file leaves out stands at the line of the part that it belongs to.
 * @returns undefined while the text is no valid experiment, as half of a value is typed
 */
export function differencesByLine(text: string, run: ExperimentSettings): LineDifferences[] | undefined {
  const { experiment } = checkExperiment(text);
  if (!experiment) return undefined;
  const json = new JsonText(text);
  const byLine = new Map<number, SettingChange[]>();
  for (const change of differencesFromRun(run, experiment)) {
    const line = json.placeOfKey(parseSettingPath(change.path) ?? []).line - 1;
    const changes = byLine.get(line);
    if (changes) changes.push(change);
    else byLine.set(line, [change]);
  }
  const neighbours = new Neighbours(json);
  return Array.from(byLine, ([line, changes]) => ({
    line,
    changes,
    text: changes
      .slice(0, SHOWN)
      .map((change) => valueOf(change, neighbours.standsAlone(change)))
      .join(', '),
  })).sort((a, b) => a.line - b.line);
}

/** The settings of a text that stand in one line with others of their part. */
class Neighbours {
  readonly #json: JsonText;
  /** How many keys of a part stand in each line. */
  readonly #counts = new Map<string, Map<number, number>>();

  constructor(json: JsonText) {
    this.#json = json;
  }

  /** True where the line alone tells which setting is meant: it is the only one of its section that is written there. */
  standsAlone({ path }: SettingChange): boolean {
    const keys = parseSettingPath(path) ?? [];
    if (!this.#json.has(keys)) return false;
    return this.#countsOf(keys.slice(0, -1)).get(this.#json.placeOfKey(keys).line) === 1;
  }

  #countsOf(part: SettingPath): Map<number, number> {
    const name = JSON.stringify(part);
    let counts = this.#counts.get(name);
    if (counts) return counts;
    counts = new Map();
    for (const key of new Set(this.#json.keysOf(part))) {
      const { line } = this.#json.placeOfKey([...part, key]);
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    this.#counts.set(name, counts);
    return counts;
  }
}

function valueOf({ path, from }: SettingChange, alone: boolean): string {
  const text = from === undefined ? '–' : JSON.stringify(from);
  const short = text.length <= LENGTH ? text : `${text.slice(0, LENGTH - 1)}…`;
  return alone ? short : `${parseSettingPath(path)?.at(-1) ?? path} ${short}`;
}
