/** @file `deeptwist compare`. */
import { formatCount, formatDuration, formatNumber, formatRatio } from '../../protocol/formatQuantity.ts';
import { compressedSize } from '../../protocol/run/compressedSize.ts';
import { ExitCode } from '../../protocol/userError.ts';
import { findRun } from '../../runs/findRun.ts';
import { readEvents } from '../../runs/log/readEvents.ts';
import type { Run } from '../../runs/run.ts';
import type { Command } from '../command.ts';
import { advance, latestMetric, newProgress } from '../progress.ts';
import type { Progress } from '../progress.ts';
import { flattenSettings } from '../settings.ts';
import { styled } from '../terminal.ts';
import { textTable } from '../textTable.ts';

export const compareCommand: Command = {
  name: 'compare',
  positionals: { usage: 'RUN RUN…', minimum: 2, maximum: Infinity },
  summary: 'Show the settings in which runs differ, and their results, side by side.',
  options: {},
  async run({ positionals }, { stdout, directory }) {
    const columns: { run: Run; progress: Progress }[] = [];
    for (const reference of positionals) {
      const run = await findRun(reference, directory);
      const progress = newProgress();
      for await (const event of readEvents(run)) advance(progress, event);
      columns.push({ run, progress });
    }
    const settings = differingSettings(columns.map(({ progress }) => progress));
    const results = columns.map(({ run, progress }) => resultsOf(run, progress));
    const [header, ...rows] = textTable(
      {
        header: ['', ...columns.map(({ run }) => run.id)],
        rows: [
          ...settings,
          ...Object.keys(results[0]).map((name) => [name, ...results.map((result) => result[name as keyof Results])]),
        ],
      },
      stdout.columns,
    );
    stdout.write([styled(stdout, 'bold', header), ...rows].map((line) => `${line}\n`).join(''));
    return ExitCode.done;
  },
};

/** Rows of the settings that are not the same in all runs: name, then the value in each; empty where a run has none. */
function differingSettings(runs: readonly Progress[]): string[][] {
  const settings = runs.map(({ started }) => (started ? flattenSettings(started.config) : new Map<string, string>()));
  const names = new Set(settings.flatMap((ofRun) => [...ofRun.keys()]));
  return [...names]
    .map((name) => [name, ...settings.map((ofRun) => ofRun.get(name) ?? '')])
    .filter(([, first, ...others]) => others.some((value) => value !== first));
}

type Results = ReturnType<typeof resultsOf>;

/** Texts; empty for what a run that is not finished does not have. */
function resultsOf(run: Run, progress: Progress) {
  const summary = progress.end?.type === 'finished' ? progress.end.summary : undefined;
  const size = summary && compressedSize(summary);
  const latest = latestMetric(progress);
  return {
    state: run.observedState(),
    steps: formatCount(progress.step),
    'test metric': latest ? `${latest.metric} ${formatNumber(latest.value)}` : '',
    'before the last distortion': summary ? formatNumber(summary.testBeforeLastDistortion) : '',
    'weights kept': summary ? formatCount(summary.weightsKept) : '',
    'weight ratio': summary ? formatRatio(summary.weightRatio) : '',
    'byte ratio': size ? `${size.isFile ? '' : 'would be '}${formatRatio(size.ratio)}` : '',
    'near zero': summary ? formatCount(summary.nearZeros) : '',
    'steps/s': summary ? formatNumber(summary.stepsPerSecond) : '',
    'training time': summary ? formatDuration(summary.trainingSeconds) : '',
  };
}
