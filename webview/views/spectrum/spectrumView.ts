/** @file The Spectrum view: singular values of the weights before distortions, some steps laid over each other. */
import * as l10n from '@vscode/l10n';
import type { RunSnapshot } from '../../../server/protocol/run/runHistory.ts';
import { createChart } from '../../charts/chart.ts';
import type { Chart } from '../../charts/chart.ts';
import { dropdown } from '../../controls/controls.ts';
import { element, setText } from '../../element.ts';
import type { PageState } from '../../state.ts';
import type { View, ViewType } from '../view.ts';
import type { ViewContext } from '../../viewContext.ts';
import { createWeightChoice } from '../weightChoice.ts';
import { whyNoDistortions } from '../weights/noDistortions.ts';
import { spectrumContent } from './spectrumContent.ts';
import { createStepChips, isChosenSteps } from './stepChips.ts';
import type { ChosenSteps } from './stepChips.ts';

export const spectrumView: ViewType = { id: 'spectrum', title: l10n.t('Spectrum'), create: createSpectrumView };

type Scale = 'log' | 'linear';

function isScale(value: unknown): value is Scale {
  return value === 'log' || value === 'linear';
}

function createSpectrumView(context: ViewContext): View {
  const scale = context.remember<Scale>('scale', 'log', isScale);
  let state: PageState | undefined;
  const charts = new Map<string, Chart>();
  const grid = element('div', { class: 'chart-grid' });
  const empty = element('p', { class: 'view-empty', hidden: true });
  const note = element('p', { class: 'view-note', hidden: true });

  const redraw = (): void => {
    if (state) draw(state);
  };
  const weights = createWeightChoice(context, redraw);
  const steps = createStepChips(context.remember<ChosenSteps>('steps', null, isChosenSteps), redraw);
  const toolbar = element(
    'div',
    { class: 'toolbar', role: 'group', 'aria-label': l10n.t('Spectrum') },
    weights.element,
    dropdown<Scale>(
      l10n.t('Size'),
      [
        { value: 'log', label: l10n.t('log') },
        { value: 'linear', label: l10n.t('linear') },
      ],
      scale.get(),
      (value) => {
        scale.set(value);
        redraw();
      },
    ).element,
    steps.element,
  );

  function draw({ shown: [run] }: PageState): void {
    const recorded = run?.snapshot?.spectra ?? {};
    const names = Object.keys(recorded);
    const { shown: wanted, note: leftOut } = weights.update(names);
    const longest = wanted.reduce<readonly { readonly step: number }[]>(
      (most, name) => (recorded[name].length > most.length ? recorded[name] : most),
      [],
    );
    const chosen = new Set(steps.update(longest));

    toolbar.hidden = names.length === 0;
    empty.hidden = names.length > 0;
    setText(empty, names.length === 0 && run?.snapshot ? whyNoSpectra(run.snapshot) : '');
    note.hidden = leftOut === '';
    setText(note, leftOut);

    for (const [name, chart] of charts) {
      if (wanted.includes(name)) continue;
      chart.dispose();
      charts.delete(name);
    }
    const elements = wanted.map((name) => {
      const chart = charts.get(name) ?? createChart({ id: name, title: name, context });
      charts.set(name, chart);
      return chart.element;
    });
    if (elements.length !== grid.children.length || elements.some((item, i) => grid.children[i] !== item))
      grid.replaceChildren(...elements);
    for (const name of wanted) {
      const spectra = recorded[name].filter(({ step }) => chosen.has(step));
      charts.get(name)!.update({ ...spectrumContent(spectra, scale.get()), source: run.key });
    }
  }

  return {
    element: element('div', { class: 'spectrum' }, toolbar, empty, grid, note),
    update(next) {
      state = next;
      draw(next);
    },
    dispose() {
      for (const chart of charts.values()) chart.dispose();
    },
  };
}

function whyNoSpectra(snapshot: RunSnapshot): string {
  if (snapshot.started?.config.observe.spectrum === false)
    return l10n.t(
      'The experiment records no singular values: "observe.spectrum" is false. Set it to true and run again.',
    );
  return snapshot.distortions.length > 0
    ? l10n.t('No singular values so far: they are recorded before the first and the last distortion.')
    : whyNoDistortions(snapshot);
}
