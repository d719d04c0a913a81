/** @file Drives the compressions of an experiment through a training run: the training loop calls it at four points of every step. */
import type { PackedWeight } from '../formats/packed/packedFile.ts';
import { policyFacts } from '../protocol/experiment/methods/policies.ts';
import type { CompressionSetting, EventOf, LayerSize } from '../protocol/run/events.ts';
import { weightHistogram } from './histogram.ts';
import { checkInTime } from './lateChange.ts';
import {
  levelsOf,
  weightsOf,
  type CompressedWeight,
  type CompressionState,
  type Measured,
  type Unit,
} from './methods/unit.ts';
import { scaledLevels } from './methods/quantize/scaledLevels.ts';
import { planCompression, type CompressionPlan, type PlannedCompression } from './plan.ts';
import { denseSize, layerSize, sizeLeft, type CompressedSize } from './size.ts';
import { Stage } from './stage.ts';
import type { TrainedTensor } from './stored/storedWeights.ts';
import type { MatrixView } from './targets/matrixView.ts';
import type { CompressibleWeight } from './targets/targets.ts';

/** What a distortion did to a weight: a row of the run event. */
export type DistortionReport = EventOf<'distortion'>['weights'][number];

/** Other settings for the compressions, which fit them. */
export interface CompressionChange {
  /**
   * True where the settings can take effect right after a step, before its distortion: where one is due by the settings so far or
   * by these; under a policy that distorts at the end only, after every step.
   */
  takesEffectAfter(step: number): boolean;
  /** @throws SettingError where the settings come too late right after a step, since something else is trained by then. */
  checkInTime(step: number): void;
  apply(): void;
}

/** What a distortion made of a weight. */
interface Found {
  readonly form: CompressedWeight | undefined;
  readonly size: CompressedSize;
  readonly measured: Measured;
}

/** A weight that is compressed, with its memory. */
export interface CompressedTarget {
  readonly weight: CompressibleWeight;
  readonly view: MatrixView;
  /** The compressions that act on it, in their order, each with the key of its `layers` that chose the weight. */
  readonly compressions: readonly { readonly stage: Stage; readonly key: string }[];
}

/**
 * One training step is: `beforeStep`, forward and backward, `pull`, the optimizer's update, `push`, and `distort` where
 * {@link distortsAfter} says so. Steps count from 1. An evaluation between two steps stands between `beforeEvaluation` and
 * `afterEvaluation`, so that it sees the weights that the model computes with and changes nothing.
 *
 * The compressions of an experiment are stages, which act in their order; what they do to the stored weights is undone in the
 * opposite order.
 */
export class Compressor {
  /** The weights that are compressed, in the model's order. */
  readonly targets: readonly CompressedTarget[];
  /** What the optimizer trains in the place of weights. */
  readonly trained: readonly TrainedTensor[];
  /** The compressed form of each target, by name, as the last distortion left it. */
  readonly compressed = new Map<string, CompressedWeight>();
  /** The learning rate of the step that was done last, which a distortion can depend on; the trainer keeps it true. */
  learningRate = 0;
  readonly #plan: CompressionPlan;
  readonly #weights: ReadonlyMap<string, CompressibleWeight>;
  readonly #stages: readonly Stage[];

  /**
   * @param weights all weights of the model, where they live and change in place
   * @param allocate gives zeroed memory that the optimizer works on, for each of {@link trained}
   * @param beside the tensors that the training step has beside weights that are distributions; none where nothing is trained
   * @throws SettingError where a policy cannot store a weight
   */
  constructor(
    plan: CompressionPlan,
    weights: readonly CompressibleWeight[],
    allocate: (length: number, tensor: number) => Float32Array = (length) => new Float32Array(length),
    beside: readonly TrainedTensor[] = [],
  ) {
    this.#plan = plan;
    this.#weights = new Map(weights.map((weight) => [weight.name, weight]));
    this.trained = plan.trained.map(({ name, length }, i) => ({
      name,
      value: allocate(length, i),
      gradient: allocate(length, i),
    }));
    const host = {
      weights: this.#weights,
      tensors: new Map([...this.trained, ...beside].map((tensor) => [tensor.name, tensor])),
      compressed: this.compressed,
      steps: plan.run.steps,
      seed: plan.run.seed,
      learningRate: () => this.learningRate,
    };
    this.#stages = plan.stages.map((stage) => new Stage(stage, host));
    this.targets = targetsOf(weights, this.#stages);
  }

  /** How a target is compressed at a step. */
  settingAt({ weight, compressions }: CompressedTarget, step: number): CompressionSetting {
    const settings = compressions.map(({ stage }) => stage.unitOf(weight.name)?.settingAt(step, weight.name));
    return Object.assign({}, ...settings) as CompressionSetting;
  }

  /** What the next distortion takes off the singular values of a target; undefined where none does. */
  thresholdOf({ weight, compressions }: CompressedTarget): number | undefined {
    const [threshold] = compressions.flatMap(
      ({ stage }) => stage.unitOf(weight.name)?.thresholdAt?.(this.learningRate) ?? [],
    );
    return threshold;
  }

  /** True where {@link distort} is due right after a step. */
  distortsAfter(step: number): boolean {
    return this.dueAfter(step).length > 0;
  }

  /** The compressions whose weights a model computes with from a step on while others are stored, by their places in the list. */
  computedAfter(step: number): number[] {
    return this.#stages.flatMap((stage, i) => (stage.computesCompressed(step) ? [i] : []));
  }

  /** The compressions that distort their weights right after a step, by their places in the list. */
  dueAfter(step: number): number[] {
    return this.#stages.flatMap((stage, i) => (stage.isDue(step) ? [i] : []));
  }

  /**
   * Distorts the weights in place. With `report`, returns what was done to each weight of the compressions that are due, histograms
   * on that many bins; without, nothing is copied or measured and the result is empty.
   */
  async distort(step: number, report?: { bins: number }): Promise<DistortionReport[]> {
    const due = this.#stages.filter((stage) => stage.isDue(step));
    const targets = this.targets.filter(({ compressions }) => compressions.some(({ stage }) => due.includes(stage)));
    const before = report ? targets.map((target) => fullOf(target, due)) : [];
    for (const { stored } of due) await stored.distort(step);
    if (step === this.#plan.run.steps) await this.#settle();
    if (!report) return [];
    const sizes = this.#sizes(targets);
    return targets.map((target, i) => {
      const { name, values } = target.weight;
      const found = { form: this.compressed.get(name), size: sizes.get(name)!, measured: measuredOf(target, due) };
      return this.#report(target, step, report.bins, [before[i], values], found);
    });
  }

  /** What methods leave that take something away at each distortion becomes what a file holds of it. */
  async #settle(): Promise<void> {
    for (const unit of lastUnits(this.targets)) {
      const forms = await unit.settle?.(unit.targets.map(({ weight }) => this.#weights.get(weight.name)!.values));
      forms?.forEach((form, i) => {
        const { name } = unit.targets[i].weight;
        if (form) this.compressed.set(name, form);
        else this.compressed.delete(name);
      });
    }
  }

  /** What a distortion of all weights after this step would do, found on copies: nothing that trains is changed. */
  async preview(step: number, { bins }: { bins: number }): Promise<DistortionReport[]> {
    const copies = new Map<string, Float32Array>();
    const results = new Map<string, { form: CompressedWeight; size: CompressedSize }>();
    for (const { targets, stored, units } of this.#stages) {
      stored.undistorted().forEach((copy, i) => {
        const { name } = targets[i].weight;
        // Trained points begin with the weights in full precision, and not with what they have left of them.
        if (!copies.has(name) || stored.fullPrecision?.(name)) copies.set(name, copy);
      });
      for (const unit of units) {
        for (const { name } of unit.companions ?? [])
          if (!copies.has(name)) copies.set(name, this.#weights.get(name)!.values.slice());
        const values = weightsOf(unit).map(({ name }) => copies.get(name)!);
        const forms = await unit.distort(values, { step, learningRate: this.learningRate, remember: false });
        const sizes = unit.sizes(values, forms);
        unit.targets.forEach(({ weight }, i) => results.set(weight.name, { form: forms[i], size: sizes[i] }));
      }
    }
    return this.targets.map((target) => {
      const { name } = target.weight;
      const found = { ...results.get(name)!, measured: measuredOf(target, this.#stages) };
      return this.#report(target, step, bins, [fullOf(target, this.#stages), copies.get(name)!], found);
    });
  }

  #report(
    target: CompressedTarget,
    step: number,
    bins: number,
    [before, after]: readonly [Float32Array, Float32Array],
    { form, size, measured }: Found,
  ): DistortionReport {
    const levels = form && levelsOf(form);
    const scaled = form && scaledLevels(before, form, bins);
    return {
      name: target.weight.name,
      setting: this.settingAt(target, step),
      histogram: weightHistogram(before, after, bins),
      relativeError: relativeError(before, after),
      ...(levels && { levels: [...levels] }),
      ...(scaled && { scaledLevels: scaled }),
      ...measured,
      size: sizeLeft(size),
    };
  }

  /** See {@link StoredWeights} for what happens at each of these moments. */
  async beforeStep(step: number): Promise<void> {
    for (const { stored } of this.#stages) await stored.beforeStep(step);
  }

  async beforeEvaluation(step: number): Promise<void> {
    for (const { stored } of this.#stages) await stored.beforeEvaluation(step);
  }

  afterEvaluation(): void {
    for (const { stored } of this.#stages.toReversed()) stored.afterEvaluation();
  }

  async pull(): Promise<void> {
    for (const { stored } of this.#stages.toReversed()) await stored.pull();
    for (const stage of this.#stages) stage.observe();
  }

  async push(): Promise<void> {
    for (const { stored } of this.#stages) await stored.push();
  }

  /** Sizes of all weights of the model, compressed or not, in their order. */
  sizes(weights: readonly CompressibleWeight[]): LayerSize[] {
    const sizes = this.#sizes(this.targets);
    return weights.map(({ name, shape, values }) =>
      layerSize(name, shape, sizes.get(name) ?? denseSize(values.length)),
    );
  }

  /** Sizes of some targets, by name, as the last distortion left them; with them, of those that share their units. */
  #sizes(targets: readonly CompressedTarget[]): Map<string, CompressedSize> {
    return this.#ofEach(targets, (unit, values, forms) => unit.sizes(values, forms));
  }

  /** What a file holds of the targets, by name, as the last distortion left them. */
  packed(): Map<string, PackedWeight> {
    return this.#ofEach(this.targets, (unit, values, forms) => unit.packed(values, forms));
  }

  /** What the last compression of each target computes from it, by the names of the targets of the units that compute it. */
  #ofEach<T>(
    targets: readonly CompressedTarget[],
    compute: (
      unit: Unit,
      values: readonly Float32Array[],
      forms: readonly (CompressedWeight | undefined)[],
    ) => readonly T[],
  ): Map<string, T> {
    return new Map(
      lastUnits(targets).flatMap((unit) => {
        const values = unit.targets.map(({ weight }) => this.#weights.get(weight.name)!.values);
        const forms = unit.targets.map(({ weight }) => this.compressed.get(weight.name));
        const results = compute(unit, values, forms);
        return unit.targets.map(({ weight }, i) => [weight.name, results[i]] as const);
      }),
    );
  }

  /**
   * Checks other parameters of the same layers, other schedules or S_D. Nothing changes before the result is applied.
   * @throws SettingError where they do not fit the weights
   */
  prepareChange(compressions: readonly PlannedCompression[]): CompressionChange {
    const { weights, run } = this.#plan;
    const { stages } = planCompression(compressions, weights, run);
    return {
      takesEffectAfter: (step) =>
        stages.every(({ compression }) => policyFacts[compression.policy].distorts === 'at-the-end') ||
        this.#stages.some((stage, i) => stage.isDue(step) || stage.isDue(step, stages[i].compression)),
      checkInTime: (step) => checkInTime(this.#stages, stages, step),
      apply: () => {
        this.#stages.forEach((stage, i) => {
          const state = stateOf(stage.units);
          stage.change(stages[i]);
          for (const unit of stage.units) unit.restore(state);
        });
      },
    };
  }

  /** What a checkpoint must hold besides the weights. The arrays are live: copy or write them before the next step. */
  get state(): CompressionState {
    const states = this.#stages.flatMap(({ stored, units }) => [stored.state, stateOf(units)]);
    return Object.assign({}, ...states) as CompressionState;
  }

  /** @throws RangeError where the state is not one of this compression */
  restore(state: CompressionState): void {
    for (const { stored, units } of this.#stages) {
      for (const unit of units) unit.restore(state);
      stored.restore(state);
    }
  }
}

/** The weights that a stage compresses, in the model's order. */
function targetsOf(weights: readonly CompressibleWeight[], stages: readonly Stage[]): CompressedTarget[] {
  const found = new Map<CompressibleWeight, { view: MatrixView; compressions: { stage: Stage; key: string }[] }>();
  for (const stage of stages)
    for (const { weight, view, key } of stage.targets) {
      if (!found.has(weight)) found.set(weight, { view, compressions: [] });
      found.get(weight)!.compressions.push({ stage, key });
    }
  return weights.flatMap((weight) => {
    const target = found.get(weight);
    return target ? [{ weight, ...target }] : [];
  });
}

/** A copy of a weight as the last of some compressions that acts on it begins with it: in full precision where points are trained. */
function fullOf({ weight, compressions }: CompressedTarget, stages: readonly Stage[]): Float32Array {
  const last = compressions.findLast(({ stage }) => stages.includes(stage));
  return last?.stage.stored.fullPrecision?.(weight.name)?.slice() ?? weight.values.slice();
}

/** Units of the last compression that acts on each target. */
function lastUnits(targets: readonly CompressedTarget[]): Unit[] {
  return [...new Set(targets.map(({ weight, compressions }) => compressions.at(-1)!.stage.unitOf(weight.name)!))];
}

/** What the last distortions of some compressions found out about a weight. */
function measuredOf({ weight, compressions }: CompressedTarget, stages: readonly Stage[]): Measured {
  const measured = compressions.map(({ stage }) => {
    const unit = stages.includes(stage) ? stage.unitOf(weight.name) : undefined;
    return unit?.measured?.[unit.targets.findIndex((target) => target.weight.name === weight.name)];
  });
  return Object.assign({}, ...measured) as Measured;
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
