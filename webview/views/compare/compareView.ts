/** @file The Compare view: curves, results and differing settings of two or more runs, and size against metric. */
import * as l10n from '@vscode/l10n';
import { formatNumber } from '../../../server/protocol/formatQuantity.ts';
import { differencesOf, measuresOf, withoutSeed, type SeededResult } from '../../../server/protocol/run/seedGroups.ts';
import { createChart } from '../../charts/chart.ts';
import type { Chart } from '../../charts/chart.ts';
import type { ChartContent } from '../../charts/model/content.ts';
import { onThemeChange } from '../../charts/theme.ts';
import { element, setText } from '../../element.ts';
import type { PageState } from '../../state.ts';
import { evaluatedMetrics, loadedRuns, lossContent, metricContent, metricTitle } from '../curves/contents.ts';
import type { CurveSettings, LoadedRun } from '../curves/contents.ts';
import { seedGroupsOf, type SeedGroup } from '../curves/seedGroups.ts';
import type { View, ViewType } from '../view.ts';
import type { ViewContext } from '../../viewContext.ts';
import { createComparisonTable } from './comparisonTable.ts';
import type { ComparisonRow } from './comparisonTable.ts';
import { bestResults, formatResult, groupResult, resultRows, runResult } from './results.ts';
import type { GroupResult, ResultRow } from './results.ts';
import { differingSettings, flatten } from './settings.ts';
import { sizeContent } from './sizeContent.ts';
import type { ComparedRun } from './sizeContent.ts';

export const compareView: ViewType = { id: 'compare', title: l10n.t('Compare'), create: createCompareView };

/** The Curves view has the switches; here the curves only stand beside each other. */
const curves: CurveSettings = {
  axis: 'step',
  smoothing: 0.8,
  logLoss: true,
  logPerplexity: true,
  marks: false,
  drop: 'change',
};

const rowNames: Readonly<Record<Exclude<ResultRow, 'value'>, string>> = {
  bytes: l10n.t('Size'),
  byteRatio: l10n.t('Fewer bytes by'),
  weightRatio: l10n.t('Fewer weights by'),
  steps: l10n.t('Steps'),
  seconds: l10n.t('Training time'),
};

function createCompareView(context: ViewContext): View {
  let state: PageState | undefined;
  const charts = new Map<string, Chart>();
  const grid = element('div', { class: 'chart-grid is-wide' });
  const results = createComparisonTable(l10n.t('Results'), l10n.t('Result'), '');
  const settings = createComparisonTable(
    l10n.t('Differing settings'),
    l10n.t('Setting'),
    l10n.t('The runs have the same settings throughout.'),
  );
  settings.element.classList.add('is-wide');
  const size = createChart({ id: 'size', title: l10n.t('Size against metric'), context });
  const noise = element('p', { class: 'view-note', hidden: true });
  results.element.append(noise);
  const content = element('div', { class: 'compare-content' }, results.element, size.element, settings.element, grid);
  const empty = element(
    'div',
    { class: 'view-empty' },
    element('p', {}, l10n.t('Nothing to compare yet: one run is shown.')),
    element(
      'p',
      {},
      l10n.t(
        'Open the list of runs at the top and tick one or more of them, or select several runs in the Experiments view and choose Compare Runs.',
      ),
    ),
  );

  // The tables' dots have the colours of the charts.
  const stopThemes = onThemeChange(() => {
    if (state) draw(state);
  });

  function draw({ shown }: PageState): void {
    const runs = loadedRuns(shown);
    const enough = shown.length > 1;
    empty.hidden = enough;
    content.hidden = !enough;
    if (!enough) return;
    const groups = seedGroupsOf(runs);
    const compared = groups.flatMap((group) =>
      // Points of one group have one colour.
      group.runs.map((run): ComparedRun => ({
        run: { ...run, color: group.color },
        result: runResult(run.snapshot),
      })),
    );
    const grouped = groups.map((group) => groupResult(group.runs.map(({ snapshot }) => runResult(snapshot))));
    results.update(groups, resultTable(grouped));
    setText(noise, noiseText(groups));
    noise.hidden = noise.textContent === '';
    settings.update(
      groups,
      differingSettings(
        groups.map(({ runs: own, runs: [{ snapshot, summary }] }) => {
          const all = flatten(snapshot.started?.config);
          return { settings: own.length === 1 ? all : withoutSeed(all), overrides: summary?.overrides ?? [] };
        }),
      ).map(({ path, values }) => ({
        name: path,
        cells: values.map(({ text, overridden }) => ({ text, ...(overridden && { tag: l10n.t('changed') }) })),
      })),
    );

    size.update(sizeContent(compared));
    const wanted: [id: string, title: string, content: ChartContent][] = [
      ...evaluatedMetrics(runs).map((metric): [string, string, ChartContent] => [
        `metric.${metric}`,
        metricTitle(metric),
        metricContent(metric, runs, curves),
      ]),
      ['loss', l10n.t('Training loss'), lossContent(runs, curves)],
    ];
    for (const [id, chart] of charts) {
      if (wanted.some(([other]) => other === id)) continue;
      chart.dispose();
      charts.delete(id);
    }
    const elements = wanted.map(([id, title]) => {
      const chart = charts.get(id) ?? createChart({ id, title, context });
      charts.set(id, chart);
      return chart.element;
    });
    if (elements.length !== grid.children.length || elements.some((item, i) => grid.children[i] !== item))
      grid.replaceChildren(...elements);
    for (const [id, , drawn] of wanted) charts.get(id)!.update(drawn);
  }

  return {
    element: element('div', { class: 'compare' }, empty, content),
    update(next) {
      state = next;
      draw(next);
    },
    dispose() {
      stopThemes();
      size.dispose();
      for (const chart of charts.values()) chart.dispose();
    },
  };
}

/** How much each group differs from the first in the test metric, and if that is more than noise; empty where no two have several seeds. */
function noiseText(groups: readonly SeedGroup<LoadedRun>[]): string {
  const measured = groups.map(({ label, runs }) => ({ label, measures: measuresOf(runs.flatMap(seededResult)) }));
  const [first, ...others] = measured;
  return others
    .flatMap(({ label, measures }) => {
      const test = differencesOf(first.measures, measures).find(({ name }) => name === 'test')?.difference;
      if (test?.margin === undefined) return [];
      const size = `${formatNumber(test.mean)} ± ${formatNumber(test.margin)}`;
      return test.isMoreThanNoise
        ? [l10n.t('{0} differs from {1} by {2}: more than noise.', label, first.label, size)]
        : [l10n.t('{0} differs from {1} by {2}: no more than noise.', label, first.label, size)];
    })
    .join(' ');
}

function seededResult({ snapshot: { started, end } }: LoadedRun): SeededResult[] {
  const seed = started?.config.training.seed;
  return seed !== undefined && end?.type === 'finished' ? [{ seed, summary: end.summary }] : [];
}

function resultTable(results: readonly GroupResult[]): ComparisonRow[] {
  const metrics = [...new Set(results.flatMap(({ metric }) => metric ?? []))];
  const splits = [...new Set(results.flatMap(({ split }) => split ?? []))];
  return resultRows.map((row) => {
    const best = bestResults(results, row);
    return {
      name: row === 'value' ? metricName(metrics, splits) : rowNames[row],
      cells: results.map((result, index) => {
        const value = result[row];
        if (value === undefined) return { text: undefined };
        const margin = result.margins?.[row];
        const mean = formatResult(row, value, result.metric ?? '');
        const text = margin === undefined ? mean : `${mean} ± ${formatResult(row, margin, result.metric ?? '')}`;
        return {
          text: row === 'value' && metrics.length > 1 ? `${result.metric} ${text}` : text,
          ...tagOf([
            ...(best.includes(index) ? [l10n.t('best')] : []),
            ...(row === 'value' && splits.length > 1 && result.split === 'validation'
              ? [l10n.t('validation split')]
              : []),
            ...(row === 'value' && !result.final ? [l10n.t('so far')] : []),
            ...(row === 'bytes' && result.hasFile === false ? [l10n.t('would take')] : []),
            ...(row === 'byteRatio' && result.hasFile === false ? [l10n.t('would be')] : []),
          ]),
          ...(best.includes(index) && { strong: true }),
        };
      }),
    };
  });
}

function tagOf(words: readonly string[]): { tag?: string } {
  return words.length === 0 ? {} : { tag: words.join(', ') };
}

/** What the metric is called that a column has: that of the test split where any run has read it. */
function metricName(metrics: readonly string[], splits: readonly string[]): string {
  const isTest = splits.length === 0 || splits.includes('test');
  if (metrics.length === 1) return isTest ? l10n.t('Test {0}', metrics[0]) : l10n.t('Validation {0}', metrics[0]);
  return isTest ? l10n.t('Test metric') : l10n.t('Validation metric');
}
