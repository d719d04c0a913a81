/** @file The graph of a model that came from an ONNX file: it is written again as it was read, but for its weights. */
import type * as tf from '@tensorflow/tfjs';
import { portName } from '../../compiler/ports.ts';
import type { OnnxGraph, OnnxVersions } from '../../formats/onnx.ts';
import { channelsFirstShape } from '../../models/imageLayout.ts';
import { graphOf, type OpenShape } from '../../models/onnx/graphLayer.ts';
import { weightlessGraph, type ModelGraph } from '../../models/onnx/modelGraph.ts';
import type { ModelProgram } from '../../training/modelProgram.ts';
import { BATCH } from '../ports.ts';

/** First version of the standard operators whose rules the decoders of weights keep: axes of `ReduceSum` are an input. */
const FIRST_OPSET = 13;

export interface ImportedGraph {
  /** Its inputs and outputs have the names of ports, and weights are inputs. */
  readonly graph: OnnxGraph;
  readonly versions: OnnxVersions;
}

/** @returns undefined for a model of layers, and for a graph of operators that the decoders of weights do not go with */
export function importedGraph({
  model,
  inputs: samples,
}: Pick<ModelProgram, 'model' | 'inputs'>): ImportedGraph | undefined {
  const graph = graphOf(model)?.settings.graph;
  if (!graph || graph.opset < FIRST_OPSET) return undefined;
  const { inputs, outputs, opset, irVersion } = graph;
  const ports = new Map([
    ...inputs.map(({ name }, i) => [name, portName.input(i)] as const),
    ...outputs.map(({ name }, i) => [name, portName.output(i)] as const),
  ]);
  // A value that comes in and goes out has one name.
  if (ports.size < inputs.length + outputs.length) return undefined;
  const renamed = (names: readonly string[]) => names.map((name) => ports.get(name) ?? name);
  const shapes = openShapes(graph, model, samples);
  const written = weightlessGraph(
    graph,
    outputs.map(({ type }, i) => ({ name: portName.output(i), type, shape: shapes.outputs[i] })),
    portName.parameter,
  );
  return {
    graph: {
      ...written,
      inputs: written.inputs.map((value, i) =>
        i < inputs.length ? { ...value, name: portName.input(i), shape: shapes.inputs[i] } : value,
      ),
      nodes: written.nodes.map((node) => ({ ...node, inputs: renamed(node.inputs), outputs: renamed(node.outputs) })),
    },
    versions: { opset, irVersion },
  };
}

type Shapes = readonly (number | string)[][];

/**
 * Shapes of inputs and outputs, in which the dimensions of inputs that have names in the file keep these, and are of any size. Where there
 * are none, all sizes behind the batch are those of the model.
 */
function openShapes(
  { inputs, outputs }: ModelGraph,
  model: tf.LayersModel,
  samples: ModelProgram['inputs'],
): { inputs: Shapes; outputs: Shapes } {
  const sized = (shape: OpenShape) => shape.map((size) => size ?? BATCH);
  const ofInputs = inputs.map(({ shape }, i) => {
    const sizes = sized(model.inputs[i].shape);
    const open = sizes.map((size, axis) => (axis > 0 && isNamed(shape[axis]) ? shape[axis] : size));
    return tellsLayout(open, sizes, samples[i].shape) ? open : sizes;
  });
  const isOpen = ofInputs.some((shape) => shape.some((size, axis) => axis > 0 && typeof size === 'string'));
  const ofOutputs = outputs.map(({ name, shape }, i) =>
    sized(model.outputs[i].shape).map((size, axis) => {
      if (axis === 0 || !isOpen) return size;
      return shape[axis] === undefined || shape[axis] === '' ? `${name}_${axis}` : shape[axis];
    }),
  );
  return { inputs: ofInputs, outputs: ofOutputs };
}

function isNamed(size: number | string | undefined): size is string {
  return typeof size === 'string' && size !== '';
}

/** True where images with channels last are told from others by the open shape as they are by the sizes. */
function tellsLayout(
  open: readonly (number | string)[],
  sizes: readonly (number | string)[],
  sample: readonly number[],
) {
  const [ofOpen, ofSizes] = [open, sizes].map((shape) =>
    channelsFirstShape(
      shape.slice(1).map((size) => (typeof size === 'number' ? size : null)),
      sample,
    ),
  );
  return ofOpen?.join() === ofSizes?.join();
}
