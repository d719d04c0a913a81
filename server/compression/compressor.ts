/** @file Drives one compression through a training run: the training loop calls it at four points of every step. */
import type { PackedWeight } from '../formats/packed/packedFile.ts';
import { isDistortionStep } from '../protocol/experiment/distortionSteps.ts';
import { policyFacts } from '../protocol/experiment/methods/policies.ts';
import type { Compression } from '../protocol/experiment/schema.ts';
import type { CompressionSetting, EventOf, LayerSize } from '../protocol/run/events.ts';
import { weightHistogram } from './histogram.ts';
import type { CompressedWeight, CompressionState, Unit } from './methods/unit.ts';
import { firstStepOf, planCompression, type CompressionPlan } from './plan.ts';
import { policies } from './policies.ts';
import { denseSize, layerSize, sizeLeft, type CompressedSize } from './size.ts';
import type { Projection, StoredWeights, TrainedTensor } from './stored/storedWeights.ts';
import type { CompressibleWeight, MatchedWeight } from './targets/targets.ts';

/** What a distortion did to a weight: a row of the run event. */
export type DistortionReport = EventOf<'distortion'>['weights'][number];

/** Other settings for a compression, which fit it. */
export interface CompressionChange {
  /**
   * True where the settings can take effect right after a step, before its distortion: where one is due by the settings so far or
   * by these; under a policy that distorts at the end only, after every step.
   */
  takesEffectAfter(step: number): boolean;
  apply(): void;
}

/** A weight that is compressed, with its memory. */
type CompressedTarget = MatchedWeight<CompressibleWeight>;

/**
 * One training step is: `beforeStep`, forward and backward, `pull`, the optimizer's update, `push`, and `distort` where
 * {@link distortsAfter} says so. Steps count from 1. An evaluation between two steps stands between `beforeEvaluation` and
 * `afterEvaluation`, so that it sees the weights that the model computes with and changes nothing.
 */
export class Compressor {
  /** The weights that are compressed. */
  readonly targets: readonly CompressedTarget[];
  /** What the optimizer trains in the place of weights. */
  readonly trained: readonly TrainedTensor[];
  /** The compressed form of each target, by name, as the last distortion left it. */
  readonly compressed = new Map<string, CompressedWeight>();
  readonly #plan: CompressionPlan;
  readonly #weights: ReadonlyMap<string, CompressibleWeight>;
  readonly #stored: StoredWeights;
  /** The settings in effect, and the units that they make. */
  #compression: Compression;
  #units: readonly Unit[];

  /**
   * @param weights all weights of the model, where they live and change in place
   * @param allocate gives zeroed memory that the optimizer works on, for {@link trained}
   */
  constructor(
    plan: CompressionPlan,
    weights: readonly CompressibleWeight[],
    allocate: (length: number) => Float32Array = (length) => new Float32Array(length),
  ) {
    this.#plan = plan;
    this.#compression = plan.compression;
    this.#units = plan.units;
    this.#weights = new Map(weights.map((weight) => [weight.name, weight]));
    const matched = new Map(plan.units.flatMap(({ targets }) => targets).map((target) => [target.weight.name, target]));
    this.targets = weights.flatMap((weight) => {
      const target = matched.get(weight.name);
      return target ? [{ ...target, weight }] : [];
    });
    this.trained = plan.trained.map(({ name, length }) => ({
      name,
      value: allocate(length),
      gradient: allocate(length),
    }));
    const tensors = new Map(this.trained.map((tensor) => [tensor.name, tensor]));
    this.#stored = new policies[plan.compression.policy].Stored(this.#projection(), tensors);
  }

  #projection(): Projection {
    const project = async (step: number, remember: boolean) => {
      for (const unit of this.#units) {
        const forms = await unit.distort(this.#valuesOf(unit), step, remember);
        if (remember) unit.targets.forEach(({ weight }, i) => this.compressed.set(weight.name, forms[i]));
      }
    };
    return {
      weights: this.targets.map(({ weight }) => weight),
      units: () => this.#units,
      from: () => firstStepOf(this.#compression),
      steps: this.#plan.run.steps,
      project: (step) => project(step, true),
      projectForEvaluation: (step) => project(step, false),
      formOf: (name) => this.compressed.get(name),
    };
  }

  #valuesOf({ targets }: Unit): Float32Array[] {
    return targets.map(({ weight }) => this.#weights.get(weight.name)!.values);
  }

  /** How a target is compressed at a step. */
  settingAt({ weight }: MatchedWeight, step: number): CompressionSetting {
    const unit = this.#units.find(({ targets }) => targets.some((target) => target.weight.name === weight.name));
    return unit?.settingAt(step) ?? {};
  }

  /** True where {@link distort} is due right after a step. */
  distortsAfter(step: number): boolean {
    return this.#isDue(step, this.#compression);
  }

  #isDue(step: number, compression: Compression): boolean {
    if (step === this.#plan.run.steps) return true;
    const { distortEvery, policy } = compression;
    return (
      policyFacts[policy].distorts === 'every-so-often' &&
      isDistortionStep(step, { distortEvery, from: firstStepOf(compression) })
    );
  }

  /**
   * Distorts the weights in place. With `report`, returns what was done to each target, histograms on that many bins;
   * without, nothing is copied or measured and the result is empty.
   */
  async distort(step: number, report?: { bins: number }): Promise<DistortionReport[]> {
    if (!report) {
      await this.#stored.distort(step);
      return [];
    }
    const before = this.targets.map(({ weight }) => weight.values.slice());
    await this.#stored.distort(step);
    const sizes = this.#sizes();
    return this.targets.map((target, i) => {
      const { name, values } = target.weight;
      const form = this.compressed.get(name);
      return this.#report(target, step, report.bins, [before[i], values], form, sizes.get(name)!);
    });
  }

  /** What {@link distort} would report of a distortion after this step, found on copies: nothing that trains is changed. */
  async preview(step: number, { bins }: { bins: number }): Promise<DistortionReport[]> {
    const copies = this.#stored.undistorted();
    const copyOf = new Map(this.targets.map(({ weight }, i) => [weight.name, copies[i]]));
    const reports = new Map<string, DistortionReport>();
    for (const unit of this.#units) {
      const values = unit.targets.map(({ weight }) => copyOf.get(weight.name)!);
      const forms = await unit.distort(values, step, false);
      const sizes = unit.sizes(values, forms);
      unit.targets.forEach((target, i) => {
        const { name } = target.weight;
        const before = this.#weights.get(name)!.values;
        reports.set(name, this.#report(target, step, bins, [before, values[i]], forms[i], sizes[i]));
      });
    }
    return this.targets.map(({ weight }) => reports.get(weight.name)!);
  }

  #report(
    target: MatchedWeight,
    step: number,
    bins: number,
    [before, after]: readonly [Float32Array, Float32Array],
    form: CompressedWeight | undefined,
    size: CompressedSize,
  ): DistortionReport {
    return {
      name: target.weight.name,
      setting: this.settingAt(target, step),
      histogram: weightHistogram(before, after, bins),
      relativeError: relativeError(before, after),
      ...(form && 'levels' in form && form.levels && { levels: [...form.levels] }),
      size: sizeLeft(size),
    };
  }

  /** See {@link StoredWeights} for what happens at each of these moments. */
  beforeStep(step: number): void | Promise<void> {
    return this.#stored.beforeStep(step);
  }

  beforeEvaluation(step: number): void | Promise<void> {
    return this.#stored.beforeEvaluation(step);
  }

  afterEvaluation(): void {
    this.#stored.afterEvaluation();
  }

  pull(): void | Promise<void> {
    return this.#stored.pull();
  }

  push(): void | Promise<void> {
    return this.#stored.push();
  }

  /** Sizes of all weights of the model, compressed or not, in their order. */
  sizes(weights: readonly CompressibleWeight[]): LayerSize[] {
    const sizes = this.#sizes();
    return weights.map(({ name, shape, values }) =>
      layerSize(name, shape, sizes.get(name) ?? denseSize(values.length)),
    );
  }

  /** Sizes of the targets, by name, as the last distortion left them. */
  #sizes(): Map<string, CompressedSize> {
    return this.#ofEach((unit, values, forms) => unit.sizes(values, forms));
  }

  /** What a file holds of the targets, by name, as the last distortion left them. */
  packed(): Map<string, PackedWeight> {
    return this.#ofEach((unit, values, forms) => unit.packed(values, forms));
  }

  #ofEach<T>(
    of: (unit: Unit, values: readonly Float32Array[], forms: readonly (CompressedWeight | undefined)[]) => readonly T[],
  ): Map<string, T> {
    return new Map(
      this.#units.flatMap((unit) => {
        const forms = unit.targets.map(({ weight }) => this.compressed.get(weight.name));
        const results = of(unit, this.#valuesOf(unit), forms);
        return unit.targets.map(({ weight }, i) => [weight.name, results[i]] as const);
      }),
    );
  }

  /**
   * Checks other parameters of the same layers, another schedule or S_D. Nothing changes before the result is applied.
   * @throws SettingError where they do not fit the weights
   */
  prepareChange(settings: Compression): CompressionChange {
    const { weights, run } = this.#plan;
    const { compression, units } = planCompression(settings, weights, run);
    return {
      takesEffectAfter: (step) =>
        policyFacts[compression.policy].distorts === 'at-the-end' ||
        this.#isDue(step, this.#compression) ||
        this.#isDue(step, compression),
      apply: () => {
        const state = stateOf(this.#units);
        for (const unit of units) unit.restore(state);
        this.#compression = compression;
        this.#units = units;
      },
    };
  }

  /** What a checkpoint must hold besides the weights. The arrays are live: copy or write them before the next step. */
  get state(): CompressionState {
    return { ...this.#stored.state, ...stateOf(this.#units) };
  }

  /** @throws RangeError where the state is not one of this compression */
  restore(state: CompressionState): void {
    for (const unit of this.#units) unit.restore(state);
    this.#stored.restore(state);
  }
}

function stateOf(units: readonly Unit[]): CompressionState {
  return Object.fromEntries(units.flatMap(({ state }) => Object.entries(state)));
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
