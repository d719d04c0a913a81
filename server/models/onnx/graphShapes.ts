/** @file What the inputs and outputs of an ONNX graph are: it is recorded for batches of two sizes, which tells where that of the batch is. */
import * as tf from '@tensorflow/tfjs';
import { input as placeholder, parameter } from '../../compiler/build.ts';
import { UnsupportedKernel } from '../../compiler/import/kernel.ts';
import { record } from '../../compiler/trace/recordingBackend.ts';
import { UserError } from '../../protocol/userError.ts';
import { valuesOf } from './evaluate.ts';
import type { OpenShape } from './graphLayer.ts';
import type { GraphPort, ModelGraph } from './modelGraph.ts';
import { isKnown, kindOfType, type Value } from './values.ts';

interface GraphShapes {
  readonly inputs: readonly OpenShape[];
  readonly outputs: readonly OpenShape[];
  readonly warning?: string;
}

/** Sizes that a graph is recorded for, to see which dimensions are that of the batch. */
const BATCHES = [2, 3] as const;

/** Shapes of the inputs for a batch. */
function inputShapes({ inputs }: ModelGraph, batch: number): number[][] {
  return inputs.map(({ shape }) => [batch, ...shape.slice(1).map(Number)]);
}

/** Shapes of the inputs as the file has them; an input may have another size than the batch on its first axis, as a state has. */
function fixedShapes({ inputs }: ModelGraph, batch: number): number[][] {
  return inputs.map(({ shape }) => shape.map((size) => (typeof size === 'number' ? size : batch)));
}

/** The size of a batch that the file fixes. */
function fixedBatch({ inputs }: ModelGraph): number | undefined {
  return inputs.flatMap(({ shape: [size] }) => (typeof size === 'number' ? [size] : [])).at(0);
}

/** The shapes of inputs and outputs, for batches of any size where the graph computes them. @param path of the file, for the warning */
export async function shapesOf(graph: ModelGraph, path: string): Promise<GraphShapes> {
  const fixed = fixedBatch(graph);
  const sized = (batch: number) => inputShapes(graph, batch);
  try {
    const [two, three] = [await outputShapes(graph, sized(BATCHES[0])), await outputShapes(graph, sized(BATCHES[1]))];
    const outputs = two.map((shape, i) => openShape(shape, three[i]));
    if (outputs.every((shape) => shape !== undefined))
      return { inputs: graph.inputs.map(({ shape }) => [null, ...shape.slice(1).map(Number)]), outputs };
    if (fixed === undefined)
      throw new UserError('an output of the model does not have the samples of the batch on its first axis.', {
        remedy: 'Export the model so that the batch is the first axis of all inputs and outputs.',
      });
  } catch (error) {
    if (fixed === undefined || !(error instanceof UserError)) throw error;
  }
  return {
    inputs: fixedShapes(graph, fixed),
    outputs: await outputShapes(graph, fixedShapes(graph, fixed)),
    warning:
      `${path} computes batches of ${fixed} alone, since it was exported with that size in it. Export it with a dynamic batch: ` +
      'torch.onnx.export(…, dynamic_axes={"input": {0: "batch"}}, dynamo=False).',
  };
}

/** The shape with null for the batch; undefined where that is elsewhere. */
function openShape(two: readonly number[], three: readonly number[]): OpenShape | undefined {
  if (two.length !== three.length || two[0] !== BATCHES[0] || three[0] !== BATCHES[1]) return undefined;
  return two.slice(1).some((size, axis) => size !== three[axis + 1]) ? undefined : [null, ...two.slice(1)];
}

/** Shapes of the outputs for shapes of the inputs. */
function outputShapes(graph: ModelGraph, inputs: readonly (readonly number[])[]): Promise<number[][]> {
  return recordOutputs(graph, inputs, (outputs) => outputs.map(({ shape }) => [...shape]));
}

/**
 * The outputs of a graph for shapes of its inputs: recorded, so that nothing is computed, where the graph can be compiled.
 * @param read what is taken from them; tensors do not outlive it
 */
async function recordOutputs<R>(
  graph: ModelGraph,
  inputs: readonly (readonly number[])[],
  read: (outputs: readonly Value[]) => R,
): Promise<R> {
  const { inputs: ofGraph, weights } = graph;
  const evaluate = (samples: readonly tf.Tensor[], values: readonly tf.Tensor[]) =>
    read(valuesOf(graph, samples, new Map(weights.map(({ name }, i) => [name, values[i]])), INFERENCE));
  try {
    return await record(0, (recording) =>
      evaluate(
        ofGraph.map(({ name, type }, i) =>
          recording.tensor(placeholder(name, { dtype: dtypeOf(type), shape: inputs[i] })),
        ),
        weights.map(({ name, shape }) => recording.tensor(parameter(name, shape))),
      ),
    );
  } catch (error) {
    if (!(error instanceof UnsupportedKernel)) throw error;
    await tf.setBackend('cpu');
    tf.engine().startScope();
    try {
      return evaluate(
        ofGraph.map(({ type }, i) => tf.zeros([...inputs[i]], dtypeOf(type))),
        weights.map(({ shape }) => tf.zeros([...shape])),
      );
    } finally {
      tf.engine().endScope();
    }
  }
}

const INFERENCE = { training: false, frozenStatistics: false, update: () => undefined };

/** Element type of the samples: a data set has no truth values. */
export function dtypeOf(type: GraphPort['type']): 'float32' | 'int32' {
  return kindOfType(type) === 'float' ? 'float32' : 'int32';
}

/**
 * The number of an output that does not depend on samples or weights.
 * @returns undefined for one that does, or that changes with the size of a batch of any size
 */
export async function knownOutput(graph: ModelGraph): Promise<number | undefined> {
  const numberFor = (shapes: readonly (readonly number[])[]) =>
    recordOutputs(graph, shapes, ([value]) => (isKnown(value) ? value.numbers[0] : undefined));
  const fixed = fixedBatch(graph);
  try {
    const [two, three] = [
      await numberFor(inputShapes(graph, BATCHES[0])),
      await numberFor(inputShapes(graph, BATCHES[1])),
    ];
    if (two === three || fixed === undefined) return two === three ? two : undefined;
  } catch (error) {
    if (fixed === undefined || !(error instanceof UserError)) throw error;
  }
  return numberFor(fixedShapes(graph, fixed));
}
