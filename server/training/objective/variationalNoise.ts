/**
 * @file Sparse variational dropout in a training step (Molchanov, Ashukha & Vetrov 2017, "Variational dropout sparsifies deep neural
 * networks"). Each weight of a layer is a normal distribution N(theta, sigma^2), in the "additive" form: theta and log sigma^2 are
 * trained. By local reparameterization (Kingma, Salimans & Welling 2015) the noise is drawn for each output of the layer and each
 * sample: with the inputs A, the output before the activation is normal with mean `A theta + b` and variance `(A * A) sigma^2`. The loss
 * has the divergence from the log-uniform prior besides, by the approximation of equation (14),
 *
 *     KL(alpha) = k1 - k1 sigmoid(k2 + k3 log alpha) + 1/2 log(1 + 1 / alpha),   alpha = sigma^2 / theta^2
 *
 * Plain TensorFlow.js operations only, since the compiler traces them.
 */
import * as tf from '@tensorflow/tfjs';
import { noiseNames, type NoisyWeight, type TrainedTensor } from '../../compression/stored/storedWeights.ts';
import { LOG_ALPHA_RANGE, SQUARE_FLOOR } from '../../compression/stored/variationalWeights.ts';
import type { ParameterSet } from '../../compiler/parameters.ts';
import { nestedLayers } from '../../compiler/trace/statefulLayers.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import type { ModelWeight } from '../../models/modelWeights.ts';

const [K1, K2, K3] = [0.63576, 1.8732, 1.48695];
/** Keeps the derivative of a deviation finite where no input is other than zero. */
const VARIANCE_FLOOR = 1e-8;

/** What is noisy of a model in training, and what that costs. */
export interface VariationalNoise {
  /** Variances, and what divergences count: weights of the training step, and not of the model. */
  readonly weights: readonly ModelWeight[];
  /** Training samples, which the weights are learned from. */
  readonly samples: number;
  /** The divergence of all weights from their prior, each times what it counts, in nats. */
  divergence(): tf.Scalar;
  dispose(): void;
}

/** The fields of a dense layer or a convolution that its `call` reads. */
interface KernelLayer {
  kernel: Pick<tf.LayerVariable, 'read'> | null;
  bias: Pick<tf.LayerVariable, 'read'> | null | undefined;
  activation: { apply(x: tf.Tensor): tf.Tensor; getClassName(): string };
  call: tf.layers.Layer['call'];
}

/**
 * Makes the layers of some weights noisy where they are called in training.
 * @param weights of the model
 * @returns undefined where no weight is noisy
 * @throws SettingError when it is unknown how many samples there are
 */
export function createNoise(
  model: tf.LayersModel,
  weights: readonly ModelWeight[],
  noisy: readonly NoisyWeight[],
  samples: number | undefined,
): VariationalNoise | undefined {
  if (noisy.length === 0) return undefined;
  if (samples === undefined)
    throw new SettingError(
      [...noisy[0].path, 'policy'],
      'the number of training samples is unknown, by which the prior of the weights counts',
      { remedy: 'Export the number of samples from the data module (samples.train), or use another policy.' },
    );
  const layers = nestedLayers(model.layers) as unknown as KernelLayer[];
  const own = noisy.map(({ weight: { name }, logVariance }) => {
    const kernel = weights.find((weight) => weight.name === name)!;
    const beside = {
      mean: kernel.variable,
      logVariance: tf.variable(tf.fill(kernel.shape, logVariance)),
      divergenceWeight: tf.variable(tf.scalar(0), false),
    };
    makeNoisy(
      layers.find((layer) => layer.kernel?.read() === kernel.variable)!,
      beside.logVariance,
    );
    return { kernel, ...beside };
  });
  return {
    samples,
    dispose: () => tf.dispose(own.flatMap(({ logVariance, divergenceWeight }) => [logVariance, divergenceWeight])),
    weights: own.flatMap(({ kernel, logVariance, divergenceWeight }) => {
      const { constraint: _, inputLayer: __, ...shared } = kernel;
      return [
        {
          ...shared,
          name: noiseNames.logVariance(kernel.name),
          weight: 'log-variance',
          variable: logVariance,
          trainable: true,
        },
        {
          ...shared,
          name: noiseNames.divergenceWeight(kernel.name),
          weight: 'divergence-weight',
          shape: [],
          variable: divergenceWeight,
          trainable: false,
        },
      ];
    }),
    divergence: () =>
      own
        .map(({ mean, logVariance, divergenceWeight }) =>
          tf.mul<tf.Scalar>(divergenceWeight, divergenceOf(mean, logVariance)),
        )
        .reduce((sum, one) => tf.add(sum, one)),
  };
}

/** The tensors of the noise where a training step has them. */
export function noiseTensors({ weights }: VariationalNoise, { byName }: ParameterSet): TrainedTensor[] {
  return weights.map(({ name }) => {
    const { value, gradient } = byName.get(name)!;
    return { name, value, gradient: gradient as Float32Array };
  });
}

/** KL of the distributions of a weight from the prior, summed over its numbers, in nats. */
export function divergenceOf(mean: tf.Tensor, logVariance: tf.Tensor): tf.Scalar {
  const logAlpha = tf.clipByValue(
    tf.sub(logVariance, tf.log(tf.add(tf.square(mean), SQUARE_FLOOR))),
    ...LOG_ALPHA_RANGE,
  );
  const known = tf.sub(K1, tf.mul(K1, tf.sigmoid(tf.add(K2, tf.mul(K3, logAlpha)))));
  return tf.sum(tf.add(known, tf.mul(0.5, tf.log(tf.add(1, tf.exp(tf.neg(logAlpha)))))));
}

/** The layer's own `call` computes the mean, and, of squares and without a bias, the variance. */
function makeNoisy(layer: KernelLayer, logVariance: tf.Variable): void {
  const call = layer.call.bind(layer) as (inputs: tf.Tensor | tf.Tensor[], kwargs: object) => tf.Tensor;
  const linear = (tf.layers.activation({ activation: 'linear' }) as unknown as KernelLayer).activation;
  const callWith = (changes: Partial<KernelLayer>, inputs: tf.Tensor, kwargs: object) => {
    const before = { kernel: layer.kernel, bias: layer.bias, activation: layer.activation };
    try {
      return call(inputs, Object.assign(layer, changes) && kwargs);
    } finally {
      Object.assign(layer, before);
    }
  };
  layer.call = (inputs, kwargs) => {
    if (kwargs.training !== true) return call(inputs, kwargs);
    const [input] = [inputs].flat();
    const mean = callWith({ activation: linear }, input, kwargs);
    const variances = { read: () => tf.exp(logVariance) as ReturnType<tf.LayerVariable['read']> };
    const variance = callWith({ activation: linear, kernel: variances, bias: null }, tf.square(input), kwargs);
    const deviation = tf.sqrt(tf.add(variance, VARIANCE_FLOOR));
    return layer.activation.apply(tf.add(mean, tf.mul(deviation, tf.randomNormal(mean.shape))));
  };
}
