/** @file How the Weights view shows weights: settings that VS Code keeps, and their controls. */
import * as l10n from '@vscode/l10n';
import { checkbox, dropdown, foldingToolbar } from '../../controls/controls.ts';
import { element } from '../../element.ts';
import type { Remembered, ViewContext } from '../../viewContext.ts';
import type { HistogramSettings } from './histogramContent.ts';

export interface WeightSettings extends HistogramSettings {
  readonly over: 'ridges' | 'heat map' | 'none';
  /** The second run lies over the first. */
  readonly overlay: boolean;
}

const initial: WeightSettings = { scale: 'log', withZeros: true, over: 'ridges', overlay: true };

function isSettings(value: unknown): value is WeightSettings {
  if (typeof value !== 'object' || value === null) return false;
  const { scale, withZeros, over, overlay } = value as WeightSettings;
  return (
    (scale === 'linear' || scale === 'log') &&
    (over === 'ridges' || over === 'heat map' || over === 'none') &&
    typeof withZeros === 'boolean' &&
    typeof overlay === 'boolean'
  );
}

export function rememberedSettings(context: ViewContext): Remembered<WeightSettings> {
  return context.remember('settings', initial, isSettings);
}

export interface WeightToolbar {
  readonly element: HTMLElement;
  /** Hidden while no second run has the weights. */
  readonly overlay: HTMLElement;
}

/** @param weightChoice the control that chooses the weight, first in the toolbar */
export function createWeightToolbar(
  weightChoice: HTMLElement,
  settings: WeightSettings,
  change: (changes: Partial<WeightSettings>) => void,
): WeightToolbar {
  const overlay = checkbox(l10n.t('Overlay second run'), settings.overlay, (on) => change({ overlay: on })).element;
  const toolbar = foldingToolbar(
    l10n.t('Weights'),
    dropdown(
      l10n.t('Count'),
      [
        { value: 'log', label: l10n.t('log') },
        { value: 'linear', label: l10n.t('linear') },
      ],
      settings.scale,
      (scale) => change({ scale }),
    ).element,
    dropdown(
      l10n.t('Over time'),
      [
        { value: 'ridges', label: l10n.t('ridges') },
        { value: 'heat map', label: l10n.t('heat map') },
        { value: 'none', label: l10n.t('hidden') },
      ],
      settings.over,
      (over) => change({ over }),
    ).element,
    checkbox(l10n.t('Exact zeros'), settings.withZeros, (withZeros) => change({ withZeros })).element,
    overlay,
  );
  return { element: element('div', { class: 'weight-toolbar' }, weightChoice, toolbar), overlay };
}
