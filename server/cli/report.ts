/** @file The lines that tell of a run: its status while it trains, results as they come, the tables at its end. */
import type { Decoded } from '../data/dataset.ts';
import { compressedSize } from '../protocol/run/compressedSize.ts';
import { lossRiseText } from '../protocol/run/riseOfLoss.ts';
import { leftTestAlone, shownMetric } from '../protocol/run/testMetric.ts';
import type { EventOf, RunEvent, Summary } from '../protocol/run/events.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  formatRatio,
} from '../protocol/formatQuantity.ts';
import { printableLine } from '../protocol/printable.ts';
import { WOULD_TAKE } from '../protocol/run/wouldTake.ts';
import { describeChange } from '../protocol/experiment/settingChanges.ts';
import { compressionNow, latestEvaluation, secondsLeft } from '../protocol/run/progress.ts';
import type { Progress } from '../protocol/run/progress.ts';
import { styled } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { textTable, truncate } from './textTable.ts';

const BAR_COLUMNS = 20;

export interface ShownProgress extends Progress {
  /** What is read, of all, before the run starts. */
  decoded?: Decoded;
}

/**
 * One line: `[=====>    ] 12,000/20,000  loss 0.0123  accuracy 0.9841  sparsity 93.1%  812 steps/s  10 s left`. Where the
 * terminal is narrow, the bar goes first and then what stands to the right.
 */
export function statusLine(progress: ShownProgress, columns: number): string {
  if (!progress.started) return truncate(startingText(progress), columns);
  const { steps } = progress.started.config.training;
  const evaluation = latestEvaluation(progress);
  const left = secondsLeft(progress);
  const parts = [
    `${formatCount(progress.step)}/${formatCount(steps)}`,
    progress.metrics && `loss ${formatNumber(progress.metrics.loss)}`,
    evaluation && `${evaluation.metric} ${formatNumber(evaluation.value)}`,
    compressionNow(progress),
    progress.metrics && `${formatNumber(Math.round(progress.metrics.stepsPerSecond * 10) / 10)} steps/s`,
    left !== undefined && `${formatDuration(left)} left`,
  ].filter((part) => typeof part === 'string');
  const text = printableLine(parts.join('  '));
  const withBar = `${bar(progress.step / steps)} ${text}`;
  return withBar.length <= columns ? withBar : truncate(text, columns);
}

function startingText({ decoded }: ShownProgress): string {
  if (!decoded) return 'starting …';
  const { what, done, total } = decoded;
  switch (what) {
    case 'images':
      return `decoding images, ${formatCount(done)} of ${formatCount(total)}`;
    case 'text':
      return `tokenizing the text, ${formatPercent(done / total)}`;
    case 'labels':
      return `counting the samples of each class, ${formatPercent(done / total)}`;
  }
}

function bar(fraction: number): string {
  const filled = Math.round(Math.min(1, fraction) * BAR_COLUMNS);
  const head = filled > 0 && filled < BAR_COLUMNS ? '>' : '';
  return `[${('='.repeat(Math.max(0, filled - head.length)) + head).padEnd(BAR_COLUMNS)}]`;
}

/** What is worth a line of its own in an event; none for most. */
export function eventLines(event: RunEvent, terminal: Terminal): string[] {
  switch (event.type) {
    case 'started': {
      const how = event.resumedFrom === undefined ? '' : `, resumed from step ${formatCount(event.resumedFrom)}`;
      return [`${styled(terminal, 'bold', event.run)} on ${event.device}, ${event.executor}${how}`];
    }
    case 'pretrained':
      return pretrainedLines(event, terminal, MOST_PRETRAINED);
    case 'evaluation':
      return [evaluationLine(event)];
    case 'warning':
      return [`${styled(terminal, 'yellow', 'warning:')} ${event.message}`];
    case 'changed':
      return [`step ${formatCount(event.step)}  changed ${event.settings.map(describeChange).join(', ')}`];
    case 'thinned':
      return [thinningLine(event)];
    case 'finished':
      return ['', ...summaryLines(event.summary, terminal)];
    case 'failed':
      return failureLines(event, terminal);
    case 'stopped':
      return [`Stopped after step ${formatCount(event.step)}.`];
    case 'metrics':
    case 'distortion':
    case 'spectrum':
    case 'observation':
    case 'checkpoint':
      return [];
    default:
      return event satisfies never;
  }
}

/** `step 4,000  thinned 266,610 → 168,125 weights: fc1 300 → 191 units, fc2 100 → 90 units; 3 units stay of conv1: …` */
function thinningLine({ step, parameters: { before, after }, removed }: EventOf<'thinned'>): string {
  const smaller = removed.flatMap(({ layer, units }) =>
    units && units.after < units.before
      ? [`${layer} ${formatCount(units.before)} → ${formatCount(units.after)} units`]
      : [],
  );
  const stay = removed.flatMap(({ layer, kept }) =>
    kept.map(
      ({ units, reason }) =>
        `${units === 1 ? '1 unit stays' : `${formatCount(units)} units stay`} of ${layer}: ${reason}`,
    ),
  );
  const what =
    before === after
      ? 'nothing is removed'
      : `${formatCount(before)} → ${formatCount(after)} weights: ${smaller.join(', ')}`;
  return `step ${formatCount(step)}  thinned ${[what, ...stay].join('; ')}`;
}

/** An error and what to do about it. */
export function failureLines(failure: { message: string; remedy?: string }, terminal: Terminal): string[] {
  const lines = [`${styled(terminal, 'red', 'error:')} ${failure.message}`];
  return failure.remedy === undefined ? lines : [...lines, `${styled(terminal, 'bold', 'to do:')} ${failure.remedy}`];
}

/** Weights that are listed when a run begins. */
const MOST_PRETRAINED = 40;

/** The weights that a run began with from elsewhere; those under the same name are only counted. @param most rows of the list */
export function pretrainedLines(
  { from, count, weights }: EventOf<'pretrained'>,
  terminal: Terminal,
  most = Infinity,
): string[] {
  const renamed = weights.filter(({ name, tensors }) => tensors.length > 1 || tensors[0] !== name);
  const rows = renamed
    .slice(0, most)
    .map(({ name, tensors, by }) => ['', name, tensors.join(' + '), by === 'order' ? 'by shape and order' : '']);
  const rest = renamed.length - rows.length;
  return [
    `start       ${formatCount(weights.length)} of ${formatCount(count)} weights from ${printableLine(from)}`,
    ...(rows.length > 0 ? textTable({ header: ['', '', '', ''], rows }, terminal.columns).slice(1) : []),
    ...(rest > 0 ? [styled(terminal, 'dim', `  and ${formatCount(rest)} more, which \`deeptwist show\` lists`)] : []),
  ];
}

const moments: Record<EventOf<'evaluation'>['moment'], string> = {
  training: '',
  'before-last-distortion': ' before the last distortion',
  final: ' at the end',
};

function evaluationLine(event: EventOf<'evaluation'>): string {
  const loss = event.metric === 'loss' ? '' : `  loss ${formatNumber(event.loss)}`;
  return `step ${formatCount(event.step)}  ${event.split} ${event.metric} ${formatNumber(event.value)}${loss}${moments[event.moment]}${measuresText(event)}`;
}

/** What the outputs of a model of several have each. */
function measuresText({ measures = {}, metric }: EventOf<'evaluation'>): string {
  const others = Object.entries(measures).filter(([name]) => name !== metric);
  return others.length === 0 ? '' : ` (${others.map(([name, value]) => `${name} ${formatNumber(value)}`).join(', ')})`;
}

/** The table of layers and the figures of a finished run. */
function summaryLines(summary: Summary, terminal: Terminal): string[] {
  const seconds =
    summary.trainingSeconds + summary.distortionSeconds + summary.observationSeconds + summary.evaluationSeconds;
  const facts = [
    leftTestAlone(summary)
      ? [
          `validation ${summary.metric}`,
          `${styled(terminal, 'green', formatNumber(shownMetric(summary)))}  (the test split was not read)`,
        ]
      : [
          `test ${summary.metric}`,
          `${styled(terminal, 'green', formatNumber(summary.test))}  (${formatNumber(summary.testBeforeLastDistortion)} before the last distortion)`,
        ],
    [
      'weights',
      `${formatCount(summary.weights)} -> ${formatCount(summary.weightsKept)}  ${formatRatio(summary.weightRatio)}`,
    ],
    ['bytes', `${formatBytes(summary.bytes)}, ${compressedText(summary)}`],
    ['near zero', `${formatCount(summary.nearZeros)} non-zero weights below 1% of their standard deviation`],
    [
      'time',
      `${formatDuration(seconds)}: training ${formatDuration(summary.trainingSeconds)}, distortions ` +
        `${formatDuration(summary.distortionSeconds)}, observation ${formatDuration(summary.observationSeconds)}, ` +
        `evaluation ${formatDuration(summary.evaluationSeconds)}`,
    ],
    ['speed', `${formatNumber(summary.stepsPerSecond)} steps/s over ${formatCount(summary.steps)} steps`],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const { lossRise } = summary;
  return [
    ...layerTable(summary, terminal),
    '',
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...(lossRise ? [`${styled(terminal, 'yellow', 'warning:')} ${lossRiseText(lossRise)}`] : []),
  ];
}

function compressedText(summary: Summary): string {
  const { bytes, ratio, isFile } = compressedSize(summary);
  return `${isFile ? 'in compressed.safetensors' : WOULD_TAKE} ${formatBytes(bytes)}  ${formatRatio(ratio)}`;
}

function layerTable({ layers, fileBytes }: Summary, terminal: Terminal): string[] {
  const kept = fileBytes === undefined ? WOULD_TAKE : 'in the file';
  const [header, ...rows] = textTable(
    {
      header: ['layer', 'shape', 'weights', 'kept', 'fewer by', 'bytes', kept, 'smaller by'],
      rows: layers.map((layer) => [
        layer.name,
        layer.shape.join('x'),
        formatCount(layer.weights),
        formatCount(layer.weightsKept),
        ratio(layer.weights, layer.weightsKept),
        formatBytes(layer.bytes),
        formatBytes(layer.bytesKept),
        ratio(layer.bytes, layer.bytesKept),
      ]),
      right: new Set([2, 3, 4, 5, 6, 7]),
    },
    terminal.columns,
  );
  return [styled(terminal, 'dim', header), ...rows];
}

function ratio(before: number, after: number): string {
  return after === 0 ? '' : formatRatio(before / after);
}
