/** @file The weights that a view shows: one, or all of them side by side. */
import * as l10n from '@vscode/l10n';
import { dropdown } from '../controls/controls.ts';
import type { ViewContext } from '../viewContext.ts';

/** More are not drawn side by side. */
const MOST_AT_ONCE = 12;
/** Up to as many are all shown until one is chosen. */
const ALL_AT_FIRST = 4;

export interface WeightChoice {
  readonly element: HTMLElement;
  /** Tells which weights there are; gives those to show, and what is to be said of those that are left out. */
  update(names: readonly string[]): { readonly shown: readonly string[]; readonly note: string };
}

type Chosen = { readonly all: true } | { readonly name: string } | null;

function isChosen(value: unknown): value is Chosen {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  return ('all' in value && value.all === true) || ('name' in value && typeof value.name === 'string');
}

/** The options' values: a weight's name is never empty. */
const ALL = '';

const rememberedChoice = (context: ViewContext) => context.remember<Chosen>('weight', null, isChosen);

/** For a choice that is created after that in the same view. */
export function chooseWeight(context: ViewContext, name: string): void {
  rememberedChoice(context).set({ name });
}

export function createWeightChoice(context: ViewContext, onChange: () => void): WeightChoice {
  const remembered = rememberedChoice(context);
  const list = dropdown<string>(l10n.t('Weight'), [], ALL, (value) => {
    remembered.set(value === ALL ? { all: true } : { name: value });
    onChange();
  });
  return {
    element: list.element,
    update(names) {
      const chosen = remembered.get();
      const wanted = chosen && 'name' in chosen && names.includes(chosen.name) ? chosen.name : undefined;
      const all = wanted === undefined && ((chosen !== null && 'all' in chosen) || names.length <= ALL_AT_FIRST);
      const value = all ? ALL : (wanted ?? names[0]);
      const options = names.map((name) => ({ value: name, label: name }));
      list.element.hidden = names.length < 2;
      list.setOptions(names.length < 2 ? options : [{ value: ALL, label: l10n.t('all') }, ...options], value);
      if (!all) return { shown: names.length === 0 ? [] : [value], note: '' };
      return { shown: names.slice(0, MOST_AT_ONCE), note: leftOutNote(names.length - MOST_AT_ONCE) };
    },
  };
}

function leftOutNote(count: number): string {
  if (count <= 0) return '';
  return count === 1
    ? l10n.t('1 more weight is not drawn: choose it above.')
    : l10n.t('{0} more weights are not drawn: choose one of them above.', count);
}
