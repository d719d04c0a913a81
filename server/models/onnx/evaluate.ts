/** @file Computes an ONNX graph by operations of TensorFlow.js, which have gradients and can be recorded. */
import * as tf from '@tensorflow/tfjs';
import { UnsupportedKernel } from '../../compiler/import/kernel.ts';
import type { OnnxNode } from '../../formats/onnx.ts';
import { messageOf } from '../../protocol/thrown.ts';
import { UserError } from '../../protocol/userError.ts';
import { arranged } from './arranging.ts';
import type { ModelGraph } from './modelGraph.ts';
import { NodeCall, type Mode } from './nodeCall.ts';
import { operatorOf } from './operators.ts';
import {
  dtypes,
  isKnown,
  isSequence,
  kindOfType,
  knownTensorOf,
  tensorOf,
  type Sequence,
  type Value,
} from './values.ts';

/**
 * @param inputs in the order of the graph
 * @param weights by name
 * @returns the outputs of the graph
 * @throws UserError that names the node which cannot be computed
 */
export function evaluateGraph(
  graph: ModelGraph,
  inputs: readonly tf.Tensor[],
  weights: ReadonlyMap<string, tf.Tensor>,
  mode: Omit<Mode, 'opset' | 'samples'>,
): tf.Tensor[] {
  return valuesOf(graph, inputs, weights, mode).map(tensorOf);
}

/** {@link evaluateGraph} that leaves numbers which are known as they are. */
export function valuesOf(
  graph: ModelGraph,
  inputs: readonly tf.Tensor[],
  weights: ReadonlyMap<string, tf.Tensor>,
  mode: Omit<Mode, 'opset' | 'samples'>,
): Value[] {
  const values = new Map<string, Value | Sequence>(weights);
  for (const [name, tensor] of graph.constants) values.set(name, knownTensorOf(tensor));
  graph.inputs.forEach(({ name, type }, i) => values.set(name, ofType(inputs[i], type)));
  const names = graph.inputs.map(({ name }) => name);
  const ofGraph = { ...mode, opset: graph.opset, samples: arranged(names, graph.nodes) };
  for (const node of graph.nodes) {
    const inputsOfNode = node.inputs.map((name) => values.get(name));
    const outputs = compute(node, inputsOfNode, ofGraph);
    node.outputs.forEach((name, i) => {
      if (name !== '') values.set(name, outputs[i]);
    });
  }
  return graph.outputs.map(({ name }) => {
    const value = values.get(name);
    if (value === undefined || isSequence(value))
      throw new UserError(`The output '${name}' of the ONNX graph is no tensor that a node computes.`, {
        remedy: 'Export the model again, with outputs that depend on its inputs.',
      });
    return value;
  });
}

/** Samples in the type of the input that takes them. */
function ofType(x: tf.Tensor, type: ModelGraph['inputs'][number]['type']): tf.Tensor {
  const dtype = dtypes[kindOfType(type)];
  return x.dtype === dtype ? x : tf.cast(x, dtype);
}

function compute(
  node: OnnxNode,
  inputs: readonly (Value | Sequence | undefined)[],
  mode: Mode,
): readonly (Value | Sequence)[] {
  const operator = operatorOf(
    node.op,
    inputs.every((value) => value === undefined || (!isSequence(value) && isKnown(value))),
  );
  try {
    if (!operator)
      throw new TypeError('it is computed of known numbers alone, and its inputs depend on weights or samples');
    const call = new NodeCall(node, inputs, mode);
    const outputs = [operator(call)].flat() as readonly (Value | Sequence)[];
    call.checkAttributes();
    return outputs;
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof UnsupportedKernel) throw new UnsupportedKernel(error.kernel, error.message, nameOf(node));
    throw new UserError(
      `The node '${nodeName(node)}' (${node.op}) of the ONNX graph cannot be computed: ${reasonOf(error)}.`,
      {
        remedy:
          'Check the shapes and types of the data against the inputs of the model. If they are right, export the model without this ' +
          'node, or for another version of the operators (opset_version).',
        cause: error,
      },
    );
  }
}

function nodeName({ name, op }: OnnxNode): string {
  return name ?? op;
}

/** A node as a message calls a layer. */
function nameOf(node: OnnxNode): string {
  return `${nodeName(node)} (${node.op})`;
}

function reasonOf(error: unknown): string {
  return messageOf(error).replace(/\.$/, '');
}
