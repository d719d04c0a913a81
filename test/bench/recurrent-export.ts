/**
 * @file Two exported LSTM layers as operators and step by step, with dense weights and of low rank: milliseconds for all steps of one
 * sequence, and the size of the file.
 */
import * as tf from '@tensorflow/tfjs';
import { kernelsForSteps, withWeights } from '../../server/export/onnx/onnxModel.ts';
import { predictionGraph } from '../../server/export/onnx/predictionGraph.ts';
import { portNames } from '../../server/export/portNames.ts';
import { ort, type Tensor } from '../../server/formats/onnxRuntime.ts';
import { DenseWeight } from '../../server/formats/packed/dense.ts';
import { FactorsWeight } from '../../server/formats/packed/factors.ts';
import type { PackedWeight } from '../../server/formats/packed/packedFile.ts';
import { Random } from '../../server/formats/random.ts';
import { modelWeights } from '../../server/models/modelWeights.ts';
import { predictorOf } from '../../server/training/modelProgram.ts';
import { type Benchmark, type Comparison } from './bench.ts';
import { timeInTurns } from './interleaved.ts';

const RANK = 64;
const ROUNDS = 40;
const cases = [
  { units: 200, steps: 1 },
  { units: 200, steps: 20 },
  { units: 650, steps: 1 },
  { units: 650, steps: 35 },
];

const benchmark: Benchmark = {
  options: {},
  async run() {
    const results: Comparison[] = [];
    for (const { units, steps } of cases) {
      const { models, feeds, stepwise } = await exported(units, steps);
      const timed = await timeInTurns(models, feeds, ROUNDS);
      for (const weights of ['dense', 'low rank']) {
        const [operator, written] = [timed.get(`operator, ${weights}`)!, timed.get(`steps, ${weights}`)!];
        console.log(
          `  2x${units}, ${steps} steps, ${weights}: ${operator.bytes} bytes as operators, ${written.bytes} step by step`,
        );
        const isWritten = weights === 'low rank' && stepwise.size > 0;
        const [ours, theirs, rival] = isWritten
          ? [written, operator, 'operators']
          : [operator, written, 'step by step'];
        results.push({
          case: `2x${units}, ${steps} steps, ${weights}`,
          rival,
          threads: 1,
          ours: ours.milliseconds,
          theirs: theirs.milliseconds,
          unit: 'ms',
          ratio: theirs.milliseconds / ours.milliseconds,
          target: 1,
        });
      }
    }
    return results;
  },
};

export default benchmark;

async function exported(units: number, steps: number) {
  const random = new Random(1);
  const values = (count: number) => Float32Array.from({ length: count }, () => 0.1 * (random.uniform() - 0.5));
  const lstm = (name: string) =>
    tf.layers.lstm({
      name,
      units,
      returnSequences: true,
      stateful: true,
      kernelInitializer: 'zeros',
      recurrentInitializer: 'zeros',
      batchInputShape: [1, steps, units],
    });
  const model = tf.sequential({ layers: [lstm('lstm1'), lstm('lstm2')] });
  const weights = modelWeights(model);
  const predictor = predictorOf(model, weights, [{ dtype: 'float32', shape: [steps, units] }]);
  const dense = new Map(
    weights.map(({ name, shape }) => [name, new DenseWeight(shape, values(shape.reduce((a, b) => a * b)))]),
  );
  const factors = new Map(
    weights.map(({ name, shape }): [string, PackedWeight] => {
      const [rows, columns] = shape;
      if (shape.length < 2) return [name, dense.get(name)!];
      const parts = { left: values(rows * RANK), right: values(RANK * columns) };
      return [name, new FactorsWeight(shape, { outer: 1, rows, inner: columns }, RANK, parts)];
    }),
  );
  const operator = (await predictionGraph(predictor, 1)).graph;
  const written = (await predictionGraph(predictor, 1, new Set(weights.map(({ name }) => name)))).graph;
  const names = portNames({ inputNames: ['input'], outputNames: ['output'], hasNamesOfFile: false });
  const models = {
    'operator, dense': withWeights(operator, dense, names).graph,
    'steps, dense': withWeights(written, dense, names).graph,
    'operator, low rank': withWeights(operator, factors, names).graph,
    'steps, low rank': withWeights(written, factors, names).graph,
  };
  const feeds: Record<string, Tensor> = { input: new ort.Tensor('float32', values(steps * units), [1, steps, units]) };
  for (const { name, shape } of written.inputs)
    if (name.startsWith('state:')) feeds[name] = new ort.Tensor('float32', values(units), shape.map(Number));
  return { models, feeds, stepwise: kernelsForSteps(factors) };
}
