/** @file The updates of the optimizers as operations of a graph, for weights that stay on a device: what the kernels of assembly/ compute. */
import { binary, input, make, parameter, reduce, scalar, unary } from '../compiler/build.ts';
import type { Graph, Node } from '../compiler/ir.ts';
import { portName } from '../compiler/ports.ts';
import type { OptimizerConfig, TrainingConfig } from '../protocol/experiment/schema.ts';
import { adamNumbers, algorithmOf, type ConfigOf, type UpdateStep } from './algorithms.ts';

/** One parameter in an update: its gradient is clipped and scaled. */
interface Before {
  readonly value: Node;
  readonly gradient: Node;
  /** By the names of {@link Algorithm.slots}. */
  readonly slots: Readonly<Record<string, Node>>;
  /** By the names of {@link updateNumbers}. */
  readonly numbers: Readonly<Record<string, Node>>;
}

interface After {
  readonly value: Node;
  readonly slots: Readonly<Record<string, Node>>;
}

const add = (a: Node, b: Node) => binary('Add', a, b);
const subtract = (a: Node, b: Node) => binary('Sub', a, b);
const divide = (a: Node, b: Node) => binary('Div', a, b);
const square = (x: Node) => binary('Mul', x, x);
const times = (factor: number | Node, x: Node) =>
  factor === 1 ? x : binary('Mul', typeof factor === 'number' ? scalar(factor) : factor, x);
const root = (x: Node) => unary('Sqrt', x);

/** `decay * mean + (1 - decay) * x` */
const movingMean = (decay: number, mean: Node, x: Node) => add(times(decay, mean), times(1 - decay, x));

/** `g + weightDecay * w` */
const decayed = ({ gradient, value }: Before, weightDecay: number) =>
  weightDecay === 0 ? gradient : add(gradient, times(weightDecay, value));

/** The numbers of an update that are not the same in every step, by name. */
export function updateNumbers(config: OptimizerConfig, step: Pick<UpdateStep, 'learningRate' | 'iteration'>) {
  return config.type === 'adam' ? adamNumbers(config, step) : { learningRate: step.learningRate };
}

function updateOf(config: OptimizerConfig, before: Before): After {
  switch (config.type) {
    case 'sgd':
      return sgd(config, before);
    case 'adam':
      return adam(config, before);
    case 'rmsprop':
      return rmsprop(config, before);
    case 'adagrad':
      return adagrad(config, before);
  }
}

function sgd({ momentum, nesterov, weightDecay }: ConfigOf<'sgd'>, before: Before): After {
  const { value, slots, numbers } = before;
  const g = decayed(before, weightDecay);
  if (momentum === 0) return { value: subtract(value, times(numbers.learningRate, g)), slots };
  const a = add(times(momentum, slots.momentum), g);
  const change = nesterov ? add(g, times(momentum, a)) : a;
  return { value: subtract(value, times(numbers.learningRate, change)), slots: { momentum: a } };
}

function adam({ beta1, beta2 }: ConfigOf<'adam'>, { value, gradient, slots, numbers }: Before): After {
  const m = movingMean(beta1, slots.m, gradient);
  const v = movingMean(beta2, slots.v, square(gradient));
  const change = times(numbers.stepSize, divide(m, add(root(v), numbers.epsilon)));
  return { value: subtract(times(numbers.shrinkage, value), change), slots: { m, v } };
}

function rmsprop({ decay, momentum, epsilon, centered, weightDecay }: ConfigOf<'rmsprop'>, before: Before): After {
  const { value, slots, numbers } = before;
  const g = decayed(before, weightDecay);
  const rms = movingMean(decay, slots.rms, square(g));
  const mg = centered ? movingMean(decay, slots.mg, g) : undefined;
  const variance = mg ? binary('Maximum', subtract(rms, square(mg)), scalar(0)) : rms;
  const step = times(numbers.learningRate, divide(g, root(add(variance, scalar(epsilon)))));
  const change = momentum > 0 ? add(times(momentum, slots.momentum), step) : step;
  return {
    value: subtract(value, change),
    slots: { rms, ...(mg && { mg }), ...(momentum > 0 && { momentum: change }) },
  };
}

function adagrad({ epsilon, weightDecay }: ConfigOf<'adagrad'>, before: Before): After {
  const { value, slots, numbers } = before;
  const g = decayed(before, weightDecay);
  const accumulator = add(slots.accumulator, square(g));
  const change = times(numbers.learningRate, divide(g, root(add(accumulator, scalar(epsilon)))));
  return { value: subtract(value, change), slots: { accumulator } };
}

/** Name of the input that has a number of {@link updateNumbers}. */
export const numberPort = (name: string) => `number:${name}`;
/** Name of the output that has the global norm of the gradient. */
export const NORM_PORT = 'norm';

/**
 * One update of all parameters: inputs and outputs are {@link portName.parameter} and {@link portName.slot} with, for what goes out,
 * {@link portName.next}.
 */
export function updateGraph(
  config: OptimizerConfig,
  clip: TrainingConfig['clip'],
  parameters: readonly { readonly name: string; readonly shape: readonly number[] }[],
): Graph {
  const number = (name: string) => input(numberPort(name), { dtype: 'float32', shape: [] });
  const numbers = Object.fromEntries(
    Object.keys(updateNumbers(config, { learningRate: 0, iteration: 1 })).map((name) => [name, number(name)]),
  );
  const gradients = parameters.map(({ name, shape }) => {
    const gradient = input(portName.gradient(name), { dtype: 'float32', shape });
    const limit = clip?.value;
    return limit === undefined ? gradient : make('Clip', { minimum: -limit, maximum: limit }, [gradient]);
  });
  const outputs = new Map<string, Node>();
  let scale: Node | undefined;
  if (clip?.globalNorm !== undefined) {
    const squares = gradients.map((gradient) => reduce('Sum', square(gradient), [...gradient.type.shape.keys()]));
    const norm = root(squares.reduce(add));
    outputs.set(NORM_PORT, norm);
    scale = binary('Minimum', scalar(1), divide(scalar(clip.globalNorm), norm));
  }
  const slotNames = Object.keys(algorithmOf(config).slots);
  parameters.forEach(({ name, shape }, i) => {
    const slots = Object.fromEntries(
      slotNames.map((slot) => [slot, input(portName.slot(`${name}/${slot}`), { dtype: 'float32', shape })]),
    );
    const gradient = scale ? times(scale, gradients[i]) : gradients[i];
    const after = updateOf(config, { value: parameter(name, shape), gradient, slots, numbers });
    outputs.set(portName.next(portName.parameter(name)), after.value);
    for (const slot of slotNames) outputs.set(portName.next(portName.slot(`${name}/${slot}`)), after.slots[slot]);
  });
  return { outputs };
}
