/**
 * @file A report of runs, a page without scripts and without the network: what they came to, curves, sizes by layer, settings, and how to
 * have them again. Bundled for Node.js, where the command line loads it.
 */
import { fileName } from '../../server/protocol/fileName.ts';
import { formatBytes, formatCount, formatDuration, formatRatio } from '../../server/protocol/formatQuantity.ts';
import type { RenderedReport, ReportData, ReportedRun, ReportTable } from '../../server/protocol/run/report.ts';
import { formatMetric } from '../../server/protocol/run/resultText.ts';
import { lossRiseText } from '../../server/protocol/run/riseOfLoss.ts';
import { leftTestAlone } from '../../server/protocol/run/testMetric.ts';
import { selectionText } from '../../server/protocol/run/selectionText.ts';
import type { ShownRun } from '../state.ts';
import {
  bestResults,
  formatResult,
  resultRows,
  runResult,
  type ResultRow,
  type RunResult,
} from '../views/compare/results.ts';
import { differingSettings, flatten } from '../views/compare/settings.ts';
import { sizeContent } from '../views/compare/sizeContent.ts';
import { firstSettings, loadedRuns } from '../views/curves/contents.ts';
import { curveCharts, type CurveChart } from '../views/curves/curveCharts.ts';
import { latencyColumns } from '../views/files/latencySection.ts';
import { byteRatio, layerTable } from '../views/layers/layerRows.ts';
import { histogramContent } from '../views/weights/histogramContent.ts';
import { html, type Markup } from './html.ts';
import { reportStyle } from './style.ts';
import { svgChart } from './svgChart.ts';

/** Histograms of that many weights: a report of a model with hundreds stays small. */
const MOST_HISTOGRAMS = 12;
const MISSING = '–';

export function renderReport(data: ReportData): RenderedReport {
  const { title, time, versions, runs } = data;
  const shown = runs.map(shownRun);
  const [first] = runs;
  const body = html`<main>
    <header>
      <h1>${title}</h1>
      <p class="muted">
        ${runs.length === 1 ? `${first.id}, ${first.state}` : `${runs.length} runs`} · report of ${dateText(time)} ·
        DeepTwist ${versions.deeptwist}
      </p>
    </header>
    ${runs.length === 1 ? facts(first) : comparison(runs)}
    ${data.seeds && section('Seeds', table('Runs that differ in their seed alone', data.seeds))}
    ${section('Curves', curves(shown))}
    ${section('Sizes by layer', html`${runs.map((run) => folded(run, runs, sizes(run)))}`)}
    ${runs.length === 1 ? histograms(shown[0]) : undefined}
    ${runs.map((run) => latency(run, runs))}${runs.map((run) => files(run, runs))}
    ${section('Settings', settings(runs))}${remarks(runs)} ${section('How to have this again', repetition(data))}
  </main>`;
  return { title, style: reportStyle, body: body.text };
}

function shownRun(run: ReportedRun, index: number): ShownRun {
  return { key: run.id, label: run.id, color: index, snapshot: run.snapshot, exports: run.exports };
}

function section(title: string, content: Markup): Markup {
  return html`<section>
    <h2>${title}</h2>
    ${content}
  </section> `;
}

function titled(title: string, { id }: ReportedRun, runs: readonly ReportedRun[]): string {
  return runs.length === 1 ? title : `${title}: ${id}`;
}

/** What is of one run; of several, each is opened by itself. */
function folded({ id }: ReportedRun, runs: readonly ReportedRun[], content: Markup): Markup {
  return runs.length === 1
    ? content
    : html`<details>
        <summary>${id}</summary>
        ${content}
      </details>`;
}

function dateText(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
}

/** What one run came to: before and after. */
function facts({ snapshot, state }: ReportedRun): Markup {
  const result = runResult(snapshot);
  const { metric = '', value, split } = result;
  const summary = snapshot.end?.type === 'finished' ? snapshot.end.summary : undefined;
  const isLoss = summary === undefined ? ' of the last evaluation' : '';
  const shown: [string, string, string][] = [];
  if (value !== undefined)
    shown.push([
      `${summary ? `${split} ` : ''}${metric}${isLoss}`,
      formatMetric(metric, value),
      summary && !leftTestAlone(summary)
        ? `${formatMetric(metric, summary.testBeforeLastDistortion)} before the last distortion`
        : '',
    ]);
  if (summary && result.bytes !== undefined && result.byteRatio !== undefined)
    shown.push(
      [
        result.hasFile ? 'compressed file' : 'size that a file would take',
        formatBytes(result.bytes),
        `${formatBytes(summary.bytes)} as floats`,
      ],
      [
        'smaller',
        formatRatio(result.byteRatio),
        `${formatCount(summary.weightsKept)} of ${formatCount(summary.weights)} weights left`,
      ],
    );
  shown.push(['steps', formatCount(result.steps), result.seconds === undefined ? '' : formatDuration(result.seconds)]);
  return html`<dl class="facts">
      ${shown.map(
        ([name, text, more]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${text}${more === '' ? undefined : html`<small>${more}</small>`}</dd>
          </div>`,
      )}
    </dl>
    ${summary || state === 'finished' ? undefined : html`<p>The run is ${state}: this is how far it has come.</p>`}
    ${summary?.lossRise && html`<p>${lossRiseText(summary.lossRise)}</p>`}
    ${summary && html`<p class="note">${selectionText(snapshot)}</p>`}`;
}

const resultTitles: Record<Exclude<ResultRow, 'value'>, string> = {
  bytes: 'size',
  byteRatio: 'smaller by',
  weightRatio: 'fewer weights by',
  steps: 'steps',
  seconds: 'training time',
};

/** What several runs came to, a row each. */
function comparison(runs: readonly ReportedRun[]): Markup {
  const results = runs.map(({ snapshot }) => runResult(snapshot));
  const best = new Map(resultRows.map((row) => [row, bestResults(results, row)]));
  const metrics = new Set(results.flatMap(({ metric }) => metric ?? []));
  const [metric] = metrics;
  const splits = new Set(results.flatMap(({ split }) => split ?? []));
  const [split = 'test'] = splits.size > 1 ? [] : splits;
  return html`<div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">run</th>
            ${resultRows.map((row) => {
              const name = row === 'value' ? (metrics.size === 1 ? `${split} ${metric}` : split) : resultTitles[row];
              return html`<th scope="col" class="numeric">${name}</th>`;
            })}
          </tr>
        </thead>
        <tbody>
          ${runs.map(
            ({ id, state }, i) =>
              html`<tr>
                <th scope="row">
                  ${id}${state === 'finished' ? undefined : html` <span class="muted">${state}</span>`}
                </th>
                ${resultRows.map((row) => {
                  const isBest = best.get(row)?.includes(i) === true;
                  return html`<td class="numeric${isBest ? ' best' : ''}">${resultText(results[i], row, split)}</td>`;
                })}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="note">
      ${[...new Set(runs.map(({ snapshot }) => selectionText(snapshot)))].join(' ')} Whoever chooses among these runs by
      their test results needs other data to know how good the chosen one is.
    </p>`;
}

/** @param split that the column of the metric is named by */
function resultText(result: RunResult, row: ResultRow, split: string): string {
  const value = result[row];
  if (value === undefined) return MISSING;
  const text = formatResult(row, value, result.metric ?? '');
  if (row === 'value')
    return `${text}${result.split === split ? '' : ` (${result.split})`}${result.final ? '' : ' so far'}`;
  if (row === 'bytes' && !result.hasFile) return `${text} (estimated)`;
  return text;
}

function curves(shown: readonly ShownRun[]): Markup {
  const runs = loadedRuns(shown);
  const results = shown.flatMap((run) => (run.snapshot ? [{ run, result: runResult(run.snapshot) }] : []));
  const isMetric = ({ id }: CurveChart) => id.startsWith('metric.');
  // The metrics stand first: they are the results.
  const charts = curveCharts(runs, firstSettings).sort((a, b) => Number(isMetric(b)) - Number(isMetric(a)));
  return html`<div class="charts">
    ${runs.length > 1 ? svgChart('Size and result', sizeContent(results)) : undefined}
    ${charts.map(({ title, content }) => svgChart(title, content))}
  </div>`;
}

function sizes({ snapshot }: ReportedRun): Markup {
  const layers = layerTable(snapshot);
  if (!layers) return html`<p class="note">The run has not begun.</p>`;
  const { rows, totals, fileBytes, soFar } = layers;
  const numbers = (row: typeof totals) => [
    formatCount(row.weights),
    row.weightsKept === undefined ? MISSING : formatCount(row.weightsKept),
    formatBytes(row.bytes),
    row.bytesKept === undefined ? MISSING : formatBytes(row.bytesKept),
    ratioText(byteRatio(row)),
  ];
  const notes = [
    ...(soFar ? ['As of the last recorded distortion.'] : []),
    ...(fileBytes === undefined ? [] : [`The file, with its header, has ${formatBytes(fileBytes)}.`]),
  ];
  const shape = ({ shape: whole, left }: (typeof rows)[number]) =>
    `${whole.join(' x ')}${left ? `, ${left.join(' x ')} left` : ''}`;
  return table('', {
    header: ['weight', 'shape', 'method', 'weights', 'left', 'before', 'after', 'smaller'],
    rows: [
      ...rows.map((row) => [row.name, shape(row), row.method ?? '', ...numbers(row)]),
      ['all', '', '', ...numbers(totals)],
    ],
    notes,
  });
}

function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? MISSING : formatRatio(ratio);
}

/** Weights before and after the last recorded distortion. */
function histograms({ snapshot, color, label }: ShownRun): Markup | undefined {
  const last = Object.entries(snapshot?.weights ?? {}).flatMap(([name, all]) => {
    const distortion = all.findLast(({ onDemand }) => !onDemand);
    return distortion ? [{ name, distortion }] : [];
  });
  if (last.length === 0) return undefined;
  const left = last.length - MOST_HISTOGRAMS;
  return section(
    'Weights around the last recorded distortion',
    html`<div class="charts">
        ${last
          .slice(0, MOST_HISTOGRAMS)
          .map(({ name, distortion }) =>
            svgChart(name, histogramContent({ distortion, color, label }, { scale: 'log', withZeros: true })),
          )}
      </div>
      ${left > 0 ? html`<p class="note">And ${left} more weights, which the dashboard shows.</p>` : undefined}`,
  );
}

function latency(run: ReportedRun, runs: readonly ReportedRun[]): Markup | undefined {
  if (!run.latency) return undefined;
  const columns = latencyColumns(run.latency);
  const { machine, node, threads, time } = run.latency;
  const rows = run.latency.models.map((model) => columns.map(({ cell }) => cell(model)));
  const conditions = `Measured ${dateText(time)} in Node.js ${node} on ${threads === 1 ? 'one thread' : `${threads} threads`}, ${machine}.`;
  const header = columns.map(({ title }) => title);
  return section(titled('Latency', run, runs), table('', { header, rows, notes: [conditions] }));
}

function files(run: ReportedRun, runs: readonly ReportedRun[]): Markup | undefined {
  if (run.exports.length === 0) return undefined;
  const rows = run.exports.map(({ path, format, bytes, denseBytes, metric, value, runValue }) => [
    // Its folder on the machine is nobody else's business.
    fileName(path),
    format,
    formatBytes(bytes),
    formatRatio(denseBytes / bytes),
    `${metric} ${formatMetric(metric, value ?? NaN)}`,
    runValue === undefined ? MISSING : formatMetric(metric, runValue ?? NaN),
  ]);
  const header = ['file', 'format', 'bytes', 'smaller', 'test result of the file', 'of the run when it ended'];
  return section(titled('Exported files', run, runs), table('', { header, rows, notes: [] }));
}

function settings(runs: readonly ReportedRun[]): Markup {
  const begun = runs.flatMap((run) => (run.snapshot.started ? [{ run, config: run.snapshot.started.config }] : []));
  const differing = begun.length < 2 ? [] : differingSettings(begun.map(({ config }) => flatten(config)));
  const rows = differing.map(({ path, values }) => [path, ...values.map((text) => text ?? '')]);
  const header = ['setting', ...begun.map(({ run }) => run.id)];
  return html`${begun.length < 2 ? undefined : rows.length === 0 ? html`<p>The runs have the same settings.</p>` : table('Settings that differ', { header, rows, notes: [] })}
  ${begun.map(
    ({ run, config }) =>
      html`<details>
        <summary>${runs.length === 1 ? 'All settings' : `All settings of ${run.id}`}</summary>
        ${table('', {
          header: ['setting', 'value'],
          rows: [...flatten(config)],
          notes: [],
        })}
      </details>`,
  )}`;
}

/** Warnings, changes while a run trained, and why one failed. */
function remarks(runs: readonly ReportedRun[]): Markup | undefined {
  const lines = runs.flatMap(({ id, snapshot }) => {
    const { warnings, changes, end } = snapshot;
    return [
      ...warnings.map(({ step, message }) => [id, formatCount(step), message]),
      ...changes.map(({ step, settings: changed }) => [
        id,
        formatCount(step),
        `changed: ${changed.map(({ path, to }) => `${path} = ${JSON.stringify(to) ?? 'none'}`).join(', ')}`,
      ]),
      ...(end?.type === 'failed' ? [[id, formatCount(end.step), `failed: ${end.message}`]] : []),
    ];
  });
  if (lines.length === 0) return undefined;
  return section('Remarks', table('', { header: ['run', 'step', 'what'], rows: lines, notes: [] }));
}

function repetition({ runs, versions }: ReportData): Markup {
  return html`${runs.map(
      ({ id, snapshot, commands, experimentText, created }) =>
        html`${runs.length === 1 ? undefined : html`<h3>${id}</h3>`}
          <pre>${commands.join('\n')}</pre>
          ${
            snapshot.started &&
            html`<p class="note">
              Trained ${dateText(created)} by ${snapshot.started.executor} (${snapshot.started.device}), seed
              ${String(snapshot.started.config.training.seed)}.
            </p>`
          }
          <details>
            <summary>The experiment file as it was</summary>
            <pre>${experimentText}</pre>
          </details>`,
    )}
    <p class="note">
      The same seed gives the same run on the same kind of processor. This report was made by DeepTwist
      ${versions.deeptwist} in Node.js ${versions.node}.
    </p>`;
}

const NUMBER = /^[−-]?[\d,.]/;

/** Columns of numbers stand to the right; the last row of totals is told by its name. */
function table(caption: string, { header, rows, notes }: ReportTable): Markup {
  const isNumeric = header.map(
    (_, column) => column > 0 && rows.every((row) => row[column] === MISSING || NUMBER.test(row[column] ?? '')),
  );
  const kind = (column: number) => (isNumeric[column] ? 'numeric' : '');
  return html`<div class="scroll">
      <table>
        ${
          caption === ''
            ? undefined
            : html`<caption>
                ${caption}
              </caption>`
        }
        <thead>
          <tr>
            ${header.map((name, column) => html`<th scope="col" class="${kind(column)}">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([name, ...cells]) =>
              html`<tr class="${name === 'all' ? 'total' : ''}">
                <th scope="row">${name}</th>
                ${cells.map((cell, i) => html`<td class="${kind(i + 1)}">${cell}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${notes.map((note) => html`<p class="note">${note}</p>`)}`;
}
