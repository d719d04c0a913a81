/** @file What a model predicts here beside what Keras predicted. */
import * as tf from '@tensorflow/tfjs';
import { decodeNpz } from '../../../../server/formats/npy.ts';
import { largestDifference } from '../largestDifference.ts';

/**
 * @param reference archive of NumPy with the samples, `input0`, …, and what Keras predicted for them, `output0`, …
 * @returns the largest difference of an output, as a part of the largest one or of 1
 */
export function differenceFromKeras(model: tf.LayersModel, reference: Uint8Array): number {
  return tf.tidy(() => {
    const array = (key: string) => {
      const { data, shape } = decodeNpz(reference, key);
      return { data: Float32Array.from(data, Number), shape: [...shape] };
    };
    const inputs = model.inputs.map((_, i) => {
      const { data, shape } = array(`input${i}`);
      return tf.tensor(data, shape);
    });
    const outputs = [model.predict(inputs.length === 1 ? inputs[0] : inputs)].flat();
    const differences = outputs.map((output, i) => {
      const { data, shape } = array(`output${i}`);
      if (output.shape.join() !== shape.join()) return Infinity;
      return largestDifference(output.dataSync(), data);
    });
    return Math.max(...differences);
  });
}
