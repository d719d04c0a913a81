/** @file The drop at distortions over training, which the DeepTwist paper asks to become smaller: how much the loss of the batch rises. */
import type { EventOf, RunEvent } from '../../../server/protocol/run/events.ts';
import { sampleStatistics } from '../../../server/protocol/run/sampleStatistics.ts';
import type { Series as ChartSeries } from '../../../webview/charts/model/content.ts';
import type { Outcome } from './outcomes.ts';
import { curve } from './pictures.ts';
import type { RunRecord } from './runRecords.ts';
import type { Series } from './study.ts';
import { falls, type Side, type Test } from './verdict.ts';

/**
 * The mean rise of the loss at the distortions observed in each of equal spans of steps.
 * @param from first step of the first span
 */
export const dropSeries =
  ({ from, span, to }: { readonly from: number; readonly span: number; readonly to: number }): Series =>
  (events) => {
    const observed = events.filter(isObservedDistortion);
    const spans = Array.from({ length: Math.ceil((to - from) / span) }, (_, index) => from + index * span);
    const drops = spans.flatMap((start) => {
      const own = observed.filter(({ step }) => step > start && step <= start + span);
      if (own.length === 0) return [];
      const rise = own.reduce((sum, { lossBefore = 0, lossAfter = 0 }) => sum + lossAfter - lossBefore, 0);
      return [{ step: start + span, rise: rise / own.length }];
    });
    return { dropSteps: drops.map(({ step }) => step), drops: drops.map(({ rise }) => rise) };
  };

function isObservedDistortion(event: RunEvent): event is EventOf<'distortion'> {
  return event.type === 'distortion' && Number.isFinite(event.lossBefore) && Number.isFinite(event.lossAfter);
}

/** The rise at a step of the series of a record, by default the last one; undefined where the series does not have it. */
const riseAt = (record: RunRecord, step?: number) => {
  const index = record.series?.dropSteps.indexOf(step ?? record.series.dropSteps.at(-1)!) ?? -1;
  return record.series?.drops[index];
};

/** The rise at the end of training is smaller than in the span that ends at `step`. */
export function riseFalls(side: Side, step: number): Test {
  return falls(
    side,
    [(record) => riseAt(record, step), (record) => riseAt(record)],
    (early, late) =>
      `the loss rises by ${early.toPrecision(2)} around step ${step}, by ${late.toPrecision(2)} at the end`,
  );
}

/** The mean rise over training of a rival, as series of a chart. */
export function riseCurve(label: string, color: number, outcome: Outcome): ChartSeries[] {
  const records = [...outcome.runs.values()].filter(({ series }) => series?.drops);
  const steps = records[0]?.series?.dropSteps ?? [];
  return curve(
    label,
    color,
    steps.map((x) => ({ x, ...sampleStatistics(records.flatMap((record) => riseAt(record, x) ?? [])) })),
  );
}
