/**
 * @file State dicts that PyTorch writes (python/state_dicts.py), loaded as `start` loads them into models of TensorFlow.js: the largest
 * difference of the outputs from PyTorch's own. `--python PATH` names an interpreter that has torch and safetensors.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { loadWeights } from '../../server/training/start/loadWeights.ts';
import { differenceFromTorch, ordinary, torchModels, type TorchModel } from '../unit/training/start/torchModels.ts';
import { beside, type Benchmark, type Limited } from './bench.ts';
import { cacheFolder, runCommand } from './prepare.ts';

/** Both add up the same float32 numbers, in another order. */
const TOLERANCE = 1e-5;

const benchmark: Benchmark = {
  options: { python: { type: 'string', default: 'python3' } },
  async run(options) {
    const folder = cacheFolder('state-dicts');
    runCommand(String(options.python), ['-W', 'ignore', join('test', 'bench', 'python', 'state_dicts.py'), folder]);
    await tf.setBackend('cpu');
    const results: Limited[] = [];
    for (const name of Object.keys(torchModels) as TorchModel[]) {
      const model = torchModels[name](ordinary);
      const { weights } = await loadWeights(model, join(folder, `${name}.pt`), { complete: true });
      const difference = differenceFromTorch(model, readFileSync(join(folder, `${name}-outputs.safetensors`)));
      console.log(`  ${name}: ${weights.length} weights, outputs differ by ${difference.toExponential(1)}`);
      results.push(beside(TOLERANCE, `${name}: largest difference`, difference, ''));
      model.dispose();
    }
    return results;
  },
};

export default benchmark;
