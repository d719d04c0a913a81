/** @file The Weights view: what each distortion did to the weights, one moment at a time and over the whole run. */
import * as l10n from '@vscode/l10n';
import type { WeightDistortion } from '../../../server/protocol/run/runHistory.ts';
import { element, setText } from '../../element.ts';
import type { PageState } from '../../state.ts';
import type { View, ViewType } from '../view.ts';
import type { ViewContext } from '../../viewContext.ts';
import { chooseWeight, createWeightChoice } from '../weightChoice.ts';
import { isMoment, type Moment } from './moments.ts';
import { whyNoDistortions } from './noDistortions.ts';
import { createTimeline } from './timeline.ts';
import { WeightCard } from './weightCard.ts';
import { createWeightToolbar, rememberedSettings } from './weightSettings.ts';

export const weightsView: ViewType = {
  id: 'weights',
  title: l10n.t('Weights'),
  create: createWeightsView,
  choose: chooseWeight,
};

function createWeightsView(context: ViewContext): View {
  const remembered = rememberedSettings(context);
  let state: PageState | undefined;
  const cards = new Map<string, WeightCard>();
  const grid = element('div', { class: 'weight-grid' });
  const empty = element('p', { class: 'view-empty', hidden: true });
  const note = element('p', { class: 'view-note', hidden: true });

  const redraw = (): void => {
    if (state) draw(state);
  };
  const weights = createWeightChoice(context, redraw);
  const timeline = createTimeline(context.remember<Moment>('moment', 'latest', isMoment), redraw);
  const toolbar = createWeightToolbar(weights.element, remembered.get(), (changes) => {
    remembered.set({ ...remembered.get(), ...changes });
    redraw();
  });

  function draw({ shown }: PageState): void {
    const [run, ...others] = shown;
    const recorded = run?.snapshot?.weights ?? {};
    const names = Object.keys(recorded);
    const { shown: wanted, note: leftOut } = weights.update(names);
    const step = timeline.update(stepsOf(longest(wanted.map((name) => recorded[name]))));
    const second = others.find(({ snapshot }) => names.some((name) => snapshot?.weights[name]));
    toolbar.overlay.hidden = second === undefined;

    const nothing = names.length === 0;
    toolbar.element.hidden = timeline.element.hidden = nothing;
    empty.hidden = !nothing;
    setText(empty, nothing && run?.snapshot ? whyNoDistortions(run.snapshot) : '');
    note.hidden = leftOut === '';
    setText(note, leftOut);

    const settings = remembered.get();
    for (const card of place(wanted))
      if (run && step !== undefined) card.update(step, run, settings.overlay ? second : undefined, settings);
  }

  /** The cards of the weights, in the grid; those of others leave it. */
  function place(wanted: readonly string[]): WeightCard[] {
    for (const [name, card] of cards) {
      if (wanted.includes(name)) continue;
      card.dispose();
      cards.delete(name);
    }
    const placed = wanted.map((name) => {
      const card = cards.get(name) ?? new WeightCard(context, name, (step) => timeline.goTo(step));
      cards.set(name, card);
      return card;
    });
    if (placed.length !== grid.children.length || placed.some((card, i) => grid.children[i] !== card.element))
      grid.replaceChildren(...placed.map((card) => card.element));
    grid.classList.toggle('is-single', wanted.length === 1);
    return placed;
  }

  return {
    element: element('div', { class: 'weights' }, toolbar.element, timeline.element, empty, grid, note),
    update(next) {
      state = next;
      draw(next);
    },
    dispose() {
      timeline.dispose();
      for (const card of cards.values()) card.dispose();
    },
  };
}

/** A user can ask for a look at the weights right after a distortion: two recordings of a step are one place of the slider. */
function stepsOf(distortions: readonly WeightDistortion[]): number[] {
  return [...new Set(distortions.map(({ step }) => step))];
}

function longest(lists: readonly (readonly WeightDistortion[])[]): readonly WeightDistortion[] {
  return lists.reduce<readonly WeightDistortion[]>((most, list) => (list.length > most.length ? list : most), []);
}
