/** @file What a compression does to a model, known from names and shapes alone: before there is memory for weights. */
import { policyFacts, suitablePolicies, unsuitablePolicy, worksWith } from '../protocol/experiment/methods/policies.ts';
import type { Compression } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { createUnits } from './methods/index.ts';
import type { RunFacts, Unit } from './methods/unit.ts';
import { policies } from './policies.ts';
import type { TensorSpec } from './stored/storedWeights.ts';
import type { NamedWeight } from './targets/targets.ts';

export interface CompressionPlan {
  readonly compression: Compression;
  readonly run: RunFacts;
  /** All weights of the model. */
  readonly weights: readonly NamedWeight[];
  readonly units: readonly Unit[];
  /** True where the gradient of every entry is needed: the gradient of an embedding may not come as rows then. */
  readonly denseGradients: boolean;
  /** Tensors that the optimizer trains in the place of weights. */
  readonly trained: readonly TensorSpec[];
  /** Names of the weights that the optimizer leaves alone, since something else is trained in their place from the first step on. */
  readonly replaced: ReadonlySet<string>;
}

/** @throws SettingError where layers, parameters, policy and weights do not fit together */
export function planCompression(
  settings: Compression,
  weights: readonly NamedWeight[],
  run: RunFacts,
): CompressionPlan {
  checkPolicy(settings);
  const { denseGradients, trainedInstead } = policies[settings.policy];
  const compression = policyFacts[settings.policy].ignoresSchedule ? { ...settings, schedule: undefined } : settings;
  const units = createUnits(compression, weights, run);
  const trained = trainedInstead === undefined ? [] : units.flatMap(trainedInstead);
  const isFromTheStart = trained.length > 0 && firstStepOf(compression) === 0;
  const replaced = new Set(
    isFromTheStart ? units.flatMap(({ targets }) => targets.map(({ weight }) => weight.name)) : [],
  );
  return { compression, run, weights, units, denseGradients, trained, replaced };
}

/** The first step at which a compression acts. */
export function firstStepOf({ schedule }: Compression): number {
  return schedule?.from ?? 0;
}

function checkPolicy({ policy, method }: Compression): void {
  if (worksWith(policy, method)) return;
  throw new SettingError(['compression', 'policy'], unsuitablePolicy(policy, method), {
    remedy: `Set policy to one of ${suitablePolicies(method)
      .map((name) => `"${name}"`)
      .join(', ')}, or choose that method.`,
  });
}
