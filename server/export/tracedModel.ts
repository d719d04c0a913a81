/** @file A model traced as in training, to predict: what the outputs of a written file are held to. */
import { portName } from '../compiler/ports.ts';
import type { Predictor, StepBatch } from '../compiler/program.ts';
import { BoundSession, type Buffer } from '../compiler/session.ts';
import type { OnnxGraph } from '../formats/onnx.ts';
import type { OpenedModel, Output } from './format.ts';
import { referenceGraph } from './onnx/predictionGraph.ts';

interface TracedGraph {
  readonly graph: OnnxGraph;
  readonly session: BoundSession;
}

export class TracedModel implements OpenedModel {
  readonly engine = 'DeepTwist';
  readonly batchSize: number | undefined;
  readonly #predictor: Predictor;
  readonly #outputs: readonly string[];
  readonly #weights: ReadonlyMap<string, Buffer>;
  /** By samples of a batch. */
  readonly #graphs = new Map<number, TracedGraph>();

  /**
   * @param outputs how many the model has
   * @param weights of the model, live: they are read when it predicts
   * @param batchSize samples of each batch, where the model fixes it
   */
  constructor(
    predictor: Predictor,
    outputs: number,
    weights: Iterable<{ readonly name: string; readonly value: Float32Array<ArrayBuffer> }>,
    batchSize?: number,
  ) {
    this.#predictor = predictor;
    this.#outputs = Array.from({ length: outputs }, (_, i) => portName.output(i));
    this.#weights = new Map(Array.from(weights, ({ name, value }) => [portName.parameter(name), value]));
    this.batchSize = batchSize;
  }

  resetStates(): void {
    for (const { session } of this.#graphs.values())
      for (const [name, buffer] of session.buffers) if (name.startsWith('state:')) buffer.fill(0);
  }

  async predict(size: number, inputs: StepBatch['inputs']): Promise<Output[]> {
    let traced = this.#graphs.get(size);
    if (traced === undefined) {
      const graph = await referenceGraph(this.#predictor, size);
      traced = { graph, session: await BoundSession.create(graph, this.#weights, { threads: 1, spinning: false }) };
      this.#graphs.set(size, traced);
    }
    const { graph, session } = traced;
    inputs.forEach((values, i) => session.buffers.get(portName.input(i))?.set(values));
    await session.run();
    for (const { name } of graph.inputs) {
      const next = session.buffers.get(portName.next(name));
      if (next) session.buffers.get(name)!.set(next);
    }
    const shapes = new Map(graph.outputs.map(({ name, shape }) => [name, shape]));
    return this.#outputs.map((name) => {
      const values = session.buffers.get(name)!;
      // Graphs of the compiler have no symbolic dimensions.
      return {
        values: values instanceof Float32Array ? values : Float32Array.from(values),
        shape: shapes.get(name)!.map(Number),
      };
    });
  }

  async release(): Promise<void> {
    for (const { session } of this.#graphs.values()) await session.release();
  }
}
