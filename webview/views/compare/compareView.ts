/** @file The Compare view: curves, results and differing settings of two or more runs, and size against metric. */
import * as l10n from '@vscode/l10n';
import { createChartLink } from '../../charts/chartLink.ts';
import { differencesOf, measuresOf, withoutSeed, type SeededResult } from '../../../server/protocol/run/seedGroups.ts';
import { createChart } from '../../charts/chart.ts';
import type { Chart } from '../../charts/chart.ts';
import type { ChartContent } from '../../charts/model/content.ts';
import { onThemeChange, palettes } from '../../charts/theme.ts';
import { element, setText } from '../../element.ts';
import type { PageState } from '../../state.ts';
import { evaluatedMetrics, loadedRuns, lossContent, metricContent, metricTitle } from '../curves/contents.ts';
import type { CurveSettings, LoadedRun } from '../curves/contents.ts';
import { seedGroupsOf, type SeedGroup } from '../curves/seedGroups.ts';
import type { View, ViewType } from '../view.ts';
import type { ViewContext } from '../../viewContext.ts';
import { comparisonOf } from './comparison.ts';
import type { ComparedGroup, Comparison, ComparisonOrder } from './comparison.ts';
import { createComparisonTable } from './comparisonTable.ts';
import { groupResult, runResult } from './results.ts';
import { flatten } from './settings.ts';
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

function isOrder(value: unknown): value is ComparisonOrder {
  const { column, descending } = (value ?? {}) as Partial<Record<keyof ComparisonOrder, unknown>>;
  return typeof descending === 'boolean' && ['string', 'undefined'].includes(typeof column);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isColors(value: unknown): value is Readonly<Record<string, number>> {
  return typeof value === 'object' && value !== null && Object.values(value).every(Number.isInteger);
}

function createCompareView(context: ViewContext): View {
  let state: PageState | undefined;
  const charts = new Map<string, Chart>();
  const link = createChartLink();
  const grid = element('div', { class: 'chart-grid is-wide' });
  const order = context.remember<ComparisonOrder>('order', { descending: false }, isOrder);
  const hidden = context.remember<readonly string[]>('hidden', [], isTexts);
  const colors = context.remember<Readonly<Record<string, number>>>('colors', {}, isColors);
  const redraw = () => state && draw(state);
  const table = createComparisonTable({
    sort: (next) => {
      order.set(next);
      redraw();
    },
    show: (key, isShown) => {
      const others = hidden.get().filter((other) => other !== key);
      hidden.set(isShown ? others : [...others, key]);
      redraw();
    },
    recolor: (key) => {
      const group = coloredGroups().find((other) => other.key === key);
      if (group) colors.set({ ...colors.get(), [key]: (group.color + 1) % palettes.dark.length });
      redraw();
    },
  });
  const size = createChart({ id: 'size', title: l10n.t('Size vs. metric'), context, sharesLegend: true });
  const note = element('p', { class: 'view-note', hidden: true });
  table.element.append(note);
  const content = element('div', { class: 'compare-content' }, table.element, size.element, grid);
  const empty = element(
    'div',
    { class: 'view-empty' },
    element('p', {}, l10n.t('Nothing to compare yet: one run is shown.')),
    element(
      'p',
      {},
      l10n.t(
        'Check more runs in the list at the top, or select several runs in the Experiments view and choose Compare Runs.',
      ),
    ),
  );

  // The tables' dots have the colours of the charts.
  const stopThemes = onThemeChange(redraw);

  /** The runs that are shown, each in the colour that the user gave it. */
  function coloredGroups(): SeedGroup<LoadedRun>[] {
    const own = colors.get();
    const runs = loadedRuns(state?.shown ?? []);
    // Runs of one group have one colour.
    return seedGroupsOf(runs).map((group, place) => {
      const color = own[group.key] ?? place;
      return { ...group, color, runs: group.runs.map((run) => ({ ...run, color })) };
    });
  }

  function draw({ shown }: PageState): void {
    const enough = shown.length > 1;
    empty.hidden = enough;
    content.hidden = !enough;
    if (!enough) return;
    const groups = coloredGroups();
    const comparison = comparisonOf(groups.map((group) => comparedGroup(group, groups[0])));
    const isHidden = new Set(hidden.get());
    table.update(comparison, order.get(), isHidden);
    setText(note, noteText(groups, comparison));
    note.hidden = note.textContent === '';
    const drawn = groups.filter(({ key }) => !isHidden.has(key));
    const runs = drawn.flatMap((group) => group.runs);

    const source = shown[0].key;
    size.update({ ...sizeContent(runs.map((run): ComparedRun => ({ run, result: runResult(run.snapshot) }))), source });
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
      const chart = charts.get(id) ?? createChart({ id, title, context, sharesLegend: true, link });
      charts.set(id, chart);
      return chart.element;
    });
    if (elements.length !== grid.children.length || elements.some((item, i) => grid.children[i] !== item))
      grid.replaceChildren(...elements);
    for (const [id, , drawn] of wanted) charts.get(id)!.update({ ...drawn, source });
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

function comparedGroup(group: SeedGroup<LoadedRun>, first: SeedGroup<LoadedRun>): ComparedGroup {
  const { key, label, color, runs } = group;
  const difference = group === first ? undefined : differenceOf(first, group);
  const settings = flatten(runs[0].snapshot.started?.config);
  return {
    key,
    label,
    color,
    result: groupResult(runs.map((run) => runResult(run.snapshot))),
    settings: runs.length === 1 ? settings : withoutSeed(settings),
    ...(difference && { difference }),
  };
}

/** The difference of the test metrics; undefined where a group has another metric, or too few seeds to tell it from noise. */
function differenceOf(first: SeedGroup<LoadedRun>, group: SeedGroup<LoadedRun>): ComparedGroup['difference'] {
  const [before, after] = [first, group].map(({ runs }) => measuresOf(runs.flatMap(seededResult)));
  const difference = differencesOf(before, after).find(({ name }) => name === 'test')?.difference;
  return difference?.isMoreThanNoise === undefined ? undefined : difference;
}

/** Sentences below the table that explain it. */
function noteText(groups: readonly SeedGroup<LoadedRun>[], { columns }: Comparison): string {
  return [
    ...(columns.every(({ isResult }) => isResult) ? [l10n.t('The runs have the same settings throughout.')] : []),
    ...(groups.some(({ runs }) => runs.length > 1)
      ? [l10n.t('Seeds are taken together: a mean ± half of its 95% interval.')]
      : []),
  ].join(' ');
}

function seededResult({ snapshot: { started, end } }: LoadedRun): SeededResult[] {
  const seed = started?.config.training.seed;
  return seed !== undefined && end?.type === 'finished' ? [{ seed, summary: end.summary }] : [];
}
