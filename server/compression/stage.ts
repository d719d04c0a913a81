/** @file One compression of a list, as it acts on weights in memory: its units by the settings in effect, and what it stores of them. */
import { isDistortionStep } from '../protocol/experiment/distortionSteps.ts';
import { policyFacts } from '../protocol/experiment/methods/policies.ts';
import type { Compression } from '../protocol/experiment/schema.ts';
import { SettingError, settingsWithin } from '../protocol/experiment/settingError.ts';
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import { weightsOf, type CompressedWeight, type Unit } from './methods/unit.ts';
import { firstStepOf, stepsBetweenCompressed, type StagePlan } from './plan.ts';
import { policies } from './policies.ts';
import type { Projection, StoredWeights, TrainedTensor } from './stored/storedWeights.ts';
import type { CompressibleWeight, MatchedWeight } from './targets/targets.ts';

/** What all stages of a compressor work on. */
export interface StageHost {
  /** All weights of the model, where they live and change in place. */
  readonly weights: ReadonlyMap<string, CompressibleWeight>;
  /** What the optimizer trains in the place of weights. */
  readonly tensors: ReadonlyMap<string, TrainedTensor>;
  /** The compressed form of each weight, as the last distortion left it. */
  readonly compressed: Map<string, CompressedWeight>;
  /** Length of the run, in training steps. */
  readonly steps: number;
  readonly seed: number;
  /** The learning rate in force. */
  learningRate(): number;
}

export class Stage {
  /** Path of the compression in the experiment. */
  readonly path: SettingPath;
  /** The weights that it compresses, in the model's order. */
  readonly targets: readonly MatchedWeight<CompressibleWeight>[];
  readonly stored: StoredWeights;
  readonly #host: StageHost;
  #compression: Compression;
  #units: readonly Unit[];

  /** @throws SettingError where the policy cannot store a weight */
  constructor({ path, compression, units }: StagePlan, host: StageHost) {
    this.path = path;
    this.#host = host;
    this.#compression = compression;
    this.#units = units;
    const matched = new Map(units.flatMap(({ targets }) => targets).map((target) => [target.weight.name, target]));
    this.targets = [...host.weights.values()].flatMap((weight) => {
      const target = matched.get(weight.name);
      return target ? [{ ...target, weight }] : [];
    });
    const { Stored } = policies[compression.policy];
    this.stored = settingsWithin(path, () => {
      checkGradients(units, host.weights);
      return new Stored(this.#projection(), host.tensors);
    });
  }

  get compression(): Compression {
    return this.#compression;
  }

  get units(): readonly Unit[] {
    return this.#units;
  }

  /** Other settings for the same layers, and the units that they make. */
  change({ compression, units }: StagePlan): void {
    this.#compression = compression;
    this.#units = units;
  }

  /** True where a distortion is due right after a step, by the settings in effect or by other ones. */
  isDue(step: number, compression = this.#compression): boolean {
    if (step === this.#host.steps) return true;
    const { distortEvery, policy } = compression;
    return (
      policyFacts[policy].distorts === 'every-so-often' &&
      isDistortionStep(step, { distortEvery, from: firstStepOf(compression) })
    );
  }

  /** True where steps or evaluations after a step compute with compressed weights, which the stored ones do not show. */
  computesCompressed(step: number): boolean {
    return policyFacts[this.#compression.policy].computesCompressed === true && step >= firstStepOf(this.#compression);
  }

  /** Shows the gradients of a training step to the units whose distortions depend on them. */
  observe(): void {
    for (const unit of this.#units) unit.observe?.(this.#valuesOf(unit), this.#gradientsOf(unit));
  }

  #valuesOf(unit: Unit): Float32Array[] {
    return weightsOf(unit).map(({ name }) => this.#host.weights.get(name)!.values);
  }

  #gradientsOf({ targets }: Unit): Float32Array[] {
    return targets.map(({ weight }) => this.#host.weights.get(weight.name)!.gradient!);
  }

  unitOf(name: string): Unit | undefined {
    return this.#units.find(({ targets }) => targets.some(({ weight }) => weight.name === name));
  }

  #projection(): Projection {
    const { compressed, steps, seed } = this.#host;
    const project = async (step: number, remember: boolean) => {
      for (const unit of this.#units) {
        const forms = await unit.distort(this.#valuesOf(unit), {
          step,
          learningRate: this.#host.learningRate(),
          remember,
        });
        if (remember) unit.targets.forEach(({ weight }, i) => compressed.set(weight.name, forms[i]));
      }
    };
    return {
      weights: this.targets.map(({ weight }) => weight),
      units: () => this.#units,
      valuesOf: (unit) => this.#valuesOf(unit),
      from: () => firstStepOf(this.#compression),
      every: () => stepsBetweenCompressed(this.#compression),
      settings: () => this.#compression,
      isDue: (step) => this.isDue(step),
      steps,
      seed,
      project: (step) => project(step, true),
      projectForEvaluation: (step) => project(step, false),
      formOf: (name) => compressed.get(name),
      setForm: (name, form) => compressed.set(name, form),
    };
  }
}

/** @throws SettingError for a weight without a gradient that its unit depends on */
function checkGradients(units: readonly Unit[], weights: ReadonlyMap<string, CompressibleWeight>): void {
  for (const { targets } of units.filter(({ observe }) => observe))
    for (const { weight, key } of targets) {
      if (weights.get(weight.name)?.gradient) continue;
      throw new SettingError(
        ['layers', key],
        `${weight.name} has no gradient to choose by: the model does not train this weight`,
        { remedy: 'Leave the layer out, set it to trainable, or use the criterion "magnitude".' },
      );
    }
}
