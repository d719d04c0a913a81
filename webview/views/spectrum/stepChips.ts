/** @file The steps whose spectra are laid over each other: a button per step takes it away, a list adds one. */
import * as l10n from '@vscode/l10n';
import { formatCount } from '../../../server/protocol/formatQuantity.ts';
import { dropdown } from '../../controls/controls.ts';
import { icon } from '../../controls/icons.ts';
import { element } from '../../element.ts';
import { evenly } from '../evenly.ts';
import type { Remembered } from '../../viewContext.ts';
import { indexAt } from '../weights/moments.ts';
import { defaultSteps } from './spectra.ts';

/** Steps that the user chose; null: start, middle and now, also as the run goes on. */
export type ChosenSteps = readonly number[] | null;

export function isChosenSteps(value: unknown): value is ChosenSteps {
  return value === null || (Array.isArray(value) && value.every((step) => typeof step === 'number'));
}

/** As many colours as tell the lines apart. */
const MOST_CHOSEN = 7;
/** Steps in the list of those to add: of more, some evenly spread. */
const MOST_OFFERED = 60;

export interface StepChips {
  readonly element: HTMLElement;
  /** Tells what was recorded; gives the steps that are shown, in order. */
  update(recorded: readonly { readonly step: number }[]): readonly number[];
}

export function createStepChips(remembered: Remembered<ChosenSteps>, onChange: () => void): StepChips {
  let recorded: readonly { readonly step: number }[] = [];
  let shown: readonly number[] = [];

  const chips = element('div', { class: 'chips' });
  const add = dropdown<string>(l10n.t('Add'), [], '', (value) => {
    if (value !== '') choose([...shown, Number(value)]);
  });
  const reset = element('button', { type: 'button', class: 'link-button' }, l10n.t('Start, middle, now'));
  reset.addEventListener('click', () => choose(null));

  function choose(steps: ChosenSteps): void {
    remembered.set(steps && [...new Set(steps)].sort((a, b) => a - b));
    onChange();
  }

  function chip(step: number): HTMLElement {
    const count = formatCount(step);
    const made = element(
      'button',
      {
        type: 'button',
        class: 'chip',
        title: l10n.t('Take step {0} away', count),
        'aria-label': l10n.t('Step {0}, take away', count),
      },
      l10n.t('Step {0}', count),
    );
    if (shown.length > 1) {
      made.append(icon('close'));
      made.addEventListener('click', () => choose(shown.filter((other) => other !== step)));
    } else made.disabled = true;
    return made;
  }

  return {
    element: element(
      'div',
      { class: 'steps', role: 'group', 'aria-label': l10n.t('Steps') },
      chips,
      add.element,
      reset,
    ),
    update(next) {
      recorded = next;
      const chosen = remembered.get();
      // What was chosen in another run, or thinned out since, is shown at the nearest step.
      const steps = chosen ? chosen.map((step) => recorded[indexAt(recorded, step)]?.step) : defaultSteps(recorded);
      const now = [...new Set(steps.filter((step) => step !== undefined))];
      if (now.length !== shown.length || now.some((step, i) => step !== shown[i])) {
        shown = now;
        chips.replaceChildren(...shown.map(chip));
      }
      const others = recorded.filter(({ step }) => !shown.includes(step));
      add.setOptions(
        [
          { value: '', label: l10n.t('step…') },
          ...evenly(others.length, MOST_OFFERED).map((index) => ({
            value: String(others[index].step),
            label: formatCount(others[index].step),
          })),
        ],
        '',
      );
      add.element.hidden = others.length === 0 || shown.length >= MOST_CHOSEN;
      reset.hidden = chosen === null;
      return shown;
    },
  };
}
