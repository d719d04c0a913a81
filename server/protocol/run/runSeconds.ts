/** @file How long a run took. */
import type { Summary } from './events.ts';

/** Seconds that a finished run took in all. */
export function secondsOf(
  summary: Pick<Summary, 'trainingSeconds' | 'distortionSeconds' | 'observationSeconds' | 'evaluationSeconds'>,
): number {
  const { trainingSeconds, distortionSeconds, observationSeconds, evaluationSeconds } = summary;
  return trainingSeconds + distortionSeconds + observationSeconds + evaluationSeconds;
}
