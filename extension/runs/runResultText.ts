/** @file What a run came to, in the display language. */
import { l10n } from 'vscode';
import { formatMetric, resultText } from '../../server/protocol/run/resultText.ts';
import { runPhase, stateName } from './runPhase.ts';
import type { StoredRun } from './storedRun.ts';

/** `accuracy 98.20% · 46.1x smaller`; of a run whose compressed model is in no file: `would be 46.1x smaller`. */
export function runResultText(summary: Parameters<typeof resultText>[0]): string | undefined {
  return resultText(summary, {
    smaller: (ratio) => l10n.t('{0} smaller', ratio),
    wouldBeSmaller: (ratio) => l10n.t('would be {0} smaller', ratio),
  });
}

/** {@link runResultText}; for a run that ended before its last step, its last evaluation: `accuracy 97.10%`. */
export function outcomeText({ summary, lastEvaluation }: StoredRun): string | undefined {
  if (!lastEvaluation) return runResultText(summary);
  return `${lastEvaluation.metric} ${formatMetric(lastEvaluation.metric, lastEvaluation.value)}`;
}

/** {@link outcomeText}, and the state of a run that is not finished: `accuracy 97.10% · stopped`. */
export function standText(stored: StoredRun): string {
  const outcome = outcomeText(stored);
  const phase = runPhase(stored);
  if (outcome === undefined) return stateName(phase);
  return phase === 'finished' ? outcome : `${outcome} · ${stateName(phase)}`;
}
