/** @file What is done for one input: arrays at fixed addresses, and the calls of kernels that fill them, in order. */
import { elementCount } from '../server/protocol/shape.ts';
import type { Kernels } from './kernels.ts';
import type { LinearMemory } from './linearMemory.ts';

/** Numbers of one input, or of what a layer made of it: float32, row-major. */
export interface Tensor {
  readonly address: number;
  /** Without the batch. */
  readonly shape: readonly number[];
}

export class Plan {
  readonly kernels: Kernels;
  readonly memory: LinearMemory;
  /** True where the input is the next time step of a sequence: recurrent layers go on from their state. */
  readonly isStep: boolean;
  readonly #steps: (() => void)[] = [];
  readonly #scratch: { bytes: number; address: number };
  readonly #called: Set<object>;

  constructor(
    { kernels, memory }: { readonly kernels: Kernels; readonly memory: LinearMemory },
    isStep: boolean,
    scratch = { bytes: 0, address: 0 },
    called = new Set<object>(),
  ) {
    this.kernels = kernels;
    this.memory = memory;
    this.isStep = isStep;
    this.#scratch = scratch;
    this.#called = called;
  }

  /** An array for the numbers of a shape, of any content. */
  tensor(shape: readonly number[]): Tensor {
    return { address: this.memory.allocate(4 * elementCount(shape)), shape };
  }

  /** Asks for memory that a step may use while it runs: all steps have the same. */
  reserveScratch(bytes: number): void {
    this.#scratch.bytes = Math.max(this.#scratch.bytes, bytes);
  }

  /** Address of that memory, once the plan is complete. */
  get scratch(): number {
    return this.#scratch.address;
  }

  /** Notes that the plan, or a part of it, calls a layer. @returns false where it has done so before */
  isFirstCall(layer: object): boolean {
    const isFirst = !this.#called.has(layer);
    this.#called.add(layer);
    return isFirst;
  }

  /** Adds what is done next. Views of the memory are taken while it runs, and not before: planning can make it grow. */
  add(step: () => void): void {
    this.#steps.push(step);
  }

  /** A plan for a part that is done several times. */
  part(): Plan {
    return new Plan(this, this.isStep, this.#scratch, this.#called);
  }

  /** To be called when all steps are added. */
  complete(): void {
    this.#scratch.address = this.memory.allocate(this.#scratch.bytes);
  }

  run(): void {
    for (const step of this.#steps) step();
  }
}
