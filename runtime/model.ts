/** @file A loaded model: what it takes and gives, and its runs. */
import { FormatError } from '../server/formats/formatError.ts';
import { elementCount } from '../server/protocol/shape.ts';
import type { GraphInput, OpenShape } from './graph.ts';
import type { Kernels } from './kernels.ts';
import type { LinearMemory } from './linearMemory.ts';
import type { LayerGraph } from './layers/composite.ts';
import type { State } from './layers/layer.ts';
import { Plan, type Tensor } from './plan.ts';

interface Planned {
  readonly plan: Plan;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

interface Runtime {
  readonly kernels: Kernels;
  readonly memory: LinearMemory;
}

/** What `index.ts` declares as a Model. */
export class LoadedModel {
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly { readonly name: string; readonly shape?: OpenShape }[];
  readonly #graph: LayerGraph;
  readonly #states: ReadonlySet<State>;
  /** Bytes of the weights; what is behind them is planned anew for inputs of another shape. */
  readonly #weightBytes: number;
  #runtime: Runtime | undefined;
  #sample: { readonly shapes: string; readonly planned: Planned } | undefined;
  #timeStep: Planned | undefined;
  /** What `predict` and `step` return. */
  #results: readonly Float32Array[] = [];

  constructor(runtime: Runtime, graph: LayerGraph, states: ReadonlySet<State>) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#states = states;
    this.#weightBytes = runtime.memory.used;
    this.inputs = graph.graph.inputs.map(({ name, shape }) => ({ name: name.replace(/:0$/, ''), shape }));
    const shapes = this.inputs.map(({ shape }) => shape.slice(1));
    const isKnown = shapes.every((shape): shape is number[] => shape.every((size) => size !== null));
    const planned = isKnown ? this.#sampleOf(shapes).outputs : undefined;
    this.outputs = graph.graph.outputs.map(({ name }, i) => ({
      name,
      ...(planned && { shape: [null, ...planned[i].shape] }),
    }));
  }

  get memory(): { readonly weights: number; readonly total: number } {
    const { memory } = this.#used();
    return { weights: this.#weightBytes, total: memory.memory.buffer.byteLength };
  }

  predict(...inputs: readonly Float32Array[]): readonly Float32Array[] {
    this.#used();
    this.#checkCount(inputs);
    const { shapes, batch } = this.#shapesOf(inputs);
    const planned = this.#sampleOf(shapes);
    const results = this.#resultsOf(planned, batch);
    for (let sample = 0; sample < batch; sample++) this.#run(planned, inputs, sample, results);
    return results;
  }

  step(...inputs: readonly Float32Array[]): readonly Float32Array[] {
    const runtime = this.#used();
    this.#checkCount(inputs);
    if (this.#states.size === 0) throw new TypeError('The model has no recurrent layer: use predict().');
    this.#timeStep ??= this.#planFor(
      runtime,
      // The first axis behind the batch is the time.
      this.inputs.map(({ shape }) => shape.slice(1).map((size, axis) => (axis === 0 ? 1 : (size ?? 1)))),
      true,
    );
    const planned = this.#timeStep;
    inputs.forEach((input, i) => {
      const length = elementCount(planned.inputs[i].shape);
      if (input.length !== length) throw this.#wrongLength(i, input.length, `a time step has ${length}`);
    });
    const results = this.#resultsOf(planned, 1);
    this.#run(planned, inputs, 0, results);
    return results;
  }

  reset(): void {
    const { memory } = this.#used();
    for (const { address, length } of this.#states) memory.floats(address, length).fill(0);
  }

  dispose(): void {
    this.#runtime = undefined;
    this.#sample = undefined;
    this.#timeStep = undefined;
    this.#results = [];
  }

  #used(): Runtime {
    if (this.#runtime === undefined) throw new TypeError('The model was disposed of.');
    return this.#runtime;
  }

  #checkCount(inputs: readonly Float32Array[]): void {
    const names = this.inputs.map(({ name }) => name).join(', ');
    if (inputs.length !== this.inputs.length)
      throw new TypeError(`The model has ${this.inputs.length} inputs (${names}); ${inputs.length} were given.`);
  }

  /** Shapes of one sample, and how many there are. Where a model leaves one size open besides the batch, there is one sample. */
  #shapesOf(inputs: readonly Float32Array[]): { shapes: number[][]; batch: number } {
    const batches = this.inputs.map(({ shape: [, ...shape] }, i) => {
      const { length } = inputs[i];
      const known = elementCount(shape.map((size) => size ?? 1));
      const open = shape.filter((size) => size === null).length;
      if (open > 1) throw new TypeError(`The input '${this.inputs[i].name}' has ${open} open sizes; one is possible.`);
      if (length === 0 || length % known !== 0)
        throw this.#wrongLength(i, length, `a sample has a multiple of ${known}`);
      const rest = length / known;
      return open === 1
        ? { sizes: shape.map((size) => size ?? rest), count: 1 }
        : { sizes: shape.map((size) => size ?? 1), count: rest };
    });
    const [{ count: batch }] = batches;
    if (batches.some(({ count }) => count !== batch))
      throw new TypeError(`The inputs have ${batches.map(({ count }) => count).join(' and ')} samples.`);
    return { shapes: batches.map(({ sizes }) => sizes), batch };
  }

  #wrongLength(input: number, length: number, expected: string): TypeError {
    const { name, shape } = this.inputs[input];
    return new TypeError(
      `The input '${name}' [${shape.map((size) => size ?? '?')}] has ${length} numbers; ${expected}.`,
    );
  }

  #sampleOf(shapes: readonly number[][]): Planned {
    const key = shapes.join(';');
    if (this.#sample?.shapes !== key) {
      const runtime = this.#used();
      runtime.memory.release(this.#weightBytes);
      this.#timeStep = undefined;
      this.#sample = undefined;
      this.#sample = { shapes: key, planned: this.#planFor(runtime, shapes, false) };
    }
    return this.#sample.planned;
  }

  #planFor(runtime: Runtime, shapes: readonly number[][], isStep: boolean): Planned {
    const plan = new Plan(runtime, isStep);
    const inputs = shapes.map((shape) => plan.tensor(shape));
    const outputs = this.#graph.plan(inputs, plan);
    plan.complete();
    return { plan, inputs, outputs };
  }

  #resultsOf({ outputs }: Planned, batch: number): readonly Float32Array[] {
    const lengths = outputs.map(({ shape }) => batch * elementCount(shape));
    if (this.#results.length !== lengths.length || this.#results.some(({ length }, i) => length !== lengths[i]))
      this.#results = lengths.map((length) => new Float32Array(length));
    return this.#results;
  }

  #run(
    { plan, inputs, outputs }: Planned,
    given: readonly Float32Array[],
    sample: number,
    results: readonly Float32Array[],
  ): void {
    const { memory } = plan;
    inputs.forEach(({ address, shape }, i) => {
      const length = elementCount(shape);
      memory.floats(address, length).set(given[i].subarray(sample * length, (sample + 1) * length));
    });
    plan.run();
    outputs.forEach(({ address, shape }, i) => {
      const length = elementCount(shape);
      results[i].set(memory.floats(address, length), sample * length);
    });
  }
}

/** The message of a file that cannot be loaded. */
export function loadError(error: unknown, what: string): unknown {
  if (!(error instanceof FormatError)) return error;
  return new Error([`${what} cannot be loaded: ${error.message}.`, error.remedy].filter(Boolean).join(' '), {
    cause: error,
  });
}
