/** @file `deeptwist benchmark`. */
import { resolve } from 'node:path';
import { formatBytes, formatRatio } from '../../protocol/formatQuantity.ts';
import { exportFormats, isExportFormat } from '../../protocol/model/exportFormats.ts';
import type { MeasuredModel, Timing } from '../../protocol/run/latency.ts';
import { formatMilliseconds, speedup } from '../../protocol/run/latencyText.ts';
import type { Run } from '../../runs/run.ts';
import { changedFilesOption, type Command } from '../command.ts';
import { isExported } from '../exportedPath.ts';
import { findFinishedRun } from '../finishedRun.ts';
import type { LatencyReport } from '../measurer.ts';
import { progressOf, progressOption } from '../progressLines.ts';
import { reportWork } from '../reportedWork.ts';
import { styled, type Terminal } from '../terminal.ts';
import { textTable } from '../textTable.ts';
import { wrongUsage } from '../wrongUsage.ts';

/** What each option is, and the most that it may be. */
const counts = {
  batch: { otherwise: 32, most: 4096, description: 'Samples of a batch, where the file leaves that open' },
  rounds: { otherwise: 20, most: 10_000, description: 'Rounds in which the files take turns' },
  threads: { otherwise: 1, most: 1024, description: 'Threads of ONNX Runtime' },
} as const;

export const benchmarkCommand: Command = {
  name: 'benchmark',
  positionals: { usage: 'RUN|FILE…', minimum: 1, maximum: 20 },
  summary: 'Measure how fast exported files are and how much memory they take, or the models of a run.',
  options: {
    ...Object.fromEntries(
      Object.entries(counts).map(([name, { otherwise, description }]) => [
        name,
        { type: 'string', value: 'N', description: `${description}; default: ${otherwise}.` },
      ]),
    ),
    'with-changed-files': changedFilesOption,
    json: { type: 'boolean', description: 'Print the figures on standard output as one JSON object.' },
    progress: progressOption,
  },
  async run({ positionals, options }, context) {
    const { directory } = context;
    const count = (name: keyof typeof counts) => countOf(name, options[name]);
    const [batch, rounds, threads] = [count('batch'), count('rounds'), count('threads')];
    const progress = progressOf('benchmark', options.progress);
    const subjects: (string | Run)[] = [];
    for (const reference of positionals) {
      const path = resolve(directory, reference);
      subjects.push(isExported(path) ? path : await findFinishedRun(reference, directory));
    }
    const { measureLatency } = await context.loadMeasurer();
    const changedFiles = options['with-changed-files'];
    return reportWork(context, {
      progress,
      json: options.json,
      cancelled: 'Cancelled: nothing was recorded.',
      work: (how) => measureLatency({ ...{ subjects, batch, rounds, threads, directory, changedFiles }, ...how }),
      warnings,
      lines: (report) => reportLines(report, context.stdout),
    });
  },
};

/** @throws UserError for what is no whole number from 1 to the most */
function countOf(name: keyof typeof counts, text: string | undefined): number {
  const { otherwise, most } = counts[name];
  if (text === undefined) return otherwise;
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= most) return count;
  throw wrongUsage(
    'benchmark',
    `--${name} is a whole number from 1 to ${most}, got '${text}'`,
    `Give for example ${otherwise}.`,
  );
}

function warnings(report: LatencyReport): string[] {
  const { leftOut, notRecorded } = report;
  return [
    ...leftOut.map((model) => `${modelName(report, model)} was not measured: ${model.reason}`),
    ...(notRecorded === undefined ? [] : [`not recorded in the run: ${notRecorded}`]),
  ];
}

/** `dense ONNX`, `Packed Safetensors`, `net.onnx`; with the run, where models of several were measured. */
function modelName(
  { models, leftOut }: LatencyReport,
  { file, format, dense, run }: Pick<MeasuredModel, 'file' | 'format' | 'dense' | 'run'>,
): string {
  if (file !== undefined) return file;
  const label = isExportFormat(format) ? exportFormats[format].label : format;
  const name = dense ? `dense ${label}` : label;
  const areOfOneRun = [...models, ...leftOut].every((model) => model.run === run);
  return areOfOneRun || run === undefined ? name : `${name}, ${run}`;
}

function reportLines(report: LatencyReport, terminal: Terminal): string[] {
  const { machine, node, threads, models } = report;
  const batch = models.flatMap((model) => model.batch ?? [])[0];
  const milliseconds = (timing: Timing | undefined, key: 'median' | 'p90') =>
    timing ? formatMilliseconds(timing[key]) : '–';
  const columns: readonly (readonly [title: string, cell: (model: MeasuredModel) => string])[] = [
    ['model', (model) => modelName(report, model)],
    ['runs in', ({ engine }) => engine],
    ['one input', ({ single }) => milliseconds(single, 'median')],
    ['faster', (model) => ratioText(speedup(report, model))],
    ['90% within', ({ single }) => milliseconds(single, 'p90')],
    [`batch of ${batch?.samples ?? '–'}`, (model) => milliseconds(model.batch, 'median')],
    ['90% within', (model) => milliseconds(model.batch, 'p90')],
    ['weights', ({ weightBytes }) => (weightBytes === undefined ? '–' : formatBytes(weightBytes))],
    ['peak memory', ({ peakBytes }) => formatBytes(peakBytes)],
    ['file', ({ bytes }) => formatBytes(bytes)],
  ];
  const [header, ...rows] = textTable(
    {
      header: columns.map(([title]) => title),
      rows: models.map((model) => columns.map(([, cell]) => cell(model))),
      right: new Set([...columns.keys()].filter((i) => i > 1)),
    },
    terminal.columns,
  );
  const shapesOf = ({ sample = report.sample }: MeasuredModel) =>
    sample.map((shape) => `[${shape.join(', ')}]`).join(' and ');
  const shapes = [...new Set(models.map(shapesOf))].join(' or ');
  return [
    styled(terminal, 'dim', header),
    ...rows,
    `Medians of milliseconds; an input is ${shapes}. In Node.js ${node}, ${threads === 1 ? 'one thread' : `${threads} threads in ONNX Runtime`}, ${machine}.`,
  ];
}

function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? '–' : formatRatio(ratio);
}
