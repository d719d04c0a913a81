/** @file Language models made of plain tfjs layers, as a user writes them, and the built-in one: compiled beside eager. */
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { elementCount } from '../../../server/protocol/shape.ts';
import type { Graph } from '../../../server/compiler/ir.ts';
import { topologicalOrder } from '../../../server/compiler/ir.ts';
import { optimize } from '../../../server/compiler/optimize.ts';
import { splitRowGradients } from '../../../server/compiler/passes/rowGradients.ts';
import type { Program, StepBatch } from '../../../server/compiler/program.ts';
import { traceTraining } from '../../../server/compiler/trace/traceProgram.ts';
import { loadModel } from '../../../server/models/loadModel.ts';
import { losses } from '../../../server/models/losses.ts';
import type { ModelReference } from '../../../server/protocol/experiment/schema.ts';
import { compareExecutors } from './compareExecutors.ts';
import { modelProgram, randomBatch, randomizeWeights } from './programs.ts';

const BATCH = 3;
const TIME_STEPS = 4;
const WORDS = 11;
const UNITS = 5;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const { layers } = tf;
const embedding = (batchInputShape: number[]) =>
  layers.embedding({ name: 'embedding', inputDim: WORDS, outputDim: UNITS, batchInputShape });
const softmax = () => layers.timeDistributed({ name: 'softmax', layer: layers.dense({ units: WORDS }) });
const recurrent = { units: UNITS, returnSequences: true, stateful: true, recurrentActivation: 'sigmoid' } as const;

const byLayers: Record<string, () => tf.layers.Layer[]> = {
  'two LSTM layers': () => [layers.lstm({ ...recurrent, name: 'lstm1' }), layers.lstm({ ...recurrent, name: 'lstm2' })],
  'two GRU layers': () => [layers.gru({ ...recurrent, name: 'gru1' }), layers.gru({ ...recurrent, name: 'gru2' })],
  'a simple recurrent layer': () => [layers.simpleRNN({ units: UNITS, returnSequences: true, stateful: true })],
};

const loss = losses['sparse-categorical-crossentropy-from-logits'];

function programOf(model: tf.LayersModel): Program {
  const program = modelProgram(model, loss, { dtype: 'int32', shape: [TIME_STEPS] }, 'int32');
  randomizeWeights(program, 5, 0.4);
  return program;
}

const words = Array.from({ length: WORDS }, (_, word) => `word${word}`);

async function builtin(model: ModelReference): Promise<Program> {
  const samples = { batchSize: BATCH, inputs: [{ shape: [TIME_STEPS] }], vocabulary: { words } };
  return programOf((await loadModel(model, { baseDirectory: '/', seed: 1, samples })).model);
}

const byPlainLayers = (create: () => tf.layers.Layer[]) =>
  programOf(tf.sequential({ layers: [embedding([BATCH, TIME_STEPS]), ...create(), softmax()] }));

const lstm = { builtin: 'lstm-lm', layers: 2, units: UNITS, dropout: 0, initialRange: 0.1, tied: false } as const;

/** Batches that follow one another, the last one with labels of padding. */
function batchesOf(program: Program): StepBatch[] {
  const batches = Array.from({ length: 6 }, (_, seed) => randomBatch(program, BATCH, seed, WORDS));
  (batches[5].targets[0] as Int32Array).fill(-1, 7);
  return batches;
}

const optimizer = { type: 'sgd', learningRate: 0.5, momentum: 0, nesterov: false, weightDecay: 0 } as const;

describe('Six steps of a language model that carries its state are those of the eager executor', () => {
  it.each(Object.entries(byLayers))('%s between an embedding and a time-distributed dense layer', async (_, create) => {
    const program = byPlainLayers(create);
    await compareExecutors(program, batchesOf(program), { optimizer, rowGradients: true });
    await compareExecutors(program, batchesOf(program));
  });

  it.each([
    ['two layers', lstm],
    ['one layer, tied', { ...lstm, layers: 1, tied: true }],
  ])('the built-in model: %s', async (_, model) => {
    const program = await builtin(model);
    await compareExecutors(program, batchesOf(program), { optimizer, rowGradients: true });
    await compareExecutors(program, batchesOf(program));
  });
});

describe('An optimised step of a language model', () => {
  async function stepOf(program: Program) {
    const { graph, rows } = splitRowGradients(
      await optimize(await traceTraining(program, BATCH)),
      program.weights.map(({ name }) => name),
    );
    return { graph, rows: [...rows.keys()] };
  }
  const products = (graph: Graph) =>
    topologicalOrder(graph)
      .flatMap((node) => (node.op === 'MatMul' ? [node.inputs.map(({ type }) => type.shape.join('x')).join(' ')] : []))
      .sort();

  it('has the same products for plain layers as for the built-in model: one for all time steps but for the recurrent ones', async () => {
    const own = await stepOf(byPlainLayers(byLayers['two LSTM layers']));
    const ours = await stepOf(await builtin(lstm));
    expect(products(own.graph)).toEqual(products(ours.graph));
    // Forward and backward: T recurrent products a layer, of which the last backward one goes nowhere where the state came
    // in; the others are one each.
    expect(products(own.graph).filter((shapes) => shapes.startsWith(`${BATCH}x`))).toHaveLength(
      2 * (2 * TIME_STEPS - 1),
    );
    expect(own.rows).toHaveLength(1);
    expect(ours.rows).toHaveLength(1);
  });

  it('of the example with layers of its own is made of the same products, too', async () => {
    const path = fileURLToPath(new URL('../../../examples/language-model/my-lstm.ts', import.meta.url));
    const { graph, rows } = await stepOf(await builtin(path));
    const ours = await stepOf(await builtin({ ...lstm, units: 200 }));
    expect(products(graph)).toEqual(products(ours.graph));
    expect(rows).toHaveLength(1);
  });

  it.each([
    ['the built-in model', lstm],
    [
      'the example with layers of its own',
      fileURLToPath(new URL('../../../examples/language-model/my-lstm.ts', import.meta.url)),
    ],
  ])('moves nothing of the size of the logits: %s', async (_, model) => {
    const { graph } = await stepOf(await builtin(model));
    const moved = topologicalOrder(graph).filter(
      ({ op, type }) =>
        (op === 'Transpose' || op === 'Slice' || op === 'Concat') &&
        type.shape.at(-1) === WORDS &&
        elementCount(type.shape) >= BATCH * WORDS,
    );
    expect(moved).toEqual([]);
  });

  it('of a GRU joins the products of the gradient of each part of its recurrent matrix', async () => {
    const { graph } = await stepOf(byPlainLayers(byLayers['two GRU layers']));
    const perTimeStep = products(graph).filter((shapes) => shapes.startsWith(`${BATCH}x`));
    // Two parts, of which the backward product of the gates goes nowhere where the state came in.
    expect(perTimeStep).toHaveLength(2 * (4 * TIME_STEPS - 1));
  });

  it.each(Object.entries(byLayers))('has no one-hot codes: %s', async (_, create) => {
    const { graph } = await stepOf(byPlainLayers(create));
    expect(topologicalOrder(graph).filter(({ op }) => op === 'OneHot')).toEqual([]);
  });
});
