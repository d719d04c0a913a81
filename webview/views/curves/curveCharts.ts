/** @file The charts of the curves of runs, one below the other. Pure. */
import * as l10n from '@vscode/l10n';
import type { ChartContent } from '../../charts/model/content.ts';
import {
  dropContent,
  evaluatedMetrics,
  learningRateContent,
  lossContent,
  metricContent,
  metricTitle,
  recordedShares,
  shareContent,
  shareTitle,
  type CurveSettings,
  type LoadedRun,
} from './contents.ts';
import { rankContent, unitsContent } from './structure.ts';

export interface CurveChart {
  /** Different from that of every other chart; that of an evaluated metric begins with `metric.` */
  readonly id: string;
  readonly title: string;
  readonly content: ChartContent;
  readonly size?: 'small';
}

export function curveCharts(runs: readonly LoadedRun[], settings: CurveSettings): CurveChart[] {
  // Few methods record these.
  const structure: readonly CurveChart[] = [
    { id: 'rank', title: l10n.t('Rank left'), content: rankContent(runs, settings) },
    { id: 'units', title: l10n.t('Units left'), content: unitsContent(runs, settings) },
  ];
  return [
    { id: 'loss', title: l10n.t('Loss'), content: lossContent(runs, settings) },
    ...evaluatedMetrics(runs).map((metric) => ({
      id: `metric.${metric}`,
      title: metricTitle(metric),
      content: metricContent(metric, runs, settings),
    })),
    ...recordedShares(runs).map((share) => ({
      id: `share.${share}`,
      title: shareTitle(share),
      content: shareContent(share, runs, settings),
    })),
    { id: 'drop', title: l10n.t('Drop at each distortion'), content: dropContent(runs, settings) },
    ...structure.filter(({ content }) => content.series.length > 0),
    {
      id: 'learningRate',
      title: l10n.t('Learning rate'),
      content: learningRateContent(runs, settings),
      size: 'small',
    },
  ];
}
