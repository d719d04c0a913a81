/** @file Why there is no histogram, or no spectrum, to be seen. Pure. */
import * as l10n from '@vscode/l10n';
import { formatCount } from '../../../server/protocol/formatQuantity.ts';
import { compressionsOf } from '../../../server/protocol/experiment/compressions.ts';
import { firstDistortion } from '../../../server/protocol/experiment/distortionSteps.ts';
import { policyFacts } from '../../../server/protocol/experiment/methods/policies.ts';
import type { RunSnapshot } from '../../../server/protocol/run/runHistory.ts';

/** A sentence for a run without a recorded distortion: what it waits for, or what would have to be changed. */
export function whyNoDistortions({ started, end, metrics }: RunSnapshot): string {
  if (started === undefined) return l10n.t('The run has not begun to train.');
  const compressions = compressionsOf(started.config);
  if (compressions.length === 0)
    return l10n.t(
      'This experiment compresses nothing: it has no "compression" section. Add one to see what it does to the weights.',
    );
  if (end !== undefined) return l10n.t('The run ended before its first distortion.');
  const { steps } = started.config.training;
  const firsts = compressions.map(({ policy, distortEvery, schedule }) => {
    const from = schedule?.from ?? 0;
    const { distorts, computesCompressed } = policyFacts[policy];
    if (computesCompressed) return Math.max(1, from);
    return distorts === 'at-the-end' ? steps : firstDistortion({ distortEvery, from, steps });
  });
  const first = Math.min(...firsts);
  const step = metrics.length > 0 ? metrics.columns.step[metrics.length - 1] : 0;
  return l10n.t(
    'No distortion so far: the first comes at step {0}, and the run is at {1}.',
    formatCount(first),
    formatCount(step),
  );
}
