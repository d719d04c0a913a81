/** @file `deeptwist show`. */
import { dirname, relative, resolve } from 'node:path';
import { settingTexts } from '../../protocol/experiment/methods/settingText.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  formatRatio,
} from '../../protocol/formatQuantity.ts';
import type { RunEvent } from '../../protocol/run/events.ts';
import type { RecordedExport } from '../../protocol/run/exportedFile.ts';
import { ExitCode } from '../../protocol/userError.ts';
import { readExportedFiles } from '../../runs/exportedFiles.ts';
import { findRun } from '../../runs/findRun.ts';
import { followEvents, readEvents } from '../../runs/log/readEvents.ts';
import { pathWord } from '../../runs/pathWord.ts';
import { isUnderWay, openRun, type Run } from '../../runs/run.ts';
import type { Command, CommandContext } from '../command.ts';
import { advance, latestEvaluation, newProgress } from '../../protocol/run/progress.ts';
import type { Progress } from '../../protocol/run/progress.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import { eventLines, failureLines, pretrainedLines } from '../report.ts';
import { flattenSettings } from '../../protocol/experiment/flattenSettings.ts';
import { runStateText } from '../runStateText.ts';
import { styled } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { greatest, least, sparkline, textTable } from '../textTable.ts';

const CHART_COLUMNS = 60;

export const showCommand: Command = {
  name: 'show',
  positionals: { usage: 'RUN', minimum: 1, maximum: 1 },
  summary: 'Show the settings, the course and the result of a run.',
  options: {
    follow: {
      type: 'boolean',
      description: 'Show the progress of a run that another process trains, until that ends.',
    },
  },
  async run({ positionals: [reference], options }, context) {
    const run = await findRun(reference, context.directory);
    if (options.follow) return follow(run, context);
    const progress = newProgress();
    for await (const event of readEvents(run)) advance(progress, event);
    const { stdout } = context;
    const sections = [
      headLines(run, progress, stdout, context.now()),
      settingLines(progress, stdout),
      progress.pretrained ? pretrainedLines(progress.pretrained, stdout) : [],
      nearZeroLines(progress, stdout),
      [...lossLines(progress), ...courseLines(progress, stdout)],
      [...progress.changes, ...progress.thinnings, ...progress.warnings].flatMap((event) => eventLines(event, stdout)),
      progress.end ? eventLines(progress.end, stdout).filter((line) => line !== '') : [],
      exportLines(await readExportedFiles(run), stdout, context),
    ];
    const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n') + '\n');
    stdout.write(text.join('\n'));
    return ExitCode.done;
  },
};

/** Shows a run until nobody trains it any more, or until Ctrl-C, which leaves it alone. @returns the code that its end has as one of `run` */
async function follow(run: Run, context: CommandContext): Promise<number> {
  const display = new ProgressDisplay(context);
  const interrupt = context.onInterrupt(() => undefined);
  let last: RunEvent | undefined;
  try {
    const atEnd = async () => !isUnderWay((await openRun(run.path)).observedState());
    for await (const event of followEvents(run, { signal: interrupt.signal, atEnd })) display.show((last = event));
    if (interrupt.signal.aborted) return ExitCode.stopped;
    const ended = await openRun(run.path);
    const { failure, stoppedEarly } = ended.record;
    switch (ended.observedState()) {
      case 'finished':
        return ExitCode.done;
      case 'stopped':
        return stoppedEarly ? ExitCode.done : ExitCode.stopped;
      case 'failed':
        // A run whose process could not be started has no event.
        if (failure && last?.type !== 'failed') display.print(failureLines(failure, context.stderr), context.stderr);
        return ExitCode.failed;
      default: {
        const goOn = `deeptwist resume ${pathWord(run.path, context.directory)}`;
        display.print([`The run is interrupted: its process has gone. Go on with: ${goOn}`]);
        return ExitCode.failed;
      }
    }
  } finally {
    interrupt.dispose();
    display.end();
  }
}

function headLines(run: Run, progress: Progress, terminal: Terminal, now: number): string[] {
  const { created, experiment, overrides, teacher, queue } = run.record;
  const steps = progress.started?.config.training.steps;
  const done = `step ${formatCount(progress.step)}${steps === undefined ? '' : ` of ${formatCount(steps)}`}`;
  return [
    `${styled(terminal, 'bold', run.id)}  ${runStateText(run)}, ${done}, created ${formatDuration((now - Date.parse(created)) / 1000)} ago`,
    `experiment  ${experiment}${overrides.map((override) => ` --set ${override}`).join('')}`,
    `folder      ${run.path}`,
    ...(queue?.job === undefined ? [] : [`job         ${queue.job} of Slurm`]),
    ...(teacher === undefined ? [] : [`teacher     ${resolve(dirname(experiment), teacher)}`]),
  ];
}

/** The files that the model was exported to, newest first. */
function exportLines(
  files: readonly RecordedExport[],
  terminal: Terminal,
  { directory, now }: Pick<CommandContext, 'directory' | 'now'>,
): string[] {
  if (files.length === 0) return [];
  const [header, ...rows] = textTable(
    {
      header: ['exported file', 'bytes', 'smaller by', 'metric of the file', 'age'],
      rows: files.map(({ path, bytes, denseBytes, metric, value, time, isThere }) => [
        `${relative(directory, path)}${isThere ? '' : ' (no longer there)'}`,
        formatBytes(bytes),
        formatRatio(denseBytes / bytes),
        `${metric} ${formatNumber(value ?? NaN)}`,
        formatDuration((now() - time) / 1000),
      ]),
      right: new Set([1, 2]),
    },
    terminal.columns,
  );
  return [styled(terminal, 'dim', header), ...rows];
}

function settingLines({ started }: Progress, terminal: Terminal): string[] {
  if (!started) return [];
  const settings = [...flattenSettings(started.config)];
  return [
    styled(terminal, 'dim', 'settings'),
    ...textTable({ header: ['', ''], rows: settings }, terminal.columns).slice(1),
  ];
}

/** Zeros and near-zeros of each weight around its last observed distortion. */
function nearZeroLines({ distortion }: Progress, terminal: Terminal): string[] {
  if (!distortion) return [];
  const [header, ...rows] = textTable(
    {
      header: ['weight', 'now', 'zeros', 'after', 'near zero', 'after', 'relative error'],
      rows: distortion.weights.map(({ name, setting, histogram, relativeError }) => [
        name,
        settingTexts(setting).join(', '),
        formatCount(histogram.zerosBefore),
        formatCount(histogram.zerosAfter),
        formatCount(histogram.nearZerosBefore),
        formatCount(histogram.nearZerosAfter),
        formatNumber(relativeError),
      ]),
      right: new Set([2, 3, 4, 5, 6]),
    },
    terminal.columns,
  );
  return [`last observed distortion, step ${formatCount(distortion.step)}`, styled(terminal, 'dim', header), ...rows];
}

/** The parts of the training loss, as they were recorded last, where it has several. */
function lossLines({ metrics }: Progress): string[] {
  if (metrics?.losses === undefined) return [];
  const { loss, losses, shares = {} } = metrics;
  const parts = Object.entries(losses).map(([name, value]) => `${name} ${formatNumber(value)}`);
  const told = Object.entries(shares).map(([name, share]) => `, ${name} ${formatPercent(share)} of the samples`);
  return [`training loss ${formatNumber(loss)}: ${parts.join(', ')}${told.join('')}`];
}

function courseLines(progress: Progress, terminal: Terminal): string[] {
  const latest = latestEvaluation(progress);
  if (!latest) return [];
  const course = progress.evaluations.filter(({ split, metric }) => split === latest.split && metric === latest.metric);
  const values = course.map((event) => event.value);
  const chart = sparkline(values, Math.min(CHART_COLUMNS, terminal.columns));
  const finite = values.filter(Number.isFinite);
  const range = finite.length === 0 ? '' : `, ${formatNumber(least(finite))} to ${formatNumber(greatest(finite))}`;
  return [
    `${latest.split} ${latest.metric}, ${course.length} evaluations${range}, last ${formatNumber(latest.value)}`,
    styled(terminal, 'green', chart),
  ];
}
