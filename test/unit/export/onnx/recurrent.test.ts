import * as tf from '@tensorflow/tfjs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kernelsForSteps } from '../../../../server/export/onnx/onnxModel.ts';
import { predictionGraph } from '../../../../server/export/onnx/predictionGraph.ts';
import { encodeOnnxModel, type OnnxGraph } from '../../../../server/formats/onnx.ts';
import { ort } from '../../../../server/formats/onnxRuntime.ts';
import { DenseWeight } from '../../../../server/formats/packed/dense.ts';
import { FactorsWeight } from '../../../../server/formats/packed/factors.ts';
import type { PackedWeight } from '../../../../server/formats/packed/packedFile.ts';
import { largestDifference, predictorOf } from './exportedGraph.ts';

const { layers } = tf;
type LstmArguments = Parameters<typeof layers.lstm>[0];

/** What an export allows. */
const TOLERANCE = 1e-4;

const sequences: Pick<LstmArguments, 'units' | 'inputShape'> = { units: 5, inputShape: [6, 3] };
const sequential = (...list: tf.layers.Layer[]) => tf.sequential({ layers: list });
const wordsOf = (...list: tf.layers.Layer[]) =>
  sequential(layers.embedding({ name: 'words', inputDim: 11, outputDim: 4, batchInputShape: [null, 6] }), ...list);
const operators = ({ nodes }: OnnxGraph) => nodes.map(({ op }) => op).filter((op) => /^(LSTM|GRU|RNN)$/.test(op));

/** An encoder whose last states are those that a decoder begins with. */
function translator(): tf.LayersModel {
  const source = tf.input({ shape: [6, 3], name: 'source' });
  const encoder = layers.lstm({ name: 'encoder', units: 5, returnState: true });
  const [, ...states] = encoder.apply(source) as tf.SymbolicTensor[];
  const decoder = layers.lstm({ name: 'decoder', units: 5, returnSequences: true });
  const decoded = decoder.apply(source, { initialState: states }) as tf.SymbolicTensor;
  return tf.model({ inputs: source, outputs: decoded });
}

/** A layer that gives its sequence and its states. */
function withStates(): tf.LayersModel {
  const source = tf.input({ shape: [6, 3], name: 'source' });
  const outputs = layers.gru({ units: 5, returnState: true, returnSequences: true }).apply(source);
  return tf.model({ inputs: source, outputs: outputs as tf.SymbolicTensor[] });
}

const standard: Record<string, { model: () => tf.LayersModel; operators: string[]; words?: number }> = {
  'two LSTMs with hard sigmoid gates': {
    model: () => sequential(layers.lstm({ ...sequences, returnSequences: true }), layers.lstm({ units: 4 })),
    operators: ['LSTM', 'LSTM'],
  },
  'an LSTM with sigmoid gates and no bias': {
    model: () => sequential(layers.lstm({ ...sequences, recurrentActivation: 'sigmoid', useBias: false })),
    operators: ['LSTM'],
  },
  'an LSTM that goes backwards': {
    model: () => sequential(layers.lstm({ ...sequences, goBackwards: true, returnSequences: true })),
    operators: ['LSTM'],
  },
  'a GRU with dropout, which is for training': {
    model: () => sequential(layers.gru({ ...sequences, dropout: 0.5, recurrentDropout: 0.5 })),
    operators: ['GRU'],
  },
  'a GRU that gives its states': { model: withStates, operators: ['GRU'] },
  'a simple recurrent layer of rectifiers': {
    model: () => sequential(layers.simpleRNN({ ...sequences, activation: 'relu', returnSequences: true })),
    operators: ['RNN'],
  },
  'a bidirectional LSTM over words': {
    model: () => wordsOf(layers.bidirectional({ layer: layers.lstm({ units: 5, returnSequences: true }) as never })),
    operators: ['LSTM', 'LSTM'],
    words: 11,
  },
  'an encoder and a decoder': { model: translator, operators: ['LSTM', 'LSTM'] },
};

describe('a recurrent layer in a file', () => {
  test.each(Object.keys(standard))('is one operator, for sequences of any length: %s', async (name) => {
    const { model, operators: expected, words } = standard[name];
    const predictor = predictorOf(model(), words);
    for (const timeSteps of [1, 6, 13]) {
      const { largest, file } = await largestDifference(predictor, [1, 4], { timeSteps });
      expect(operators(file)).toEqual(expected);
      expect(file.inputs[0].shape.slice(0, 2)).toEqual(['batch', 'sequence']);
      expect(largest).toBeLessThan(TOLERANCE);
    }
  });

  test.each<[string, () => tf.LayersModel, number?]>([
    ['an activation that ONNX has not', () => sequential(layers.lstm({ ...sequences, activation: 'selu' }))],
    [
      'a mask',
      () => {
        const words = layers.embedding({ inputDim: 11, outputDim: 4, maskZero: true, batchInputShape: [null, 6] });
        return sequential(words, layers.lstm({ units: 5 }));
      },
      11,
    ],
    [
      'a cell of its own',
      () => {
        const cells = [layers.lstmCell({ units: 5 }), layers.gruCell({ units: 4 })];
        return sequential(layers.rnn({ cell: cells, inputShape: [6, 3] }) as tf.layers.Layer);
      },
    ],
  ])('is written step by step with %s', async (_, model, words) => {
    const { largest, file } = await largestDifference(predictorOf(model(), words), [1, 4]);
    expect(operators(file)).toEqual([]);
    expect(file.inputs[0].shape[1]).toBe(6);
    expect(largest).toBeLessThan(TOLERANCE);
  });

  test('is written step by step where that is asked for by its recurrent kernel', async () => {
    const args: LstmArguments = { ...sequences, name: 'first', returnSequences: true };
    const predictor = predictorOf(sequential(layers.lstm(args), layers.lstm({ name: 'second', units: 4 })));
    const stepwise = new Set(['first/recurrent_kernel']);
    const { largest, file } = await largestDifference(predictor, [1, 4], { stepwise });
    expect(operators(file)).toEqual(['LSTM']);
    expect(file.inputs[0].shape).toEqual(['batch', 6, 3]);
    expect(largest).toBeLessThan(TOLERANCE);
  });

  test('is asked for step by step where the factors of its recurrent kernel save much', () => {
    const factors = (units: number, rank: number) => {
      const parts = { left: new Float32Array(units * rank), right: new Float32Array(4 * units * rank) };
      const view = { outer: 1, rows: units, inner: 4 * units };
      return new FactorsWeight([units, 4 * units], view, rank, parts);
    };
    const weights = new Map<string, PackedWeight>([
      ['large', factors(650, 64)],
      ['small', factors(200, 64)],
      ['dense', new DenseWeight([650, 2600], new Float32Array(650 * 2600))],
    ]);
    expect(kernelsForSteps(weights)).toEqual(new Set(['large']));
  });

  test('takes sequences of one length where a layer behind it does', async () => {
    const model = sequential(
      layers.lstm({ ...sequences, returnSequences: true }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    );
    const { largest, file } = await largestDifference(predictorOf(model), [1, 4]);
    expect(operators(file)).toEqual(['LSTM']);
    expect(file.inputs[0].shape).toEqual(['batch', 6, 3]);
    expect(largest).toBeLessThan(TOLERANCE);
  });

  test('has weights that ONNX Runtime puts into the order of its gates when it loads the file', async () => {
    const predictor = predictorOf(sequential(layers.lstm(sequences)));
    const { file } = await largestDifference(predictor, [1]);
    const optimized = join(await mkdtemp(join(tmpdir(), 'deeptwist-')), 'optimized.onnx');
    const session = await ort.InferenceSession.create(encodeOnnxModel(file), {
      optimizedModelFilePath: optimized,
      logSeverityLevel: 3,
    });
    await session.release();
    const text = await readFile(optimized, 'latin1');
    expect(text).toContain('LSTM');
    expect(file.nodes.map(({ op }) => op)).toContain('Gather');
    for (const op of ['Gather', 'Pad']) expect(text).not.toContain(op);
  });

  test('takes less than a kilobyte more than a single step written out, and less than ten of them', async () => {
    const bytes = (graph: OnnxGraph) => encodeOnnxModel(graph).length;
    const lengthOf = async (timeSteps: number) => {
      const predictor = predictorOf(sequential(layers.lstm({ units: 5, inputShape: [timeSteps, 3] })));
      const { file } = await largestDifference(predictor, []);
      const weights = file.initializers.filter(({ name }) => name.startsWith('lstm'));
      const { graph: steps } = await predictionGraph(predictor, 1, new Set(predictor.weights.map(({ name }) => name)));
      return { operator: bytes(file), steps: bytes({ ...steps, initializers: [...steps.initializers, ...weights] }) };
    };
    const [one, ten] = [await lengthOf(1), await lengthOf(10)];
    expect(one.operator).toBeLessThan(one.steps + 1000);
    expect(ten.operator).toBeLessThan(ten.steps);
  });
});
