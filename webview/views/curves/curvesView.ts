/** @file The Curves view: loss, the evaluated metrics, what each distortion costs, the learning rate. */
import * as l10n from '@vscode/l10n';
import { createChart } from '../../charts/chart.ts';
import { createChartLink } from '../../charts/chartLink.ts';
import type { Chart } from '../../charts/chart.ts';
import { checkbox, dropdown, foldingToolbar, slider } from '../../controls/controls.ts';
import { element } from '../../element.ts';
import { runTitle } from '../../state.ts';
import type { PageState } from '../../state.ts';
import type { View, ViewType } from '../view.ts';
import type { ViewContext } from '../../viewContext.ts';
import { axisOf, xAxes } from './axes.ts';
import { firstSettings, loadedRuns } from './contents.ts';
import type { CurveSettings } from './contents.ts';
import { curveCharts } from './curveCharts.ts';
import { haveSeveralSeeds } from './seedGroups.ts';

function isCurveSettings(value: unknown): value is CurveSettings {
  if (typeof value !== 'object' || value === null) return false;
  const { axis, smoothing, drop, ...switches } = value as CurveSettings;
  return (
    xAxes.includes(axis) &&
    smoothing >= 0 &&
    smoothing < 1 &&
    (drop === 'change' || drop === 'before-after') &&
    [switches.logLoss, switches.logPerplexity, switches.marks].every((on) => typeof on === 'boolean') &&
    ['boolean', 'undefined'].includes(typeof switches.seedsApart)
  );
}

export const curvesView: ViewType = { id: 'curves', title: l10n.t('Curves'), create: createCurvesView };

function createCurvesView(context: ViewContext): View {
  const remembered = context.remember('settings', firstSettings, isCurveSettings);
  let settings = remembered.get();
  let state: PageState | undefined;
  const charts = new Map<string, Chart>();
  const link = createChartLink();
  const grid = element('div', { class: 'chart-grid' });

  function change(changes: Partial<CurveSettings>): void {
    settings = { ...settings, ...changes };
    remembered.set(settings);
    if (state) draw(state);
  }

  const logPerplexity = checkbox(l10n.t('Log perplexity'), settings.logPerplexity, (on) =>
    change({ logPerplexity: on }),
  );
  const seeds = checkbox(l10n.t('Take seeds together'), settings.seedsApart !== true, (together) =>
    change({ seedsApart: !together }),
  );
  const toolbar = foldingToolbar(
    l10n.t('Curves'),
    dropdown(
      l10n.t('Axis'),
      xAxes.map((axis) => ({ value: axis, label: axisOf[axis].label })),
      settings.axis,
      (axis) => change({ axis }),
    ).element,
    slider(
      l10n.t('Smoothing'),
      { minimum: 0, maximum: 0.99, step: 0.01, value: settings.smoothing },
      (value) => value.toFixed(2),
      (smoothing) => change({ smoothing }),
    ).element,
    dropdown(
      l10n.t('Drop'),
      [
        { value: 'change', label: l10n.t('change') },
        { value: 'before-after', label: l10n.t('before, after') },
      ],
      settings.drop,
      (drop) => change({ drop }),
    ).element,
    checkbox(l10n.t('Log loss'), settings.logLoss, (logLoss) => change({ logLoss })).element,
    logPerplexity.element,
    checkbox(l10n.t('Distortions'), settings.marks, (marks) => change({ marks })).element,
    seeds.element,
  );

  function draw({ shown }: PageState): void {
    const runs = loadedRuns(shown);
    const wanted = curveCharts(runs, settings);
    seeds.element.hidden = !haveSeveralSeeds(runs);
    logPerplexity.element.hidden = !wanted.some(({ id }) => id === 'metric.perplexity');
    for (const [id, chart] of charts) {
      if (wanted.some((other) => other.id === id)) continue;
      chart.dispose();
      charts.delete(id);
    }
    const elements = wanted.map(({ id, title, size }) => {
      const chart = charts.get(id) ?? createChart({ id, title, context, link, ...(size && { size }) });
      charts.set(id, chart);
      return chart.element;
    });
    if (elements.length !== grid.children.length || elements.some((item, i) => grid.children[i] !== item))
      grid.replaceChildren(...elements);
    const [first, ...others] = runs;
    const subject =
      others.length === 0 && first?.summary ? `${first.summary.name} · ${runTitle(first.summary)}` : undefined;
    // The first run that is shown, and not the first that is loaded.
    const source = shown.at(0)?.key ?? '';
    for (const { id, content } of wanted)
      charts.get(id)!.update({ ...content, source, ...(subject !== undefined && { subject }) });
  }

  return {
    element: element('div', { class: 'curves' }, toolbar, grid),
    update(next) {
      state = next;
      draw(next);
    },
    dispose() {
      for (const chart of charts.values()) chart.dispose();
    },
  };
}
