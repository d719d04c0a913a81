/** @file The Weights view: what each distortion did to the weights, one moment at a time and over the whole run. */
import * as l10n from '@vscode/l10n';
import { methodFacts } from '../../../server/protocol/experiment/methods/index.ts';
import type { WeightDistortion } from '../../../server/protocol/run/runHistory.ts';
import { createChart } from '../../charts/chart.ts';
import type { Chart } from '../../charts/chart.ts';
import { checkbox, dropdown } from '../../controls/controls.ts';
import { element, setText } from '../../element.ts';
import type { PageState, ShownRun } from '../../state.ts';
import type { View, ViewType } from '../view.ts';
import type { ViewContext } from '../../viewContext.ts';
import { chooseWeight, createWeightChoice } from '../weightChoice.ts';
import { histogramContent } from './histogramContent.ts';
import type { HistogramSettings, Seen } from './histogramContent.ts';
import { indexAt, isMoment } from './moments.ts';
import type { Moment } from './moments.ts';
import { whyNoDistortions } from './noDistortions.ts';
import { ridges } from './ridge.ts';
import type { Ridges } from './ridge.ts';
import { createRidgeChart } from './ridgeChart.ts';
import type { RidgeChart } from './ridgeChart.ts';
import { createTimeline } from './timeline.ts';

export const weightsView: ViewType = {
  id: 'weights',
  title: l10n.t('Weights'),
  create: createWeightsView,
  choose: chooseWeight,
};

interface Settings extends HistogramSettings {
  readonly over: 'ridges' | 'heat map' | 'none';
  readonly overlay: boolean;
}

const initial: Settings = { scale: 'log', withZeros: true, over: 'ridges', overlay: true };

function isSettings(value: unknown): value is Settings {
  if (typeof value !== 'object' || value === null) return false;
  const { scale, withZeros, over, overlay } = value as Settings;
  return (
    (scale === 'linear' || scale === 'log') &&
    (over === 'ridges' || over === 'heat map' || over === 'none') &&
    typeof withZeros === 'boolean' &&
    typeof overlay === 'boolean'
  );
}

/** Ridges that are drawn at most; more would lie on each other. */
const ROWS: Readonly<Record<'ridges' | 'heat map', number>> = { ridges: 24, 'heat map': 200 };

/** The charts of one weight. */
interface Card {
  readonly element: HTMLElement;
  readonly histogram: Chart;
  readonly over: RidgeChart;
  ridges?: { readonly of: readonly WeightDistortion[]; readonly key: string; readonly made: Ridges | undefined };
}

function createWeightsView(context: ViewContext): View {
  const remembered = context.remember('settings', initial, isSettings);
  let settings = remembered.get();
  let state: PageState | undefined;
  const cards = new Map<string, Card>();
  const grid = element('div', { class: 'weight-grid' });
  const empty = element('p', { class: 'view-empty', hidden: true });
  const note = element('p', { class: 'view-note', hidden: true });

  const redraw = (): void => {
    if (state) draw(state);
  };
  function change(changes: Partial<Settings>): void {
    settings = { ...settings, ...changes };
    remembered.set(settings);
    redraw();
  }

  const weights = createWeightChoice(context, redraw);
  const timeline = createTimeline(context.remember<Moment>('moment', 'latest', isMoment), redraw);
  const overlay = checkbox(l10n.t('Overlay second run'), settings.overlay, (on) => change({ overlay: on }));
  const toolbar = element(
    'div',
    { class: 'toolbar', role: 'group', 'aria-label': l10n.t('Weights') },
    weights.element,
    dropdown(
      l10n.t('Count'),
      [
        { value: 'log', label: l10n.t('log') },
        { value: 'linear', label: l10n.t('linear') },
      ],
      settings.scale,
      (scale) => change({ scale }),
    ).element,
    dropdown(
      l10n.t('Over time'),
      [
        { value: 'ridges', label: l10n.t('ridges') },
        { value: 'heat map', label: l10n.t('heat map') },
        { value: 'none', label: l10n.t('hidden') },
      ],
      settings.over,
      (over) => change({ over }),
    ).element,
    checkbox(l10n.t('Exact zeros'), settings.withZeros, (withZeros) => change({ withZeros })).element,
    overlay.element,
  );

  function cardOf(name: string): Card {
    const known = cards.get(name);
    if (known) return known;
    const histogram = createChart({ id: name, title: name, context });
    const over = createRidgeChart(context, (step) => timeline.goTo(step));
    const card: Card = {
      histogram,
      over,
      element: element('div', { class: 'weight-card' }, histogram.element, over.element),
    };
    cards.set(name, card);
    return card;
  }

  function draw({ shown }: PageState): void {
    const [run, ...others] = shown;
    const recorded = run?.snapshot?.weights ?? {};
    const names = Object.keys(recorded);
    const { shown: wanted, note: leftOut } = weights.update(names);
    const step = timeline.update(longest(wanted.map((name) => recorded[name])).map((distortion) => distortion.step));
    const second = others.find(({ snapshot }) => names.some((name) => snapshot?.weights[name]));
    overlay.element.hidden = second === undefined;

    const nothing = names.length === 0;
    toolbar.hidden = timeline.element.hidden = nothing;
    empty.hidden = !nothing;
    setText(empty, nothing && run?.snapshot ? whyNoDistortions(run.snapshot) : '');
    note.hidden = leftOut === '';
    setText(note, leftOut);

    for (const [name, card] of cards) {
      if (wanted.includes(name)) continue;
      card.histogram.dispose();
      card.over.dispose();
      cards.delete(name);
    }
    const elements = wanted.map((name) => cardOf(name).element);
    if (elements.length !== grid.children.length || elements.some((item, i) => grid.children[i] !== item))
      grid.replaceChildren(...elements);
    grid.classList.toggle('is-single', wanted.length === 1);
    if (run && step !== undefined)
      for (const name of wanted) drawCard(name, step, run, settings.overlay ? second : undefined);
  }

  function drawCard(name: string, step: number, run: ShownRun, second: ShownRun | undefined): void {
    const card = cardOf(name);
    const distortions = run.snapshot?.weights[name] ?? [];
    const seen = seenAt(run, name, step);
    if (!seen) return;
    const method = run.snapshot?.started?.config.compression?.method;
    const quantized = method !== undefined && methodFacts[method].hasLevels;
    card.histogram.setTitle(name);
    card.histogram.update(
      histogramContent(seen, settings, {
        quantized,
        range: rangeOf(distortions),
        other: second && seenAt(second, name, step),
      }),
    );

    const { over, scale, withZeros } = settings;
    card.over.element.hidden = over === 'none' || distortions.length < 2;
    if (over === 'none' || distortions.length < 2) return;
    const key = JSON.stringify([over, scale, withZeros]);
    // Moving the slider changes no ridge.
    if (card.ridges?.of !== distortions || card.ridges.key !== key)
      card.ridges = {
        of: distortions,
        key,
        made: ridges(distortions, { side: 'after', scale, withZeros, rows: ROWS[over] }),
      };
    const { made } = card.ridges;
    if (!made) return;
    card.over.update({
      title: l10n.t('After each distortion'),
      name: l10n.t('{0}: after each distortion', name),
      ridges: made,
      kind: over,
      color: run.color,
      current: indexAt(
        made.steps.map((value) => ({ step: value })),
        seen.distortion.step,
      ),
      ...(distortions.length > made.steps.length && {
        note: l10n.t('{0} of {1} recorded distortions.', made.steps.length, distortions.length),
      }),
    });
  }

  return {
    element: element('div', { class: 'weights' }, toolbar, timeline.element, empty, grid, note),
    update(next) {
      state = next;
      draw(next);
    },
    dispose() {
      timeline.dispose();
      for (const { histogram, over } of cards.values()) {
        histogram.dispose();
        over.dispose();
      }
    },
  };
}

function rangeOf(distortions: readonly WeightDistortion[]): { minimum: number; maximum: number } {
  return {
    minimum: distortions.reduce((least, { minimum }) => Math.min(least, minimum), Infinity),
    maximum: distortions.reduce((most, { maximum }) => Math.max(most, maximum), -Infinity),
  };
}

/** What a run recorded of a weight nearest to a step. */
function seenAt({ snapshot, color, label }: ShownRun, name: string, step: number): Seen | undefined {
  const distortions = snapshot?.weights[name] ?? [];
  const distortion = distortions.at(indexAt(distortions, step));
  return distortion && { distortion, color, label };
}

function longest(lists: readonly (readonly WeightDistortion[])[]): readonly WeightDistortion[] {
  return lists.reduce<readonly WeightDistortion[]>((most, list) => (list.length > most.length ? list : most), []);
}
