/** @file The mean of the gradients of several batches, summed up in place, in float32. */
import { Arena, arenaBytes } from '../memory/arena.ts';
import type { UpdateKernels } from './kernelJobs.ts';
import { KernelThreads } from './kernelThreads.ts';
import type { Trainable } from './optimizer.ts';

/** Bytes that {@link GradientSums} allocates for a parameter of `length` elements, in its arena. */
export const gradientSumBytes = arenaBytes;

/** The places of a gradient and its sum: byte addresses in the arena, length in elements. */
interface SumAddresses {
  readonly kernels: UpdateKernels;
  readonly gradient: number;
  readonly sum: number;
  readonly length: number;
}

export class GradientSums {
  readonly #addresses: readonly SumAddresses[];
  readonly #threads: KernelThreads;

  /**
   * @param threads those that sum up; default: the one that calls
   * @throws TypeError if a gradient is not in an arena, or consists of rows
   */
  constructor(trainables: readonly Trainable[], threads = new KernelThreads(1)) {
    this.#threads = threads;
    this.#addresses = trainables.map(({ name, gradient }) => {
      const arena = gradient instanceof Float32Array ? Arena.of(gradient) : undefined;
      if (!(gradient instanceof Float32Array) || arena === undefined)
        throw new TypeError(`${name}: the gradient must be a dense view of an arena.`);
      const { byteOffset, length } = gradient;
      return { kernels: threads.kernelsIn(arena), gradient: byteOffset, sum: arena.float32(length).byteOffset, length };
    });
  }

  /** Adds the gradients of one batch to the sums. */
  add(): void {
    for (const { kernels, gradient, sum, length } of this.#addresses) kernels.addGradient(sum, gradient, length);
    this.#threads.run();
  }

  /**
   * Replaces the gradients, which are those of the last batch, by the mean over all batches. The sums are 0 afterwards.
   * @param count of the batches, the last one included
   */
  average(count: number): void {
    for (const { kernels, gradient, sum, length } of this.#addresses)
      kernels.averageGradient(gradient, sum, length, 1 / count);
    this.#threads.run();
  }
}
