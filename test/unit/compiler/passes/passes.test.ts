import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { binary, input, make, parameter, scalar, unary } from '../../../../server/compiler/build.ts';
import { checkGraph } from '../../../../server/compiler/check.ts';
import type { Graph, Node } from '../../../../server/compiler/ir.ts';
import { optimize, passes, type PassName } from '../../../../server/compiler/optimize.ts';
import { traceTraining } from '../../../../server/compiler/trace/traceProgram.ts';
import { losses } from '../../../../server/models/losses.ts';
import { modelProgram } from '../programs.ts';
import { evaluateGraph } from './evaluateGraph.ts';
import { expectSameValues, expectValues, type Values } from './expectSameValues.ts';
import { randomGraphs } from './randomGraph.ts';

const { layers } = tf;
const names = Object.keys(passes) as PassName[];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

interface Traced {
  graph: Graph;
  optimized: Graph;
  values: Values;
}

const traces = new Map<unknown, Promise<Traced>>();

/** A model's training step as traced and as optimised, and its values; made once for all passes. */
function traceOf(create: () => tf.layers.Layer[]): Promise<Traced> {
  const known = traces.get(create);
  if (known !== undefined) return known;
  const trace = async () => {
    const model = tf.sequential({ layers: create() });
    const loss = losses['sparse-categorical-crossentropy-from-logits'];
    const graph = await traceTraining(modelProgram(model, loss, { dtype: 'int32', shape: [] }), 2);
    return { graph, optimized: await optimize(graph), values: await evaluateGraph(graph) };
  };
  const made = trace();
  traces.set(create, made);
  return made;
}

const sequence = { inputShape: [4, 2] };
const traced: Record<string, () => tf.layers.Layer[]> = {
  'dense layers': () => [
    layers.dense({ units: 4, activation: 'relu', inputShape: [3] }),
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 3 }),
  ],
  'convolutions with batch normalization': () => [
    layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [6, 6, 2], padding: 'same' }),
    layers.batchNormalization(),
    layers.activation({ activation: 'relu' }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.depthwiseConv2d({ kernelSize: 2 }),
    layers.flatten(),
    layers.dense({ units: 3 }),
  ],
  'an LSTM': () => [layers.lstm({ units: 3, ...sequence }), layers.dense({ units: 3 })],
  'a bidirectional GRU': () => [
    layers.bidirectional({ layer: layers.gru({ units: 2 }) as tf.RNN, mergeMode: 'concat', ...sequence }),
    layers.dense({ units: 3, activation: 'softmax' }),
  ],
};

describe.each(names)('The pass %s', (name) => {
  it('keeps the values of random graphs', async () => {
    await fc.assert(
      fc.asyncProperty(randomGraphs(25), async (graph) => {
        const after = await passes[name](graph);
        checkGraph(after, name, graph);
        await expectSameValues(after, graph);
      }),
      { seed: 3, numRuns: 40, endOnFailure: true },
    );
  });

  it.each(Object.entries(traced))('keeps the loss and gradients of %s', async (_, create) => {
    const { graph, values, optimized } = await traceOf(create);
    const after = await passes[name](graph);
    checkGraph(after, name, graph);
    await expectValues(after, values);
    // Again, where all passes have been.
    await expectValues(await passes[name](optimized), values);
  });
});

describe('All passes together', () => {
  it('keep the values of random graphs', async () => {
    await fc.assert(
      fc.asyncProperty(randomGraphs(60), async (graph) => expectSameValues(await optimize(graph), graph)),
      { seed: 5, numRuns: 100, endOnFailure: true },
    );
  });
});

describe('The check behind a pass', () => {
  const x = input('x', { dtype: 'float32', shape: [2, 3] });
  const before: Graph = { outputs: new Map([['y', unary('Relu', x)]]) };
  const graphOf = (node: Node): Graph => ({ outputs: new Map([['y', node]]) });
  const retyped = (node: Node, shape: number[]): Node => ({ ...node, type: { ...node.type, shape } });

  const faults: Record<string, [Graph, string]> = {
    'changes the shape of an output': [
      graphOf(unary('Relu', input('x', { dtype: 'float32', shape: [3, 2] }))),
      'The output y is float32[3, 2]; it was float32[2, 3].',
    ],
    'changes the type of an output': [
      graphOf(binary('Less', x, scalar(0))),
      'The output y is bool[2, 3]; it was float32[2, 3].',
    ],
    'loses an output': [{ outputs: new Map() }, 'The output y is gone.'],
    'declares a wrong shape inside': [
      graphOf(binary('Add', retyped(unary('Abs', x), [1, 3]), x)),
      'Abs of float32[2, 3] is declared as float32[1, 3], not float32[2, 3].',
    ],
    'joins operands that do not fit': [
      graphOf(retyped({ ...unary('Relu', x), op: 'Add', inputs: [x, parameter('w', [2])] } as Node, [2, 3])),
      'Shapes [2,3] and [2] do not broadcast.',
    ],
    'selects between types': [
      graphOf({
        ...make('Select', {}, [binary('Less', x, scalar(0)), x, x]),
        inputs: [binary('Less', x, scalar(0)), x, scalar(0, 'int32')],
      } as Node),
      'Operands of type float32 and int32.',
    ],
  };

  it.each(Object.entries(faults))('finds out a pass that %s', (_, [after, message]) => {
    expect(() => checkGraph(after, 'faulty', before)).toThrow(`After the pass 'faulty': ${message}`);
  });

  it('is satisfied by a graph that computes the same otherwise', () => {
    expect(() => checkGraph(graphOf(binary('Maximum', x, scalar(0))), 'right', before)).not.toThrow();
  });
});
