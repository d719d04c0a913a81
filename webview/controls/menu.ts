/** @file A button that opens a short menu. */
import { element } from '../element.ts';
import { iconButton } from './controls.ts';

export interface MenuItem {
  readonly label: string;
  run(): void;
}

/** @param items asked for when the menu opens: they may depend on the state */
export function menuButton(label: string, items: () => readonly MenuItem[]): HTMLElement {
  const list = element('div', { role: 'menu', class: 'menu', 'aria-label': label, hidden: true });
  const opener = iconButton('more', label, () => (list.hidden ? open() : close(true)));
  opener.setAttribute('aria-haspopup', 'menu');
  opener.setAttribute('aria-expanded', 'false');
  const root = element('div', { class: 'menu-root' }, opener, list);

  function open(): void {
    list.replaceChildren(
      ...items().map(({ label: text, run }) => {
        const item = element('button', { type: 'button', role: 'menuitem', tabindex: -1 }, text);
        item.addEventListener('click', () => {
          close(true);
          run();
        });
        return item;
      }),
    );
    list.hidden = false;
    opener.setAttribute('aria-expanded', 'true');
    focus(0);
  }
  function close(refocus: boolean): void {
    list.hidden = true;
    opener.setAttribute('aria-expanded', 'false');
    if (refocus) opener.focus();
  }
  function focus(index: number): void {
    const all = [...list.children] as HTMLElement[];
    all.at(index % all.length)?.focus();
  }

  root.addEventListener('keydown', (event) => {
    if (list.hidden) return;
    const at = [...list.children].indexOf(document.activeElement!);
    if (event.key === 'ArrowDown') focus(at + 1);
    else if (event.key === 'ArrowUp') focus(at - 1);
    else if (event.key === 'Home') focus(0);
    else if (event.key === 'End') focus(-1);
    else if (event.key === 'Escape') close(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  root.addEventListener('focusout', (event) => {
    if (!list.hidden && !root.contains(event.relatedTarget as Node | null)) close(false);
  });
  return root;
}
