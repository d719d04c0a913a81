/**
 * @file Recurrent layers: LSTM (Hochreiter & Schmidhuber 1997), GRU (Cho et al. 2014) and the plain RNN, by the equations of the operators.
 * The products of all inputs are one; each time step then adds its own operations to the graph, since gradients need its states.
 */
import * as tf from '@tensorflow/tfjs';
import type { NodeCall, Operator, Operators } from '../nodeCall.ts';
import { hardSigmoid, softsign } from './elementwise.ts';

/** [batch, …] -> [batch, …] */
type Activation = (x: tf.Tensor) => tf.Tensor;

const activations: Readonly<Record<string, Activation>> = {
  Tanh: tf.tanh,
  Sigmoid: tf.sigmoid,
  Relu: tf.relu,
  HardSigmoid: (x) => hardSigmoid(x),
  Softsign: softsign,
  Softplus: tf.softplus,
};

/** What a step takes: [batch, gates * units] of the input, with its biases, and the states [batch, units] before it. */
type Step = (input: tf.Tensor, states: readonly tf.Tensor[]) => tf.Tensor[];

/** What a layer does in one direction. */
interface Direction {
  /** Product of a state with the recurrent weights of some gates. */
  readonly recur: (state: tf.Tensor, gates?: { readonly from: number; readonly count: number }) => tf.Tensor;
  /** Biases of the input and of the recurrence, [gates * units] each; undefined for none. */
  readonly biases: readonly [tf.Tensor, tf.Tensor] | undefined;
  readonly activations: readonly Activation[];
  readonly units: number;
}

interface Cell {
  readonly gates: number;
  /** Default activations, as the standard orders them. */
  readonly activations: readonly string[];
  /** Number of states; the first is the output. */
  readonly states: number;
  /** Bias that the products of all inputs get, [gates * units], and the step. */
  readonly steps: (direction: Direction, call: NodeCall) => { bias: tf.Tensor | undefined; step: Step };
}

const sum = (biases: Direction['biases']) => biases && tf.add(...biases);

/** Gates i, o, f, c. */
const lstm: Cell = {
  gates: 4,
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  states: 2,
  steps({ recur, biases, activations: [gate, input, output], units }, call) {
    if (call.has(7)) throw new TypeError('its peepholes (input P) are not known here');
    if (call.integer('input_forget', 0) !== 0) throw new TypeError('its input_forget is not known here');
    const step: Step = (x, [hidden, cell]) => {
      const [others, candidate] = tf.split(tf.add(x, recur(hidden)), [3 * units, units], 1);
      const [i, o, f] = tf.split(gate(others), 3, 1);
      const next = tf.add(tf.mul(f, cell), tf.mul(i, input(candidate)));
      return [tf.mul(o, output(next)), next];
    };
    return { bias: sum(biases), step };
  },
};

/** Gates z, r, h. Where the reset comes behind the linear map (`linear_before_reset`), that has its bias inside. */
const gru: Cell = {
  gates: 3,
  activations: ['Sigmoid', 'Tanh'],
  states: 1,
  steps({ recur, biases, activations: [gate, output], units }, call) {
    const isLinearFirst = call.integer('linear_before_reset', 0) !== 0;
    const step: Step = (x, [hidden]) => {
      const [ofGates, ofCandidate] = tf.split(x, [2 * units, units], 1);
      const recurrent = isLinearFirst ? recur(hidden) : recur(hidden, { from: 0, count: 2 });
      const biased = isLinearFirst && biases ? tf.add(recurrent, biases[1]) : recurrent;
      const [toGates, toCandidate] = isLinearFirst ? tf.split(biased, [2 * units, units], 1) : [biased];
      const [update, reset] = tf.split(gate(tf.add(ofGates, toGates)), 2, 1);
      const behindReset = isLinearFirst
        ? tf.mul(reset, toCandidate)
        : recur(tf.mul(reset, hidden), { from: 2, count: 1 });
      const candidate = output(tf.add(ofCandidate, behindReset));
      return [tf.add(candidate, tf.mul(update, tf.sub(hidden, candidate)))];
    };
    return { bias: isLinearFirst ? biases?.[0] : sum(biases), step };
  },
};

const rnn: Cell = {
  gates: 1,
  activations: ['Tanh'],
  states: 1,
  steps: ({ recur, biases, activations: [activation] }) => ({
    bias: sum(biases),
    step: (x, [hidden]) => [activation(tf.add(x, recur(hidden)))],
  }),
};

/** The activations of each direction. @throws TypeError for those that are not known here */
function activationsOf(call: NodeCall, cell: Cell, directions: number): Activation[][] {
  const names = call.texts('activations') ?? Array.from({ length: directions }, () => cell.activations).flat();
  const expected = directions * cell.activations.length;
  if (names.length !== expected) throw new TypeError(`it names ${names.length} activations, and has ${expected}`);
  const known = names.map((name) => {
    if (Object.hasOwn(activations, name)) return activations[name];
    throw new TypeError(`its activation ${name} is not known here: ${Object.keys(activations).join(', ')} are`);
  });
  const size = cell.activations.length;
  return Array.from({ length: directions }, (_, i) => known.slice(i * size, (i + 1) * size));
}

/** @throws TypeError for sequences of several lengths in a batch */
function checkLengths(call: NodeCall, time: number): void {
  const lengths = call.numbers(4, 'the lengths of sequences (sequence_lens)');
  if (lengths?.some((length) => length !== time))
    throw new TypeError(
      `its sequences have lengths of their own (sequence_lens: ${lengths.join(', ')}), and only whole ones, of ${time} steps, are computed`,
    );
}

/**
 * x [time, batch, features], W [directions, gates * units, features], R [directions, gates * units, units], B [directions, 2 * gates *
 * units], states [directions, batch, units]; with `layout` 1 the batch is the first axis of x, states and outputs.
 * Outputs: of all steps [time, directions, batch, units], then the last states.
 */
const recurrent =
  (cell: Cell): Operator =>
  (call) => {
    const isBatchFirst = call.integer('layout', 0) !== 0;
    const given = call.floats(0);
    if (given.rank !== 3) throw new TypeError(`its input has ${given.rank} axes; sequences have 3`);
    const x = isBatchFirst ? tf.transpose(given, [1, 0, 2]) : given;
    const [time, batch, features] = x.shape;
    const direction = call.word('direction', ['forward', 'reverse', 'bidirectional']);
    const directions = direction === 'bidirectional' ? 2 : 1;
    const [weights, recurrents] = [call.floats(1), call.floats(2)];
    const units = call.integer('hidden_size', recurrents.shape.at(-1) ?? 0);
    const width = cell.gates * units;
    checkShape('W', weights, [directions, width, features]);
    checkShape('R', recurrents, [directions, width, units]);
    checkLengths(call, time);
    const biases = call.has(3) ? checkShape('B', call.floats(3), [directions, 2 * width]) : undefined;
    const states = Array.from({ length: cell.states }, (_, i) => {
      if (!call.has(5 + i)) return tf.zeros([directions, batch, units]);
      const state = call.floats(5 + i);
      const initial = isBatchFirst ? tf.transpose(state, [1, 0, 2]) : state;
      return checkShape('initial state', initial, [directions, batch, units]);
    });
    const named = activationsOf(call, cell, directions);

    const outputs = named.map((activations, index) => {
      const recurrent = partOf(recurrents, index);
      const { bias, step } = cell.steps(
        {
          recur: (state, gates) => {
            const part = gates ? tf.slice(recurrent, [gates.from * units, 0], [gates.count * units, units]) : recurrent;
            return tf.matMul(state, part, false, true);
          },
          biases: biases && (tf.split(partOf(biases, index), 2, 0) as [tf.Tensor, tf.Tensor]),
          activations,
          units,
        },
        call,
      );
      const products = tf.matMul(tf.reshape(x, [time * batch, features]), partOf(weights, index), false, true);
      const inputs = tf.unstack(tf.reshape(bias ? tf.add(products, bias) : products, [time, batch, width]));
      const isReverse = direction === 'reverse' || index === 1;
      let now = states.map((state) => partOf(state, index));
      const hidden = (isReverse ? inputs.toReversed() : inputs).map((input) => {
        now = step(input, now);
        return now[0];
      });
      return { sequence: tf.stack(isReverse ? hidden.reverse() : hidden), last: now };
    });
    const sequence = tf.stack(
      outputs.map((output) => output.sequence),
      1,
    );
    const last = states.map((_, i) => tf.stack(outputs.map((output) => output.last[i])));
    return isBatchFirst
      ? [tf.transpose(sequence, [2, 0, 1, 3]), ...last.map((state) => tf.transpose(state, [1, 0, 2]))]
      : [sequence, ...last];
  };

/** The part of a tensor for one direction. */
function partOf(x: tf.Tensor, direction: number): tf.Tensor {
  const shape = x.shape.slice(1);
  if (x.shape[0] === 1) return tf.reshape(x, shape);
  return tf.reshape(tf.slice(x, [direction, ...shape.map(() => 0)], [1, ...shape]), shape);
}

function checkShape(name: string, x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  if (x.shape.join() === shape.join()) return x;
  throw new TypeError(`its ${name} is [${x.shape.join(', ')}], where [${shape.join(', ')}] fits its other inputs`);
}

export const recurrentOperators: Operators = { LSTM: recurrent(lstm), GRU: recurrent(gru), RNN: recurrent(rnn) };
