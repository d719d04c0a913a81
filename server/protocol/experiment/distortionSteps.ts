/** @file The training steps after which the weights of a run are distorted, and their number. */

/** When the weights of a run are distorted, in training steps done. */
export interface Timing {
  /** S_D. */
  readonly distortEvery: number;
  /** t_i. */
  readonly from: number;
  /** Length of the run. */
  readonly steps: number;
}

/** True for every S_D-th step from t_i on. A run also distorts its weights after its last step, whatever that is. */
export function isDistortionStep(step: number, { distortEvery, from }: Omit<Timing, 'steps'>): boolean {
  return step % distortEvery === 0 && step >= from;
}

/** The first step after which the weights are distorted: an {@link isDistortionStep}, or the last step of the run. */
export function firstDistortion({ distortEvery, from, steps }: Timing): number {
  return Math.min(steps, distortEvery * Math.ceil(Math.max(from, 1) / distortEvery));
}

/** Number of distortions of a run: one at each {@link isDistortionStep}, and one after the last step. */
export function distortionCount(timing: Timing): number {
  return 1 + Math.ceil((timing.steps - firstDistortion(timing)) / timing.distortEvery);
}
