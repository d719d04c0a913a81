/** @file Settings for all layers together, measured together. */
import { firstDistortEvery } from '../protocol/experiment/firstExperiment.ts';
import type { Compression, Experiment, Method } from '../protocol/experiment/schema.ts';
import { groupBy } from '../protocol/groupBy.ts';
import { oneCompression } from '../protocol/experiment/schema/compression.ts';
import { frontOf, nextToEase, strongestWithin } from './fronts.ts';
import type { Measurement, Measurements } from './measurements.ts';
import type { SensitivityReport, SensitivitySuggestion } from '../protocol/run/sensitivityReport.ts';
import type { Trial } from './settings.ts';

export interface Suggesting {
  readonly experiment: Experiment;
  /** How much worse the metric may become, in its unit. */
  readonly maxDrop: number;
  /** By how much a measured metric is worse than that of the model as it is; null where it is not finite. */
  readonly dropOf: (measured: Measurement) => number | null;
  readonly measurements: Measurements;
}

/**
 * The strongest setting of each weight within the drop, and then, since drops of several weights do not just add up, eased one by one until
 * all together are within it.
 * @param trials of the cells, in the same order
 */
export async function suggest(
  { cells, weights, bytes }: Pick<SensitivityReport, 'cells' | 'weights' | 'bytes'>,
  trials: readonly Trial[],
  { experiment, maxDrop, dropOf, measurements }: Suggesting,
): Promise<SensitivitySuggestion> {
  const trialOf = new Map(cells.map((cell, i) => [cell, trials[i]]));
  const fronts = weights.map((weight) => ({
    ...weight,
    choices: frontOf(
      cells.filter((cell) => cell.weight === weight.name),
      weight.bytes,
    ),
  }));
  const places = fronts.map(({ choices }) => strongestWithin(choices, maxDrop));
  const drops: (number | null)[] = [];
  for (;;) {
    const layers = fronts.flatMap(({ key, choices }, i) => {
      const { cell, drop } = choices[places[i]];
      return cell ? [{ cell, drop, key }] : [];
    });
    const chosen = layers.flatMap(({ cell, key }) => {
      const trial = trialOf.get(cell);
      return trial ? [{ ...trial, key }] : [];
    });
    const measured = await measurements.of(together(chosen));
    const drop = dropOf(measured);
    drops.push(drop);
    if (drop === null || drop > maxDrop || measured.value === null) {
      const eased = nextToEase(
        fronts.map(({ choices }) => choices),
        places,
      );
      if (eased === undefined) throw new Error('The model as it is costs nothing.');
      places[eased]++;
      continue;
    }
    const saved = fronts.reduce((sum, { name, bytes: dense }) => sum + dense - (measured.bytes[name] ?? dense), 0);
    const compression = written(chosen, experiment);
    return {
      maxDrop,
      layers: layers.map(({ key, drop: alone, cell: { weight, method, parameter, setting, bytes: left } }) => ({
        ...{ key, weight, method, parameter, setting, bytes: left, drop: alone },
      })),
      sumOfDrops: layers.reduce((sum, { drop: alone }) => sum + alone, 0),
      drops,
      value: measured.value,
      drop,
      bytes: bytes - saved,
      ...(compression.length > 0 && { compression: compression.length === 1 ? compression[0] : compression }),
    };
  }
}

type Chosen = Trial & { readonly key: string };

/** The methods of some trials, each with its trials. */
function byMethod(chosen: readonly Chosen[]): [Method, Chosen[]][] {
  return [...groupBy(chosen, ({ method }) => method)];
}

/** The compression that distorts all weights once. */
function together(chosen: readonly Chosen[]): Compression[] {
  return byMethod(chosen).map(([method, trials]) => {
    const layers = Object.fromEntries(trials.map(({ weight, written: settings }) => [weight.name, settings]));
    return oneCompression.parse({ method, distortEvery: 1, layers });
  });
}

/** The same for an experiment file: by DeepTwist, with the steps between two distortions that a first experiment has. */
function written(chosen: readonly Chosen[], { data, training }: Experiment): Readonly<Record<string, unknown>>[] {
  return byMethod(chosen).map(([method, trials]) => {
    const length = { count: training.steps, unit: 'steps' } as const;
    const { count } = firstDistortEvery(method, { dataType: data.type, length });
    return {
      method,
      distortEvery: count,
      layers: Object.fromEntries(trials.map(({ key, written: settings }) => [key, settings])),
    };
  });
}
