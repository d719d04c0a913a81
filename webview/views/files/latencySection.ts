/** @file How fast the files of a run are: a table with a row for each model that was measured. */
import * as l10n from '@vscode/l10n';
import { formatBytes, formatRatio } from '../../../server/protocol/formatQuantity.ts';
import type { Latency, MeasuredModel, Timing } from '../../../server/protocol/run/latency.ts';
import { formatMilliseconds, speedup } from '../../../server/protocol/run/latencyText.ts';
import { element } from '../../element.ts';
import { formatLabel } from './fileFacts.ts';

interface Column {
  readonly title: string;
  readonly cell: (model: MeasuredModel) => string;
}

export function latencySection(latency: Latency): HTMLElement {
  const caption = l10n.t('Latency');
  const [name, ...columns] = latencyColumns(latency);
  return element(
    'section',
    { class: 'latency', 'aria-label': caption },
    element('h3', { class: 'section-title' }, caption),
    element('p', { class: 'view-note' }, conditionsText(latency)),
    element(
      'div',
      { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': caption },
      element(
        'table',
        { class: 'data-table' },
        element('caption', { class: 'visually-hidden' }, caption),
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            element('th', { scope: 'col' }, name.title),
            ...columns.map(({ title }) => element('th', { scope: 'col', class: 'numeric' }, title)),
          ),
        ),
        element(
          'tbody',
          {},
          ...latency.models.map((model) =>
            element(
              'tr',
              {},
              element('th', { scope: 'row' }, name.cell(model), element('div', { class: 'muted' }, model.engine)),
              ...columns.map(({ cell }) => element('td', { class: 'numeric' }, cell(model))),
            ),
          ),
        ),
      ),
    ),
    ...latency.leftOut.map(({ format, dense, reason }) =>
      element('p', { class: 'view-note' }, l10n.t('{0} was not measured: {1}', modelName({ format, dense }), reason)),
    ),
  );
}

/** The first names the row. Pure. */
export function latencyColumns(latency: Latency): Column[] {
  const batch = latency.models.flatMap((model) => model.batch ?? [])[0];
  const milliseconds = (timing: Timing | undefined, key: 'median' | 'p90') =>
    timing ? formatMilliseconds(timing[key]) : '–';
  const ofBatch: Column[] = batch
    ? [
        { title: l10n.t('Batch of {0}', batch.samples), cell: (model) => milliseconds(model.batch, 'median') },
        { title: l10n.t('90% within'), cell: (model) => milliseconds(model.batch, 'p90') },
      ]
    : [];
  return [
    { title: l10n.t('Model'), cell: modelName },
    { title: l10n.t('One input'), cell: ({ single }) => milliseconds(single, 'median') },
    { title: l10n.t('Faster'), cell: (model) => ratioText(speedup(latency, model)) },
    { title: l10n.t('90% within'), cell: ({ single }) => milliseconds(single, 'p90') },
    ...ofBatch,
    {
      title: l10n.t('Weights in memory'),
      cell: ({ weightBytes }) => (weightBytes === undefined ? '–' : formatBytes(weightBytes)),
    },
    { title: l10n.t('Peak memory'), cell: ({ peakBytes }) => formatBytes(peakBytes) },
    { title: l10n.t('File'), cell: ({ bytes }) => formatBytes(bytes) },
  ];
}

function modelName({ file, format, dense }: Pick<MeasuredModel, 'file' | 'format' | 'dense'>): string {
  if (file !== undefined) return file;
  return dense ? l10n.t('Dense model') : formatLabel(format);
}

function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? '–' : formatRatio(ratio);
}

function conditionsText({ time, node, threads, machine }: Latency): string {
  const date = new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  return threads === 1
    ? l10n.t('Measured {0} in Node.js {1} on one thread, {2}', date, node, machine)
    : l10n.t('Measured {0} in Node.js {1} on {2} threads of ONNX Runtime, {3}', date, node, threads, machine);
}
