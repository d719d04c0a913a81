/** @file Checks an experiment file together with the runs of its sweep, each problem at its place in `sweep`. */
import { JsonText } from './jsonText.ts';
import { checkExperiment, problemsOf, withOverrides, type CheckedExperiment } from './parseExperiment.ts';
import { located, type Problem } from './problem.ts';
import { runProblems, sweepProblems } from './sweepProblems.ts';
import type { SweptRun } from './sweptRuns.ts';

/**
 * Checks an experiment file, and the names, the bounds and the number of the runs of its sweep, and those runs in which each value is once.
 * @param overrides `path=value` texts of `--set`, applied to the file's settings in their order
 */
export function checkWithSweep(text: string | JsonText, overrides: readonly string[] = []): CheckedExperiment {
  return checkExperiment(text, overrides, (document, { sweep }) => sweepProblems(document, sweep, problemsOf));
}

/**
 * Everything that is wrong with runs of a sweep, at what made it wrong in `sweep` of the file.
 * @param text of a file that has no problem by itself
 */
export function checkCombinations(text: string, overrides: readonly string[], runs: readonly SweptRun[]): Problem[] {
  const json = new JsonText(text);
  const { document, applied } = withOverrides(json, overrides);
  return runProblems(document, runs, problemsOf)
    .map((problem) => located(problem, json, applied))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}
