/**
 * @file Models that PyTorch exports as ONNX, imported as trainable ones: what they predict beside ONNX Runtime, and the gradients of all
 * their parameters beside PyTorch's own. `--python PATH` names the interpreter; `--models A,B` some of the models,
 * `--exporters script` one of PyTorch's two. With `--train`, each is
 * trained with each kind of compression and exported, in the place of that comparison. With
 * `--real FOLDER`, the ONNX files below a folder are imported, and nothing else is done.
 */
import { readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { CompiledExecutor } from '../../server/compiler/compiledExecutor.ts';
import type { Program } from '../../server/compiler/program.ts';
import { TracedModel } from '../../server/export/tracedModel.ts';
import { decodeNpz } from '../../server/formats/npy.ts';
import { loadModel } from '../../server/models/loadModel.ts';
import { losses } from '../../server/models/losses.ts';
import { modelWeights } from '../../server/models/modelWeights.ts';
import { largestDifference } from '../unit/models/largestDifference.ts';
import { beside, type Benchmark, type Limited } from './bench.ts';
import { checkPython } from './givenPython.ts';
import { importFiles } from './importedFiles.ts';
import { isOfFloats, samplesOf } from './importedReference.ts';
import { METHODS, trainAndExport } from './importedTraining.ts';
import { cacheFolder, runCommand } from './prepare.ts';

/** Largest difference of an output, as a part of the largest one or of 1. */
const FORWARD = 1e-4;
/** Length of the difference of a parameter's gradients, as a part of the length of PyTorch's. */
const GRADIENT = 1e-3;
/** Length of a gradient that counts as 0, as a part of the longest one of the model. */
const ZERO = 1e-4;
const MODELS = [
  ...['lenet', 'resnet18', 'mobilenet_v2', 'densenet121', 'unet', 'vit-tiny'],
  ...['lstm', 'gru', 'rnn', 'bilstm', 'bigru', 'encoder', 'bert-tiny', 'gpt2-tiny'],
];
const PACKAGES = ['torch', 'torchvision', 'transformers', 'onnx', 'onnxruntime', 'onnxscript', 'numpy'];

const benchmark: Benchmark = {
  options: {
    python: { type: 'string', default: 'python3' },
    models: { type: 'string', default: MODELS.join(',') },
    exporters: { type: 'string', default: 'script,dynamo' },
    train: { type: 'boolean', default: false },
    real: { type: 'string', default: '' },
  },
  async run(options) {
    if (options.real) return realFiles(String(options.real));
    const python = String(options.python);
    checkPython(python, PACKAGES);
    const results: Limited[] = [];
    for (const exporter of String(options.exporters).split(',')) {
      const folder = cacheFolder(`imported-${exporter}`);
      for (const name of String(options.models).split(',')) {
        const place = join(folder, name);
        const flags = exporter === 'dynamo' ? ['--dynamo'] : [];
        if (!existsSync(join(place, 'reference.npz')))
          runCommand(python, [join('test', 'bench', 'python', 'export_models.py'), '--out', folder, ...flags, name]);
        if (options.train) {
          results.push(...(await trained(python, place, `${name}, ${exporter}`)));
          continue;
        }
        const { forward, loss, gradients, statistics } = await compareModel(place);
        const [worst] = gradients.toSorted((a, b) => b.difference - a.difference);
        console.log(
          `  ${name}, ${exporter}: outputs differ by ${forward.toExponential(1)}, the loss by ${loss.toExponential(1)}, ` +
            `${gradients.length} gradients by up to ${worst.difference.toExponential(1)} (${worst.name}; PyTorch's in float32 by up to ` +
            `${Math.max(...gradients.map(({ pytorch }) => pytorch)).toExponential(1)}), ` +
            `running means by ${statistics.toExponential(1)}`,
        );
        results.push(beside(FORWARD, `${name}, ${exporter}: largest difference of an output`, forward, ''));
        // Some gradients lose more digits than that in float32, in PyTorch as well.
        const limit = Math.max(GRADIENT, ...gradients.map(({ pytorch }) => pytorch));
        results.push(
          beside(limit, `${name}, ${exporter}: largest relative difference of a gradient`, worst.difference, ''),
        );
      }
    }
    return results;
  },
};

export default benchmark;

async function realFiles(folder: string): Promise<Limited[]> {
  const results: Limited[] = [];
  let [count, imported] = [0, 0];
  for await (const { file, found, reason } of importFiles(folder)) {
    const compared = found?.difference === undefined ? '' : `, outputs differ by ${found.difference.toExponential(1)}`;
    const told = found ? `${found.nodes} nodes, ${found.weights} weights${compared}` : 'not imported';
    console.log(`  ${file}: ${told}${reason === undefined ? '' : `: ${reason}`}`);
    count++;
    if (found) imported++;
    if (found?.difference !== undefined)
      results.push(beside(FORWARD, `${file}: largest difference`, found.difference, ''));
  }
  console.log(`  ${imported} of ${count} files are imported`);
  return results;
}

/** The outputs of the model that is exported after a training with each compression. */
async function trained(python: string, folder: string, name: string): Promise<Limited[]> {
  const results: Limited[] = [];
  for (const method of METHODS) {
    const { node, python: ofPython, compressed } = await trainAndExport(python, folder, method);
    console.log(
      `  ${name}, ${method}: ${compressed} weights are compressed; outputs differ by ${node.toExponential(1)} in Node.js, by ` +
        `${ofPython.toExponential(1)} in Python`,
    );
    results.push(beside(FORWARD, `${name}, ${method}: largest difference of an output`, Math.max(node, ofPython), ''));
  }
  return results;
}

interface Comparison {
  readonly forward: number;
  readonly loss: number;
  /** Relative differences from PyTorch's gradients in float64: of ours, and of PyTorch's in float32. */
  readonly gradients: readonly { readonly name: string; readonly difference: number; readonly pytorch: number }[];
  /** Largest difference of a running mean after a step, in standard deviations. */
  readonly statistics: number;
}

/** @param folder that export_models.py wrote */
export async function compareModel(folder: string): Promise<Comparison> {
  const archive = readFileSync(join(folder, 'reference.npz'));
  const array = (name: string) => decodeNpz(archive, name);
  const [input, target] = [array('input'), array('target')];
  const [size, ...sample] = input.shape;
  const isText = !isOfFloats(input);
  const isImage = isOfFloats(target);
  const lossOf = losses[isImage ? 'mean-squared-error' : 'sparse-categorical-crossentropy-from-logits'];
  const { model } = await loadModel('./model.onnx', { baseDirectory: folder, seed: 1 });
  const weights = modelWeights(model);
  const apply = (batch: tf.Tensor[], training: boolean) => model.apply(batch[0], { training }) as tf.Tensor;
  const program: Program = {
    weights,
    layers: model.layers,
    inputs: [{ shape: sample, dtype: isText ? 'int32' : 'float32' }],
    targets: [{ shape: target.shape.slice(1), dtype: isImage ? 'float32' : 'int32' }],
    metrics: [],
    loss: (batch, targets) => lossOf(targets[0], apply(batch, true)) as tf.Scalar,
    evaluate: (batch, targets) => ({ loss: lossOf(targets[0], apply(batch, false)) as tf.Scalar, metrics: [] }),
  };
  const numbers = samplesOf(input);
  const predicting = new TracedModel(
    { ...program, predict: (batch) => [apply(batch, false)] },
    1,
    weights.map(({ name, variable }) => ({ name, value: new Float32Array(variable.dataSync()) })),
  );
  const [{ values }] = await predicting.predict(size, [numbers]);
  await predicting.release();
  const executor = await CompiledExecutor.create(program, {
    batchSize: size,
    seed: 1,
    stateBytes: () => 0,
    threads: 1,
    rowGradients: false,
  });
  const labels = samplesOf(target);
  const { loss } = await executor.step({ size, inputs: [numbers], targets: [labels] }, 0);
  const parameters = [...executor.parameters.list];
  const numbersOf = (name: string) => Array.from(array(name).data, Number);
  const gradients = parameters.filter(({ trainable }) => trainable).map(({ name }) => numbersOf(`gradient:${name}`));
  // A gradient that is 0 but for rounding, as that of a bias before a normalization, has no relative difference.
  const least = ZERO * Math.max(...gradients.map(length));
  const difference = (found: ArrayLike<number>, expected: readonly number[], least = 0) =>
    length(expected.map((value, i) => value - found[i])) / Math.max(least, length(expected));
  const comparison = {
    forward: largestDifference(values, Array.from(array('predicted').data, Number)),
    loss: Math.abs(loss - Number(array('loss').data[0])),
    gradients: parameters
      .filter(({ trainable }) => trainable)
      .map(({ name, gradient }) => {
        const expected = numbersOf(`gradient:${name}`);
        return {
          name,
          difference: difference(gradient as Float32Array, expected, least),
          pytorch: difference(numbersOf(`float32:${name}`), expected, least),
        };
      }),
    statistics: Math.max(
      0,
      ...parameters
        .filter(({ name }) => name.endsWith('running_mean'))
        .map(({ name, value }) => {
          const deviations = numbersOf(`running:${name.replace(/mean$/, 'var')}`).map(Math.sqrt);
          const expected = numbersOf(`running:${name}`);
          return Math.max(...expected.map((mean, i) => Math.abs(mean - value[i]) / (deviations[i] + 1e-6)));
        }),
    ),
  };
  await executor.dispose();
  return comparison;
}

function length(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
