/** @file What is shown where the mouse rests on a run of the tree, as Markdown. Pure. */
import { formatDuration, formatNumber, formatRatio } from '../../server/protocol/formatQuantity.ts';
import { markdownLines, markdownText } from '../../server/protocol/markdown.ts';
import { recordedRatio } from '../../server/protocol/run/compressedSize.ts';
import { formatMetric } from '../../server/protocol/run/resultText.ts';
import { leftTestAlone, shownMetric } from '../../server/protocol/run/testMetric.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { Translation } from '../translation.ts';
import { secondsLeft } from '../runs/runLabels.ts';

/** @param options.state in words */
export function runTooltip(
  l10n: Translation,
  { summary, liveState, lastEvaluation }: Pick<StoredRun, 'summary' | 'liveState' | 'lastEvaluation'>,
  { state, locale }: { readonly state: string; readonly locale: string },
): string {
  const lines = [`**${markdownText(summary.id)}**`];
  const add = (name: string, value: string) => lines.push(`${markdownText(name)}: ${markdownText(value)}`);
  if (summary.label?.name !== undefined) add(l10n.t('Name'), summary.label.name);
  if (summary.label?.note !== undefined) add(l10n.t('Note'), summary.label.note);
  add(l10n.t('State'), state);
  const started = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' });
  add(l10n.t('Started'), started.format(summary.created));
  if (summary.overrides.length > 0) add(l10n.t('Changed values'), summary.overrides.join(', '));
  const { result, failure } = summary;
  if (result) {
    const name = leftTestAlone(result) ? l10n.t('Validation {0}', result.metric) : l10n.t('Test {0}', result.metric);
    add(name, formatMetric(result.metric, shownMetric(result)));
    const { ratio, isFile } = recordedRatio(result);
    add(isFile ? l10n.t('Smaller by') : l10n.t('Would be smaller by'), formatRatio(ratio));
    if (result.lossRise) {
      const { first, last } = result.lossRise;
      add(l10n.t('Loss'), l10n.t('has risen from {0} to {1}: training may have diverged', formatNumber(first), formatNumber(last))); // prettier-ignore
    }
  }
  if (lastEvaluation) {
    const { metric, value } = lastEvaluation;
    add(l10n.t('Last {0}', metric), formatMetric(metric, value));
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
