/** @file What each layer can become by the compressions of an experiment: its settings, with the bytes that they leave and what they cost. Pure. */
import { predictSizes, type LayerSetting } from '../compression/predictSize.ts';
import { storedShape, viewOfWeight } from '../compression/targets/matrixView.ts';
import { assignTargets, type NamedWeight } from '../compression/targets/targets.ts';
import { isSizePredicted, methodFacts } from '../protocol/experiment/methods/index.ts';
import { isOpen } from '../protocol/experiment/openSettings.ts';
import type { Compression, Method, TargetConfig } from '../protocol/experiment/schema.ts';
import { oneCompression } from '../protocol/experiment/schema/compression.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import type { WrittenCompression } from '../protocol/experiment/writtenCompression.ts';
import { floatBytes } from '../protocol/shape.ts';
import { keysOf } from '../sensitivity/settings.ts';
import { costsOf, curveAt, ways, type Costs, type MeasuredWeight } from './ways.ts';

/** A compression of a weight. */
export interface LayerStage {
  /** Place of the compression in the list. */
  readonly compression: number;
  readonly method: Method;
  readonly parameter: string;
  /** Settings of the layer as the file has them. */
  readonly written: Readonly<Record<string, unknown>>;
  /** The values to choose among, from the weakest on; the one of the file where it has one. */
  readonly values: readonly number[];
  /** True where the file leaves the value open. */
  readonly isOpen: boolean;
}

/** A weight with what compresses it. */
export interface SearchedWeight {
  readonly weight: NamedWeight;
  /** What names it in `compression.layers`. */
  readonly key: string;
  readonly stages: readonly LayerStage[];
}

/** What a weight can become. */
export interface LayerOption {
  /** The value of each of its stages. */
  readonly values: readonly number[];
  readonly bytes: number;
  readonly costs: Costs;
}

/** How much fewer numbers are kept from one rate to the next. */
const RATE_STEP = 1.02;
/** At least so many numbers of a weight are kept. */
const LEAST_KEPT = 4;
/** How much smaller a rank is than the one before, where they are many. */
const RANK_STEP = 1.06;
const DIGITS = 5;

/**
 * The weights that compressions name, each with its compressions.
 * @param compressions as the file has them
 * @throws SettingError for layers that the model does not have, and for bounds within which a layer can have no value
 */
export function searchedWeights(
  compressions: readonly WrittenCompression[],
  weights: readonly NamedWeight[],
  bounds: TargetConfig['bounds'] = {},
): SearchedWeight[] {
  const keys = keysOf(weights);
  const stages = new Map<NamedWeight, LayerStage[]>();
  for (const [compression, { path, method, policy, layers }] of compressions.entries()) {
    if (!method || !isSizePredicted(method)) continue;
    const { targets, problems } = assignTargets<unknown, NamedWeight>(layers, weights);
    const [problem] = problems;
    if ((problem as typeof problem | undefined) !== undefined)
      throw new SettingError([...path, 'layers', problem.key], problem.reason, { at: 'key', remedy: problem.remedy });
    for (const { weight, parameters } of targets) {
      const written = parameters as Readonly<Record<string, unknown>>;
      const stage = stageOf(weight, { compression, method, policy, written }, bounds);
      stages.set(weight, [...(stages.get(weight) ?? []), stage]);
    }
  }
  return weights.flatMap((weight) => {
    const own = stages.get(weight);
    return own ? [{ weight, key: keys.get(weight) ?? weight.name, stages: own }] : [];
  });
}

function stageOf(
  weight: NamedWeight,
  { policy, ...own }: Pick<LayerStage, 'compression' | 'method' | 'written'> & Pick<WrittenCompression, 'policy'>,
  bounds: NonNullable<TargetConfig['bounds']>,
): LayerStage {
  const { method, written } = own;
  const [parameter] = Object.keys(methodFacts[method].parameters);
  const stage = { ...own, parameter };
  if (!isOpen({ method, policy }, written)) {
    const given = written[parameter];
    return { ...stage, values: [typeof given === 'number' ? given : NaN], isOpen: false };
  }
  const { rows, columns } = storedShape(viewOfWeight(weight));
  const [least, greatest] = (bounds as Readonly<Record<string, readonly [number, number] | undefined>>)[parameter] ?? [
    -Infinity,
    Infinity,
  ];
  const values = valuesOf(method, rows, columns).filter(
    (value) => value >= least && value <= greatest && layerSetting(stage, value) !== undefined,
  );
  if (values.length > 0) return { ...stage, values, isOpen: true };
  // The bounds are between two of the values, or no rank within them makes the matrix smaller, which then stays as it is.
  const whole = wholeOf(method, rows, columns);
  const nearest = Math.min(Number.isFinite(least) ? least : whole, whole);
  if (layerSetting(stage, nearest) === undefined)
    throw new SettingError(
      ['target', 'bounds', parameter],
      `${weight.name} can have no ${parameter} from ${least} to ${greatest}`,
      { remedy: `Widen the bounds, or give ${weight.name} its ${parameter} in "compression".` },
    );
  return { ...stage, values: [nearest], isOpen: true };
}

/** Values of the parameter that says how far a method compresses a matrix, from the weakest on. */
function valuesOf(method: Method, rows: number, columns: number): number[] {
  const { leaves } = methodFacts[method];
  const values: number[] = [];
  if (leaves === 'zeros')
    for (let kept = 1; kept * rows * columns >= Math.min(LEAST_KEPT, rows * columns); kept /= RATE_STEP)
      values.push(Number((1 - kept).toFixed(DIGITS)));
  else if (leaves === 'codes') for (let bits = 8; bits >= 1; bits--) values.push(bits);
  else {
    // From a rank on, factors are no fewer numbers.
    const full = Math.ceil((rows * columns) / (rows + columns)) - 1;
    for (let rank = full; rank >= 1; rank = Math.min(rank - 1, Math.floor(rank / RANK_STEP))) values.push(rank);
  }
  return [...new Set(values)];
}

/** The rank of the whole matrix; Infinity for other parameters. */
function wholeOf(method: Method, rows: number, columns: number): number {
  const { leaves } = methodFacts[method];
  return leaves === 'zeros' || leaves === 'codes' ? Infinity : Math.min(rows, columns);
}

/** The setting with its defaults; undefined for a value that the layer cannot have. */
function layerSetting(
  { method, parameter, written }: Pick<LayerStage, 'method' | 'parameter' | 'written'>,
  value: number,
): LayerSetting | undefined {
  const layer = Number.isNaN(value) ? written : { ...written, [parameter]: value };
  const { data } = oneCompression.safeParse({ method, distortEvery: 1, layers: { layer } });
  return data && ({ method, parameters: data.layers.layer } as LayerSetting);
}

/** The place of a value on an axis on which equal ratios of what is left are equally far apart. */
function placeOf(method: Method): (value: number) => number {
  const { leaves } = methodFacts[method];
  if (leaves === 'zeros') return (rate) => -Math.log(Math.max(1e-6, 1 - rate));
  return leaves === 'codes' ? (bits) => -bits : (rank) => -Math.log(rank);
}

/**
 * All that a weight can become.
 * @param measured of the weight; undefined where sizes alone are asked for
 */
export function optionsOf({ weight, stages }: SearchedWeight, measured?: MeasuredWeight): LayerOption[] {
  const curves = stages.map((stage) => {
    const place = placeOf(stage.method);
    const points = measured?.curves[stage.compression] ?? [];
    return stage.values.map((value) => ({
      value,
      setting: layerSetting(stage, value),
      // A value of the file costs the same whatever is chosen.
      ...(stage.isOpen ? curveAt(points, value, place) : { error: 0, rise: 0 }),
    }));
  });
  type Point = (typeof curves)[number][number];
  const combinations = curves.reduce<Point[][]>(
    (all, points) => all.flatMap((before) => points.map((point) => [...before, point])),
    [[]],
  );
  return combinations.map((points) => {
    const settings = points.flatMap(({ setting }) => setting ?? []);
    const [{ bytesKept }] = predictSizes([weight], () => settings);
    const costs = measured ? costsOf(measured, points) : (Object.fromEntries(ways.map((way) => [way, 0])) as Costs);
    return { values: points.map(({ value }) => value), bytes: bytesKept, costs };
  });
}

/** Bytes of the weights that nothing compresses, biases among them. */
export function otherBytes(weights: readonly NamedWeight[], searched: readonly SearchedWeight[]): number {
  const compressed = new Set(searched.map(({ weight }) => weight));
  return weights.reduce((sum, weight) => sum + (compressed.has(weight) ? 0 : floatBytes(weight.shape)), 0);
}

/**
 * The layers of each compression that has open settings, as a file has them: by the place of the compression in the list.
 * @param values of the stages of each weight
 */
export function writtenLayers(
  searched: readonly SearchedWeight[],
  values: readonly (readonly number[])[],
): ReadonlyMap<number, Readonly<Record<string, Compression['layers'][string]>>> {
  const layers = new Map<number, Record<string, Compression['layers'][string]>>();
  const open = new Set(
    searched.flatMap(({ stages }) => stages.filter(({ isOpen }) => isOpen).map(({ compression }) => compression)),
  );
  for (const [i, { key, stages }] of searched.entries())
    for (const [j, { compression, parameter, written, isOpen }] of stages.entries()) {
      if (!open.has(compression)) continue;
      const own = layers.get(compression) ?? {};
      layers.set(compression, own);
      own[key] = { ...(isOpen ? { [parameter]: values[i][j] } : {}), ...written };
    }
  return layers;
}
