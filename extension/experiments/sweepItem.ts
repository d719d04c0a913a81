/** @file A sweep as a row of the tree, and its runs that have not begun. */
import { basename } from 'node:path';
import { ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState, env, l10n } from 'vscode';
import { formatMetric } from '../../server/protocol/run/resultText.ts';
import { measureOf } from '../../server/protocol/run/seedGroups.ts';
import { sweptGroups } from '../../server/protocol/run/sweptGroups.ts';
import { formatBytes, formatCount, formatRatio } from '../../server/protocol/formatQuantity.ts';
import { messageOf } from '../../server/protocol/thrown.ts';
import { isOver, measuredSummary, type SweepContent, type SweepSearch } from '../../server/protocol/wire/sweep.ts';
import { startTime } from '../runs/runLabels.ts';

/** @param read the sweep, or why it cannot be read; undefined while it is read */
export function sweepItem(path: string, read: unknown): TreeItem {
  const id = basename(path);
  const isOfSearch = isSweep(read) && read.search !== undefined;
  const item = new TreeItem(sweepLabel(id, isOfSearch), TreeItemCollapsibleState.Collapsed);
  item.id = path;
  item.iconPath = new ThemeIcon('layers');
  item.contextValue = 'sweep';
  item.command = { command: 'deeptwist.openSweep', title: l10n.t('Open Sweep'), arguments: [path] };
  if (read === undefined) return item;
  if (!isSweep(read)) {
    item.description = messageOf(read);
    item.iconPath = new ThemeIcon('error', new ThemeColor('testing.iconFailed'));
    item.tooltip = item.description;
    item.collapsibleState = TreeItemCollapsibleState.None;
    return item;
  }
  const count = (...states: readonly string[]) => read.rows.filter(({ state }) => states.includes(state)).length;
  const finished = count('finished');
  const early = count('early');
  const [failed, running] = [count('failed'), count('running', 'queued')];
  const parts = [
    read.search
      ? l10n.t('{0} runs finished', formatCount(finished))
      : l10n.t('{0} of {1} finished', finished, read.size),
    ...(early > 0 ? [l10n.t('{0} stopped early', early)] : []),
    ...(failed > 0 ? [l10n.t('{0} failed', failed)] : []),
    ...(read.search ? foundParts(read.search) : bestParts(read)),
  ];
  if (running > 0) item.iconPath = new ThemeIcon('loading~spin', new ThemeColor('charts.blue'));
  item.contextValue = isOver(read) ? 'sweep.finished' : 'sweep';
  item.description = parts.join(' · ');
  item.tooltip = `${id}\n${item.description}`;
  item.accessibilityInformation = { label: `${String(item.label)}, ${item.description}` };
  return item;
}

export function plannedItem({ id, varied }: { readonly id: string; readonly varied: string }): TreeItem {
  const item = new TreeItem(varied);
  item.id = `planned:${id}`;
  item.iconPath = new ThemeIcon('circle-outline');
  item.description = l10n.t('not begun');
  item.accessibilityInformation = { label: `${varied}, ${item.description}` };
  return item;
}

/** `Sweep 14:58`, by the time in the name of its folder. */
function sweepLabel(id: string, isOfSearch: boolean): string {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)/.exec(id)?.map(Number) ?? [];
  if (second === undefined) return id;
  const begun = new Date(year, month - 1, day, hour, minute, second).getTime();
  const time = startTime(begun, Date.now(), env.language);
  return isOfSearch ? l10n.t('Search {0}', time) : l10n.t('Sweep {0}', time);
}

/** What the best combination came to. */
function bestParts({ rows }: SweepContent): string[] {
  const results = rows.map(({ seed, vary, result }) => ({ seed, vary, summary: result && measuredSummary(result) }));
  const { groups, metric, by } = sweptGroups(results, ({ vary }) => vary);
  const [best] = groups;
  const mean = best && measureOf(best, by)?.statistics.mean;
  if (mean === undefined || Number.isNaN(mean)) return [];
  const value = l10n.t('best {0}', `${metric} ${formatMetric(metric, mean)}`);
  return best.ratio === undefined ? [value] : [value, l10n.t('{0} smaller', formatRatio(best.ratio))];
}

/** What a search has found. */
function foundParts({ target, result }: SweepSearch): string[] {
  if (!result?.best) return [target];
  const { value, bytes, ratio } = result.best;
  const [metric, size] = [formatMetric(result.metric, value ?? NaN), formatBytes(bytes ?? NaN)];
  const found = result.isMet ? l10n.t('found {0}', size) : l10n.t('not reached, nearest {0}', size);
  return [found, formatRatio(ratio ?? NaN), metric];
}

function isSweep(read: unknown): read is SweepContent {
  return typeof read === 'object' && read !== null && 'rows' in read;
}
