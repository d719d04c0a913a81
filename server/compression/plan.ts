/** @file What the compressions of an experiment do to a model, known from names and shapes alone: before there is memory for weights. */
import type { Placed } from '../protocol/experiment/compressions.ts';
import { followingProblem } from '../protocol/experiment/methods/following.ts';
import { policyFacts, suitablePolicies, unsuitablePolicy, worksWith } from '../protocol/experiment/methods/policies.ts';
import type { Compression } from '../protocol/experiment/schema.ts';
import { SettingError, settingsWithin } from '../protocol/experiment/settingError.ts';
import { formatSettingPath, type SettingPath } from '../protocol/experiment/settingPath.ts';
import type { CustomDistortion } from './methods/custom/custom.ts';
import { FurtherUnit } from './methods/furtherUnit.ts';
import { createUnits } from './methods/index.ts';
import type { RunFacts, Unit } from './methods/unit.ts';
import { policies } from './policies.ts';
import type { TensorSpec } from './stored/storedWeights.ts';
import type { NamedWeight } from './targets/targets.ts';

/** A compression with what the run has loaded for it. */
export interface PlannedCompression extends Placed<Compression> {
  /** `distort` of the user's module, for the method that calls it. */
  readonly custom?: CustomDistortion | undefined;
}

/** One compression of the list. */
export interface StagePlan {
  /** Where the experiment has it. */
  readonly path: SettingPath;
  readonly compression: Compression;
  readonly units: readonly Unit[];
}

export interface CompressionPlan {
  readonly run: RunFacts;
  /** All weights of the model. */
  readonly weights: readonly NamedWeight[];
  /** In the order in which they are applied. */
  readonly stages: readonly StagePlan[];
  /** True where the gradient of every entry is needed: the gradient of an embedding may not come as rows then. */
  readonly denseGradients: boolean;
  /** Tensors that the optimizer trains in the place of weights. */
  readonly trained: readonly TensorSpec[];
  /** Names of the weights that the optimizer leaves alone, since something else is trained in their place from the first step on. */
  readonly replaced: ReadonlySet<string>;
}

/** @throws SettingError where layers, parameters, policies and weights do not fit together */
export function planCompression(
  compressions: readonly PlannedCompression[],
  weights: readonly NamedWeight[],
  run: RunFacts,
): CompressionPlan {
  const stages: StagePlan[] = [];
  for (const compression of compressions)
    stages.push(settingsWithin(compression.path, () => planStage(compression, stages, weights, run)));
  const trained = stages.flatMap(trainedInstead);
  const replacing = stages.filter((stage) => trainedInstead(stage).length > 0 && firstStepOf(stage.compression) === 0);
  return {
    run,
    weights,
    stages,
    denseGradients: stages.some(({ compression }) => policies[compression.policy].denseGradients),
    trained,
    replaced: new Set(replacing.flatMap(({ units }) => weightsOf(units))),
  };
}

/** The first step at which a compression acts. */
export function firstStepOf({ schedule }: Compression): number {
  return schedule?.from ?? 0;
}

function trainedInstead({ compression, units }: StagePlan): TensorSpec[] {
  const row = policies[compression.policy];
  return row.trainedInstead === undefined ? [] : units.flatMap(row.trainedInstead);
}

function weightsOf(units: readonly Unit[]): string[] {
  return units.flatMap(({ targets }) => targets.map(({ weight }) => weight.name));
}

/** @param before the compressions that stand before it in the list */
function planStage(
  { path, settings, custom }: PlannedCompression,
  before: readonly StagePlan[],
  weights: readonly NamedWeight[],
  run: RunFacts,
): StagePlan {
  checkPolicy(settings);
  const compression = policyFacts[settings.policy].ignoresSchedule ? { ...settings, schedule: undefined } : settings;
  const own = createUnits(compression, weights, { ...run, custom });
  const units = own.filter((unit) => stageOf(unit, before) === undefined);
  for (const stage of before)
    for (const earlier of stage.units) {
      const later = own.filter((unit) => stageOf(unit, before) === stage && shareWeights(earlier, unit));
      if (later.length > 0) units.push(further({ path, settings: compression }, stage, earlier, later, run));
    }
  return { path, compression, units };
}

/** The last of the compressions that has a weight of the unit. */
function stageOf(unit: Unit, stages: readonly StagePlan[]): StagePlan | undefined {
  return stages.findLast(({ units }) => units.some((earlier) => shareWeights(earlier, unit)));
}

function shareWeights(a: Unit, b: Unit): boolean {
  const names = new Set(weightsOf([a]));
  return weightsOf([b]).some((name) => names.has(name));
}

/** @throws SettingError where a compression cannot go on with what the earlier one leaves of these weights */
function further(
  { path, settings: compression }: Placed<Compression>,
  stage: StagePlan,
  earlier: Unit,
  later: readonly Unit[],
  { steps }: RunFacts,
): Unit {
  const [{ weight, key }] = later[0].targets;
  const refuse = (setting: SettingPath, reason: string, remedy: string) =>
    new SettingError(setting, reason, { remedy, at: setting[0] === 'layers' ? 'key' : 'value' });
  const problem = followingProblem(
    { ...compression, place: formatSettingPath(path) },
    { ...stage.compression, place: formatSettingPath(stage.path) },
    weight.name,
  );
  if (problem) throw refuse(problem.setting === 'key' ? ['layers', key] : ['policy'], problem.reason, problem.remedy);
  const named = new Map(later.flatMap((unit) => unit.targets.map((target) => [target.weight.name, unit] as const)));
  const missing = earlier.targets.find((target) => !named.has(target.weight.name));
  if (missing)
    throw refuse(
      ['layers', key],
      `${weight.name} shares its projection with ${missing.weight.name}, which is not named here`,
      'Name both, so that the factors of both can be compressed further.',
    );
  const { ignoresSchedule } = policyFacts[stage.compression.policy];
  const from = firstStepOf(stage.compression);
  return new FurtherUnit(
    earlier,
    earlier.targets.map((target) => named.get(target.weight.name)!),
    { acts: (step) => step === steps || (step >= from && !ignoresSchedule), lastStep: steps },
  );
}

function checkPolicy({ policy, method }: Compression): void {
  if (worksWith(policy, method)) return;
  throw new SettingError(['policy'], unsuitablePolicy(policy, method), {
    remedy: `Set policy to one of ${suitablePolicies(method)
      .map((name) => `"${name}"`)
      .join(', ')}, or choose that method.`,
  });
}
