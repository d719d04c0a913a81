/** @file The tensor that was chosen: what the file says of it, its histogram, and its spectrum on demand. */
import * as l10n from '@vscode/l10n';
import { formatBytes, formatCount } from '../../server/protocol/formatQuantity.ts';
import { createChart, type Chart } from '../charts/chart.ts';
import { button, checkbox, dropdown, progressBar } from '../controls/controls.ts';
import { element, setText } from '../element.ts';
import { isBoolean } from '../messageShapes.ts';
import type { ChartContext } from '../viewContext.ts';
import { tensorHistogramContent, tensorSpectrumContent } from './contents.ts';
import type { KnownTensor } from './fileState.ts';

type Scale = 'linear' | 'log';
const isScale = (value: unknown): value is Scale => value === 'linear' || value === 'log';

export class TensorDetail {
  readonly element: HTMLElement;
  readonly #context: ChartContext;
  /** Asks for the spectrum of a tensor; undefined: for none any more. */
  readonly #compute: (tensor: number | undefined) => void;
  readonly #name = element('h2', { class: 'tensor-name' });
  readonly #facts = element('p', { class: 'muted tensor-facts' });
  readonly #problem = element('div', { class: 'notice notice-error', role: 'alert', hidden: true });
  readonly #reading = progressBar(l10n.t('The numbers are read'));
  readonly #histogram: Chart;
  readonly #spectrum: Chart;
  readonly #computing = progressBar(l10n.t('The spectrum is computed'));
  readonly #spectrumNote = element('p', { class: 'view-note', 'aria-live': 'polite' });
  readonly #start: HTMLElement;
  readonly #cancel: HTMLElement;
  readonly #toolbar: HTMLElement;
  /** The tensor whose spectrum is being computed. */
  #pending: number | undefined;
  #known: KnownTensor | undefined;

  constructor(context: ChartContext, compute: (tensor: number | undefined) => void) {
    this.#context = context;
    this.#compute = compute;
    this.#histogram = createChart({ id: 'histogram', title: l10n.t('Histogram'), context });
    this.#spectrum = createChart({ id: 'spectrum', title: l10n.t('Spectrum'), context });
    const scale = this.#scale();
    const zeros = this.#zeros();
    this.#toolbar = element(
      'div',
      { class: 'toolbar', role: 'group', 'aria-label': l10n.t('Charts') },
      dropdown<Scale>(
        l10n.t('Axis'),
        [
          { value: 'log', label: l10n.t('log') },
          { value: 'linear', label: l10n.t('linear') },
        ],
        scale.get(),
        (value) => {
          scale.set(value);
          this.#draw();
        },
      ).element,
      checkbox(l10n.t('Zeros'), zeros.get(), (checked) => {
        zeros.set(checked);
        this.#draw();
      }).element,
    );
    this.#start = button(l10n.t('Compute spectrum'), () => {
      this.#pending = this.#known?.index;
      this.#compute(this.#pending);
      this.#draw();
    });
    this.#cancel = button(l10n.t('Cancel'), () => this.#stop());
    this.element = element(
      'section',
      { class: 'tensor-detail', 'aria-label': l10n.t('Chosen tensor'), hidden: true },
      this.#name,
      this.#facts,
      this.#problem,
      this.#toolbar,
      this.#reading.element,
      this.#histogram.element,
      this.#spectrum.element,
      this.#computing.element,
      this.#spectrumNote,
      this.#start,
      this.#cancel,
    );
  }

  /** @param known undefined where no tensor is chosen */
  update(known: KnownTensor | undefined): void {
    const isOther = this.#known?.index !== known?.index;
    const isDone = known?.singularValues !== undefined || known?.spectrumProblem !== undefined;
    this.#known = known;
    if (this.#pending !== undefined && (isOther || !known)) this.#stop();
    else if (isDone) this.#pending = undefined;
    this.#draw();
  }

  #stop(): void {
    this.#pending = undefined;
    this.#compute(undefined);
    this.#draw();
  }

  #scale() {
    return this.#context.remember<Scale>('scale', 'log', isScale);
  }

  #zeros() {
    return this.#context.remember('withZeros', false, isBoolean);
  }

  #draw(): void {
    const known = this.#known;
    this.element.hidden = known === undefined;
    if (!known) return;
    const { tensor, statistics, histogram, singularValues, problem, spectrumProblem } = known;
    const { name, shape, dtype, form, elements, bytes, matrix } = tensor;
    setText(this.#name, name);
    const facts = [
      `${dtype} [${shape.join(', ')}]`,
      form,
      elements === 1 ? l10n.t('1 element') : l10n.t('{0} elements', formatCount(elements)),
      formatBytes(bytes),
    ];
    setText(this.#facts, facts.filter((fact) => fact !== undefined).join(' · '));
    this.#problem.hidden = problem === undefined;
    setText(this.#problem, [problem?.message, problem?.remedy].filter((text) => typeof text === 'string').join(' '));

    const isRead = statistics !== undefined && histogram !== undefined;
    this.#toolbar.hidden = this.#histogram.element.hidden = !isRead;
    this.#reading.element.hidden = isRead || problem !== undefined;
    if (isRead) {
      const settings = { scale: this.#scale().get(), withZeros: this.#zeros().get() };
      this.#histogram.update({ ...tensorHistogramContent(tensor, statistics, histogram, settings), source: name });
    }
    const isPending = this.#pending === known.index;
    this.#spectrum.element.hidden = singularValues === undefined;
    if (singularValues)
      this.#spectrum.update({ ...tensorSpectrumContent(singularValues, this.#scale().get()), source: name });
    this.#computing.element.hidden = this.#cancel.hidden = !isPending;
    this.#start.hidden = isPending || !matrix || !isRead || singularValues !== undefined;
    const told =
      matrix && isPending
        ? l10n.t('Computing the singular values of {0} × {1}…', formatCount(matrix.rows), formatCount(matrix.columns))
        : (spectrumProblem ?? '');
    setText(this.#spectrumNote, told);
  }
}
