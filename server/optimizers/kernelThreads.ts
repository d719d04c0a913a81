/**
 * @file Kernels in several threads, over arenas that they share. Where there is one thread, and in arenas that are not shared, calls are
 * made at once. Otherwise they are noted, divided into parts, and made by all threads in {@link KernelThreads.run}. A call computes the
 * same bits wherever it is divided, so that results do not depend on the number of threads.
 */
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { isShared } from '../memory/instantiate.ts';
import type { Arena } from '../memory/arena.ts';
import { startWorker } from '../modules/startWorker.ts';
import { messageOf } from '../protocol/thrown.ts';
import {
  ARRAYS,
  failJobs,
  failureOfJobs,
  MOST_JOBS,
  openJobs,
  PART,
  resultOf,
  sharedJobs,
  waitUntilDone,
  workOnJobs,
  writeJob,
  type Divisible,
  type JobKernel,
  type SharedJobs,
  type UpdateKernels,
} from './kernelJobs.ts';
import { optimizerCode, optimizerKernels, type OptimizerKernels } from './kernels.ts';
import type { KernelWorkerData } from './kernelWorker.ts';

const BYTES = Float32Array.BYTES_PER_ELEMENT;
/** Seconds in which one part of an array is done, however busy the machine is. */
const PATIENCE = 60;

/** A gradient in an arena. */
export interface PlacedGradient {
  readonly arena: Arena;
  readonly gradient: number;
  /** In elements. */
  readonly gradientLength: number;
}

export class KernelThreads {
  readonly #threads: number;
  readonly #memories: WebAssembly.Memory[] = [];
  readonly #kernels: OptimizerKernels[] = [];
  #jobs: SharedJobs | undefined;
  #count = 0;
  #workers: Worker[] | undefined;

  /** @param threads the one that calls included; the others start with the first {@link run}, or before it with {@link start} */
  constructor(threads: number) {
    this.#threads = threads;
  }

  /** Starts the threads for the arenas that {@link kernelsIn} was called for, and waits until all of them can work. */
  async start(): Promise<void> {
    if (this.#memories.length === 0) return;
    this.#workers ??= this.#startWorkers((this.#jobs ??= sharedJobs()));
    await Promise.all(this.#workers.map((worker) => once(worker, 'message')));
  }

  /** Kernels for the memory of an arena. What they are called for is done when {@link run} returns. */
  kernelsIn(arena: Arena): UpdateKernels {
    if (!this.#shares(arena)) return optimizerKernels(arena);
    const memory = this.#indexOf(arena);
    const divided = Object.keys(ARRAYS).map((name) => {
      const kernel = name as Divisible;
      return [name, (...args: number[]) => this.#divide(memory, kernel, args)] as const;
    });
    const whole = (['sgdRows', 'adagradRows'] as const).map(
      (kernel) => [kernel, (...args: number[]) => this.#add(memory, kernel, args)] as const,
    );
    return Object.fromEntries<unknown>([...divided, ...whole]) as unknown as UpdateKernels;
  }

  /**
   * Makes the calls that were noted, in any order.
   * @throws Error where a thread has failed: the arenas then hold something between before and after
   */
  run(): void {
    const jobs = this.#jobs;
    const count = this.#count;
    if (jobs === undefined || count === 0) return;
    this.#count = 0;
    this.#workers ??= this.#startWorkers(jobs);
    openJobs(jobs, count);
    try {
      workOnJobs(jobs, this.#kernels);
    } catch (error) {
      failJobs(jobs, messageOf(error));
    }
    if (waitUntilDone(jobs, count, PATIENCE)) return;
    const reason = failureOfJobs(jobs) ?? `it did nothing for ${PATIENCE} s`;
    failJobs(jobs, reason);
    throw new Error(
      `A thread that updates the weights has failed: ${reason}. Resume the run, which goes on from its last checkpoint.`,
    );
  }

  /** Sum of the squares, in float64, of gradients that are clipped to [-limit, limit]. */
  sumOfSquares(gradients: readonly PlacedGradient[], limit: number): number {
    let sum = 0;
    const addNoted = () => {
      const count = this.#count;
      this.run();
      for (let job = 0; job < count; job++) sum += resultOf(this.#jobs!, job);
    };
    for (const { arena, gradient, gradientLength } of gradients) {
      const shares = this.#shares(arena);
      if (!shares) addNoted();
      for (let start = 0; start < gradientLength; start += PART) {
        const address = gradient + start * BYTES;
        const length = Math.min(PART, gradientLength - start);
        if (!shares) sum += optimizerKernels(arena).sumOfSquares(address, length, limit);
        else {
          if (this.#count === MOST_JOBS) addNoted();
          this.#add(this.#indexOf(arena), 'sumOfSquares', [address, length, limit]);
        }
      }
    }
    addNoted();
    return sum;
  }

  async dispose(): Promise<void> {
    const workers = this.#workers ?? [];
    this.#workers = undefined;
    for (const worker of workers) await worker.terminate();
  }

  #shares({ memory }: Arena): boolean {
    return this.#threads > 1 && isShared(memory);
  }

  #indexOf(arena: Arena): number {
    const { memory } = arena;
    const known = this.#memories.indexOf(memory);
    if (known >= 0) return known;
    if (this.#workers) throw new Error('The threads have started without an arena.');
    this.#kernels.push(optimizerKernels(arena));
    return this.#memories.push(memory) - 1;
  }

  #divide(memory: number, kernel: Divisible, args: readonly number[]): void {
    const arrays = ARRAYS[kernel];
    const length = args[arrays];
    const rest = args.slice(arrays + 1);
    for (let start = 0; start < length; start += PART) {
      const addresses = args.slice(0, arrays).map((address) => (address === 0 ? 0 : address + start * BYTES));
      this.#add(memory, kernel, [...addresses, Math.min(PART, length - start), ...rest]);
    }
  }

  #add(memory: number, kernel: JobKernel, args: readonly number[]): void {
    if (this.#count === MOST_JOBS) this.run();
    this.#jobs ??= sharedJobs();
    writeJob(this.#jobs, this.#count++, kernel, memory, args);
  }

  /** Until they are there, this thread does all by itself. */
  #startWorkers(jobs: SharedJobs): Worker[] {
    const workerData: KernelWorkerData = {
      jobs,
      module: optimizerCode.moduleFor(this.#memories[0]),
      memories: this.#memories,
    };
    return Array.from({ length: this.#threads - 1 }, () => {
      const worker = startWorker('../optimizers/kernelWorker.ts', { workerData });
      worker.on('error', (error) => failJobs(jobs, messageOf(error)));
      worker.unref();
      return worker;
    });
  }
}
