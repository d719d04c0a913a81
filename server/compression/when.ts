/** @file When the weights of a run are distorted: at which steps, and how often in all. */
/** When distortions can happen, in training steps done. */
export interface Timing {
  /** S_D. */
  readonly distortEvery: number;
  /** t_i. */
  readonly from: number;
  /** Length of the run. */
  readonly steps: number;
}

/** Whether a step is one of every S_D from t_i on. */
export function isDistortionStep(step: number, { distortEvery, from }: Omit<Timing, 'steps'>): boolean {
  return step % distortEvery === 0 && step >= from;
}

/** Distortions of a run whose weights are distorted at each {@link isDistortionStep} and after the last step. */
export function distortionCount({ distortEvery, from, steps }: Timing): number {
  const before = Math.ceil(Math.max(from, 1) / distortEvery) - 1;
  const regular = Math.max(0, Math.floor(steps / distortEvery) - before);
  return regular > 0 && steps % distortEvery === 0 ? regular : regular + 1;
}
