/**
 * @file Exported ONNX files of several models, in the eyes of Python: accepted by `onnx.checker` with full checks, and computed by
 * Python's `onnxruntime`, beside what TensorFlow.js computes of the same inputs. `--python PATH` names the interpreter.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { encodeOnnxModel } from '../../server/formats/onnx.ts';
import { kernelsForSteps, withWeights } from '../../server/export/onnx/onnxModel.ts';
import { predictionGraph } from '../../server/export/onnx/predictionGraph.ts';
import { portNames } from '../../server/export/portNames.ts';
import { Random } from '../../server/formats/random.ts';
import { elementCount } from '../../server/protocol/shape.ts';
import { beside, type Benchmark, type Limited } from './bench.ts';
import { exportedModels, type ExportedModel } from './exportedModels.ts';
import { checkInPython, checkPython } from './givenPython.ts';
import { cacheFolder } from './prepare.ts';

/** What an export allows. */
const TOLERANCE = 1e-4;
const PACKAGES = ['numpy', 'onnx', 'onnxruntime'];
const BATCH = 3;

const benchmark: Benchmark = {
  options: { python: { type: 'string', default: 'python3' } },
  async run(options) {
    const python = String(options.python);
    checkPython(python, PACKAGES);
    await tf.setBackend('cpu');
    const folder = cacheFolder('export-check');
    const results: Limited[] = [];
    for (const model of await exportedModels()) {
      for (const sparseInitializers of [false, true]) {
        if (sparseInitializers && model.form !== 'sparse') continue;
        const name = `${model.name}, ${sparseInitializers ? 'sparse initializers' : model.form}`;
        const place = join(folder, name.replaceAll(/\W+/g, '-'));
        const bytes = await write(model, place, sparseInitializers);
        const { difference, largest, versions, operators } = checkInPython(python, place);
        console.log(
          `  ${name}: ${bytes} bytes, ${operators}; outputs up to ${largest.toPrecision(2)} differ by ${difference.toExponential(0)}; ${versions}`,
        );
        results.push(beside(TOLERANCE, `${name}: largest difference`, difference, ''));
      }
    }
    return results;
  },
};

export default benchmark;

/** Writes the file, inputs for it and what TensorFlow.js makes of them. @returns the size of the file */
async function write(model: ExportedModel, folder: string, sparseInitializers: boolean): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const { predictor, weights, inputNames, outputNames, indices } = model;
  const { graph } = await predictionGraph(predictor, undefined, kernelsForSteps(weights));
  const names = portNames({ inputNames, outputNames, hasNamesOfFile: false });
  const file = withWeights(graph, weights, names, { sparseInitializers }).graph;
  const bytes = encodeOnnxModel(file);
  writeFileSync(join(folder, 'model.onnx'), bytes);

  const random = new Random(5);
  const batch = predictor.inputs.map(({ shape, dtype }) => {
    const length = BATCH * elementCount(shape);
    const values =
      dtype === 'int32'
        ? Int32Array.from({ length }, () => random.below(indices ?? 1))
        : Float32Array.from({ length }, () => random.uniform() - 0.5);
    return { values, dtype, shape: [BATCH, ...shape] };
  });
  const outputs = tf.tidy(() =>
    predictor
      .predict(batch.map(({ values, shape, dtype }) => tf.tensor(values, shape, dtype)))
      .map((output) => ({ shape: output.shape, values: Array.from(output.dataSync()) })),
  );
  const tensors = {
    inputs: batch.map(({ values, ...rest }, i) => ({ ...rest, name: file.inputs[i].name, values: Array.from(values) })),
    outputs: outputs.map((output, i) => ({ ...output, name: file.outputs[i].name })),
  };
  writeFileSync(join(folder, 'tensors.json'), JSON.stringify(tensors));
  return bytes.length;
}
