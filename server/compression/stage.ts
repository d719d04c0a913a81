/** @file One compression of a list, as it acts on weights in memory: its units by the settings in effect, and what it stores of them. */
import { isDistortionStep } from '../protocol/experiment/distortionSteps.ts';
import { policyFacts } from '../protocol/experiment/methods/policies.ts';
import type { Compression } from '../protocol/experiment/schema.ts';
import { settingsWithin } from '../protocol/experiment/settingError.ts';
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import type { CompressedWeight, Unit } from './methods/unit.ts';
import { firstStepOf, type StagePlan } from './plan.ts';
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
  /** The learning rate in force. */
  learningRate(): number;
}

export class Stage {
  /** Where the experiment has the compression. */
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
    this.stored = settingsWithin(path, () => new Stored(this.#projection(), host.tensors));
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

  unitOf(name: string): Unit | undefined {
    return this.#units.find(({ targets }) => targets.some(({ weight }) => weight.name === name));
  }

  #projection(): Projection {
    const { weights, compressed, steps } = this.#host;
    const project = async (step: number, remember: boolean) => {
      for (const unit of this.#units) {
        const values = unit.targets.map(({ weight }) => weights.get(weight.name)!.values);
        const forms = await unit.distort(values, { step, learningRate: this.#host.learningRate(), remember });
        if (remember) unit.targets.forEach(({ weight }, i) => compressed.set(weight.name, forms[i]));
      }
    };
    return {
      weights: this.targets.map(({ weight }) => weight),
      units: () => this.#units,
      from: () => firstStepOf(this.#compression),
      steps,
      project: (step) => project(step, true),
      projectForEvaluation: (step) => project(step, false),
      formOf: (name) => compressed.get(name),
    };
  }
}
