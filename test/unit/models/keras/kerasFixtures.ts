/** @file Models that Keras saved, with what it predicts; test/bench/python/export_keras.py wrote them. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

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

/** What Keras predicted: `input0`, …, and `output0`, … in an archive of NumPy. */
export function referenceOfKeras(model: string): Buffer {
  return readFileSync(join(fixtures, model, 'reference.npz'));
}
