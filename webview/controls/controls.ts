/** @file The controls of the dashboard. */
import * as l10n from '@vscode/l10n';
import { element, setAttributes, setText } from '../element.ts';
import { icon } from './icons.ts';
import type { IconName } from './icons.ts';
import type { Button, Checkbox, Dropdown } from './toolkit.ts';

/** A button with words; `primary` is for the one that matters most. */
export function button(
  label: string,
  onClick: () => void,
  { primary = false, iconName, title }: { primary?: boolean; iconName?: IconName; title?: string } = {},
): HTMLElement {
  const made = document.createElement('vscode-button') as Button;
  setAttributes(made, { appearance: primary ? 'primary' : 'secondary', title });
  if (iconName) {
    const start = element('span', { slot: 'start', class: 'button-icon' });
    start.append(icon(iconName));
    made.append(start);
  }
  made.append(label);
  made.addEventListener('click', onClick);
  return made;
}

/** A button with an icon alone; `label` is its name and its tooltip. */
export function iconButton(name: IconName, label: string, onClick: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label });
  made.append(icon(name));
  made.addEventListener('click', onClick);
  return made;
}

/** A toolbar that is one button where the page is narrow, until it is opened. */
export function foldingToolbar(label: string, ...children: readonly HTMLElement[]): HTMLElement {
  const opener = element(
    'button',
    { type: 'button', class: 'link-button toolbar-opener', 'aria-expanded': 'false' },
    l10n.t('Settings of the charts'),
  );
  const toolbar = element('div', { class: 'toolbar', role: 'group', 'aria-label': label }, ...children);
  const root = element('div', { class: 'folding-toolbar' }, opener, toolbar);
  opener.addEventListener('click', () => {
    const isOpen = root.classList.toggle('is-open');
    opener.setAttribute('aria-expanded', String(isOpen));
  });
  return root;
}

export interface Option<Value extends string> {
  readonly value: Value;
  readonly label: string;
}

export interface Choice<Value extends string> {
  readonly element: HTMLElement;
  set(value: Value): void;
  setOptions(options: readonly Option<Value>[], value: Value): void;
}

/** A labelled dropdown list. */
export function dropdown<Value extends string>(
  label: string,
  options: readonly Option<Value>[],
  value: Value,
  onChange: (value: Value) => void,
): Choice<Value> {
  const list = document.createElement('vscode-dropdown') as Dropdown;
  list.setAttribute('aria-label', label);
  let shown: readonly Option<Value>[] = [];
  let current: Value = value;

  function setOptions(next: readonly Option<Value>[], selected: Value): void {
    current = selected;
    if (JSON.stringify(next) !== JSON.stringify(shown)) {
      shown = next;
      list.replaceChildren(
        ...next.map((option) => {
          const item = document.createElement('vscode-option');
          setAttributes(item, { value: option.value, selected: option.value === selected });
          item.textContent = option.label;
          return item;
        }),
      );
    }
    // The `selected` attribute has done it where the options are not yet upgraded.
    if (list.value !== selected) list.value = selected;
  }

  setOptions(options, value);
  list.addEventListener('change', () => {
    const chosen = list.value as Value;
    // The toolkit also reports what the page has set.
    if (chosen === current || !shown.some((option) => option.value === chosen)) return;
    current = chosen;
    onChange(chosen);
  });
  return {
    element: element('label', { class: 'control' }, element('span', { class: 'control-label' }, label), list),
    set: (next) => setOptions(shown, next),
    setOptions,
  };
}

export interface Toggle {
  readonly element: HTMLElement;
  set(checked: boolean): void;
}

export function checkbox(label: string, checked: boolean, onChange: (checked: boolean) => void): Toggle {
  const box = document.createElement('vscode-checkbox') as Checkbox;
  box.textContent = label;
  box.toggleAttribute('checked', checked);
  let current = checked;
  box.addEventListener('change', () => {
    if (box.checked === current) return;
    current = box.checked;
    onChange(current);
  });
  return {
    element: box,
    set(next) {
      current = next;
      box.checked = next;
    },
  };
}

export interface Slider {
  readonly element: HTMLElement;
  /** Sets the value without telling the listener. */
  set(value: number, range?: { minimum?: number; maximum?: number }): void;
}

/** A labelled slider with its value in words. The toolkit has none: this is the browser's. */
export function slider(
  label: string,
  { minimum, maximum, step, value }: { minimum: number; maximum: number; step: number; value: number },
  format: (value: number) => string,
  onInput: (value: number) => void,
): Slider {
  const input = element('input', { type: 'range', min: minimum, max: maximum, step, 'aria-label': label });
  const output = element('output', { class: 'control-value' });
  function show(): void {
    const text = format(input.valueAsNumber);
    setText(output, text);
    input.setAttribute('aria-valuetext', text);
  }
  input.value = String(value);
  show();
  input.addEventListener('input', () => {
    show();
    onInput(input.valueAsNumber);
  });
  return {
    element: element(
      'label',
      { class: 'control control-slider' },
      element('span', { class: 'control-label' }, label),
      input,
      output,
    ),
    set(next, range = {}) {
      if (range.minimum !== undefined) input.min = String(range.minimum);
      if (range.maximum !== undefined) input.max = String(range.maximum);
      input.value = String(next);
      show();
    },
  };
}

/** A bar that says how far something has come; without a fraction, that it goes on. */
export function progressBar(label: string): { element: HTMLElement; set(fraction: number | undefined): void } {
  const bar = element('progress', { class: 'progress', max: 1, 'aria-label': label });
  return {
    element: bar,
    set(fraction) {
      if (fraction === undefined) bar.removeAttribute('value');
      else bar.value = fraction;
    },
  };
}
