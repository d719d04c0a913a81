/** @file A run as a model card in Markdown: what the model is, how it was measured, and which data chose what. */
import type { Experiment } from '../protocol/experiment/schema.ts';
import { flattenSettings } from '../protocol/experiment/flattenSettings.ts';
import { fileName } from '../protocol/fileName.ts';
import { formatBytes, formatCount, formatNumber, formatRatio } from '../protocol/formatQuantity.ts';
import { cardFrontMatter } from '../protocol/model/cardFrontMatter.ts';
import { compressedSize } from '../protocol/run/compressedSize.ts';
import type { EventOf, Summary } from '../protocol/run/events.ts';
import type { ReportedRun } from '../protocol/run/report.ts';
import { selectionText } from '../protocol/run/selectionText.ts';
import { testMetric } from '../protocol/run/testMetric.ts';

/** A finished run. */
export interface CardRun extends ReportedRun {
  readonly started: EventOf<'started'>;
  readonly summary: Summary;
}

/** Undefined for a run that has no final model. */
export function cardRun(run: ReportedRun): CardRun | undefined {
  const { started, end } = run.snapshot;
  return started && end?.type === 'finished' ? { ...run, started, summary: end.summary } : undefined;
}

export function modelCard(run: CardRun): string {
  const { id, started, summary, snapshot, commands } = run;
  const { config } = started;
  const size = compressedSize(summary);
  const results = [
    ['test', testMetric(summary)],
    ['validation', summary.validation],
  ] as const;
  const front = cardFrontMatter({
    name: id,
    tags: ['deeptwist', 'model-compression'],
    metrics: [summary.metric],
    results: results.flatMap(([split, value]) =>
      value === undefined
        ? []
        : [{ task: taskOf(config), dataset: datasetOf(config), metric: summary.metric, value, split }],
    ),
  });
  return `${front}
<!-- Add \`license:\` to the lines above: nobody but you can choose it. -->

# ${markdown(id)}

A neural network that was compressed while it was trained, by DeepTwist: ${methodSentence(started)}

| | ${markdown(summary.metric)} |
| --- | ---: |
${resultRows(summary)}
${selectionText(snapshot)}

| | before | after | |
| --- | ---: | ---: | ---: |
| bytes${size.isFile ? '' : ' that a file would take'} | ${formatBytes(summary.bytes)} | ${formatBytes(size.bytes)} | ${formatRatio(size.ratio)} smaller |
| weights | ${formatCount(summary.weights)} | ${formatCount(summary.weightsKept)} | ${formatRatio(summary.weightRatio)} fewer |

## Files

${run.exports.length === 0 ? 'None was exported yet: `deeptwist export` writes files that other programs open, and measures them.' : exportTable(run)}

## Weights

| weight | shape | bytes before | bytes after |
| --- | --- | ---: | ---: |
${summary.layers
  .map(
    ({ name, shape, bytes, bytesKept }) =>
      `| \`${cell(name)}\` | ${shape.join(' x ')} | ${formatBytes(bytes)} | ${formatBytes(bytesKept)} |`,
  )
  .join('\n')}

## Training

${formatCount(summary.steps)} steps with the seed ${config.training.seed}, by ${markdown(started.executor)} (${markdown(started.device)}). To have the run again, with its
experiment file:

\`\`\`sh
${commands.join('\n')}
\`\`\`

| setting | value |
| --- | --- |
${[...flattenSettings(config)].map(([name, value]) => `| \`${cell(name)}\` | \`${cell(value)}\` |`).join('\n')}

## Limits

What the model was trained on, who it is for, and where it fails is for you to write: the run does not know it.
`;
}

function resultRows(summary: Summary): string {
  const { testBeforeLastDistortion, validation } = summary;
  const test = testMetric(summary);
  const rows = [
    ['test split, final model', test],
    ['test split, before the last distortion', test === undefined ? undefined : testBeforeLastDistortion],
    ['validation split, final model', validation],
  ] as const;
  return rows.map(([name, value]) => (value === undefined ? '' : `| ${name} | ${formatNumber(value)} |\n`)).join('');
}

function methodSentence({ layers }: EventOf<'started'>): string {
  const compressed = layers.filter((layer) => layer.compressed);
  if (compressed.length === 0) return 'no weight of this run is compressed.';
  const methods = [...new Set(compressed.flatMap((layer) => layer.methods ?? []))];
  return `${compressed.length} of ${layers.length} weights${methods.length === 0 ? '' : `, by ${methods.join(' and ')}`}.`;
}

function exportTable({ exports }: ReportedRun): string {
  const rows = exports.map(({ path, format, bytes, metric, value }) => {
    // Its folder on a machine is nobody else's business.
    return `| \`${cell(fileName(path))}\` | ${format} | ${formatBytes(bytes)} | ${formatNumber(value ?? NaN)} (${markdown(metric)}) |`;
  });
  return ['| file | format | size | measured on the file, test split |', '| --- | --- | ---: | ---: |', ...rows].join(
    '\n',
  );
}

/** As the Hub names tasks; `other` where the experiment does not tell. */
function taskOf({ data }: Experiment): string {
  switch (data.type) {
    case 'mnist':
    case 'images':
      return 'image-classification';
    case 'text':
      return 'text-generation';
    case 'table':
      return data.task === 'regression' ? 'tabular-regression' : 'tabular-classification';
    case 'arrays':
    case 'module':
      return 'other';
  }
}

/** The type of the data, with the name of their file or folder where they have one. */
function datasetOf({ data }: Experiment): string {
  const path = 'path' in data ? data.path : undefined;
  const name = path?.split(/[\\/]/).findLast((part) => part !== '' && part !== '.');
  return data.type === 'mnist' || name === undefined ? data.type : name;
}

/** Text without what Markdown or HTML would take for its own. */
function markdown(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>()#|]/g, '\\$&').replaceAll(/\s+/g, ' ');
}

/** Text of code in a table. */
function cell(text: string): string {
  return text.replaceAll('`', "'").replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
