/** @file A node of an ONNX graph with the values that it takes, as the operators see it. */
import type * as tf from '@tensorflow/tfjs';
import type { OnnxAttribute, OnnxNode } from '../../formats/onnx.ts';
import {
  isKnown,
  isSequence,
  kindOf,
  knownTensorOf,
  tensorOf,
  type KnownTensor,
  type Kind,
  type Sequence,
  type Value,
} from './values.ts';

/** How a graph is computed. */
export interface Mode {
  /** True in a training step: dropout drops, normalizations take the statistics of the batch. */
  readonly training: boolean;
  /** True where batch normalization takes its running statistics in a training step, too. */
  readonly frozenStatistics: boolean;
  /** Version of the standard operators. */
  readonly opset: number;
  /** Names of the values that are the inputs of the graph, at most arranged in another way. */
  readonly samples: ReadonlySet<string>;
  /** Gives a weight another value: running statistics. */
  update(weight: string, value: tf.Tensor): void;
}

/** What an operator makes of its inputs: its outputs. @throws TypeError, for which the node is named */
export type Operator = (call: NodeCall) => Value | Sequence | readonly Value[];

export type Operators = Readonly<Record<string, Operator>>;

/** Attributes that change nothing of what is computed here. */
const WITHOUT_EFFECT = new Set(['stash_type', 'storage_order']);

export class NodeCall {
  readonly mode: Mode;
  readonly node: OnnxNode;
  readonly #inputs: readonly (Value | Sequence | undefined)[];
  readonly #read = new Set<string>();

  /** @param inputs undefined for those that are left out */
  constructor(node: OnnxNode, inputs: readonly (Value | Sequence | undefined)[], mode: Mode) {
    this.node = node;
    this.#inputs = inputs;
    this.mode = mode;
  }

  /** Number of outputs, those included that have no name. */
  get outputs(): number {
    return this.node.outputs.length;
  }

  get inputs(): readonly Value[] {
    return this.#inputs.map((_, i) => this.value(i));
  }

  has(input: number): boolean {
    return this.#inputs[input] !== undefined;
  }

  /** True for numbers that come from the data as they are. */
  isSample(input: number): boolean {
    return this.mode.samples.has(this.node.inputs[input]);
  }

  /** @throws TypeError where something takes an output behind the first */
  onlyOutput(what: string): void {
    if (this.node.outputs.slice(1).some((name) => name !== ''))
      throw new TypeError(`its output of ${what} is not computed here`);
  }

  value(input: number): Value {
    const value = this.#given(input);
    if (isSequence(value))
      throw new TypeError(`its input ${input + 1} is a sequence of tensors, where a tensor is wanted`);
    return value;
  }

  sequence(input: number): Sequence {
    const value = this.#given(input);
    if (isSequence(value)) return value;
    throw new TypeError(`its input ${input + 1} is a tensor, where a sequence of tensors is wanted`);
  }

  tensor(input: number): tf.Tensor {
    return tensorOf(this.value(input));
  }

  /** @throws TypeError where the input is of integers or truth values */
  floats(input: number): tf.Tensor {
    this.#check(input, 'float');
    return this.tensor(input);
  }

  /** Shape of an input. */
  shape(input: number): readonly number[] {
    return this.value(input).shape;
  }

  /** Undefined for an input that is left out. @throws TypeError where it depends on weights or samples */
  known(input: number, what: string): KnownTensor | undefined {
    if (!this.has(input)) return undefined;
    const value = this.value(input);
    if (!isKnown(value))
      throw new TypeError(`its input of ${what} is computed of weights or samples, and must be known`);
    return value;
  }

  /** The numbers of {@link known}. */
  numbers(input: number, what: string): number[] | undefined {
    const known = this.known(input, what);
    return known && Array.from(known.numbers);
  }

  /** As {@link numbers}. @throws TypeError also where the input is left out */
  requiredNumbers(input: number, what: string): number[] {
    const numbers = this.numbers(input, what);
    if (!numbers) throw new TypeError(`it lacks its input of ${what}`);
    return numbers;
  }

  /** All inputs are of the kind of the first. @throws TypeError where they are not */
  sameKinds(inputs: readonly number[] = this.#inputs.map((_, i) => i)): Kind {
    const [first, ...others] = inputs;
    const kind = kindOf(this.value(first));
    for (const other of others) this.#check(other, kind);
    return kind;
  }

  integer(name: string, otherwise: number): number {
    const attribute = this.attribute(name);
    return attribute && 'int' in attribute ? attribute.int : this.#otherwise(name, attribute, otherwise);
  }

  integers(name: string): readonly number[] | undefined {
    const attribute = this.attribute(name);
    return attribute && 'ints' in attribute ? attribute.ints : this.#otherwise(name, attribute, undefined);
  }

  real(name: string, otherwise: number): number {
    const attribute = this.attribute(name);
    return attribute && 'float' in attribute ? attribute.float : this.#otherwise(name, attribute, otherwise);
  }

  text(name: string, otherwise: string): string {
    const attribute = this.attribute(name);
    return attribute && 'string' in attribute ? attribute.string : this.#otherwise(name, attribute, otherwise);
  }

  texts(name: string): readonly string[] | undefined {
    const attribute = this.attribute(name);
    return attribute && 'strings' in attribute ? attribute.strings : this.#otherwise(name, attribute, undefined);
  }

  /** One of several words. @throws TypeError for another one */
  word<W extends string>(name: string, words: readonly [W, ...W[]]): W {
    const given = this.text(name, words[0]);
    const word = words.find((one) => one === given);
    if (word === undefined)
      throw new TypeError(`its ${name} is ${given}, which is not known here: ${words.join(', ')} are`);
    return word;
  }

  tensorAttribute(name: string): KnownTensor | undefined {
    const attribute = this.attribute(name);
    return attribute && 'tensor' in attribute
      ? knownTensorOf(attribute.tensor)
      : this.#otherwise(name, attribute, undefined);
  }

  attribute(name: string): OnnxAttribute | undefined {
    this.#read.add(name);
    return this.node.attributes?.[name];
  }

  /** @throws TypeError for an attribute that the operator has not asked for: it cannot have done justice to it */
  checkAttributes(): void {
    const unread = Object.keys(this.node.attributes ?? {}).find(
      (name) => !this.#read.has(name) && !WITHOUT_EFFECT.has(name),
    );
    if (unread !== undefined) throw new TypeError(`its attribute ${unread} is not known here`);
  }

  #given(input: number): Value | Sequence {
    const value = this.#inputs[input];
    if (value === undefined) throw new TypeError(`it lacks its input ${input + 1}`);
    return value;
  }

  #otherwise<T>(name: string, attribute: OnnxAttribute | undefined, otherwise: T): T {
    if (attribute !== undefined) throw new TypeError(`its attribute ${name} is of another type`);
    return otherwise;
  }

  #check(input: number, kind: Kind): void {
    const found = kindOf(this.value(input));
    if (found !== kind) throw new TypeError(`its input ${input + 1} is of type ${found}, where ${kind} is wanted`);
  }
}
