/** @file Layers of TensorFlow.js that are wrong or cannot be trained, put right in a model before anything uses it. */
import type * as tf from '@tensorflow/tfjs';
import { correctAlphaDropouts } from './alphaDropout.ts';
import { completeNormalizations } from './plainNormalizations.ts';

export function correctLayers(model: tf.LayersModel): void {
  completeNormalizations(model);
  correctAlphaDropouts(model);
}
