/** @file The tabs of the dashboard, by the pattern of the ARIA practices: arrow keys move, and what they reach is shown. */
import * as l10n from '@vscode/l10n';
import { element } from '../element.ts';
import type { ViewType } from '../views/view.ts';

export interface Tabs {
  readonly element: HTMLElement;
  select(id: string): void;
}

export function createTabs(views: readonly ViewType[], panel: HTMLElement, onSelect: (view: ViewType) => void): Tabs {
  const tabs = views.map(({ id, title }) =>
    element('button', { type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': panel.id, class: 'tab' }, title),
  );
  const root = element('div', { role: 'tablist', class: 'tabs', 'aria-label': l10n.t('Views') }, ...tabs);

  function select(index: number): void {
    tabs.forEach((tab, i) => {
      tab.setAttribute('aria-selected', String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    });
    panel.setAttribute('aria-labelledby', tabs[index].id);
    tabs[index].scrollIntoView({ block: 'nearest', inline: 'nearest' });
    onSelect(views[index]);
  }
  tabs.forEach((tab, i) => tab.addEventListener('click', () => select(i)));
  root.addEventListener('keydown', (event) => {
    const at = tabs.indexOf(event.target as HTMLButtonElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    const index = (to + tabs.length) % tabs.length;
    event.preventDefault();
    tabs[index].focus();
    select(index);
  });
  return {
    element: root,
    select: (id) =>
      select(
        Math.max(
          0,
          views.findIndex((view) => view.id === id),
        ),
      ),
  };
}
