/** @file The runs that an experiment file's `sweep` makes, all of them checked before any of them is begun. */
import { Random } from '../formats/random.ts';
import { checkCombinations, checkWithSweep } from '../protocol/experiment/checkSweep.ts';
import { experimentError } from '../protocol/experiment/problem.ts';
import { formatCount } from '../protocol/formatQuantity.ts';
import { overrideWith } from '../protocol/experiment/overrides.ts';
import { sweptRuns, type SweptRun } from '../protocol/experiment/sweptRuns.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { loadExperiment, readForNewRuns } from '../runs/loadExperiment.ts';
import { searchSpace, type OptunaSearch } from './optuna/searchSettings.ts';
import type { Halving } from './rungs.ts';
import type { Combination } from './sweepFolder.ts';

export interface PlannedRuns {
  /** Exact text of the experiment file. */
  readonly text: string;
  /** `path=value` texts of all runs. */
  readonly overrides: readonly string[];
  readonly combinations: readonly Combination[];
  /** What chooses the settings of the runs, one after the other; undefined where all of them are known. */
  readonly optuna?: OptunaSearch | undefined;
  /** How runs are stopped early; undefined where all train to their ends. */
  readonly halving?: Halving | undefined;
  /** What the user should know. */
  readonly warnings: readonly string[];
}

/** Removes the sweep from the settings of a run, which is none itself. */
const NO_SWEEP = overrideWith(['sweep'], null).text;

/**
 * The runs of `sweep` in an experiment file.
 * @param overrides `path=value` texts of `--set`
 * @param optuna where the runs are those that Optuna asks for: its Python and its storage
 * @throws UserError with everything that is wrong in the file or in any of the runs, or where it has no sweep
 */
export async function plannedRuns(
  file: string,
  overrides: readonly string[],
  optuna?: Pick<OptunaSearch, 'python' | 'storage' | 'study'>,
): Promise<PlannedRuns> {
  const { text, name } = await readForNewRuns(file);
  const { experiment, problems: wrong } = checkWithSweep(text, overrides);
  if (!experiment) throw experimentError(name, wrong);
  const { sweep } = experiment;
  if (!sweep)
    throw new UserError(`${name} has no "sweep".`, {
      remedy: `Say in the file what to vary: "sweep": { "vary": { "training.seed": [1, 2, 3] } }. Seeds alone: deeptwist run FILE --seeds 1..3`,
      exitCode: ExitCode.usage,
    });
  if (optuna) {
    const search = { engine: 'optuna' as const, ...searchSpace(sweep), ...optuna };
    return { text, overrides: [...overrides, NO_SWEEP], combinations: [], optuna: search, warnings: [] };
  }
  const random = new Random(sweep.type === 'random' ? sweep.seed : 0);
  const all = sweptRuns(sweep, () => random.uniform());
  const runs = withoutRepetitions(all);
  const problems = checkCombinations(text, overrides, runs);
  if (problems.length > 0) throw experimentError(name, problems);
  const left = all.length - runs.length;
  return {
    text,
    overrides: [...overrides, NO_SWEEP],
    combinations: runs.map((run) => run.map(({ override }) => override.text)),
    halving: sweep.halving,
    warnings:
      left === 0 ? [] : [`${formatCount(left)} of the runs would have the settings of another: they are left out.`],
  };
}

/**
 * Runs of an experiment file that differ in the seed alone.
 * @throws UserError with everything that is wrong in the file
 */
export async function seededRuns(
  file: string,
  overrides: readonly string[],
  seeds: readonly number[],
): Promise<PlannedRuns> {
  const { text, experiment } = await loadExperiment(file, overrides);
  const combinations = seeds.map((seed) => [overrideWith(['training', 'seed'], seed).text]);
  const forAll = experiment.sweep ? [...overrides, NO_SWEEP] : overrides;
  return { text, overrides: forAll, combinations, warnings: [] };
}

function withoutRepetitions(runs: readonly SweptRun[]): SweptRun[] {
  const byText = new Map<string, SweptRun>();
  for (const run of runs) {
    const key = JSON.stringify(run.map(({ override }) => override.text));
    if (!byText.has(key)) byText.set(key, run);
  }
  return [...byText.values()];
}
