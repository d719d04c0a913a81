/** @file The graph of a model that came from an ONNX file: it is written again as it was read, but for its weights. */
import { portName } from '../../compiler/ports.ts';
import type { OnnxGraph, OnnxVersions } from '../../formats/onnx.ts';
import { graphOf, type OpenShape } from '../../models/onnx/graphLayer.ts';
import { weightlessGraph } from '../../models/onnx/modelGraph.ts';
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
export function importedGraph({ model }: Pick<ModelProgram, 'model'>): ImportedGraph | undefined {
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
  const sizes = (shape: OpenShape) => shape.map((size) => size ?? BATCH);
  const written = weightlessGraph(
    graph,
    outputs.map(({ type }, i) => ({ name: portName.output(i), type, shape: sizes(model.outputs[i].shape) })),
    portName.parameter,
  );
  return {
    graph: {
      ...written,
      inputs: written.inputs.map((value, i) =>
        i < inputs.length ? { ...value, name: portName.input(i), shape: sizes(model.inputs[i].shape) } : value,
      ),
      nodes: written.nodes.map((node) => ({ ...node, inputs: renamed(node.inputs), outputs: renamed(node.outputs) })),
    },
    versions: { opset, irVersion },
  };
}
