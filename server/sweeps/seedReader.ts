/** @file The seeds of the runs of a sweep. */
import { JsonText } from '../protocol/experiment/jsonText.ts';
import { parseOverride } from '../protocol/experiment/overrides.ts';
import { withOverrides } from '../protocol/experiment/parseExperiment.ts';
import { training } from '../protocol/experiment/schema/training.ts';
import { isWithin, valueAt, type SettingPath } from '../protocol/experiment/settingPath.ts';
import type { PlannedRun, Sweep } from './sweepFolder.ts';

const SEED: SettingPath = ['training', 'seed'];
const seedSchema = training.shape.seed;

/** Finds the seed of a run of a plan, also where other settings of the run are wrong: it is read once for each seed, not for each of many runs. */
export function seedReader(
  sweep: Pick<Sweep, 'experimentText'>,
): (planned: Pick<PlannedRun, 'set'>) => Promise<number> {
  let text: Promise<string> | undefined;
  const seeds = new Map<string, number>();
  return async ({ set }) => {
    text ??= sweep.experimentText();
    const own = set.filter((one) => isWithin(SEED, parseOverride(one)?.path ?? SEED));
    const known = JSON.stringify(own);
    const seed = seeds.get(known) ?? seedOf(withOverrides(new JsonText(await text), own).document);
    seeds.set(known, seed);
    return seed;
  };
}

/** The default where it is none. */
function seedOf(document: unknown): number {
  return seedSchema.safeParse(valueAt(document, SEED)).data ?? seedSchema.parse(undefined);
}
