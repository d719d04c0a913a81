/** @file Layers of Keras without a counterpart in TensorFlow.js that are a line of arithmetic. */
import * as tf from '@tensorflow/tfjs';
import { registerLayer } from './registerLayer.ts';

/** The first of two tensors of one shape minus the second. */
class Subtract extends tf.layers.Layer {
  static readonly className = 'Subtract';

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [one, another] = inputShape as tf.Shape[];
    if (one.join() !== another.join())
      throw new Error(
        `The layer ${this.name} subtracts tensors of different shapes, [${another.join(', ')}] from [${one.join(', ')}].`,
      );
    return one;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [one, another] = inputs as tf.Tensor[];
    return tf.sub(one, another);
  }
}

interface NormalizationSettings {
  readonly name?: string;
  readonly trainable?: boolean;
  /** Null for one for all features. */
  readonly axis: number | readonly number[] | null;
  /** Null where they are weights, which follow the data that the layer was adapted to. */
  readonly mean: number | readonly number[] | null;
  readonly variance: number | readonly number[] | null;
}

/** Keras's fuzz factor for float32. */
const EPSILON = 1e-7;

/** (x - mean) / sqrt(variance), for each feature of the last axis: numbers that training leaves as they are. */
class Normalization extends tf.layers.Layer {
  static readonly className = 'Normalization';
  readonly settings: NormalizationSettings;
  #weights: readonly tf.LayerVariable[] | undefined;

  constructor(settings: NormalizationSettings) {
    super(settings as ConstructorParameters<typeof tf.layers.Layer>[0]);
    this.settings = settings;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const { axis, mean } = this.settings;
    const shape =
      axis === null || (Array.isArray(axis) && axis.length === 0) ? [] : [(inputShape as tf.Shape).at(-1) ?? null];
    if (mean === null)
      this.#weights = [
        this.addWeight('mean', shape, 'float32', tf.initializers.zeros(), undefined, false),
        this.addWeight('variance', shape, 'float32', tf.initializers.ones(), undefined, false),
      ];
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat();
      const { mean: givenMean, variance: givenVariance } = this.settings;
      const [mean, variance] =
        this.#weights?.map((weight) => weight.read()) ??
        [givenMean, givenVariance].map((numbers) =>
          tf.tensor(typeof numbers === 'number' ? numbers : [...(numbers ?? [])].flat()),
        );
      return tf.div(tf.sub(tf.cast(x, 'float32'), mean), tf.maximum(tf.sqrt(variance), EPSILON));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { axis, mean, variance } = this.settings;
    return { ...super.getConfig(), axis, mean, variance } as tf.serialization.ConfigDict;
  }
}

registerLayer(Subtract);
registerLayer(Normalization);
