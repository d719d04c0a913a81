/** @file The charts of one weight: its histogram at a moment, and over the whole run below it. */
import * as l10n from '@vscode/l10n';
import { methodFacts } from '../../../server/protocol/experiment/methods/index.ts';
import { methodsOf } from '../../../server/protocol/run/methodsOf.ts';
import type { WeightDistortion } from '../../../server/protocol/run/runHistory.ts';
import { createChart, type Chart } from '../../charts/chart.ts';
import { element } from '../../element.ts';
import type { ShownRun } from '../../state.ts';
import type { ViewContext } from '../../viewContext.ts';
import { histogramContent, type Seen } from './histogramContent.ts';
import { indexAt } from './moments.ts';
import { ridges, type Ridges } from './ridge.ts';
import { createRidgeChart, type RidgeChart } from './ridgeChart.ts';
import { scaledContent } from './scaledContent.ts';
import type { WeightSettings } from './weightSettings.ts';

/** Ridges that are drawn at most; more would lie on each other. */
const ROWS: Readonly<Record<'ridges' | 'heat map', number>> = { ridges: 24, 'heat map': 200 };

export class WeightCard {
  readonly element: HTMLElement;
  readonly #name: string;
  readonly #histogram: Chart;
  readonly #over: RidgeChart;
  readonly #createScaled: () => Chart;
  /** Undefined before the first recording of a weight whose buckets share levels: most have none. */
  #scaled: Chart | undefined;
  #ridges:
    { readonly of: readonly WeightDistortion[]; readonly key: string; readonly made: Ridges | undefined } | undefined;

  /** @param goTo shows the distortion of a step */
  constructor(context: ViewContext, name: string, goTo: (step: number) => void) {
    this.#name = name;
    this.#histogram = createChart({ id: name, title: name, context });
    this.#over = createRidgeChart(context, goTo);
    this.element = element('div', { class: 'weight-card' }, this.#histogram.element, this.#over.element);
    this.#createScaled = () => {
      const title = l10n.t('Levels in each bucket');
      const chart = createChart({ id: `${name}/scaled`, title, context });
      chart.setTitle(title, l10n.t('{0}: levels in each bucket', name));
      this.#histogram.element.after(chart.element);
      return chart;
    };
  }

  /** Draws what a run, and a second one where it is given, recorded nearest to a step. */
  update(step: number, run: ShownRun, second: ShownRun | undefined, settings: WeightSettings): void {
    const seen = seenAt(run, this.#name, step);
    if (!seen) return;
    const distortions = run.snapshot?.weights[this.#name] ?? [];
    const started = run.snapshot?.started;
    const quantized = started ? methodsOf(started, this.#name).some((method) => methodFacts[method].hasLevels) : false;
    this.#histogram.setTitle(this.#name);
    this.#histogram.update({
      ...histogramContent(seen, settings, {
        quantized,
        range: rangeOf(distortions),
        other: second && seenAt(second, this.#name, step),
      }),
      source: run.key,
    });
    this.#updateScaled(distortions, seen, run.key);
    this.#updateOver(distortions, seen, run.color, settings);
  }

  dispose(): void {
    this.#histogram.dispose();
    this.#scaled?.dispose();
    this.#over.dispose();
  }

  #updateScaled(all: readonly WeightDistortion[], { distortion, color }: Seen, source: string): void {
    const content = scaledContent(distortion, color, all);
    if (content) {
      this.#scaled ??= this.#createScaled();
      this.#scaled.element.hidden = false;
      this.#scaled.update({ ...content, source });
    } else if (this.#scaled) this.#scaled.element.hidden = true;
  }

  #updateOver(distortions: readonly WeightDistortion[], seen: Seen, color: number, settings: WeightSettings): void {
    const { over } = settings;
    this.#over.element.hidden = over === 'none' || distortions.length < 2;
    if (over === 'none' || distortions.length < 2) return;
    const made = this.#ridgesOf(distortions, over, settings);
    if (!made) return;
    this.#over.update({
      title: l10n.t('After each distortion'),
      name: l10n.t('{0}: after each distortion', this.#name),
      ridges: made,
      kind: over,
      color,
      current: indexAt(
        made.steps.map((value) => ({ step: value })),
        seen.distortion.step,
      ),
      ...(distortions.length > made.steps.length && {
        note: l10n.t('{0} of {1} recorded distortions.', made.steps.length, distortions.length),
      }),
    });
  }

  /** The same ridges while only the slider moves. */
  #ridgesOf(
    distortions: readonly WeightDistortion[],
    over: keyof typeof ROWS,
    { scale, withZeros }: WeightSettings,
  ): Ridges | undefined {
    const key = JSON.stringify([over, scale, withZeros]);
    if (this.#ridges?.of !== distortions || this.#ridges.key !== key) {
      const made = ridges(distortions, { side: 'after', scale, withZeros, rows: ROWS[over] });
      this.#ridges = { of: distortions, key, made };
    }
    return this.#ridges.made;
  }
}

function rangeOf(distortions: readonly WeightDistortion[]): { minimum: number; maximum: number } {
  return {
    minimum: distortions.reduce((least, { minimum }) => Math.min(least, minimum), Infinity),
    maximum: distortions.reduce((most, { maximum }) => Math.max(most, maximum), -Infinity),
  };
}

/** What a run recorded of a weight nearest to a step. */
function seenAt({ snapshot, color, label }: ShownRun, name: string, step: number): Seen | undefined {
  const distortions = snapshot?.weights[name] ?? [];
  const distortion = distortions.at(indexAt(distortions, step));
  return distortion && { distortion, color, label };
}
