/** @file The Files view: the files that the model of the run was exported to, and what was measured on each. */
import * as l10n from '@vscode/l10n';
import { fileName } from '../../../server/protocol/fileName.ts';
import { formatBytes } from '../../../server/protocol/formatQuantity.ts';
import type { RunKey } from '../../../server/protocol/wire/dashboard.ts';
import type { RecordedExport } from '../../../server/protocol/run/exportedFile.ts';
import { button } from '../../controls/controls.ts';
import { element, setText } from '../../element.ts';
import { runCommands, type PageState } from '../../state.ts';
import type { ViewContext } from '../../viewContext.ts';
import type { View, ViewType } from '../view.ts';
import { fileFacts, formatLabel } from './fileFacts.ts';
import { latencySection } from './latencySection.ts';

export const filesView: ViewType = { id: 'files', title: l10n.t('Files'), create: createFilesView };

function createFilesView(context: ViewContext): View {
  let run: RunKey | undefined;
  let drawn = '';
  /** Files whose weights are listed or not, by what the user has clicked; else the newest has them listed. */
  const opened = new Map<string, boolean>();
  const empty = element('p', { class: 'view-note' });
  const exporting = button(
    l10n.t('Export model…'),
    () => run !== undefined && context.send({ type: 'command', command: 'exportModel', run }),
    { primary: true, iconName: 'export' },
  );
  const measuring = button(
    l10n.t('Measure latency'),
    () => run !== undefined && context.send({ type: 'command', command: 'measureLatency', run }),
    {
      iconName: 'latency',
      title: l10n.t('Measure how fast the dense model, the exported ONNX and the packed file are on this machine'),
    },
  );
  const list = element('div', { class: 'exported-files' });

  function draw({ shown: [shown], restricted }: PageState): void {
    run = shown?.key;
    const files = shown?.exports ?? [];
    const canExport = shown !== undefined && runCommands(shown, restricted !== undefined).includes('exportModel');
    exporting.hidden = !canExport;
    measuring.hidden = !canExport;
    empty.hidden = files.length > 0;
    setText(empty, emptyText(canExport, shown?.summary?.state === 'finished'));
    const latency = shown?.latency;
    const key = JSON.stringify([run, files, latency]);
    if (key === drawn) return;
    drawn = key;
    list.replaceChildren(
      ...(latency ? [latencySection(latency)] : []),
      ...files.map((file, i) => fileCard(file, i === 0)),
    );
  }

  function fileCard(file: RecordedExport, isNewest: boolean): HTMLElement {
    const { path, format, time, isThere, weights } = file;
    const name = element('button', { type: 'button', class: 'link-button', title: path }, fileName(path));
    name.addEventListener('click', () => run !== undefined && context.send({ type: 'revealExport', run, path }));
    const summary = element('summary', {}, l10n.t('Weights in the file'));
    const isOpen = opened.get(path) ?? isNewest;
    const details = element('details', { class: 'exported-weights', open: isOpen }, summary, weightTable(weights));
    summary.addEventListener('click', () => opened.set(path, !details.open));
    return element(
      'section',
      { class: 'exported-file', 'aria-label': fileName(path) },
      element(
        'h3',
        { class: 'section-title' },
        isThere ? name : element('span', { class: 'muted', title: path }, fileName(path)),
        element('span', { class: 'tag' }, formatLabel(format)),
      ),
      element(
        'p',
        { class: 'view-note' },
        isThere
          ? l10n.t('Exported {0}', dateText(time))
          : l10n.t('Exported {0}; no longer there: deleted or moved', dateText(time)),
      ),
      element(
        'dl',
        { class: 'file-facts' },
        ...fileFacts(file).flatMap(({ name: fact, value, note }) => [
          element('dt', {}, fact),
          element(
            'dd',
            {},
            element('span', { class: 'fact-value' }, value),
            note === undefined ? undefined : element('span', { class: 'muted' }, ` ${note}`),
          ),
        ]),
      ),
      details,
    );
  }

  return {
    element: element(
      'div',
      { class: 'files' },
      element('div', { class: 'files-head' }, exporting, measuring),
      empty,
      list,
    ),
    update: draw,
    dispose: () => undefined,
  };
}

function emptyText(canExport: boolean, isFinished: boolean): string {
  if (canExport)
    return l10n.t(
      'No file yet. An export writes the final model as a small file, and evaluates that file on the test split.',
    );
  return isFinished ? l10n.t('No file yet.') : l10n.t('No file yet: a model is exported when its run has finished.');
}

function dateText(time: number): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

function weightTable(weights: RecordedExport['weights']): HTMLElement {
  const head = [l10n.t('Weight'), l10n.t('Form'), l10n.t('Bytes')];
  return element(
    'table',
    { class: 'data-table', 'aria-label': l10n.t('Weights in the file') },
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        ...head.map((text, i) => element('th', { scope: 'col', class: i === 2 ? 'numeric' : undefined }, text)),
      ),
    ),
    element(
      'tbody',
      {},
      ...weights.map(({ name, form, bytes }) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, name),
          element('td', {}, form),
          element('td', { class: 'numeric' }, formatBytes(bytes)),
        ),
      ),
    ),
  );
}
