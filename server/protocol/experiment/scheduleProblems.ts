/** @file Settings that are each right and do not go together: when distortions happen, and when training ends. */
import type { SettingProblem } from './problem.ts';
import { valueAt } from './settingPath.ts';

/**
 * Checks the times of an experiment against one another: `schedule.from < schedule.to <= training.steps`, and
 * `distortEvery <= training.steps`, and at least one layer to compress. Settings that are missing or wrong by themselves
 * are passed over, so that the rest is still checked, and so are times in steps beside times in epochs: those are
 * compared when the length of an epoch is known.
 * @param document the settings as they stand in the file, before validation
 */
export function scheduleProblems(document: unknown): SettingProblem[] {
  const inEpochs = valueAt(document, ['compression', 'schedule', 'unit']) === 'epochs';
  const steps = setting(document, ['training', 'steps']);
  const end = inEpochs ? setting(document, ['training', 'epochs']) : steps;
  const distortEvery = setting(document, ['compression', 'distortEvery']);
  const from = setting(document, ['compression', 'schedule', 'from']);
  const to = setting(document, ['compression', 'schedule', 'to']);
  const problems: SettingProblem[] = [];

  function require(left: Setting, relation: 'at most' | 'below', right: Setting): void {
    if (left.value === undefined || right.value === undefined) return;
    if (relation === 'at most' ? left.value <= right.value : left.value < right.value) return;
    const message = `expected ${relation} ${right.path.join('.')} (${right.value}), got ${left.value}`;
    problems.push({ path: left.path, code: 'times', at: 'value', message, related: [right.path] });
  }
  require(distortEvery, 'at most', steps);
  require(to, 'at most', end);
  require(from, 'below', to);
  if (to.value === undefined) require(from, 'below', end);

  const layers = valueAt(document, ['compression', 'layers']);
  if (typeof layers === 'object' && layers !== null && Object.keys(layers).length === 0)
    problems.push({
      path: ['compression', 'layers'],
      code: 'wrong-value',
      at: 'value',
      message: 'expected at least one layer to compress',
    });
  return problems;
}

interface Setting {
  path: string[];
  /** Undefined where there is no number. */
  value: number | undefined;
}

function setting(document: unknown, path: string[]): Setting {
  const value = valueAt(document, path);
  return { path, value: typeof value === 'number' ? value : undefined };
}
