/**
 * A model of your own. Nothing has to be installed beside this file: `@tensorflow/tfjs` is the one of DeepTwist.
 * The experiment file names this file in "model", and the layers below in "compression".
 */
import * as tf from '@tensorflow/tfjs';
/** Called once, at the start of a run. The initial weights depend on "training.seed" alone. */
export declare function createModel(): tf.LayersModel;
/**
 * Used with `"loss": "auto"`, the default: cross-entropy with smoothed labels (Szegedy et al. 2016).
 *
 * @param targets class numbers, int32 of shape [batch]
 * @param outputs logits of shape [batch, 10]
 * @returns a scalar, the mean over the batch
 */
export declare function loss(targets: tf.Tensor, outputs: tf.Tensor): tf.Tensor;
/** Measured at each evaluation. A metric gives one number a sample, or the mean over the batch. */
export declare const metrics: {
    accuracy: (targets: tf.Tensor, outputs: tf.Tensor) => tf.Tensor;
};
