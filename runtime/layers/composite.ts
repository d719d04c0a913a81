/** @file Layers that are made of layers: a model in a model, and a layer that is applied to each time step. */
import { elementCount } from '../../server/protocol/shape.ts';
import { readGraph, type Graph } from '../graph.ts';
import { LayerConfig } from '../layerConfig.ts';
import type { Plan, Tensor } from '../plan.ts';
import { only, type Layer, type LayerStore, type MakeLayer } from './layer.ts';

/** A graph of layers with their weights. */
export class LayerGraph {
  readonly graph: Graph;
  readonly #layers: ReadonlyMap<string, Layer>;

  /** @throws FormatError for a layer that is not known, and where weights are missing or do not fit */
  constructor(config: LayerConfig, store: LayerStore, make: MakeLayer) {
    this.graph = readGraph(config);
    const layers = new Map<string, Layer>();
    for (const { layer } of this.graph.calls)
      if (!layers.has(layer.name)) layers.set(layer.name, make(layer, store.within(layer.name)));
    this.#layers = layers;
  }

  get isStepwise(): boolean {
    return [...this.#layers.values()].every((layer) => layer.isStepwise);
  }

  /** @returns the outputs of the graph */
  plan(inputs: readonly Tensor[], plan: Plan): Tensor[] {
    const { inputs: ports, calls, outputs } = this.graph;
    const results = new Map(ports.map(({ name }, i) => [name, inputs[i]]));
    const resultOf = (name: string): Tensor => {
      const result = results.get(name);
      if (result === undefined) throw new Error(`Nothing has made '${name}'.`);
      return result;
    };
    for (const { layer: config, from, result } of calls) {
      const layer = this.#layers.get(config.name);
      if (layer === undefined) throw new Error(`The layer '${config.name}' was not made.`);
      if (plan.isStep && !layer.isStepwise)
        throw config.error('it needs the whole sequence, and cannot go step by step');
      results.set(result, layer.plan(from.map(resultOf), plan));
    }
    return outputs.map(({ result }) => resultOf(result));
  }
}

/** A model as a layer. */
export const innerModel =
  (make: MakeLayer): MakeLayer =>
  (config, store) => {
    const graph = new LayerGraph(config, store, make);
    const { inputs: ports, outputs } = graph.graph;
    if (outputs.length !== 1)
      throw config.error(`it has ${outputs.length} outputs; one is possible for a model in a model`);
    return {
      isStepwise: graph.isStepwise,
      plan(inputs, plan) {
        if (inputs.length !== ports.length)
          throw config.error(`it has ${ports.length} inputs and is called with ${inputs.length}`);
        const [result] = graph.plan(inputs, plan);
        return result;
      },
    };
  };

/** Layers that do the same to each row of their input as to a row by itself. */
const ROW_BY_ROW = ['Dense', 'Activation', 'ReLU', 'LeakyReLU', 'ELU', 'Dropout'];

/** A layer that is applied to each time step by itself. */
export const timeDistributed =
  (make: MakeLayer): MakeLayer =>
  (config, store) => {
    const inner = new LayerConfig(config.value('layer'));
    const layer = make(inner, store.within(inner.name));
    return {
      isStepwise: true,
      plan(inputs, plan) {
        const input = only(config, inputs);
        const [time, ...shape] = input.shape;
        if (shape.length === 0) throw config.error('its input has no time steps');
        if (ROW_BY_ROW.includes(inner.className)) return layer.plan([input], plan);
        const part = plan.part();
        const slot = plan.tensor(shape);
        const made = layer.plan([slot], part);
        const result = plan.tensor([time, ...made.shape]);
        const [from, to] = [4 * elementCount(shape), 4 * elementCount(made.shape)];
        plan.add(() => {
          for (let t = 0; t < time; t++) {
            plan.kernels.copyBlocks(input.address + from * t, 0, from, 1, slot.address, 0);
            part.run();
            plan.kernels.copyBlocks(made.address, 0, to, 1, result.address + to * t, 0);
          }
        });
        return result;
      },
    };
  };
