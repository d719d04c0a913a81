/**
 * @file Optimizers that update parameters in place, outside of the training graph. A parameter, its gradient and its state live in
 * one arena; a step is one pass of a WebAssembly kernel over each parameter.
 */
import { Arena, arenaBytes } from '../memory/arena.ts';
import type { RowGradient } from '../memory/rowGradient.ts';
import type { OptimizerConfig, TrainingConfig } from '../protocol/experiment/schema.ts';
import type { Algorithm, ParameterAddresses } from './algorithms.ts';
import { algorithmOf } from './algorithms.ts';
import type { OptimizerKernels } from './kernels.ts';
import { optimizerKernels } from './kernels.ts';
import { KernelThreads, type PlacedGradient } from './kernelThreads.ts';
import { RowMerger } from './rowMerger.ts';

type Clip = TrainingConfig['clip'];

/** A parameter and where its gradient appears. Its views belong to one arena. */
export interface Trainable {
  readonly name: string;
  readonly value: Float32Array;
  /** As long as `value`, or, where {@link supportsRowGradients}, the rows of it that are not zero. */
  readonly gradient: Float32Array | RowGradient;
  /** Steps that were done before the first one that trains it; default 0. */
  readonly stepsBefore?: number;
}

export interface Optimizer {
  /** State by `PARAMETER/SLOT`, for example `fc1/kernel/m`; a checkpoint saves and restores it in place. */
  readonly slots: ReadonlyMap<string, Float32Array>;
  /** Steps done; saved in a checkpoint with the slots. */
  iterations: number;
  /**
   * Global norm of the last step's gradient, after clipping by value and before scaling; undefined before the first step
   * and where the configuration does not clip by global norm. If it is not finite, that step changed nothing.
   */
  readonly lastGradientNorm: number | undefined;
  /**
   * Clips the gradients, by value first, then by global norm, and updates all parameters. Gradients are read once for the
   * norm and once for the update; dense ones stay as they are, duplicate rows are summed in place.
   */
  step(learningRate: number): void | Promise<void>;
}

/** An optimizer whose parameters are on the host. */
export interface HostOptimizer extends Optimizer {
  step(learningRate: number): void;
}

/** Steps between two removals of subnormal numbers from the state; a pass takes about as long as an update. */
const FLUSH_EVERY = 128;

/** Bytes that {@link createOptimizer} allocates for a parameter of `length` elements, in its arena. */
export function optimizerArenaBytes(config: OptimizerConfig, length: number): number {
  return Object.keys(algorithmOf(config).slots).length * arenaBytes(length);
}

/** True where a {@link Trainable}'s gradient may be rows: the result is then the same as with the dense gradient. */
export function supportsRowGradients(config: OptimizerConfig): boolean {
  return algorithmOf(config).acceptsRows;
}

/**
 * Allocates the state in the arenas of the parameters.
 *
 * @param threads those that update; default: the one that calls
 * @throws TypeError if a parameter or its gradient is not in an arena, or a gradient does not fit its parameter or the optimizer
 */
export function createOptimizer(
  config: OptimizerConfig,
  clip: Clip,
  trainables: readonly Trainable[],
  threads = new KernelThreads(1),
): HostOptimizer {
  return new ArenaOptimizer(algorithmOf(config), clip, trainables, threads);
}

type PlacedParameter = ParameterAddresses & PlacedGradient;

class ArenaOptimizer implements HostOptimizer {
  iterations = 0;
  lastGradientNorm: number | undefined;
  readonly slots = new Map<string, Float32Array>();
  readonly #algorithm: Algorithm;
  readonly #parameters: readonly PlacedParameter[];
  readonly #threads: KernelThreads;
  readonly #rowMergers: RowMerger[] = [];
  readonly #limit: number;
  readonly #maximumNorm: number | undefined;

  constructor(algorithm: Algorithm, clip: Clip, trainables: readonly Trainable[], threads: KernelThreads) {
    this.#algorithm = algorithm;
    this.#threads = threads;
    this.#limit = clip?.value ?? Infinity;
    this.#maximumNorm = clip?.globalNorm;
    this.#parameters = trainables.map((trainable) => this.#place(trainable));
  }

  step(learningRate: number): void {
    for (const merger of this.#rowMergers) merger.merge();
    let scale = 1;
    if (this.#maximumNorm !== undefined) {
      const norm = this.#gradientNorm();
      this.lastGradientNorm = norm;
      if (!Number.isFinite(norm)) return;
      scale = Math.min(1, this.#maximumNorm / norm);
    }
    this.iterations++;
    this.#algorithm.update(this.#parameters, {
      learningRate,
      iteration: this.iterations,
      limit: this.#limit,
      scale,
    });
    this.#threads.run();
    if (this.iterations % FLUSH_EVERY !== 0) return;
    for (const { kernels, slots, length } of this.#parameters)
      for (const state of Object.values(slots)) kernels.flushSubnormals(state, length);
    this.#threads.run();
  }

  #gradientNorm(): number {
    return Math.sqrt(this.#threads.sumOfSquares(this.#parameters, this.#limit));
  }

  /** Allocates a parameter's state and notes the addresses, so that a step looks nothing up. */
  #place(trainable: Trainable): PlacedParameter {
    const { name, value, gradient } = trainable;
    const rows = gradient instanceof Float32Array ? undefined : gradient;
    const values = gradient instanceof Float32Array ? gradient : gradient.values;
    const arena = Arena.of(value);
    if (arena === undefined || [values, rows?.indices ?? values].some((view) => Arena.of(view) !== arena))
      throw new TypeError(`${name}: value and gradient must be views of one arena.`);
    if (!rows && values.length !== value.length)
      throw new TypeError(`${name}: the gradient has ${values.length} elements, the parameter ${value.length}.`);

    const slots: Record<string, number> = {};
    for (const [slot, initial] of Object.entries(this.#algorithm.slots)) {
      const state = arena.float32(value.length).fill(initial);
      this.slots.set(`${name}/${slot}`, state);
      slots[slot] = state.byteOffset;
    }
    return {
      arena,
      kernels: this.#threads.kernelsIn(arena),
      value: value.byteOffset,
      gradient: values.byteOffset,
      length: value.length,
      gradientLength: values.length,
      rows: rows && this.#placeRows(name, value.length, rows, optimizerKernels(arena)),
      slots,
      get stepsBefore() {
        return trainable.stepsBefore ?? 0;
      },
    };
  }

  #placeRows(
    name: string,
    length: number,
    { indices, values }: RowGradient,
    kernels: OptimizerKernels,
  ): ParameterAddresses['rows'] {
    if (!this.#algorithm.acceptsRows)
      throw new TypeError(`${name}: the gradient consists of rows; this optimizer needs a dense one.`);
    const width = values.length / indices.length;
    if (!Number.isInteger(width) || length % width !== 0)
      throw new TypeError(
        `${name}: ${values.length} gradient elements in ${indices.length} rows do not fit a parameter of ${length}.`,
      );
    this.#rowMergers.push(new RowMerger({ indices, values }, length / width, kernels));
    return { indices: indices.byteOffset, count: indices.length, width };
  }
}
