/** @file The result of a search, in lines. */
import { oneLine } from '../protocol/experiment/oneLine.ts';
import {
  formatBytes,
  formatCount,
  formatDrop,
  formatDuration,
  formatNumber,
  formatRatio,
} from '../protocol/formatQuantity.ts';
import { sampleStatistics } from '../protocol/run/sampleStatistics.ts';
import type { SearchReport } from '../search/index.ts';
import { compressionText } from './compressionText.ts';
import type { Terminal } from './terminal.ts';
import { textTable } from './textTable.ts';

/** Files that are at most so many times as large as another one count as of its size. */
const SAME_SIZE = 1.1;

/** All full runs, the time that the search took, the run that was looked for or the nearest to it, and its settings. */
export function searchReportLines(report: SearchReport, terminal: Pick<Terminal, 'columns'>): string[] {
  const { reference, best, metric, full, isMet, fullRuns, runs, seconds, secondsOfFullRun, target } = report;
  const rows = full.map(({ run, way, seed, value, drop, bytes, ratio }) => [
    run,
    way,
    String(seed),
    value === null ? 'diverged' : formatNumber(value),
    drop === null ? '' : formatDrop(drop),
    bytes === null ? '' : formatBytes(bytes),
    ratio === null ? '' : formatRatio(ratio),
  ]);
  const table = textTable(
    {
      header: ['full run', 'by', 'seed', `validation ${metric}`, 'drop', 'file', ''],
      rows,
      right: new Set([2, 3, 4, 5]),
    },
    terminal.columns,
  );
  // Where no full run came to its end, there is none to compare the time with.
  const byTime = secondsOfFullRun > 0 ? `, ${formatNumber(seconds / secondsOfFullRun)} by their time` : '';
  const cost = `${formatCount(runs)} runs took ${formatDuration(seconds)}: ${formatNumber(fullRuns)} full runs by their steps${byTime}.`;
  if (!best) return [...table, '', cost, 'No full run finished: the target was not reached.'];
  const { drops } = best;
  const seeds =
    drops.length > 1 ? `, and of ${formatDrop(sampleStatistics(drops).mean)} on average of ${drops.length} seeds` : '';
  const size = `${formatBytes(best.bytes ?? NaN)}, ${formatRatio(best.ratio ?? NaN)} smaller (1 weight of ${formatNumber(best.weightRatio)})`;
  return [
    ...table,
    '',
    cost,
    isMet
      ? `Found: ${best.run}, ${size}, with a drop of ${formatDrop(best.drop ?? NaN)} on the validation split${seeds}.`
      : `The target (${oneLine(target)}) was not reached. The nearest: ${best.run}, ${size}, with a drop of ${formatDrop(best.drop ?? NaN)}.`,
    ...startHint(report),
    `Test ${metric}: ${formatNumber(best.test)}, of the dense model ${formatNumber(reference.test)}.`,
    '',
    `"compression": ${compressionText(best.compression)}`,
  ];
}

/** A way out if the full runs lose far more than short ones of that size did, which begin with trained weights. */
function startHint({ isMet, start, best, short, reference }: SearchReport): string[] {
  if (isMet || start !== undefined || !best || best.drop === null || best.bytes === null) return [];
  const mostBytes = SAME_SIZE * best.bytes;
  const drops = short.flatMap(({ drop, bytes }) =>
    drop !== null && bytes !== null && bytes <= mostBytes ? [drop] : [],
  );
  const least = Math.min(...drops);
  if (!(least < best.drop / 2)) return [];
  return [
    `Short runs of that size, which begin with the weights of the dense model, had a drop of ${formatDrop(least)}: ` +
      `"start": "run:${reference.run}" lets full runs begin with them, too.`,
  ];
}
