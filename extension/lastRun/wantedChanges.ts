/** @file The changes that a run is to take from its experiment file while it trains: pure, without VS Code. */
import { whyFixed } from '../../server/protocol/experiment/changeableSettings.ts';
import { JsonText } from '../../server/protocol/experiment/jsonText.ts';
import { openSettings } from '../../server/protocol/experiment/openSettings.ts';
import { parseOverride } from '../../server/protocol/experiment/overrides.ts';
import type { ExperimentSettings } from '../../server/protocol/experiment/schema.ts';
import type { SettingChange } from '../../server/protocol/experiment/settingChanges.ts';
import { isWithin, parseSettingPath, valueAt, type SettingPath } from '../../server/protocol/experiment/settingPath.ts';
import type { RunRecord } from '../../server/runs/runRecord.ts';

/** A run that trains. */
export interface ChangeableRun extends Pick<RunRecord, 'changes'> {
  /** Text of the experiment file as it was when the run began. */
  readonly text: string;
  /** Settings that the run trains with now. */
  readonly settings: ExperimentSettings;
}

/** The settings in which a file differs from its run that trains. */
export interface WantedChanges {
  /** Those that the run can take while it trains. */
  readonly applied: readonly SettingChange[];
  /** Those that the run keeps from its first step on. */
  readonly fixed: readonly SettingChange[];
  /** Those whose values the run was given by a sweep, a search or `--set`, and for which nobody has written another one into the file. */
  readonly given: readonly SettingChange[];
}

/**
 * @param changes from the settings of the run to those of the file
 * @param text of the file
 */
export function wantedChanges(changes: readonly SettingChange[], run: ChangeableRun, text: string): WantedChanges {
  const isWritten = writtenSince(run, text);
  const isFixed = ({ path }: SettingChange) => whyFixed(path, run.settings) !== undefined;
  const written = changes.filter(isWritten);
  return {
    applied: written.filter((change) => !isFixed(change)),
    fixed: written.filter(isFixed),
    given: changes.filter((change) => !isWritten(change)),
  };
}

/** Tells the settings whose values the text has changed since the run began, or since the run took another value. */
function writtenSince({ text: begun, changes = [] }: ChangeableRun, text: string): (change: SettingChange) => boolean {
  const then = new JsonText(begun).value();
  const now = new JsonText(text).value();
  const taken = changes.flatMap(({ values }) => values).flatMap((value) => parseOverride(value) ?? []);
  const open = openSettings(now);
  return (change) => {
    const path = parseSettingPath(change.path) ?? [];
    // The value of a setting that is open stands in no text.
    if (open.some((setting) => isWithin(setting.path, path))) return false;
    const wasTaken = taken.some((override) => isWithin(override.path, path) || isWithin(path, override.path));
    return wasTaken || written(then, path) !== written(now, path);
  };
}

/** The value that is written for a setting, as JSON; where there is none, the first key on the way to it that is missing. */
function written(document: unknown, path: SettingPath): string | number {
  const missing = path.findIndex((_, i) => valueAt(document, path.slice(0, i + 1)) === undefined);
  return missing === -1 ? JSON.stringify(valueAt(document, path)) : missing;
}
