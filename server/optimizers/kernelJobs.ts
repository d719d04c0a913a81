/** @file Calls of kernels as numbers in memory that threads share: each call is made by the thread that claims it first. */
import type { OptimizerKernels } from './kernels.ts';

/**
 * Kernels whose call can be divided into calls for parts of their arrays, since each element is computed by itself: the first arguments are
 * the addresses of that many arrays, 0 for one that is not there; then comes their length.
 */
export const ARRAYS = {
  sgd: 2,
  momentum: 3,
  adam: 4,
  rmsprop: 5,
  adagrad: 3,
  addGradient: 2,
  averageGradient: 2,
  flushSubnormals: 1,
} as const;

export type Divisible = keyof typeof ARRAYS;

/** All kernels of which there can be jobs. */
export const KERNELS = [...(Object.keys(ARRAYS) as Divisible[]), 'sgdRows', 'adagradRows', 'sumOfSquares'] as const;
export type JobKernel = (typeof KERNELS)[number];

/** Kernels that update weights, or gradients, and return nothing. */
export type UpdateKernels = Pick<OptimizerKernels, Exclude<JobKernel, 'sumOfSquares'>>;

/**
 * Elements of an array that one call takes: some 20 microseconds of Adam. It must not depend on the number of threads, since the squares
 * of a gradient are summed up part by part.
 */
export const PART = 2 ** 15;

/** Most arguments that a kernel takes. */
const MOST_ARGUMENTS = 14;
/** Numbers of a job: the index of its kernel, and in its place, when it is done, what that returned; the index of its memory; the arguments. */
const JOB = 2 + MOST_ARGUMENTS;
/** Jobs that there is room for. */
export const MOST_JOBS = 4096;

/** Places in {@link SharedJobs.control}. */
const [ROUND, REMAINING, DONE, FAILED] = [0, 1, 2, 3];
/** At {@link FAILED}: a thread has failed, and then, its message is there. 0 where none has. */
const [TELLING, TOLD] = [1, 2];
/** Characters, of two bytes, of the message of a thread that failed. */
const MESSAGE = 200;

/** Memory that threads share to divide jobs among them. */
export interface SharedJobs {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly numbers: Float64Array<SharedArrayBuffer>;
  readonly message: Uint16Array<SharedArrayBuffer>;
}

export function sharedJobs(): SharedJobs {
  return {
    control: new Int32Array(new SharedArrayBuffer(16)),
    numbers: new Float64Array(new SharedArrayBuffer(8 * JOB * MOST_JOBS)),
    message: new Uint16Array(new SharedArrayBuffer(2 * MESSAGE)),
  };
}

/** Writes a job, while no thread claims any. */
export function writeJob(
  { numbers }: SharedJobs,
  job: number,
  kernel: JobKernel,
  memory: number,
  args: readonly number[],
): void {
  numbers.set([KERNELS.indexOf(kernel), memory, ...args], job * JOB);
}

/** What the kernel of a job has returned. */
export const resultOf = ({ numbers }: SharedJobs, job: number): number => numbers[job * JOB];

/** Lets all threads claim the first `count` jobs. */
export function openJobs({ control }: SharedJobs, count: number): void {
  Atomics.store(control, DONE, 0);
  Atomics.store(control, REMAINING, count);
  Atomics.add(control, ROUND, 1);
  Atomics.notify(control, ROUND);
}

/**
 * Does jobs until none is left that no other thread has claimed. A thread that comes late finds none; whatever it finds is whole, since
 * jobs are written before they can be claimed.
 * @param memories the kernels in each memory
 */
export function workOnJobs({ control, numbers }: SharedJobs, memories: readonly OptimizerKernels[]): void {
  for (;;) {
    const job = Atomics.sub(control, REMAINING, 1) - 1;
    if (job < 0) return;
    const [kernel, memory, ...args] = numbers.subarray(job * JOB, (job + 1) * JOB);
    const call = memories[memory][KERNELS[kernel]] as (...args: number[]) => number | undefined;
    numbers[job * JOB] = call(...args) ?? 0;
    Atomics.add(control, DONE, 1);
    Atomics.notify(control, DONE);
  }
}

/** Waits until other jobs than in `round` are open. @returns their round */
export function waitForJobs({ control }: SharedJobs, round: number): number {
  Atomics.wait(control, ROUND, round);
  return Atomics.load(control, ROUND);
}

/** Turns of the loop in which a thread looks whether the others are done, before it sleeps: some 80 microseconds. */
const TURNS = 10_000;

/**
 * Waits until `count` jobs are done, or a thread has failed.
 * @param patience seconds in which one job at least is done; they do not pass while the process is stopped
 * @returns true where all are done
 */
export function waitUntilDone({ control }: SharedJobs, count: number, patience: number): boolean {
  let turns = 0;
  let left = patience;
  for (;;) {
    const done = Atomics.load(control, DONE);
    if (done === count) return true;
    if (Atomics.load(control, FAILED) === TOLD || left === 0) return false;
    if (turns++ < TURNS) continue;
    if (Atomics.wait(control, DONE, done, 1000) === 'timed-out') left--;
    else left = patience;
  }
}

/** Tells the other threads that this one has failed, and why. Only the first message is kept. */
export function failJobs({ control, message }: SharedJobs, reason: string): void {
  if (Atomics.compareExchange(control, FAILED, 0, TELLING) !== 0) return;
  for (let i = 0; i < Math.min(MESSAGE, reason.length); i++) message[i] = reason.charCodeAt(i);
  Atomics.store(control, FAILED, TOLD);
  Atomics.notify(control, DONE);
}

/** Why a thread has failed; undefined where none has. */
export function failureOfJobs({ control, message }: SharedJobs): string | undefined {
  if (Atomics.load(control, FAILED) !== TOLD) return undefined;
  const end = message.indexOf(0);
  return String.fromCharCode(...message.slice(0, end < 0 ? MESSAGE : end));
}
