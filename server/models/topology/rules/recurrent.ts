/** @file LSTM, GRU and simple recurrent layers, also in both directions. */
import type * as tf from '@tensorflow/tfjs';
import { valuesOf, varying, type Constants, type Weights } from '../constants.ts';
import type { LayerCall, Rule } from '../layerCall.ts';
import type { Signal } from '../topology.ts';
import type { Units } from '../units.ts';
import { joined, mergedConstants } from './merge.ts';

/** How the columns of the kernels are shared out. */
interface Gates {
  /** Gates of a unit, one behind the other, each with a column for every unit. */
  readonly count: number;
  /** The gate that makes what enters the state. */
  readonly candidate: number;
}

/** Input, forget, candidate, output (LSTMCell.call of tfjs-layers). */
export const lstm: Rule = (call) => recurrent(call, { count: 4, candidate: 2 });
/** Update, reset, candidate (GRUCell.call). */
export const gru: Rule = (call) => recurrent(call, { count: 3, candidate: 2 });
export const simpleRnn: Rule = (call) => recurrent(call, { count: 1, candidate: 0 });

/**
 * A state begins with zeros. A unit whose candidate is always 0 keeps them, whatever its other gates do: its output is 0. Any other unit counts
 * as varying, also one that puts out another constant: in the first step its state is 0 all the same.
 */
function recurrent(call: LayerCall, gates: Gates): readonly Signal[] {
  const steps = call.inputs[0].shape[1] ?? 1;
  for (const name of ['kernel', 'recurrent_kernel']) call.multiplies(name, steps);
  if (call.inputs.length > 1) return call.stops(`${call.path} is given its first state`);
  const kernel = call.requiredWeight('kernel');
  const recurrentKernel = call.requiredWeight('recurrent_kernel');
  const own = call.own(recurrentKernel.shape[0], 'their state does not stay 0');
  const ofGates = Array.from({ length: gates.count }, () => own).flat();
  call.label('kernel', 0, call.units);
  call.label('kernel', 1, ofGates);
  call.label('recurrent_kernel', 0, own);
  call.label('recurrent_kernel', 1, ofGates);
  call.label('bias', 0, ofGates);
  const state: Signal = { shape: [null, own.length], units: own };
  const axes = { input: 0, output: 1 };
  call.reads('kernel', axes, call.inputs[0]);
  call.reads('recurrent_kernel', axes, state);
  call.resize((settings, count) => ({ ...settings, units: count(own) }));
  const keepsZero = keepsZeroOf(call, own);
  const outputs = call.shapes.map(() => own);
  const constants = ([inputs]: readonly Constants[], weights: Weights) => {
    const states = keepsZero
      ? zeroStates(inputs, gates, {
          units: own.length,
          kernel: valuesOf(weights, kernel.name),
          recurrentKernel: valuesOf(weights, recurrentKernel.name),
          bias: call.valuesOf(weights, 'bias'),
        })
      : varying(own.length);
    return [...outputs, state].map(() => states);
  };
  return call.returns(outputs, constants, { inner: [state] });
}

/** True where the activation makes 0 of 0. */
function keepsZeroOf(call: LayerCall, own: Units): boolean {
  const { cell } = call.layer as tf.layers.Layer & { cell: object };
  return call.activation(own, cell)(new Float32Array(1))[0] === 0;
}

interface RecurrentWeights {
  readonly units: number;
  /** [inputs, gates x units] */
  readonly kernel: Float32Array;
  /** [units, gates x units] */
  readonly recurrentKernel: Float32Array;
  readonly bias: Float32Array | undefined;
}

/** 0 for the units whose state stays 0; NaN for the others. */
function zeroStates(inputs: Constants, { count, candidate }: Gates, weights: RecurrentWeights): Constants {
  const { units, kernel, recurrentKernel, bias } = weights;
  const columns = count * units;
  const first = candidate * units;
  const candidates = Float64Array.from({ length: units }, (_, unit) => bias?.[first + unit] ?? 0);
  inputs.forEach((input, row) => {
    if (input === 0) return;
    for (let unit = 0; unit < units; unit++) {
      const weight = kernel[row * columns + first + unit];
      if (weight !== 0) candidates[unit] += input * weight;
    }
  });
  const states = Float32Array.from(candidates, (value) => (value === 0 ? 0 : NaN));
  // A unit that reads one whose state does not stay 0 does not keep its own; the rest keep theirs, from step to step.
  for (let changes = true; changes;) {
    changes = false;
    for (let other = 0; other < units; other++) {
      if (states[other] === 0) continue;
      for (let unit = 0; unit < units; unit++) {
        if (states[unit] !== 0 || recurrentKernel[other * columns + first + unit] === 0) continue;
        states[unit] = NaN;
        changes = true;
      }
    }
  }
  return states;
}

/** A layer forwards and a copy of it backwards, whose settings are one: they keep equally many units, those at the same places. */
export const bidirectional: Rule = (call) => {
  const { forwardLayer, backwardLayer, mergeMode } = call.layer as tf.layers.Layer & Directions;
  if (call.inputs.length > 1) return call.stops(`${call.path} is given its first state`);
  const directions = [forwardLayer, backwardLayer].map((layer) => call.follow(layer, call.inputs));
  const [own, other] = directions.map(([{ units }]) => units ?? []);
  call.unite(own, other);
  if (!forwardLayer.getConfig().useBias) call.keep(call.units, `${call.path} has no bias for what they put out`);
  call.resize((settings, count) => {
    const { layer } = settings as { layer: { config: object } };
    return { ...settings, layer: { ...layer, config: { ...layer.config, units: count(own) } } };
  });
  const merge = mergeMode === 'concat' || mergeMode === null ? undefined : MERGES[mergeMode];
  const [results, states] = [directions.map(([result]) => result), directions.flatMap(([, ...rest]) => rest)];
  const merged = mergeMode === null ? [own, other] : [merge ? own : [...own, ...other]];
  const constants = (all: readonly Constants[]) => {
    const [first, second, ...ofStates] = all;
    if (mergeMode === null) return [first, second, ...ofStates];
    return [merge ? mergedConstants([first, second], merge) : joined([first, second]), ...ofStates];
  };
  return call.returns([...merged, ...states.map(({ units }) => units)], constants, { from: [...results, ...states] });
};

interface Directions {
  readonly forwardLayer: tf.layers.Layer;
  readonly backwardLayer: tf.layers.Layer;
  readonly mergeMode: 'concat' | 'sum' | 'ave' | 'mul' | null;
}

const MERGES = { sum: 'add', ave: 'average', mul: 'multiply' } as const;
