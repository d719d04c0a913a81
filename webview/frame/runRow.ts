/** @file A row of the run picker: a box that lays the run over the others, and a button that shows it alone. */
import * as l10n from '@vscode/l10n';
import type { RunKey, RunSummary } from '../../server/protocol/wire/dashboard.ts';
import { readTheme, seriesColor } from '../charts/theme.ts';
import { icon } from '../controls/icons.ts';
import { element } from '../element.ts';
import { runTitle } from '../state.ts';
import type { PageState } from '../state.ts';
import { ageText, resultWords, stateWords } from './words.ts';

interface RowActions {
  /** Shows the run alone. */
  choose(key: RunKey): void;
  /** Lays the run over the others, or takes it away. */
  toggle(key: RunKey): void;
}

/** @param now milliseconds since the epoch */
export function runRow(run: RunSummary, shown: PageState['shown'], now: number, actions: RowActions): HTMLElement {
  const place = shown.findIndex(({ key }) => key === run.key);
  const age = ageText(run.created, now);
  const title = runTitle(run);
  const box = element('input', {
    type: 'checkbox',
    'aria-label': l10n.t('Overlay {0}, {1}', `${run.name} ${title}`, age),
  });
  box.checked = place >= 0;
  box.disabled = place >= 0 && shown.length === 1;
  box.addEventListener('change', () => actions.toggle(run.key));
  if (place >= 0) box.style.accentColor = seriesColor(readTheme(), shown[place].color);
  const facts = resultWords(run);
  const named = run.label?.name === undefined ? [] : [run.differs];
  const details = [...(facts.length > 0 ? facts : [stateWords[run.state]]), ...named, run.label?.note, age]
    .filter((part) => part !== undefined)
    .join(' · ');
  const name = element(
    'button',
    {
      type: 'button',
      class: 'run-row-name',
      'aria-current': place === 0 ? 'true' : undefined,
      title: [run.id, run.experiment, ...run.overrides].join('\n'),
    },
    element('span', { class: `run-state state-${run.state}` }, icon(run.state)),
    element(
      'span',
      { class: 'run-words' },
      element('span', { class: 'run-name' }, `${run.name} · ${title}`),
      element('span', { class: 'run-details' }, details),
    ),
  );
  name.addEventListener('click', () => actions.choose(run.key));
  return element('li', {}, box, name);
}
