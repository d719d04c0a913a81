/** @file The run picker: which run is shown, and which others are laid over it. */
import * as l10n from '@vscode/l10n';
import type { RunKey, RunSummary } from '../../server/protocol/wire/dashboard.ts';
import { icon } from '../controls/icons.ts';
import { element, setAttributes } from '../element.ts';
import { runTitle } from '../state.ts';
import type { PageState } from '../state.ts';
import { runRow } from './runRow.ts';

export interface RunPicker {
  readonly element: HTMLElement;
  update(state: PageState): void;
}

/** A list of at least so many runs has a field for a search. */
const SEARCHED_FROM = 8;

/** The text in which a search looks for its words. */
function searchText({ id, name, state, overrides, label, differs }: RunSummary): string {
  return [id, name, state, ...overrides, label?.name, label?.note, differs].join(' ').toLowerCase();
}

export function createRunPicker(show: (keys: readonly RunKey[]) => void): RunPicker {
  const opener = element('button', {
    type: 'button',
    class: 'run-opener',
    'aria-haspopup': 'dialog',
    'aria-expanded': 'false',
  });
  const list = element('ul', { class: 'run-list' });
  const search = element('input', {
    type: 'search',
    class: 'run-search',
    placeholder: l10n.t('Search runs'),
    'aria-label': l10n.t('Search runs'),
  });
  search.addEventListener('input', () => state && drawList(state));
  const popup = element(
    'div',
    { class: 'run-popup', role: 'dialog', 'aria-label': l10n.t('Runs'), hidden: true },
    element('p', { class: 'run-hint' }, l10n.t('Select a run, or check several to overlay them.')),
    search,
    list,
  );
  const root = element('div', { class: 'run-picker' }, opener, popup);
  let state: PageState | undefined;

  function setOpen(open: boolean): void {
    popup.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
    if (!open || !state) return;
    search.value = '';
    search.hidden = (state.runs?.length ?? 0) < SEARCHED_FROM;
    drawList(state);
    list.querySelector<HTMLElement>('button[aria-current="true"], button')?.focus();
  }
  opener.addEventListener('click', () => setOpen(popup.hidden !== false));
  root.addEventListener('focusout', (event) => {
    const next = event.relatedTarget as Node | null;
    if (!popup.hidden && next && !root.contains(next)) setOpen(false);
  });
  document.addEventListener('pointerdown', (event) => {
    if (!popup.hidden && !root.contains(event.target as Node)) setOpen(false);
  });
  root.addEventListener('keydown', (event) => {
    if (popup.hidden) return;
    const rows = [...list.querySelectorAll<HTMLElement>('.run-row-name')];
    const at = rows.findIndex((row) => row.closest('li')!.contains(document.activeElement));
    if (event.key === 'Escape') {
      setOpen(false);
      opener.focus();
    } else if (event.key === 'ArrowDown') rows.at((at + 1) % rows.length)?.focus();
    else if (event.key === 'ArrowUp') rows.at(at < 1 ? -1 : at - 1)?.focus();
    else return;
    event.preventDefault();
  });

  function choose(key: RunKey): void {
    setOpen(false);
    opener.focus();
    show([key]);
  }
  function toggle(key: RunKey, shown: readonly RunKey[]): void {
    const next = shown.includes(key) ? shown.filter((other) => other !== key) : [...shown, key];
    if (next.length > 0) show(next);
  }

  function drawList({ runs = [], shown }: PageState): void {
    const now = Date.now();
    const focused = [...list.querySelectorAll<HTMLElement>('input, button')].indexOf(
      document.activeElement as HTMLElement,
    );
    const actions = {
      choose,
      toggle: (key: RunKey) =>
        toggle(
          key,
          shown.map((run) => run.key),
        ),
    };
    const words = search.value.toLowerCase().split(/\s+/);
    const found = runs.filter((run) => words.every((word) => searchText(run).includes(word)));
    list.replaceChildren(...found.map((run) => runRow(run, shown, now, actions)));
    if (focused >= 0) list.querySelectorAll<HTMLElement>('input, button')[focused]?.focus();
  }

  return {
    element: root,
    update(next) {
      const listChanged =
        state?.runs !== next.runs ||
        state?.shown.map(({ key }) => key).join() !== next.shown.map(({ key }) => key).join();
      state = next;
      const [first, ...others] = next.shown;
      root.hidden = (next.runs?.length ?? 0) === 0 && !first;
      if (!first) {
        opener.replaceChildren(element('span', { class: 'run-name' }, l10n.t('Select a run')), icon('expand'));
        return;
      }
      const { summary } = first;
      const name = summary?.name ?? first.label;
      const title = `${summary ? `\u00a0· ${runTitle(summary)}` : ''}${others.length === 0 ? '' : ` + ${others.length}`}`;
      const text = name + title;
      if (opener.dataset.text !== text) {
        opener.dataset.text = text;
        // Where there is no room for both, the title stays: it tells the run from others.
        opener.replaceChildren(
          element('span', { class: 'run-name run-experiment' }, name),
          element('span', { class: 'run-name run-title' }, title),
          icon('expand'),
        );
        setAttributes(opener, {
          title: next.shown.map(({ label }) => label).join('\n'),
          'aria-label': l10n.t('Runs: {0}', text),
        });
      }
      if (!popup.hidden && listChanged) drawList(next);
    },
  };
}
