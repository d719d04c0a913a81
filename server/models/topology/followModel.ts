/**
 * @file The units of a tf.LayersModel: in which weights they stand, through which layers they go, and which kernels read them. What a layer
 * makes of units is a rule of its class (`layerRules.ts`); a class without a rule keeps what is before and behind it.
 */
import type * as tf from '@tensorflow/tfjs';
import { layerPaths, modelWeights } from '../modelWeights.ts';
import { LayerCall, Recording } from './layerCall.ts';
import { ruleOf } from './layerRules.ts';
import type { Signal, Topology } from './topology.ts';

type Layer = tf.layers.Layer;

/** Follows the units of a model, nested ones included. It depends on the layers alone, not on the values of weights. */
export function followModel(model: tf.LayersModel): Topology {
  const names = new Map<tf.Tensor, string>(modelWeights(model).map(({ name, variable }) => [variable, name]));
  const recording = new Recording(layerPaths(model), names);
  const inputs = model.inputs.map(({ shape }): Signal => {
    const size = shape.at(-1);
    return { shape, units: shape.length > 1 && typeof size === 'number' ? recording.groups.create(size) : undefined };
  });
  const outputs = followGraph(model, inputs, recording);
  for (const { units } of inputs) recording.groups.keep(units ?? [], 'they are inputs of the model');
  for (const { units } of outputs) recording.groups.keep(units ?? [], 'they are outputs of the model');
  const { groups, axes, readings, steps, producers, resizes, multiplyAdds } = recording;
  return { groups, axes, readings, steps, producers: [...producers.values()], resizes, multiplyAdds };
}

/** @returns the outputs of the model */
function followGraph(model: tf.LayersModel, inputs: readonly Signal[], recording: Recording): readonly Signal[] {
  const follow = (layer: Layer, given: readonly Signal[]): readonly Signal[] => {
    const call = new LayerCall(recording, layer, given, follow);
    if (givenShape(layer) && given[0].units) call.resizeLastAxis('batch_input_shape', given[0].units);
    return isModel(layer) ? followGraph(layer, given, recording) : ruleOf(layer.getClassName())(call);
  };
  /** What was made, by node: the outputs of a call. */
  const made = new Map<object, readonly Signal[]>();
  model.inputs.forEach((tensor, i) => {
    made.set(nodeOf(tensor), [inputs[i]]);
    const { sourceLayer } = tensor;
    if (inputs[i].units)
      new LayerCall(recording, sourceLayer, [], follow).resizeLastAxis('batch_input_shape', inputs[i].units);
  });
  const signalOf = (tensor: tf.SymbolicTensor): Signal => {
    const node = nodeOf(tensor);
    let signals = made.get(node);
    if (!signals) {
      signals = follow(tensor.sourceLayer, node.inputTensors.map(signalOf));
      made.set(node, signals);
    }
    return signals[tensor.tensorIndex ?? 0];
  };
  return model.outputs.map(signalOf);
}

/** The call that a tensor comes from. */
function nodeOf({ sourceLayer, nodeIndex }: tf.SymbolicTensor) {
  return sourceLayer.inboundNodes[nodeIndex];
}

function isModel(layer: Layer): layer is tf.LayersModel {
  return 'layers' in layer && 'inputs' in layer;
}

function givenShape(layer: Layer): boolean {
  return layer.batchInputShape !== undefined;
}
