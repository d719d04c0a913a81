/** @file What an experiment's policy makes of the weights that are stored, and of what is trained in their place. */
import type { Compression } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { CompressedWeight, CompressionState, Unit } from '../methods/unit.ts';
import type { CompressibleWeight, MatchedWeight, NamedWeight } from '../targets/targets.ts';

/** What the stored weights ask of the compression. */
export interface Projection {
  /** The weights that are compressed. */
  readonly weights: readonly CompressibleWeight[];
  /** The same as they are compressed, together or each alone, by the settings in effect. */
  units(): readonly Unit[];
  /** The weights of a unit, where they live. */
  valuesOf(unit: Unit): readonly Float32Array[];
  /** First step at which the compression acts, by the settings in effect. */
  from(): number;
  /** Steps from one that computes with compressed weights to the next, where only some do. */
  every(): number;
  /** The settings in effect. */
  settings(): Compression;
  /** True where a distortion is due right after a step. */
  isDue(step: number): boolean;
  /** Length of the run, in training steps. */
  readonly steps: number;
  /** Seed of the run. */
  readonly seed: number;
  /** Replaces all weights by their compressed form at a step, in place. */
  project(step: number): Promise<void>;
  /** The same, but leaves no trace in what later projections depend on. */
  projectForEvaluation(step: number): Promise<void>;
  /** The compressed form of a weight, as {@link project} left it last. */
  formOf(name: string): CompressedWeight | undefined;
  /** Tells the form of a weight that was distorted without {@link project}. */
  setForm(name: string, form: CompressedWeight): void;
}

/** The name and the length of a tensor that is trained in the place of a weight. */
export interface TensorSpec {
  readonly name: string;
  readonly length: number;
}

/**
 * A weight that is a distribution while it trains, N(theta, sigma^2): the weight itself is theta, and the step that computes the loss has
 * tensors beside it.
 */
export interface NoisyWeight {
  readonly weight: NamedWeight;
  /** Path of the compression in the experiment. */
  readonly path: SettingPath;
  /** log sigma^2 of each number at first. */
  readonly logVariance: number;
}

/** Names of the tensors that the training step has beside a {@link NoisyWeight}. */
export const noiseNames = {
  /** log sigma^2, of the shape of the weight; trained. */
  logVariance: (weight: string) => `${weight}/log-variance`,
  /** What the divergence from the prior counts in the loss, 0 to 1: one number, which the compression sets before each step. */
  divergenceWeight: (weight: string) => `${weight}/divergence-weight`,
};

/** A tensor that the optimizer trains in the place of a weight. */
export interface TrainedTensor {
  readonly name: string;
  readonly value: Float32Array;
  readonly gradient: Float32Array;
  /** Steps of the run that were done before the first one that trains it; default 0. */
  stepsBefore?: number;
}

/**
 * One way to treat the stored weights. A training step is: {@link beforeStep}, forward and backward, {@link pull}, the optimizer's
 * update, {@link push}, and {@link distort} where one is due.
 */
export interface StoredWeights {
  /** Prepares the weights that the model computes with. */
  beforeStep(step: number): void | Promise<void>;
  beforeEvaluation(step: number): void | Promise<void>;
  afterEvaluation(): void;
  /** Turns the gradients of the weights into those of what is trained. */
  pull(): void | Promise<void>;
  /** Turns what was trained into the weights that the model computes with. */
  push(): void | Promise<void>;
  distort(step: number): Promise<void>;
  /** Copies of the values that a distortion would begin with, in the order of the weights. */
  undistorted(): Float32Array[];
  /**
   * The weight in full precision, while something else is trained in its place; undefined where it is not known, and absent where the
   * stored weights are in full precision.
   */
  fullPrecision?(name: string): Float32Array | undefined;
  /** What a checkpoint must hold. The arrays are live. */
  readonly state: CompressionState;
  /** @throws RangeError where the state is not one of these weights */
  restore(state: CompressionState): void;
}

/** @param trained what cannot be trained of a weight that the model does not train */
export function untrained(trained: string, { weight, key }: Pick<MatchedWeight, 'weight' | 'key'>): SettingError {
  return new SettingError(
    ['layers', key],
    `the ${trained} of ${weight.name} cannot be trained: the model does not train this weight`,
    { remedy: 'Leave the layer out, set it to trainable, or use another policy.' },
  );
}

/** Copies arrays of a checkpoint into those of the same keys. @throws RangeError where one is missing or has another length */
export function restoreArrays(
  state: CompressionState,
  arrays: Iterable<readonly [key: string, array: Float32Array | Uint8Array]>,
): void {
  for (const [key, array] of arrays) {
    const saved = state[key];
    if (saved?.length !== array.length) throw new RangeError(`The checkpoint holds no "${key}" of ${array.length}.`);
    array.set(saved);
  }
}

/** The weights themselves are stored, trained and replaced by their compressed form: DeepTwist, and what other policies begin with. */
export class PlainWeights implements StoredWeights {
  readonly projection: Projection;

  constructor(projection: Projection) {
    this.projection = projection;
  }

  get state(): CompressionState {
    return {};
  }

  restore(_state: CompressionState): void {}
  beforeStep(_step: number): void | Promise<void> {}
  beforeEvaluation(_step: number): void | Promise<void> {}
  afterEvaluation(): void {}
  pull(): void | Promise<void> {}
  push(): void | Promise<void> {}

  async distort(step: number): Promise<void> {
    await this.projection.project(step);
  }

  undistorted(): Float32Array[] {
    return this.projection.weights.map(({ values }) => values.slice());
  }
}
