/** @file The page of a model's file: its head, the table of its tensors, and the one that is chosen. Draws at most once a frame. */
import * as l10n from '@vscode/l10n';
import { formatBytes, formatCount } from '../../server/protocol/formatQuantity.ts';
import {
  needsStatistics,
  statisticsSortKeys,
  tensorSortKeys,
  type TensorSortKey,
} from '../../server/protocol/model/tensor.ts';
import { isRecord } from '../../server/protocol/record.ts';
import { stackOf } from '../../server/protocol/thrown.ts';
import type { FromModelFilePage, ShownFile } from '../../server/protocol/wire/modelFile.ts';
import { progressBar } from '../controls/controls.ts';
import { element, setText } from '../element.ts';
import { isText } from '../messageShapes.ts';
import type { ChartContext } from '../viewContext.ts';
import type { ViewState } from '../viewState.ts';
import { FileState, type TensorOrder } from './fileState.ts';
import { parseModelFileMessage } from './messages.ts';
import { TensorDetail } from './tensorDetail.ts';
import { TensorTable } from './tensorTable.ts';

const keys: readonly TensorSortKey[] = [...tensorSortKeys, ...statisticsSortKeys];

function isOrder(value: unknown): value is TensorOrder {
  return (
    isRecord(value) &&
    typeof value.descending === 'boolean' &&
    (value.key === undefined || keys.some((key) => key === value.key))
  );
}

export class ModelFilePage {
  readonly #send: (message: FromModelFilePage) => void;
  readonly #state = new FileState();
  readonly #order;
  readonly #query;
  readonly #chosen;
  readonly #title = element('h1', { class: 'file-name' });
  readonly #facts = element('p', { class: 'muted file-facts' });
  readonly #metadata = element('details', { class: 'metadata', hidden: true });
  readonly #search = element('input', {
    type: 'search',
    class: 'search',
    placeholder: l10n.t('Search by name'),
    'aria-label': l10n.t('Search by name'),
  });
  readonly #progress = element('span', { class: 'muted', role: 'status' });
  readonly #loading = progressBar(l10n.t('The file is read'));
  readonly #notice = element('div', { class: 'notice notice-error', role: 'alert' });
  readonly #main: HTMLElement;
  readonly #table: TensorTable;
  readonly #detail: TensorDetail;
  #asked = '';
  #frame = 0;

  constructor(body: HTMLElement, viewState: ViewState, send: (message: FromModelFilePage) => void) {
    this.#send = send;
    const context: ChartContext = {
      send,
      remember: (name, initial, isValid) => viewState.remember(name, initial, isValid),
    };
    this.#order = context.remember<TensorOrder>('order', { descending: false }, isOrder);
    this.#query = context.remember('query', '', isText);
    this.#chosen = context.remember('tensor', '', isText);
    this.#table = new TensorTable({
      sort: (order) => {
        this.#order.set(order);
        this.#schedule();
      },
      select: (index) => {
        this.#chosen.set(this.#state.tensors[index].tensor.name);
        this.#schedule();
      },
      scrolled: () => this.#ask(),
    });
    this.#detail = new TensorDetail(context, (tensor) => {
      if (tensor !== undefined) this.#state.forgetSpectrumProblem(tensor);
      send({ type: 'computeSpectrum', tensor });
      this.#schedule();
    });
    this.#search.value = this.#query.get();
    this.#search.addEventListener('input', () => {
      this.#query.set(this.#search.value);
      this.#schedule();
    });
    const toolbar = element('div', { class: 'toolbar', role: 'search' }, this.#search, this.#progress);
    this.#main = element(
      'main',
      { class: 'model-body', hidden: true },
      element('div', { class: 'scroller tensor-list', tabindex: -1 }, toolbar, this.#table.element),
      this.#detail.element,
    );
    body.append(
      element('header', { class: 'file-head' }, this.#title, this.#facts, this.#metadata),
      element('div', { class: 'notices' }, this.#notice),
      this.#loading.element,
      this.#main,
    );
    this.#draw();
  }

  receive(data: unknown): void {
    try {
      const message = parseModelFileMessage(data);
      if (!message) return;
      if (message.type === 'file' || message.type === 'problem') {
        this.#table.clear();
        this.#asked = '';
      }
      this.#state.apply(message);
      if (message.type === 'file') this.#drawHead(message.file);
      this.#schedule();
    } catch (error) {
      this.#send({ type: 'error', message: stackOf(error) });
    }
  }

  #schedule(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    const { file, problem, tensors } = this.#state;
    this.#main.hidden = file === undefined;
    this.#loading.element.hidden = file !== undefined || problem !== undefined;
    this.#notice.hidden = problem === undefined;
    if (problem)
      this.#notice.replaceChildren(
        element('div', { class: 'notice-title' }, problem.message),
        element('div', { class: 'notice-text' }, problem.remedy ?? ''),
      );
    if (!file) {
      this.#detail.update(undefined);
      return;
    }
    const order = this.#order.get();
    const selected = this.#selected;
    const withForms = tensors.some(({ tensor }) => tensor.form !== undefined);
    this.#table.update(this.#state.found(this.#query.get(), order), order, selected, withForms);
    this.#detail.update(selected === undefined ? undefined : tensors[selected]);
    this.#ask();
  }

  /** The tensor that was chosen last, also before the page was hidden. */
  get #selected(): number | undefined {
    const name = this.#chosen.get();
    return this.#state.tensors.find(({ tensor }) => tensor.name === name)?.index;
  }

  /** Asks for what is seen and not known; the same is not asked again. */
  #ask(): void {
    if (!this.#state.file) return;
    const order = this.#order.get();
    const wanted = this.#state.wanted(this.#table.visible, this.#selected, order);
    const left = wanted.statistics.length;
    const all = order.key !== undefined && needsStatistics(order.key);
    setText(this.#progress, left > 0 && all ? l10n.t('{0} tensors are still read.', formatCount(left)) : '');
    const asked = JSON.stringify(wanted);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#send({ type: 'wanted', ...wanted });
  }

  #drawHead({ name, format, bytes, tensors, metadata }: ShownFile): void {
    const elements = tensors.reduce((sum, tensor) => sum + tensor.elements, 0);
    setText(this.#title, name);
    const facts = [
      format,
      formatBytes(bytes),
      tensors.length === 1 ? l10n.t('1 tensor') : l10n.t('{0} tensors', formatCount(tensors.length)),
      l10n.t('{0} elements', formatCount(elements)),
    ];
    setText(this.#facts, facts.join(' · '));
    this.#metadata.hidden = metadata.length === 0;
    this.#metadata.replaceChildren(
      element('summary', {}, l10n.t('Metadata ({0})', formatCount(metadata.length))),
      element('dl', {}, ...metadata.flatMap(([key, value]) => [element('dt', {}, key), element('dd', {}, value)])),
    );
  }
}
