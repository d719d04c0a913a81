/**
 * @file The weights of a model under stable names, `layer/weight` (`fc1/kernel`). tfjs numbers what a process creates:
 * the second model's `kernel` may be `fc1/kernel_1`, its unnamed dense layer `dense_Dense7`. Here numbers count within the
 * model, so that the same model has the same names in every process and after every reload. The weights of an ONNX graph have those
 * of its file (`fc1.weight`).
 */
import type * as tf from '@tensorflow/tfjs';
import { madeUpName } from '../protocol/model/madeUpNames.ts';
import { OnnxGraphLayer } from './onnx/graphLayer.ts';

export interface ModelWeight {
  /** `layer/weight`; unique in the model. */
  name: string;
  /** A layer inside another has the path of both: `encoder/fc1`, `bidirectional/forward_lstm`. */
  layer: string;
  /** `kernel`, `bias`, `recurrent_kernel`, … */
  weight: string;
  /** tfjs class name of the layer that has it, or the operator of ONNX that takes it. */
  layerClass: string;
  /** Axis of the output units, where it is not the one that a weight of TensorFlow.js with this name has. */
  outputAxis?: number;
  /** Axis of the input channels of a convolution of an ONNX graph. */
  channelAxis?: number;
  /** What has its output units in an ONNX graph, by a name of it, and how many gates each of them has. */
  units?: { readonly of: string; readonly gates: number };
  /** What TensorFlow.js would call a weight of an ONNX graph. */
  kind?: 'depthwise_kernel' | 'embeddings';
  /** True for a bias or a scale of an ONNX graph that has several axes. */
  isVector?: boolean;
  /** The one layer whose output the weight multiplies, with nothing but dropout between them; not for a recurrent kernel. */
  inputLayer?: string;
  shape: number[];
  trainable: boolean;
  /** What the layer asks to be applied after each update: kernelConstraint, …; tfjs itself does not. */
  constraint?: LayerConstraint;
  /** Holds the value. */
  variable: tf.Variable;
}

/** An object of tf.constraints, or a user's own. */
export type LayerConstraint = ReturnType<typeof tf.constraints.nonNeg>;

type Layer = tf.layers.Layer;

/** What is known of a weight without its value. */
export function withoutValue({
  variable: _variable,
  constraint: _constraint,
  ...described
}: ModelWeight): Omit<ModelWeight, 'variable' | 'constraint'> {
  return described;
}

/** Layers within a layer: of a model, of a wrapper (timeDistributed), of bidirectional. */
export interface Composite {
  layers?: Layer[];
  layer?: Layer;
  forwardLayer?: Layer;
  backwardLayer?: Layer;
}

/** Every weight of the model once, in the order of its layers; also those that are not trained. */
export function modelWeights(model: tf.LayersModel): ModelWeight[] {
  const trainable = new Set(model.trainableWeights.map(({ id }) => id));
  const layerNames = stableLayerNames(model);
  const seen = new Set<number>();
  const names = new Set<string>();
  const result: ModelWeight[] = [];

  const visit = (layer: Layer, path: readonly string[], input?: string): void => {
    if (layer instanceof OnnxGraphLayer) {
      result.push(...weightsOfGraph(layer));
      for (const { id } of layer.weights) seen.add(id);
      return;
    }
    const pathOf = (child: Layer) => [...path, layerNames.get(child.name) ?? child.name];
    for (const child of children(layer)) {
      const source = inputOf(child);
      visit(child, pathOf(child), source ? pathOf(source).join('/') : isModel(layer) ? undefined : input);
    }
    for (const variable of layer.weights) {
      if (seen.has(variable.id)) continue;
      seen.add(variable.id);
      const layerName = path.join('/');
      const weight = unused(variable.originalName.replace(/^.*\//, ''), (w) => names.has(weightName(layerName, w)));
      const name = weightName(layerName, weight);
      names.add(name);
      result.push({
        name,
        layer: layerName,
        weight,
        layerClass: layer.getClassName(),
        ...(input !== undefined && weight !== 'recurrent_kernel' && { inputLayer: input }),
        shape: variable.shape as number[],
        // A weight of integers has no gradient; layers forget to say so.
        trainable: trainable.has(variable.id) && variable.dtype === 'float32',
        ...((variable.constraint as LayerConstraint | null) && { constraint: variable.constraint }),
        // Before it is disposed, `read` gives the variable itself.
        variable: variable.read() as tf.Variable,
      });
    }
  };
  visit(model, []);
  return result;
}

function weightsOfGraph(graph: OnnxGraphLayer): ModelWeight[] {
  return graph.namedWeights.map(
    ({ name, layer, weight, op, outputAxis, channelAxis, units, kind, isVector, shape, trainable, variable }) => ({
      name,
      layer,
      weight,
      layerClass: op,
      ...(outputAxis !== undefined && { outputAxis }),
      ...(channelAxis !== undefined && { channelAxis }),
      ...(units && { units }),
      ...(kind && { kind }),
      ...(isVector && shape.length > 1 && { isVector }),
      shape: [...shape],
      trainable: trainable && graph.trainable,
      variable: variable.read() as tf.Variable,
    }),
  );
}

/** @returns `fc1/kernel` for the layer `fc1` and its variable `kernel` */
function weightName(layer: string, variable: string): string {
  return `${layer}/${variable}`;
}

/** The layers directly within a layer: those of a model, and those of a wrapper. */
export function children(layer: Layer): Layer[] {
  const { layers = [], layer: wrapped, forwardLayer, backwardLayer } = layer as Layer & Composite;
  return [...layers, wrapped, forwardLayer, backwardLayer].filter((child) => child !== undefined);
}

/** True for a model, which has layers of its own. */
export function isModel(layer: Layer): boolean {
  return (layer as Composite).layers !== undefined;
}

/** Layers that leave the meaning of each number of their input as it is. */
export const PASSED = new Set([
  'Dropout',
  'SpatialDropout1D',
  'GaussianDropout',
  'GaussianNoise',
  'AlphaDropout',
  'Masking',
]);

/** The layer whose output a layer takes, the only one of its only call; undefined for a layer within a wrapper. */
function inputOf(layer: Layer): Layer | undefined {
  const [source, another] = layer.inboundNodes.flatMap(({ inboundLayers }) => inboundLayers);
  if (source === undefined || another !== undefined) return undefined;
  return PASSED.has(source.getClassName()) ? inputOf(source) : source;
}

function descendants(layer: Layer): Layer[] {
  return children(layer).flatMap((child) => [child, ...descendants(child)]);
}

/** Paths of the layers of a model, those within others included, by stable names; a layer that several others hold has several. */
export function layerPaths(model: tf.LayersModel): Map<Layer, string[]> {
  const names = stableLayerNames(model);
  const paths = new Map<Layer, string[]>();
  const visit = (layer: Layer, path: readonly string[]): void => {
    for (const child of children(layer)) {
      const own = [...path, names.get(child.name) ?? child.name];
      paths.set(child, [...(paths.get(child) ?? []), own.join('/')]);
      visit(child, own);
    }
  };
  visit(model, []);
  return paths;
}

/** The names of the model's layers, those within others included, that are not stable, with the name that stands for each. */
export function stableLayerNames(model: tf.LayersModel): Map<string, string> {
  return stableNames(descendants(model).map(({ name }) => name));
}

/** Numbers made-up names 1, 2, … in the order of their creation; keeps all others. */
function stableNames(names: readonly string[]): Map<string, string> {
  const numbers = new Map<string, Set<number>>();
  for (const name of names) {
    const made = madeUpName(name);
    if (made) numbers.set(made.prefix, (numbers.get(made.prefix) ?? new Set()).add(made.number));
  }
  const result = new Map<string, string>();
  for (const [prefix, used] of numbers)
    [...used].sort((a, b) => a - b).forEach((number, i) => result.set(`${prefix}${number}`, `${prefix}${i + 1}`));
  return result;
}

/** The name, or with the first of `_1`, `_2`, … that is not used: the cells of a stacked RNN have equal names. */
function unused(name: string, isUsed: (name: string) => boolean): string {
  let result = name;
  for (let i = 1; isUsed(result); i++) result = `${name}_${i}`;
  return result;
}
