/** @file The page of a sensitivity report: the map of layers by settings, and what it suggests. */
import * as l10n from '@vscode/l10n';
import {
  formatBytes,
  formatCount,
  formatDrop,
  formatNumber,
  formatRatio,
} from '../../server/protocol/formatQuantity.ts';
import { formatMetric } from '../../server/protocol/run/resultText.ts';
import type { SensitivityReport } from '../../server/protocol/run/sensitivityReport.ts';
import { stackOf } from '../../server/protocol/thrown.ts';
import type { FromSensitivityPage } from '../../server/protocol/wire/sensitivity.ts';
import { fileName, toCsv } from '../charts/export.ts';
import { button } from '../controls/controls.ts';
import { element, setText } from '../element.ts';
import { describeSetting } from '../views/setting.ts';
import { createMapLegend, createMapTable } from './mapTable.ts';
import { parseSensitivityMessage } from './messages.ts';
import { heatMap } from './model/heatMap.ts';

export class SensitivityPage {
  readonly #send: (message: FromSensitivityPage) => void;
  readonly #title = element('h1', { class: 'file-name' });
  readonly #facts = element('p', { class: 'muted file-facts' });
  readonly #map = createMapTable();
  readonly #legend = createMapLegend();
  readonly #suggestion = element('section', { class: 'suggestion', 'aria-label': l10n.t('Suggested settings') });
  readonly #main: HTMLElement;
  #report: SensitivityReport | undefined;
  #name = '';

  constructor(body: HTMLElement, send: (message: FromSensitivityPage) => void) {
    this.#send = send;
    const save = button(l10n.t('Save as CSV…'), () => this.#save());
    this.#main = element(
      'main',
      { class: 'scroller sensitivity-body', hidden: true },
      this.#map.element,
      this.#legend.element,
      this.#suggestion,
      element('div', { class: 'toolbar' }, save),
    );
    body.append(element('header', { class: 'file-head' }, this.#title, this.#facts), this.#main);
  }

  receive(data: unknown): void {
    try {
      const message = parseSensitivityMessage(data);
      if (!message) return;
      this.#report = message.report;
      this.#name = message.name;
      this.#draw(message.report);
    } catch (error) {
      this.#send({ type: 'error', message: stackOf(error) });
    }
  }

  #draw(report: SensitivityReport): void {
    const { metric, value, samples, split, bytes } = report;
    const map = heatMap(report);
    this.#main.hidden = false;
    setText(this.#title, l10n.t('Sensitivity of {0}', this.#name));
    setText(
      this.#facts,
      [
        l10n.t('{0} as it is', `${metric} ${formatMetric(metric, value)}`),
        formatBytes(bytes),
        l10n.t('{0} samples of the {1} split', formatCount(samples), split),
        weightsText(report),
      ].join(' · '),
    );
    this.#map.update(map, metric);
    this.#legend.update(map);
    this.#suggestion.replaceChildren(...this.#suggested(report));
  }

  #suggested({ suggestion, metric, bytes, run }: SensitivityReport): (Node | string)[] {
    if (!suggestion)
      return [
        element(
          'p',
          { class: 'view-note' },
          l10n.t('Measure it again with a drop that you allow, and settings for all layers are suggested.'),
        ),
      ];
    const { maxDrop, layers, drop, sumOfDrops, value, bytes: after, compression } = suggestion;
    const title = element(
      'h2',
      { class: 'section-title' },
      l10n.t('Suggested for a drop of at most {0}', formatNumber(maxDrop)),
    );
    if (!compression)
      return [
        title,
        element(
          'p',
          { class: 'view-note' },
          l10n.t('No setting of any layer costs so little. Training can win back what a single distortion costs.'),
        ),
      ];
    return [
      title,
      element(
        'ul',
        { class: 'suggested-layers' },
        ...layers.map(({ key, parameter, setting, drop: alone }) =>
          element(
            'li',
            {},
            l10n.t('{0}, alone {1}', `${key}: ${describeSetting({ [parameter]: setting })}`, formatDrop(alone)),
          ),
        ),
      ),
      element(
        'p',
        {},
        l10n.t(
          'Together they cost {0} ({1} if drops just added up): {2}, {3} would take {4}, {5} smaller, before any training.',
          formatDrop(drop),
          formatDrop(sumOfDrops),
          `${metric} ${formatMetric(metric, value)}`,
          formatBytes(bytes),
          formatBytes(after),
          formatRatio(bytes / after),
        ),
      ),
      element(
        'div',
        { class: 'notice-buttons' },
        button(l10n.t('Use These Settings'), () => this.#send({ type: 'use', startFromRun: false }), { primary: true }),
        run === undefined
          ? undefined
          : button(l10n.t('Use Them and Start From This Run'), () => this.#send({ type: 'use', startFromRun: true })),
      ),
    ];
  }

  #save(): void {
    const report = this.#report;
    if (!report) return;
    const keys = new Map(report.weights.map(({ name, key }) => [name, key]));
    const content = toCsv({
      header: ['layer', 'method', 'parameter', 'setting', report.metric, 'drop', 'bytes'],
      length: report.cells.length,
      row: (index) => {
        const { weight, method, parameter, setting, value, drop, bytes } = report.cells[index];
        return [keys.get(weight) ?? weight, method, parameter, setting, value ?? NaN, drop ?? NaN, bytes];
      },
    });
    const name = fileName(l10n.t('Sensitivity of {0}', this.#name), 'csv');
    this.#send({ type: 'save', name, format: 'csv', content });
  }
}

function weightsText({ weightsAre, step }: SensitivityReport): string {
  switch (weightsAre) {
    case 'final':
      return l10n.t('final weights');
    case 'checkpoint':
      return l10n.t('weights of step {0}', formatCount(step ?? 0));
    case 'start':
      return l10n.t('weights that the experiment starts from');
  }
}
