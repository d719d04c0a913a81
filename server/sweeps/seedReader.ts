/** @file The seeds of the runs of a sweep. */
import { parseOverride } from '../protocol/experiment/overrides.ts';
import { parseExperiment } from '../protocol/experiment/parseExperiment.ts';
import { isWithin, type SettingPath } from '../protocol/experiment/settingPath.ts';
import type { PlannedRun, Sweep } from './sweepFolder.ts';

const SEED: SettingPath = ['training', 'seed'];

/** Finds the seed of a run of a plan. The experiment is checked once for each seed, not for each of many runs. */
export function seedReader(
  sweep: Pick<Sweep, 'experiment' | 'experimentText'>,
): (planned: Pick<PlannedRun, 'set'>) => Promise<number> {
  let text: Promise<string> | undefined;
  const seeds = new Map<string, number>();
  return async ({ set }) => {
    text ??= sweep.experimentText();
    const known = JSON.stringify(set.filter((one) => isWithin(SEED, parseOverride(one)?.path ?? SEED)));
    const seed =
      seeds.get(known) ?? parseExperiment(await text, { file: sweep.experiment, overrides: set }).training.seed;
    seeds.set(known, seed);
    return seed;
  };
}
