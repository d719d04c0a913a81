/** @file A call of a layer, as the rules for the classes of layers see it, and what they record of it. */
import type * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../protocol/shape.ts';
import type { KernelAxes } from './connections.ts';
import { mapConstants, valuesOf, varying, type Constants, type Weights } from './constants.ts';
import type { OpenShape, Producer, Reading, Resize, Signal, Step } from './topology.ts';
import { UnitGroups, type Units } from './units.ts';

type Layer = tf.layers.Layer;

/** Follows what a layer makes of signals. @returns its outputs */
export type Follow = (layer: Layer, inputs: readonly Signal[]) => readonly Signal[];

/** What all calls of a model's layers are recorded in. */
export class Recording {
  readonly groups = new UnitGroups();
  readonly axes = new Map<string, (Units | undefined)[]>();
  readonly readings = new Map<string, Reading>();
  readonly steps: Step[] = [];
  readonly producers = new Map<string, Producer>();
  readonly resizes = new Map<string, Resize[]>();
  readonly multiplyAdds = new Map<string, number>();
  /** How often a call that is recorded happens: within a wrapper, once for each time step. */
  times = 1;
  readonly #paths: ReadonlyMap<Layer, readonly string[]>;
  readonly #weights: ReadonlyMap<tf.Tensor, string>;

  /**
   * @param paths of the layers of the model; a layer that is within several others has several
   * @param weights names of the weights, by their variables
   */
  constructor(paths: ReadonlyMap<Layer, readonly string[]>, weights: ReadonlyMap<tf.Tensor, string>) {
    this.#paths = paths;
    this.#weights = weights;
  }

  /** None for a layer that TensorFlow.js made up: the input of a sequential model. */
  pathsOf(layer: Layer): readonly string[] {
    return this.#paths.get(layer) ?? [];
  }

  /** The weight of a layer that TensorFlow.js calls so; undefined where it has none such. */
  weightOf(layer: Layer, name: string): { name: string; shape: readonly number[] } | undefined {
    const variable = layer.weights.find(({ originalName }) => originalName.replace(/^.*\//, '') === name)?.read();
    const known = variable && this.#weights.get(variable);
    return known === undefined ? undefined : { name: known, shape: variable!.shape };
  }

  /** Says which units stand on an axis; what stood there in another call is put into one group with them. */
  label(name: string, axis: number, units: Units, layer: string): void {
    const axes = this.axes.get(name) ?? [];
    const labelled = axes[axis];
    if (labelled) this.groups.unite(labelled, units, layer);
    else axes[axis] = units;
    this.axes.set(name, axes);
  }
}

/** What is known of a class of layers: what a call makes of its inputs. */
export type Rule = (call: LayerCall) => readonly Signal[];

export class LayerCall {
  readonly layer: Layer;
  readonly inputs: readonly Signal[];
  /** Follows layers that are within this one. */
  readonly follow: Follow;
  readonly #recording: Recording;

  constructor(recording: Recording, layer: Layer, inputs: readonly Signal[], follow: Follow) {
    this.#recording = recording;
    this.layer = layer;
    this.inputs = inputs;
    this.follow = follow;
  }

  /** Sizes of the outputs. */
  get shapes(): readonly OpenShape[] {
    return outputShapes(this.layer, this.inputs);
  }

  /** Path of the layer in the model: `encoder/fc1`. */
  get path(): string {
    return this.#recording.pathsOf(this.layer).at(0) ?? this.layer.name;
  }

  /** A setting of the layer as TensorFlow.js has it, `kernelSize`. */
  setting(name: string): unknown {
    return this.layer.getConfig()[name];
  }

  /** The units on the last axis of the only input. */
  get units(): Units {
    return this.inputs[0].units ?? [];
  }

  /** Name and shape of a weight; undefined where the layer has none such. */
  weight(name: string) {
    return this.#recording.weightOf(this.layer, name);
  }

  /** Name and shape of a weight. @throws TypeError where the layer has none such */
  requiredWeight(name: string) {
    const weight = this.weight(name);
    if (!weight) throw new TypeError(`The layer ${this.path} has no weight ${name}.`);
    return weight;
  }

  /** The values of a weight; undefined where the layer has none such. */
  valuesOf(weights: Weights, name: string): Float32Array | undefined {
    const weight = this.weight(name);
    return weight && valuesOf(weights, weight.name);
  }

  /**
   * The units that the layer makes: the same in all its calls.
   * @param notConstant why a unit without weights can put out what varies
   */
  own(count: number, notConstant?: string): Units {
    return this.produces(
      this.#recording.producers.get(this.path)?.units ?? this.#recording.groups.create(count),
      notConstant,
    );
  }

  /** Says that the layer has kernels which make the units. */
  produces(units: Units, notConstant?: string): Units {
    const { producers } = this.#recording;
    if (!producers.has(this.path)) producers.set(this.path, { layer: this.path, units, signals: [], notConstant });
    return units;
  }

  /** Says which units stand on an axis of a weight, where the layer has it. */
  label(weight: string, axis: number, units: Units): void {
    const found = this.weight(weight);
    if (found) this.#recording.label(found.name, axis, units, this.path);
  }

  /** Puts what stands at the same places of the last axes into one group. */
  unite(first: Units, second: Units): void {
    this.#recording.groups.unite(first, second, this.path);
  }

  /** @param reason why units stay: a clause about them, "they are …" */
  keep(units: Units, reason: string): void {
    this.#recording.groups.keep(units, reason);
  }

  /** Says that a kernel multiplies the units of a signal. */
  reads(kernel: string, axes: KernelAxes, signal: Signal, { hasBorder = false } = {}): void {
    const { name, shape } = this.requiredWeight(kernel);
    const { readings } = this.#recording;
    const bias = this.weight('bias')?.name ?? `${this.path}/bias`;
    const paths = this.#recording.pathsOf(this.layer);
    const reading = readings.get(name) ?? { paths, kernel: name, shape, axes, bias, signals: [], hasBorder };
    reading.signals.push(signal);
    reading.hasBorder ||= hasBorder;
    readings.set(name, reading);
  }

  /** Says how often each entry of a kernel is multiplied for a sample. */
  multiplies(kernel: string, times: number): void {
    const { multiplyAdds, times: calls } = this.#recording;
    const count = elementCount(this.requiredWeight(kernel).shape) * times * calls;
    multiplyAdds.set(this.path, (multiplyAdds.get(this.path) ?? 0) + count);
  }

  /** Follows a layer within that is called so many times. */
  followTimes(times: number, layer: Layer, inputs: readonly Signal[]): readonly Signal[] {
    const recording = this.#recording;
    recording.times *= times;
    const outputs = this.follow(layer, inputs);
    recording.times /= times;
    return outputs;
  }

  /** Says how the settings of the layer follow from the units that are left. */
  resize(change: Resize): void {
    for (const path of this.#recording.pathsOf(this.layer)) {
      const changes = this.#recording.resizes.get(path) ?? [];
      this.#recording.resizes.set(path, [...changes, change]);
    }
  }

  /** The same for a setting whose last number is the length of a last axis. All calls of the layer have one such setting. */
  resizeLastAxis(setting: string, units: Units): void {
    this.#recording.label(`${setting} of ${this.path}`, 0, units, this.path);
    this.resize((settings, count) => {
      const sizes = settings[setting];
      if (!Array.isArray(sizes) || !isSize(sizes.at(-1))) return settings;
      return { ...settings, [setting]: [...(sizes as unknown[]).slice(0, -1), count(units)] };
    });
  }

  /**
   * Ends what a rule says of a call.
   * @param outputs units of each output
   * @param constants what is constant in the outputs, and behind them in the inner signals
   * @param within.from signals whose constants it takes; default: the inputs
   * @param within.inner signals within the layer that its kernels read
   */
  returns(
    outputs: readonly (Units | undefined)[],
    constants: Step['constants'],
    { from = this.inputs, inner = [] }: { from?: readonly Signal[]; inner?: readonly Signal[] } = {},
  ): readonly Signal[] {
    const { shapes } = this;
    const signals = outputs.map((units, i): Signal => ({ shape: shapes[i], units }));
    const { steps, producers } = this.#recording;
    steps.push({ inputs: from, outputs: [...signals, ...inner], constants });
    producers.get(this.path)?.signals.push(signals[0]);
    return signals;
  }

  /** The units go through the layer as they are. @param map what becomes of each constant */
  passes(map: (constants: Constants, weights: Weights) => Constants = (constants) => constants): readonly Signal[] {
    return this.returns([this.inputs[0].units], ([constants], weights) => [map(constants, weights)]);
  }

  /** Says that a signal within the layer has what the only input has. */
  passesTo(signal: Signal): void {
    this.#recording.steps.push({ inputs: this.inputs, outputs: [signal], constants: (constants) => constants });
  }

  /** Nothing can be removed before this layer. @param reason a clause about the units */
  stops(reason: string): readonly Signal[] {
    for (const { units } of this.inputs) this.keep(units ?? [], reason);
    const outputs = this.shapes.map((shape) => {
      const size = shape.at(-1);
      if (typeof size !== 'number') return undefined;
      const units = this.#recording.groups.create(size);
      this.keep(units, reason);
      return units;
    });
    return this.returns(outputs, () => outputs.map((units) => varying(units?.length ?? 0)));
  }

  /**
   * An activation for constants. Units stay where it makes one number of several.
   * @param units that it is applied to
   * @param layer that has it: this one, or a cell of it
   */
  activation(units: Units, layer: object = this.layer): (constants: Constants) => Constants {
    const { activation } = layer as { activation?: Activation | null };
    if (!activation) return (constants) => constants;
    const name = activation.getClassName();
    if (ELEMENTWISE.has(name)) return (constants) => mapConstants(constants, (values) => activation.apply(values));
    this.keep(units, `${this.path} applies ${name} to all of them together`);
    return (constants) => varying(constants.length);
  }
}

/** A function of tfjs-layers' activations. */
interface Activation {
  getClassName(): string;
  apply(values: tf.Tensor): tf.Tensor;
}

/** Names of the activations that treat each number by itself. */
const ELEMENTWISE = new Set([
  ...['linear', 'relu', 'relu6', 'elu', 'selu', 'sigmoid', 'hardSigmoid', 'tanh', 'softplus', 'softsign'],
  ...['swish', 'mish', 'gelu', 'gelu_new'],
]);

/** Places of a tensor without its batch and its last axis; an axis of open length counts as one. */
export function positionsOf(shape: OpenShape): number {
  return elementCount(shape.slice(1, -1).map((size) => size ?? 1));
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && value > 0;
}

function outputShapes(layer: Layer, inputs: readonly Signal[]): OpenShape[] {
  const shapes = inputs.map(({ shape }) => [...shape]);
  const computed = layer.computeOutputShape(shapes.length === 1 ? shapes[0] : shapes);
  const isList = Array.isArray(computed[0]);
  return (isList ? computed : [computed]) as OpenShape[];
}
