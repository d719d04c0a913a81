/** @file The legend: a button per series that shows or hides it, with the value at the cursor beside its name. */
import * as l10n from '@vscode/l10n';
import { element, setAttributes, setText } from '../element.ts';
import type { Series } from './model/content.ts';
import { seriesColor, seriesDash } from './theme.ts';
import type { ChartTheme } from './theme.ts';

const swatches: Readonly<Partial<Record<NonNullable<Series['mark']>, string>>> = {
  points: 'M5 4a3 3 0 1 0 6 0 3 3 0 1 0-6 0',
  intervals: 'M5 1H11M8 1V7M5 7H11',
};

interface Entry {
  readonly button: HTMLButtonElement;
  readonly swatch: SVGSVGElement;
  readonly label: HTMLElement;
  readonly value: HTMLElement;
}

export interface Legend {
  readonly element: HTMLElement;
  update(series: readonly Series[], hidden: ReadonlySet<string>, theme: ChartTheme): void;
  /** What stands beside each name, by the series' id. */
  setValues(values: ReadonlyMap<string, string>): void;
}

export function createLegend(toggle: (id: string) => void): Legend {
  const root = element('div', { class: 'legend', role: 'group', 'aria-label': l10n.t('Series') });
  const entries = new Map<string, Entry>();

  function entryOf(id: string): Entry {
    const known = entries.get(id);
    if (known) return known;
    const entry: Entry = {
      button: element('button', { type: 'button', class: 'legend-entry' }),
      swatch: document.createElementNS('http://www.w3.org/2000/svg', 'svg'),
      label: element('span', { class: 'legend-label' }),
      value: element('span', { class: 'legend-value' }),
    };
    setAttributes(entry.swatch, { viewBox: '0 0 16 8', class: 'swatch', 'aria-hidden': 'true' });
    entry.button.append(entry.swatch, entry.label, entry.value);
    entry.button.addEventListener('click', () => toggle(id));
    entries.set(id, entry);
    return entry;
  }

  return {
    element: root,
    update(series, hidden, theme) {
      const ids = new Set(series.map(({ id }) => id));
      for (const id of entries.keys()) if (!ids.has(id)) entries.delete(id);
      const buttons = series.map((one) => {
        const { button, swatch, label } = entryOf(one.id);
        setAttributes(button, { 'aria-pressed': String(!hidden.has(one.id)), title: one.label });
        setText(label, one.label);
        const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
        setAttributes(line, {
          d: swatches[one.mark ?? 'line'] ?? 'M0 4H16',
          stroke: seriesColor(theme, one.color),
          'stroke-width': one.mark === 'bins' || one.mark === 'band' ? 6 : 2.5,
          'stroke-opacity': (one.opacity ?? 1) * (one.mark === 'band' ? 0.4 : 1),
          'stroke-dasharray':
            one.mark === 'points' ? undefined : seriesDash(theme, one.color, one.dashed).join(' ') || undefined,
          fill: one.mark === 'points' ? seriesColor(theme, one.color) : 'none',
        });
        swatch.replaceChildren(line);
        return button;
      });
      if (buttons.length !== root.children.length || buttons.some((button, i) => root.children[i] !== button))
        root.replaceChildren(...buttons);
    },
    setValues(values) {
      for (const [id, { value }] of entries) setText(value, values.get(id) ?? '');
    },
  };
}
