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
import { PlainWeights, type NoisyWeight, type TensorSpec } from './stored/storedWeights.ts';
import { measuringSteps } from './stored/trainedPoints.ts';
import type { MatchedWeight, NamedWeight } from './targets/targets.ts';

/** A compression with what the run has loaded for it. */
export interface PlannedCompression extends Placed<Compression> {
  /** `distort` of the user's module, for the method that calls it. */
  readonly custom?: CustomDistortion | undefined;
}

/** One compression of the list. */
export interface StagePlan {
  /** Path of the compression in the experiment. */
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
  /** True where weights or gradients are read or changed at every step, and not by distortions alone. */
  readonly actsAtEveryStep: boolean;
  /** Tensors that the optimizer trains in the place of weights. */
  readonly trained: readonly TensorSpec[];
  /** Weights that are distributions while they train. */
  readonly noisy: readonly NoisyWeight[];
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
  const replacing = stages.filter(
    (stage) =>
      trainedInstead(stage).length > 0 &&
      !policies[stage.compression.policy].trainsByTurns &&
      firstStepOf(stage.compression) === 0,
  );
  return {
    run,
    weights,
    stages,
    denseGradients: stages.some(
      ({ compression, units }) =>
        policies[compression.policy].denseGradients || units.some(({ pullBack, observe }) => pullBack ?? observe),
    ),
    actsAtEveryStep: stages.some(
      ({ compression, units }) =>
        policies[compression.policy].Stored !== PlainWeights ||
        units.some(({ pullBack, observe }) => pullBack ?? observe),
    ),
    trained,
    noisy: stages.flatMap(noisyWeights),
    replaced: new Set(replacing.flatMap(({ units }) => units.flatMap(namesOf))),
  };
}

/** The first step at which a compression acts. */
export function firstStepOf({ schedule }: Compression): number {
  return schedule?.from ?? 0;
}

/** The step from which on a compression compresses weights no further. */
function lastChangeOf({ policy, schedule }: Compression, { steps }: RunFacts): number {
  if (schedule && 'to' in schedule) return schedule.to;
  return policyFacts[policy].changesUntilEnd ? steps : 0;
}

/** Steps from one that computes with compressed weights to the next, under a policy that does so while it trains. */
export function stepsBetweenCompressed(compression: Compression): number {
  return ('straightThrough' in compression && compression.straightThrough?.every) || 1;
}

function trainedInstead({ compression, units }: StagePlan): TensorSpec[] {
  const row = policies[compression.policy];
  return row.trainedInstead === undefined ? [] : units.flatMap(row.trainedInstead);
}

function noisyWeights({ path, compression, units }: StagePlan): NoisyWeight[] {
  const row = policies[compression.policy];
  const own = settingsWithin(path, () => units.flatMap((unit) => row.noise?.(unit, compression) ?? []));
  return own.map((weight) => ({ ...weight, path }));
}

function namesOf({ targets }: Unit): string[] {
  return targets.map(({ weight }) => weight.name);
}

/** @param before the compressions that stand before it in the list */
function planStage(
  { path, settings, custom }: PlannedCompression,
  before: readonly StagePlan[],
  weights: readonly NamedWeight[],
  run: RunFacts,
): StagePlan {
  checkPolicy(settings);
  checkMeasuring(settings, run);
  const compression = policyFacts[settings.policy].ignoresSchedule ? { ...settings, schedule: undefined } : settings;
  const placed = { path, settings: compression };
  const own = createUnits(compression, weights, { ...run, custom });
  const [whole, parts] = [own.filter(({ after }) => after), own.filter(({ after }) => !after)];
  const weightsBefore = before.map(unitsByWeight);
  for (const target of own.flatMap(({ targets }) => targets)) {
    const ofWeight = before.filter((_, i) => weightsBefore[i].has(target.weight.name));
    if (ofWeight.length > 0) checkFollows(placed, ofWeight, target);
  }
  const units: Unit[] = [];
  const followers = new Map<Unit, Unit[]>();
  for (const part of parts) {
    const last = weightsBefore.findLast((ofWeight) => namesOf(part).some((name) => ofWeight.has(name)));
    if (!last) units.push(part);
    for (const earlier of sharing(part, last)) {
      if (!followers.has(earlier)) followers.set(earlier, []);
      followers.get(earlier)!.push(part);
    }
  }
  units.push(...whole.map((unit) => afterOthers(unit, weightsBefore)));
  for (const stage of before)
    for (const earlier of stage.units) {
      const later = followers.get(earlier);
      if (later) units.push(further(placed, stage, earlier, later, run));
    }
  return { path, compression, units };
}

/** The units of a compression, by the names of their weights. */
type UnitsByWeight = ReadonlyMap<string, Unit>;

function unitsByWeight({ units }: StagePlan): UnitsByWeight {
  return new Map(units.flatMap((unit) => namesOf(unit).map((name) => [name, unit] as const)));
}

/** The units of another compression that have weights of a unit. */
function sharing(unit: Unit, other: UnitsByWeight | undefined): Set<Unit> {
  return new Set(namesOf(unit).flatMap((name) => other?.get(name) ?? []));
}

/** A unit that distorts its weights as a whole, as earlier compressions have left them. */
function afterOthers(unit: Unit, weightsBefore: readonly UnitsByWeight[]): Unit {
  const earlier = weightsBefore.toReversed().flatMap((other) => [...sharing(unit, other)]);
  return earlier.length === 0 ? unit : unit.after!(earlier);
}

/** @throws SettingError where a compression cannot go on with a part of these weights, or with some of them alone */
function further(
  compression: Placed<Compression>,
  stage: StagePlan,
  earlier: Unit,
  later: readonly Unit[],
  run: RunFacts,
): Unit {
  const [first] = later[0].targets;
  checkGoesOn(compression, stage, later, run);
  const named = new Map(later.flatMap((unit) => unit.targets.map((target) => [target.weight.name, unit] as const)));
  const missing = earlier.targets.find((target) => !named.has(target.weight.name));
  if (missing)
    throw new SettingError(
      ['layers', first.key],
      `${first.weight.name} is compressed together with ${missing.weight.name}, which is not named here`,
      { at: 'key', remedy: 'Name both, so that what is left of both can be compressed further.' },
    );
  if (later.some(({ tensor }) => !tensor))
    throw new SettingError(
      ['layers', first.key],
      `"${compression.settings.method}" with these settings needs all of ${first.weight.name}, and gets what ${formatSettingPath(stage.path)} leaves of it`,
      {
        at: 'key',
        remedy:
          'Leave the layer out of one of the two, or choose settings that look at one weight and its values alone.',
      },
    );
  const { ignoresSchedule } = policyFacts[stage.compression.policy];
  const earlierFrom = firstStepOf(stage.compression);
  return new FurtherUnit(
    earlier,
    earlier.targets.map((target) => named.get(target.weight.name)!),
    { acts: (step) => step === run.steps || (step >= earlierFrom && !ignoresSchedule), lastStep: run.steps },
  );
}

/**
 * @param before the compressions of the weight that stand before it in the list, at least one
 * @throws SettingError where a compression cannot go on with what they leave of a weight
 */
function checkFollows(
  { path, settings }: Placed<Compression>,
  before: readonly StagePlan[],
  { weight, key }: MatchedWeight,
): void {
  const problem = followingProblem(
    { ...settings, place: formatSettingPath(path) },
    before.map((stage) => ({ ...stage.compression, place: formatSettingPath(stage.path) })),
    weight.name,
  );
  if (!problem) return;
  const { setting, reason, remedy } = problem;
  throw setting === 'key'
    ? new SettingError(['layers', key], reason, { at: 'key', remedy })
    : new SettingError(['policy'], reason, { remedy });
}

/** @throws SettingError where a policy cannot go on with a part of a weight, or with one that is still to change */
function checkGoesOn(
  { settings }: Placed<Compression>,
  { path, compression: earlier }: StagePlan,
  [{ pullBack, targets }]: readonly Unit[],
  run: RunFacts,
): void {
  const [{ weight }] = targets;
  const place = formatSettingPath(path);
  if (pullBack)
    throw new SettingError(
      ['straightThrough', 'gradient'],
      `"exact-scale" works with weights as a whole, and of ${weight.name} it gets what ${place} leaves`,
      { remedy: 'Choose "plain".' },
    );
  const from = firstStepOf(settings);
  const end = lastChangeOf(earlier, run);
  if (policyFacts[settings.policy].trainsInstead && end > from)
    throw new SettingError(
      ['schedule', 'from'],
      `expected at least ${end}, the step until which ${place} compresses ${weight.name} further, got ${from}`,
      {
        remedy: earlier.schedule
          ? 'Let it begin later, or the other end earlier.'
          : `Let it begin later, and give ${place} a schedule that ends by then.`,
      },
    );
}

/** @throws SettingError where the run would end before there are points to train */
function checkMeasuring(settings: Compression, { steps }: RunFacts): void {
  const measured = measuringSteps(settings);
  const left = steps - Math.max(1, firstStepOf(settings));
  if (measured <= left) return;
  throw new SettingError(
    ['pointsByGradient', 'steps'],
    `expected at most ${left}, the steps that are left of the run when its points are fitted, got ${measured}`,
    { remedy: 'Train for longer, let the compression begin earlier, or measure in fewer steps.' },
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
