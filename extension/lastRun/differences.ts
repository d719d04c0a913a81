/** @file Where an experiment file differs from what a run was trained with, line by line: pure, without VS Code. */
import type { ExperimentSettings } from '../../server/protocol/config.ts';
import { JsonText } from '../../server/protocol/jsonText.ts';
import { checkExperiment } from '../../server/protocol/parseExperiment.ts';
import { settingChanges, type SettingChange } from '../../server/protocol/settingChanges.ts';
import { parseSettingPath } from '../../server/protocol/settingPath.ts';

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

/**
 * A setting that the file leaves out stands at the line of the part that it belongs to.
 * @returns undefined while the text is no valid experiment, as half of a value is typed
 */
export function differencesByLine(text: string, run: ExperimentSettings): LineDifferences[] | undefined {
  const { experiment } = checkExperiment(text);
  if (!experiment) return undefined;
  const json = new JsonText(text);
  const byLine = new Map<number, SettingChange[]>();
  for (const change of settingChanges(run, experiment)) {
    const line = json.placeOfKey(parseSettingPath(change.path) ?? []).line - 1;
    byLine.set(line, [...(byLine.get(line) ?? []), change]);
  }
  return Array.from(byLine, ([line, changes]) => ({
    line,
    changes,
    text: changes.map((change) => valueOf(change, standsAlone(json, change))).join(', '),
  })).sort((a, b) => a.line - b.line);
}

/** Whether its line tells which setting is meant: it is written there, and no other of its part beside it. */
function standsAlone(json: JsonText, { path }: SettingChange): boolean {
  const keys = parseSettingPath(path) ?? [];
  if (!json.has(keys)) return false;
  const { line } = json.placeOfKey(keys);
  const part = keys.slice(0, -1);
  return !json.keysOf(part).some((key) => key !== keys.at(-1) && json.placeOfKey([...part, key]).line === line);
}

function valueOf({ path, from }: SettingChange, alone: boolean): string {
  const text = from === undefined ? '–' : JSON.stringify(from);
  const short = text.length <= LENGTH ? text : `${text.slice(0, LENGTH - 1)}…`;
  return alone ? short : `${parseSettingPath(path)?.at(-1) ?? path} ${short}`;
}
