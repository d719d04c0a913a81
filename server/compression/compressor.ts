/** @file Drives one compression through a training run: the training loop calls it at four points of every step. */
import type { Compression, Method } from '../protocol/experiment/schema.ts';
import type { CompressionSetting, EventOf, LayerSize } from '../protocol/run/events.ts';
import { isDistortionStep } from '../protocol/experiment/distortionSteps.ts';
import { policyTraits, suitablePolicies, unsuitablePolicy } from '../protocol/experiment/policyTraits.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import type { CustomDistortion } from './methods/custom/custom.ts';
import { weightHistogram } from './histogram.ts';
import {
  methods,
  type CompressedWeight,
  type CompressionOf,
  type ParametersOf,
  type ScheduleOf,
} from './methods/index.ts';
import { policies } from './policies.ts';
import { denseSize, layerSize } from './size.ts';
import type { CompressionState, Projection } from './stored/storedWeights.ts';
import { matchTargets, type CompressibleWeight, type Target } from './targets/targets.ts';

/**
 * Every so many distortions, and at the last, a low-rank approximation is computed from the start; the others begin with
 * the last one's basis, which is a fraction of the work. `updateTruncation` says how near the optimum these come; that nothing
 * adds up from one to the next is a precaution, at a few milliseconds a distortion.
 */
const REFRESH_EVERY = 10;

/** What a distortion did to a weight: a row of the run event. */
export type DistortionReport = EventOf<'distortion'>['weights'][number];

export interface CompressorOptions {
  /** Length of the run, in training steps. */
  readonly steps: number;
  readonly seed: number;
  /** `distort` of the user's module, for the method `custom`. */
  readonly custom?: CustomDistortion;
}

/** Other settings for a compression, which fit it. */
export interface CompressionChange {
  /**
   * Whether settings can take effect right after a step, before its distortion: where one is due by the settings so far or by
   * these; under a policy that distorts at the end only, after every step.
   */
  takesEffectAfter(step: number): boolean;
  apply(): void;
}

/**
 * One training step is: `beforeStep`, forward and backward, `beforeUpdate`, the optimizer's update, `afterUpdate`, and
 * `distort` where {@link distortsAfter} says so. Steps count from 1. An evaluation between two steps stands between
 * `beforeEvaluation` and `afterEvaluation`, so that it sees the weights that the model computes with and changes nothing.
 */
export interface Compressor {
  /** The weights that are compressed. */
  readonly targets: readonly Target<unknown>[];
  /** How a target is compressed at a step. */
  settingAt(target: Target<unknown>, step: number): CompressionSetting;
  /** Whether {@link distort} is due right after a step. */
  distortsAfter(step: number): boolean;
  /**
   * Distorts the weights in place. With `report`, returns what was done to each target, histograms on that many bins;
   * without, nothing is copied or measured and the result is empty.
   */
  distort(step: number, report?: { bins: number }): Promise<DistortionReport[]>;
  /** What {@link distort} would report of a distortion after this step, found on copies: nothing that trains is changed. */
  preview(step: number, report: { bins: number }): Promise<DistortionReport[]>;
  beforeStep(step: number): void | Promise<void>;
  beforeEvaluation(step: number): void | Promise<void>;
  afterEvaluation(): void;
  beforeUpdate(): void | Promise<void>;
  afterUpdate(): void | Promise<void>;
  /** The compressed form of each target, by name, as the last distortion left it. */
  readonly compressed: ReadonlyMap<string, CompressedWeight>;
  /** Sizes of all weights of the model, compressed or not, in their order. */
  sizes(weights: readonly CompressibleWeight[]): LayerSize[];
  /**
   * Checks other parameters of the same layers, another schedule or S_D. Nothing changes before the result is applied.
   * @throws SettingError where they do not fit the weights
   */
  prepareChange(compression: Compression): CompressionChange;
  /** What a checkpoint must hold besides the weights. The arrays are live: copy or write them before the next step. */
  readonly state: CompressionState;
  /** @throws RangeError where the state is not one of this compression */
  restore(state: CompressionState): void;
}

/** @throws SettingError where layers, parameters, policy and weights do not fit together */
export function createCompressor(
  compression: Compression,
  weights: readonly CompressibleWeight[],
  options: CompressorOptions,
): Compressor {
  return compressorOf<Method>(compression.method, compression, weights, options);
}

function compressorOf<M extends Method>(
  method: M,
  compression: CompressionOf<M>,
  weights: readonly CompressibleWeight[],
  { steps, seed, custom }: CompressorOptions,
): Compressor {
  const row = methods[method];
  const policy = policies[compression.policy];
  const { distorts } = policyTraits[compression.policy];
  checkPolicy(compression);
  const targets = matchTargets<ParametersOf<M>>(compression.layers as Record<string, ParametersOf<M>>, weights);
  /** Those in effect. */
  let settings = compression;
  let units = row.units(targets);
  const scheduleOf = (of: CompressionOf<M>) => (policy.ignoresSchedule ? undefined : of.schedule) as ScheduleOf<M>;
  const fromOf = (of: CompressionOf<M>) => scheduleOf(of)?.from ?? 0;
  const distortsAfter = (step: number, of: CompressionOf<M>) =>
    step === steps ||
    (distorts === 'every-so-often' && isDistortionStep(step, { distortEvery: of.distortEvery, from: fromOf(of) }));
  const compressed = new Map<string, CompressedWeight>();
  /** What the last truncation of each low-rank unit left to start from, by its key in a checkpoint. */
  const bases = new Map<string, Float32Array>();
  const isRefresh = (step: number) => step === steps || step % (REFRESH_EVERY * settings.distortEvery) === 0;
  const settingAt = (target: Target<unknown>, step: number) =>
    row.settingAt(target.parameters as ParametersOf<M>, scheduleOf(settings), step);

  const reportOf = (
    target: Target<unknown>,
    step: number,
    bins: number,
    [before, after]: readonly [Float32Array, Float32Array],
    form: CompressedWeight | undefined,
  ): DistortionReport => ({
    name: target.weight.name,
    setting: settingAt(target, step),
    histogram: weightHistogram(before, after, bins),
    relativeError: relativeError(before, after),
    ...(form?.form === 'binary-codes' && form.levels && { levels: [...form.levels] }),
  });

  const distortUnit = (unit: readonly Target<ParametersOf<M>>[], step: number) => {
    const basis = isRefresh(step) ? undefined : bases.get(basisKey(unit));
    return row.distort(unit, settingAt(unit[0], step), { compression: settings, step, steps, seed, custom, basis });
  };

  const projection: Projection = {
    targets,
    get units() {
      return units;
    },
    get from() {
      return fromOf(settings);
    },
    formOf: ({ weight }) => compressed.get(weight.name),
    rateAt: (target, step) => settingAt(target, step).rate ?? 0,
    targetRate: (target) => row.settingAt(target.parameters as ParametersOf<M>, undefined, steps).rate ?? 0,
    async project(step) {
      for (const unit of units) {
        const forms = await distortUnit(unit, step);
        unit.forEach(({ weight }, i) => compressed.set(weight.name, forms[i]));
        if (forms[0].form === 'factors') bases.set(basisKey(unit), forms[0].basis);
      }
    },
    async projectForEvaluation(step) {
      for (const unit of units) await distortUnit(unit, step);
    },
  };
  const stored = new policy.Stored(projection);

  return {
    targets,
    settingAt,
    distortsAfter: (step) => distortsAfter(step, settings),
    async distort(step, report) {
      if (!report) {
        await stored.distort(step);
        return [];
      }
      const before = targets.map(({ weight }) => weight.values.slice());
      await stored.distort(step);
      return targets.map((target, i) => {
        const { name, values } = target.weight;
        return reportOf(target, step, report.bins, [before[i], values], compressed.get(name));
      });
    },
    async preview(step, { bins }) {
      const copies = new Map(
        stored.undistorted().map((values, i) => {
          const target = targets[i];
          return [target, { ...target, weight: { ...target.weight, values } }] as const;
        }),
      );
      const reports = new Map<Target<unknown>, DistortionReport>();
      for (const unit of units) {
        const copied = unit.map((target) => copies.get(target)!);
        const context = { compression: settings, step, steps, seed, custom, basis: undefined };
        const forms = await row.distort(copied, settingAt(unit[0], step), context);
        unit.forEach((target, i) => {
          const change = [target.weight.values, copied[i].weight.values] as const;
          reports.set(target, reportOf(target, step, bins, change, forms[i]));
        });
      }
      return targets.map((target) => reports.get(target)!);
    },
    beforeStep: (step) => stored.beforeStep(step),
    beforeEvaluation: (step) => stored.beforeEvaluation(step),
    afterEvaluation: () => stored.afterEvaluation(),
    beforeUpdate: () => stored.beforeUpdate(),
    afterUpdate: () => stored.afterUpdate(),
    compressed,
    sizes(all) {
      const sizes = new Map(
        units.flatMap((unit) => {
          const forms = unit.map(({ weight }) => compressed.get(weight.name));
          return row.sizes(unit, forms).map((size, i) => [unit[i].weight.name, size] as const);
        }),
      );
      return all.map(({ name, shape, values }) => layerSize(name, shape, sizes.get(name) ?? denseSize(values.length)));
    },
    prepareChange(changed) {
      const next = changed as CompressionOf<M>;
      const layers = next.layers as Record<string, ParametersOf<M>>;
      row.units(targets.map((target) => ({ ...target, parameters: layers[target.pattern] })));
      return {
        takesEffectAfter: (step) =>
          distorts === 'at-the-end' || distortsAfter(step, settings) || distortsAfter(step, next),
        apply() {
          const ranks = new Map(units.map((unit) => [basisKey(unit), settingAt(unit[0], 0).rank]));
          settings = next;
          for (const target of targets) target.parameters = layers[target.pattern];
          units = row.units(targets);
          // Of another rank, a basis is no start for the next truncation.
          for (const unit of units)
            if (settingAt(unit[0], 0).rank !== ranks.get(basisKey(unit))) bases.delete(basisKey(unit));
        },
      };
    },
    get state() {
      return { ...stored.state, ...Object.fromEntries(bases) };
    },
    restore(state) {
      for (const unit of units) {
        const key = basisKey(unit);
        const basis = state[key];
        if (basis instanceof Float32Array) bases.set(key, basis.slice());
      }
      stored.restore(state);
    },
  };
}

/** Of what the next truncation of the weights can start from, in a checkpoint. */
function basisKey([{ weight }]: readonly Target<unknown>[]): string {
  return `basis:${weight.name}`;
}

/** `||after - before||_F / ||before||_F`; for weights that were all zero, 0 where they stayed so and else 1. */
function relativeError(before: Float32Array, after: Float32Array): number {
  let error = 0;
  let norm = 0;
  for (let i = 0; i < before.length; i++) {
    const difference = after[i] - before[i];
    error += difference * difference;
    norm += before[i] * before[i];
  }
  if (norm === 0) return error === 0 ? 0 : 1;
  return Math.sqrt(error / norm);
}

function checkPolicy({ policy, method }: Compression): void {
  if (policyTraits[policy].methods.includes(method)) return;
  throw new SettingError(['compression', 'policy'], unsuitablePolicy(policy, method), {
    remedy: `Set policy to one of ${suitablePolicies(method)
      .map((name) => `"${name}"`)
      .join(', ')}, or choose that method.`,
  });
}
