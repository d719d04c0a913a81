/** @file The compression methods, one row each: a method of the experiment file has no meaning before it has its row here. */
import type { Compression, Method } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import type { NamedWeight } from '../targets/targets.ts';
import { customMethod } from './custom/row.ts';
import { groupLasso } from './groupLasso/row.ts';
import { lowRank } from './lowRank/row.ts';
import { nuclearNorm } from './nuclearNorm/row.ts';
import { pruning } from './prune/row.ts';
import { quantization } from './quantize/row.ts';
import { refusedTargets } from './refused.ts';
import type { CompressionOf, MethodRow, ParametersOf, PredictedSize, PredictedWeight, RunFacts, Unit } from './unit.ts';

const methods: { readonly [M in Method]: MethodRow<M> } = {
  prune: pruning,
  quantize: quantization,
  'low-rank': lowRank,
  'nuclear-norm': nuclearNorm,
  'group-lasso': groupLasso,
  custom: customMethod,
};

/** Groups the weights that a compression names. @throws SettingError for settings that do not fit the weights */
export function createUnits(compression: Compression, weights: readonly NamedWeight[], run: RunFacts): Unit[] {
  const units = unitsOf<Method>(compression.method, compression, weights, run);
  const [wrong] = units.flatMap(({ targets }) => refusedTargets(compression.method, targets));
  if (wrong) throw new SettingError(['layers', wrong.key], wrong.reason, { at: 'key', remedy: wrong.remedy });
  return units;
}

function unitsOf<M extends Method>(
  method: M,
  compression: CompressionOf<M>,
  weights: readonly NamedWeight[],
  run: RunFacts,
): Unit[] {
  return methods[method].createUnits(compression, weights, run);
}

/** How a weight is compressed. */
export type LayerSetting = { [M in Method]: { readonly method: M; readonly parameters: ParametersOf<M> } }[Method];

/** The size that each weight is expected to have, told from shapes alone. */
export function predictedSizes(
  settings: ReadonlyMap<NamedWeight, LayerSetting>,
): ReadonlyMap<NamedWeight, PredictedSize> {
  const targets: TargetsByMethod = {
    prune: [],
    quantize: [],
    'low-rank': [],
    'nuclear-norm': [],
    'group-lasso': [],
    custom: [],
  };
  for (const [weight, { method, parameters }] of settings) add<Method>(targets, method, { weight, parameters });
  return new Map([
    ...sizesOf('prune', targets),
    ...sizesOf('quantize', targets),
    ...sizesOf('low-rank', targets),
    ...sizesOf('nuclear-norm', targets),
    ...sizesOf('group-lasso', targets),
    ...sizesOf('custom', targets),
  ]);
}

type TargetsByMethod = { readonly [M in Method]: PredictedWeight<M>[] };

function add<M extends Method>(targets: TargetsByMethod, method: M, target: PredictedWeight<M>): void {
  targets[method].push(target);
}

function sizesOf<M extends Method>(method: M, targets: TargetsByMethod): [NamedWeight, PredictedSize][] {
  const sizes = methods[method].predictSizes(targets[method]);
  return targets[method].map(({ weight }, i) => [weight, sizes[i]]);
}
