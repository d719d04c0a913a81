/**
 * @file Models that Keras saves, imported: what they predict beside Keras itself. `--python PATH` names an interpreter with keras and a
 * backend; `--models A,B` some of the models.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { loadModel } from '../../server/models/loadModel.ts';
import { modelWeights } from '../../server/models/modelWeights.ts';
import { differenceFromKeras } from '../unit/models/keras/differenceFromKeras.ts';
import { beside, type Benchmark, type Limited } from './bench.ts';
import { cacheFolder, runCommand } from './prepare.ts';

/** Largest difference of an output, as a part of the largest one or of 1: float32 numbers in another order of additions. */
const FORWARD = 1e-5;

const benchmark: Benchmark = {
  options: { python: { type: 'string', default: 'python3' }, models: { type: 'string', default: '' } },
  async run(options) {
    const folder = cacheFolder('keras');
    const models = String(options.models).split(',').filter(Boolean);
    exportModels(String(options.python), folder, models);
    await tf.setBackend('cpu');
    const results: Limited[] = [];
    for (const name of models.length > 0 ? models : readdirSync(folder).sort())
      for (const file of ['model.keras', 'model.h5']) {
        // Keras does not say in an .h5 file that bytes are numbers of bfloat16.
        if (name === 'halves' && file === 'model.h5') continue;
        const place = join(folder, name);
        const { model } = await loadModel(`./${file}`, { baseDirectory: place, seed: 1 });
        const difference = differenceFromKeras(model, readFileSync(join(place, 'reference.npz')));
        console.log(
          `  ${name}, ${file}: ${modelWeights(model).length} weights, outputs differ by ${difference.toExponential(1)}`,
        );
        results.push(beside(FORWARD, `${name}, ${file}: largest difference of an output`, difference, ''));
        model.dispose();
      }
    return results;
  },
};

export default benchmark;

/** @throws Error that says what to install */
function exportModels(python: string, folder: string, models: readonly string[]): void {
  if (models.length > 0 ? models.every((name) => existsSync(join(folder, name))) : existsSync(join(folder, 'mlp')))
    return;
  // Without the backend that the script chooses, keras itself cannot be imported.
  if (spawnSync(python, ['-c', 'import h5py; from importlib.metadata import version; version("keras")']).status !== 0)
    throw new Error(`${python} has not the package keras: install keras and jax with pip, then add --python PATH.`);
  runCommand(python, [join('test', 'bench', 'python', 'export_keras.py'), '--out', folder, ...models]);
}
