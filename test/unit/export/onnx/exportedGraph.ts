/** @file Exports a TensorFlow.js model, and holds what ONNX Runtime makes of it to what TensorFlow.js computes. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import type { Predictor, SampleType } from '../../../../server/compiler/program.ts';
import { ort } from '../../../../server/formats/onnxRuntime.ts';
import { Random } from '../../../../server/formats/random.ts';
import { withWeights } from '../../../../server/export/onnx/onnxModel.ts';
import { predictionGraph } from '../../../../server/export/onnx/predictionGraph.ts';
import { DenseWeight } from '../../../../server/formats/packed/dense.ts';
import { portNames } from '../../../../server/export/portNames.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { elementCount } from '../../../../server/protocol/shape.ts';
import { randomizeWeights } from '../../compiler/programs.ts';
import { runOnnx } from './runOnnx.ts';

/** A model with weights that hide no mistake. @param words number of an embedding's rows, whose indices the inputs are */
export function predictorOf(
  model: tf.LayersModel,
  words?: number,
): Predictor & { model: tf.LayersModel; words?: number } {
  const weights = modelWeights(model);
  const inputs = model.inputs.map(({ shape }): SampleType => ({
    dtype: words === undefined ? 'float32' : 'int32',
    shape: shape.slice(1) as number[],
  }));
  const predictor = {
    weights,
    layers: model.layers,
    inputs,
    predict: (batch: tf.Tensor[]) =>
      [model.apply(batch.length === 1 ? batch[0] : batch, { training: false }) as tf.Tensor | tf.Tensor[]].flat(),
  };
  const nothing = () => ({ loss: tf.scalar(0), metrics: [] });
  randomizeWeights({ ...predictor, targets: [], metrics: [], loss: () => tf.scalar(0), evaluate: nothing }, 3, 0.3);
  return { ...predictor, model, ...(words !== undefined && { words }) };
}

/**
 * The largest difference of the file's outputs, run by ONNX Runtime, from those that TensorFlow.js computes eagerly.
 * @param sizes of the batches to compute
 * @param timeSteps length of the sequences, where it is another than the model's
 * @param stepwise as `predictionGraph` has it
 */
export async function largestDifference(
  predictor: ReturnType<typeof predictorOf>,
  sizes: readonly number[],
  { timeSteps, stepwise }: { timeSteps?: number; stepwise?: ReadonlySet<string> } = {},
) {
  await tf.setBackend('cpu');
  const { graph, batchSize } = await predictionGraph(predictor, undefined, stepwise);
  const weights = new Map(
    predictor.weights.map(({ name, variable }) => [
      name,
      new DenseWeight(variable.shape, new Float32Array(variable.dataSync())),
    ]),
  );
  const { inputs, outputs } = predictor.model;
  const names = portNames({
    inputNames: inputs.map((input) => input.sourceLayer.name),
    outputNames: outputs.map((output) => output.sourceLayer.name),
    hasNamesOfFile: false,
  });
  const file = withWeights(graph, weights, names).graph;
  expect(file.nodes.map(({ domain }) => domain).filter(Boolean)).toEqual([]);
  const random = new Random(5);
  let largest = 0;
  for (const size of sizes) {
    const batch = predictor.inputs.map(({ shape: given, dtype }) => {
      const shape = timeSteps === undefined ? given : given.with(0, timeSteps);
      const length = size * elementCount(shape);
      const values =
        dtype === 'int32'
          ? Int32Array.from({ length }, () => random.below(predictor.words!))
          : Float32Array.from({ length }, () => random.uniform() - 0.5);
      return { values, shape: [size, ...shape], dtype };
    });
    const feeds = Object.fromEntries(
      batch.map(({ values, shape, dtype }, i) => [file.inputs[i].name, new ort.Tensor(dtype, values, shape)]),
    );
    const actual = Object.values(await runOnnx(file, feeds));
    const expected = predictor.predict(batch.map(({ values, shape, dtype }) => tf.tensor(values, shape, dtype)));
    expect(actual.length).toBe(expected.length);
    expected.forEach((output, o) => {
      expect(actual[o].dims).toEqual(output.shape);
      output.dataSync().forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value - Number(actual[o].data[i])));
      });
    });
  }
  return { largest, batchSize, file };
}
