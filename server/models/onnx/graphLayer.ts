/**
 * @file An ONNX graph as a layer of TensorFlow.js: one layer for the whole graph, with a weight for each initializer. So a model of it is
 * traced, trained, distorted, saved and exported as every model of layers is; only its weights name themselves.
 */
import * as tf from '@tensorflow/tfjs';
import { decodeModelGraph, encodeModelGraph, type GraphWeight, type ModelGraph } from './modelGraph.ts';
import { ARRANGING } from './arranging.ts';
import { evaluateGraph } from './evaluate.ts';

/** Sizes of a tensor between layers; null for that of the batch. */
export type OpenShape = readonly (number | null)[];

/** What the layer is made of. */
export interface GraphSettings {
  readonly graph: ModelGraph;
  /** A shape for each output. */
  readonly outputShapes: readonly OpenShape[];
  /** True where batch normalization takes its running statistics in training, too. */
  readonly frozenStatistics: boolean;
}

interface LayerSettings extends GraphSettings {
  readonly name: string;
  readonly trainable?: boolean;
}

/** {@link LayerSettings} as TensorFlow.js saves them. It changes the case of texts, so that bytes are digits of base 16. */
interface SavedSettings extends Omit<LayerSettings, 'graph'> {
  readonly graph: string;
  /** Number of inputs that are no weights. */
  readonly inputCount: number;
}

export class OnnxGraphLayer extends tf.layers.Layer {
  static readonly className = 'OnnxGraph';
  readonly settings: GraphSettings;
  readonly #variables = new Map<string, tf.LayerVariable>();

  constructor({ name, trainable, ...settings }: LayerSettings) {
    super({ name, ...(trainable !== undefined && { trainable }) });
    this.settings = settings;
  }

  /** The inverse of {@link getConfig}. */
  static override fromConfig<T extends tf.serialization.Serializable>(
    layer: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const { name, trainable, graph, inputCount, outputShapes, frozenStatistics } = config as unknown as SavedSettings;
    const decoded = decodeModelGraph(Buffer.from(graph, 'hex'), inputCount);
    return new layer({ name, trainable, graph: decoded, outputShapes, frozenStatistics });
  }

  override build(): void {
    for (const [i, { name, shape, trainable }] of this.settings.graph.weights.entries()) {
      // TensorFlow.js refuses some of the characters that names of the file have.
      const variable = this.addWeight(
        `weight_${i}`,
        [...shape],
        'float32',
        tf.initializers.zeros(),
        undefined,
        trainable,
      );
      this.#variables.set(name, variable);
    }
    this.built = true;
  }

  override computeOutputShape(): tf.Shape | tf.Shape[] {
    const shapes = this.settings.outputShapes.map((shape) => [...shape]);
    return shapes.length === 1 ? shapes[0] : shapes;
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    { training = false }: { training?: boolean } = {},
  ): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => {
      const { graph, frozenStatistics } = this.settings;
      const weights = new Map(Array.from(this.#variables, ([name, variable]) => [name, variable.read()]));
      const outputs = evaluateGraph(graph, [inputs].flat(), weights, {
        training,
        frozenStatistics,
        update: (weight, value) => {
          const variable = this.#variables.get(weight);
          if (!variable)
            throw new TypeError(`its running statistic ${weight} is no weight of the file, and cannot follow`);
          variable.write(value);
        },
      });
      return outputs.length === 1 ? outputs[0] : outputs;
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { graph, ...others } = this.settings;
    return {
      ...super.getConfig(),
      ...others,
      graph: Buffer.from(encodeModelGraph(graph)).toString('hex'),
      inputCount: graph.inputs.length,
    } as unknown as tf.serialization.ConfigDict;
  }

  /** The operator that computes the numbers of an output; undefined for an output that is an input. */
  lastOperator(index = 0): string | undefined {
    const { nodes, outputs } = this.settings.graph;
    const makerOf = (name: string) => nodes.find((node) => node.outputs.includes(name));
    let node = makerOf(outputs[index].name);
    while (node && ARRANGING.has(node.op)) node = makerOf(node.inputs[0]);
    return node?.op;
  }

  /** The weights in the order of the file, each with its variable. */
  get namedWeights(): (GraphWeight & { readonly variable: tf.LayerVariable })[] {
    return this.settings.graph.weights.flatMap((weight) => {
      const variable = this.#variables.get(weight.name);
      return variable ? [{ ...weight, variable }] : [];
    });
  }
}

tf.serialization.registerClass(OnnxGraphLayer as unknown as Parameters<typeof tf.serialization.registerClass>[0]);

/** The graph that a model is made of; undefined for a model of other layers. */
export function graphOf(model: tf.LayersModel): OnnxGraphLayer | undefined {
  return model.layers.find((layer): layer is OnnxGraphLayer => layer instanceof OnnxGraphLayer);
}
