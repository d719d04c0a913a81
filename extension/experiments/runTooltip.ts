/** @file What is shown where the mouse rests on a run of the tree, as Markdown. Pure. */
import { formatDuration, formatRatio } from '../../server/protocol/formatQuantity.ts';
import { markdownLines, markdownText } from '../../server/protocol/markdown.ts';
import { recordedRatio } from '../../server/protocol/run/compressedSize.ts';
import { formatMetric } from '../../server/protocol/run/resultText.ts';
import { leftTestAlone, shownMetric } from '../../server/protocol/run/testMetric.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { Translation } from '../translation.ts';
import { secondsLeft } from '../runs/runLabels.ts';

/** @param state in words */
export function runTooltip(
  l10n: Translation,
  { summary, liveState }: Pick<StoredRun, 'summary' | 'liveState'>,
  state: string,
): string {
  const lines = [`**${markdownText(summary.id)}**`];
  const add = (name: string, value: string) => lines.push(`${markdownText(name)}: ${markdownText(value)}`);
  if (summary.label?.name !== undefined) add(l10n.t('Name'), summary.label.name);
  if (summary.label?.note !== undefined) add(l10n.t('Note'), summary.label.note);
  add(l10n.t('State'), state);
  if (summary.overrides.length > 0) add(l10n.t('Changed values'), summary.overrides.join(', '));
  const { result, failure } = summary;
  if (result) {
    const name = leftTestAlone(result) ? l10n.t('Validation {0}', result.metric) : l10n.t('Test {0}', result.metric);
    add(name, formatMetric(result.metric, shownMetric(result)));
    const { ratio, isFile } = recordedRatio(result);
    add(isFile ? l10n.t('Smaller by') : l10n.t('Would be smaller by'), formatRatio(ratio));
  }
  const left = liveState && secondsLeft(liveState);
  if (liveState && liveState.steps > 0) add(l10n.t('Step'), `${liveState.step} / ${liveState.steps}`);
  if (left !== undefined && liveState?.phase === 'training') add(l10n.t('Time left'), formatDuration(left));
  const table = lines.join('  \n');
  const reasons = [failure?.message, failure?.remedy]
    .filter((text) => text !== undefined)
    .map((reason) => markdownLines(reason));
  return reasons.length === 0 ? table : `${table}\n\n---\n${reasons.join('\n\n')}`;
}
