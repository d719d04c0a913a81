/**
 * @file The kernels of assembly/, instantiated over an arena's memory. `value`, `gradient`, … are byte addresses in it,
 * `length` and `width` count float32. Every update sees the gradient `scale * clip(gradient, -limit, limit)`.
 */
import { KernelCode } from '../memory/instantiate.ts';
import type { Arena } from '../memory/arena.ts';
import { wasmBase64 } from './generated/wasm.ts';

export interface OptimizerKernels {
  sgd(
    value: number,
    gradient: number,
    length: number,
    limit: number,
    scale: number,
    learningRate: number,
    weightDecay: number,
  ): void;
  sgdRows(
    value: number,
    gradient: number,
    indices: number,
    count: number,
    width: number,
    limit: number,
    scale: number,
    learningRate: number,
  ): void;
  momentum(
    value: number,
    gradient: number,
    accumulation: number,
    length: number,
    limit: number,
    scale: number,
    weightDecay: number,
    momentum: number,
    gradientRate: number,
    accumulationRate: number,
  ): void;
  adam(
    value: number,
    gradient: number,
    firstMoment: number,
    secondMoment: number,
    length: number,
    limit: number,
    scale: number,
    beta1: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    stepSize: number,
    epsilon: number,
    shrinkage: number,
  ): void;
  rmsprop(
    value: number,
    gradient: number,
    meanSquare: number,
    meanGradient: number,
    accumulation: number,
    length: number,
    limit: number,
    scale: number,
    learningRate: number,
    weightDecay: number,
    decay: number,
    oneMinusDecay: number,
    momentum: number,
    epsilon: number,
  ): void;
  adagrad(
    value: number,
    gradient: number,
    accumulator: number,
    length: number,
    limit: number,
    scale: number,
    learningRate: number,
    weightDecay: number,
    epsilon: number,
  ): void;
  adagradRows(
    value: number,
    gradient: number,
    accumulator: number,
    indices: number,
    count: number,
    width: number,
    limit: number,
    scale: number,
    learningRate: number,
    epsilon: number,
  ): void;
  /** `sum += gradient` */
  addGradient(sum: number, gradient: number, length: number): void;
  /** `gradient = scale * (sum + gradient)`, and leaves zeros in `sum`. */
  averageGradient(gradient: number, sum: number, length: number, scale: number): void;
  /** Sum of the squares, in float64, of the gradient clipped to [-limit, limit]. */
  sumOfSquares(gradient: number, length: number, limit: number): number;
  /** Adds row `source` of a matrix to row `target`, and leaves zeros in row `source`. */
  moveRow(matrix: number, width: number, target: number, source: number): void;
  /** Sets subnormal elements to zero. */
  flushSubnormals(state: number, length: number): void;
}

/** See assembly/. */
export const optimizerCode = new KernelCode<OptimizerKernels>(wasmBase64);

/** The kernels over the memory of an arena. */
export function optimizerKernels({ memory }: Arena): OptimizerKernels {
  return optimizerCode.kernelsIn(memory);
}
