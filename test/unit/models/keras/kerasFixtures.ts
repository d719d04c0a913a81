/** @file Models that Keras saved, with what it predicts; test/bench/python/export_keras.py wrote them. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs';
import { decodeNpz } from '../../../../server/formats/npy.ts';

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));

export const kerasModels = readdirSync(fixtures);

export type KerasFileName = 'model.keras' | 'model.h5' | 'weights.weights.h5';

export function bytesOfKeras(model: string, file: KerasFileName): Buffer {
  const path = join(fixtures, model, file);
  return file === 'model.keras' ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));
}

/** Writes a file of a fixture to a folder. @returns its path from the folder */
export function writeKeras(folder: string, model: string, file: KerasFileName): string {
  writeFileSync(join(folder, file), bytesOfKeras(model, file));
  return `./${file}`;
}

/** @returns the largest difference between an output of the model and what Keras predicted */
export function differenceFromKeras(
  model: tf.LayersModel,
  name: string,
  reference = readFileSync(join(fixtures, name, 'reference.npz')),
): number {
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
    const differences = outputs.flatMap((output, i) => {
      const { data, shape } = array(`output${i}`);
      if (output.shape.join() !== shape.join()) return [Infinity];
      const found = output.dataSync();
      return Array.from(data, (value, at) => Math.abs(value - found[at]));
    });
    return Math.max(...differences);
  });
}
