/**
 * @file Runs a program on a TensorFlow.js backend, kernel by kernel: the oracle of the compiled executor, and its
 * fallback for a model with an operation that has no lowering.
 */
import * as tf from '@tensorflow/tfjs';
import { withMathRandom } from '../formats/mathRandom.ts';
import { Random, type Seeding } from '../formats/random.ts';
import { calledLayers } from './frozenModel.ts';
import { createParameters, type ArenaRoom, type FrozenParameter, type ParameterSet } from './parameters.ts';
import {
  withParts,
  type Evaluation,
  type Executor,
  type FrozenWeight,
  type Program,
  type SampleType,
  type StepBatch,
  type StepLoss,
} from './program.ts';
import { portName } from './ports.ts';
import { EVALUATION_STEP } from './randomTensors.ts';
import { withGradients } from './trace/gradients.ts';
import { explainingLayers } from './trace/layerErrors.ts';
import { reachingWeights } from './trace/reachedWeights.ts';
import { nestedLayers, statefulLayers, type NamedStatefulLayer } from './trace/statefulLayers.ts';

type Stream = 'training' | 'evaluation';

/** A layer of tfjs-layers that may have a seed of its own. */
interface DropoutLayer {
  seed: number | undefined;
}

export interface EagerOptions extends ArenaRoom {
  /** A registered TensorFlow.js backend: 'tensorflow', 'wasm', 'cpu'. */
  backend: string;
  seed: number;
  /** How random numbers are seeded; default: as in new runs. */
  seeding?: Seeding;
}

export class EagerExecutor implements Executor {
  readonly description: string;
  readonly device = 'cpu';
  readonly parameters: ParameterSet;
  readonly #program: Program;
  readonly #options: EagerOptions;
  readonly #stateful: readonly NamedStatefulLayer[];
  readonly #dropouts: readonly DropoutLayer[];
  readonly #states: Record<Stream, Map<string, Float32Array>>;

  constructor(program: Program, options: EagerOptions) {
    this.#program = program;
    this.#options = options;
    this.parameters = createParameters(program, new Map(), options);
    this.description = `TensorFlow.js, backend ${options.backend}`;
    this.#stateful = statefulLayers(program);
    this.#dropouts = nestedLayers(calledLayers(program))
      .filter((layer) => layer.getClassName().endsWith('Dropout') || layer.getClassName() === 'SpatialDropout1D')
      .map((layer) => layer as unknown as DropoutLayer);
    const zeros = () =>
      new Map(
        this.#stateful.flatMap(({ name, layer }) =>
          layer.states_.map((state, index) => [portName.state(name, index), new Float32Array(state.size)] as const),
        ),
      );
    this.#states = { training: zeros(), evaluation: zeros() };
  }

  get states(): ReadonlyMap<string, Float32Array> {
    return this.#states.training;
  }

  async step(batch: StepBatch, step: number): Promise<StepLoss> {
    return this.#run('training', step, batch, () => {
      const { inputs, targets } = this.#tensors(batch);
      const trained = this.#program.weights.filter((weight) => weight.trainable);
      const named = { parts: {} as Record<string, number>, shares: {} as Record<string, number> };
      const variables = trained.map(({ variable }) => variable);
      const loss = () =>
        reachingWeights(variables, () => {
          const { total, parts, shares } = withParts(this.#program.loss(inputs, targets));
          for (const [name, part] of Object.entries(parts)) named.parts[name] = part.dataSync()[0];
          for (const [name, share] of Object.entries(shares)) named.shares[name] = share.dataSync()[0];
          return total;
        });
      const { value, grads } = tf.variableGrads(loss, variables);
      for (const { name, variable } of trained) {
        // None for a weight that the loss does not depend on.
        const gradient = grads[variable.name] as tf.Tensor | undefined;
        const target = this.parameters.byName.get(name)?.gradient as Float32Array;
        if (gradient === undefined) target.fill(0);
        else target.set(gradient.dataSync<'float32'>());
      }
      return { loss: value.dataSync()[0], ...named };
    });
  }

  async evaluate(batch: StepBatch): Promise<Evaluation> {
    return this.#run('evaluation', EVALUATION_STEP, batch, () => {
      const { inputs, targets } = this.#tensors(batch);
      const { loss, metrics } = this.#program.evaluate(inputs, targets);
      return { loss: loss.dataSync()[0], metrics: metrics.map((metric) => metric.dataSync()[0]) };
    });
  }

  async claimWeights(): Promise<void> {}

  resetStates(stream: Stream): void {
    for (const state of this.#states[stream].values()) state.fill(0);
  }

  async dispose(): Promise<void> {
    await Promise.resolve();
  }

  async #run<R>(stream: Stream, step: number, batch: StepBatch, body: () => R): Promise<R> {
    await tf.setBackend(this.#options.backend);
    // tfjs seeds its random operations from Math.random, but for a dropout layer with a seed of its own, which would drop
    // the same units at every step.
    const seeds = this.#dropouts.map(({ seed }) => seed);
    for (const layer of this.#dropouts) layer.seed = undefined;
    const { seed, seeding } = this.#options;
    const random = new Random(seed, 2 ** 41 + step, seeding);
    const purpose = stream === 'training' ? 'trained' : 'evaluated';
    try {
      this.#loadWeights();
      this.#loadStates(stream);
      // The arrays of a tidy are numbers already read from tensors.
      const compute = () =>
        withGradients(() => explainingLayers(calledLayers(this.#program), purpose, body, batch)) as tf.TensorContainer;
      const result = withMathRandom(
        () => random.uniform(),
        () => tf.tidy(compute),
      ) as unknown as R;
      this.#saveStates(stream);
      this.#saveUpdates();
      return result;
    } finally {
      this.#dropouts.forEach((layer, index) => (layer.seed = seeds[index]));
    }
  }

  #tensors(batch: StepBatch): { inputs: tf.Tensor[]; targets: tf.Tensor[] } {
    const { size, samples = size } = batch;
    const tensor = (values: Float32Array | Int32Array, length: number, { shape, dtype }: SampleType) =>
      tf.tensor(values.slice(), [length, ...shape], dtype);
    return {
      inputs: batch.inputs.map((values, index) => tensor(values, size, this.#program.inputs[index])),
      targets: batch.targets.map((values, index) => tensor(values, samples, this.#program.targets[index])),
    };
  }

  #loadWeights(): void {
    const load = ({ variable }: FrozenWeight, { value }: FrozenParameter) =>
      variable.assign(tf.cast(tf.tensor(value.slice(), variable.shape), variable.dtype));
    tf.tidy(() => {
      this.#program.weights.forEach((weight, index) => load(weight, this.parameters.list[index]));
      // A layer may assign to a weight of its own whenever it is called: that does not count for a frozen model.
      this.#program.frozen?.weights.forEach((weight, index) => load(weight, this.parameters.frozen[index]));
    });
  }

  /** Moving averages are assigned by the forward pass. */
  #saveUpdates(): void {
    for (const { name, variable, trainable } of this.#program.weights) {
      if (!trainable) this.parameters.byName.get(name)?.value.set(variable.dataSync<'float32'>());
    }
  }

  #loadStates(stream: Stream): void {
    for (const { name, layer } of this.#stateful) {
      const previous = layer.states_;
      layer.states_ = previous.map(({ shape }, index) =>
        tf.keep(tf.tensor((this.#states[stream].get(portName.state(name, index)) as Float32Array).slice(), shape)),
      );
      tf.dispose(previous);
    }
  }

  #saveStates(stream: Stream): void {
    for (const { name, layer } of this.#stateful) {
      layer.states_.forEach((state, index) => {
        this.#states[stream].get(portName.state(name, index))?.set(state.dataSync<'float32'>());
      });
      // tfjs keeps the states of every training batch until the next reset.
      tf.dispose(layer.keptStates);
      layer.keptStates = [];
    }
  }
}
