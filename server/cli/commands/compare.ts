/** @file `deeptwist compare`. */
import { formatCount, formatDuration, formatNumber, formatRatio } from '../../protocol/formatQuantity.ts';
import { printableJson } from '../../protocol/printable.ts';
import { compressedSize } from '../../protocol/run/compressedSize.ts';
import { ExitCode } from '../../protocol/userError.ts';
import { findRun } from '../../runs/findRun.ts';
import { readEvents } from '../../runs/log/readEvents.ts';
import type { Run } from '../../runs/run.ts';
import { findSweep } from '../../sweeps/findSweep.ts';
import { readSweep } from '../../sweeps/runQueue.ts';
import type { Command } from '../command.ts';
import {
  differingSettings,
  groupLines,
  groupRuns,
  groupsJson,
  haveSeveralSeeds,
  type ComparedRun,
} from '../comparedGroups.ts';
import { advance, latestMetric, newProgress } from '../../protocol/run/progress.ts';
import type { Progress } from '../../protocol/run/progress.ts';
import { flattenSettings } from '../../protocol/experiment/flattenSettings.ts';
import { leftTestAlone } from '../../protocol/run/testMetric.ts';
import { progressOf, progressOption } from '../progressLines.ts';
import { styled, writeLines } from '../terminal.ts';
import { textTable } from '../textTable.ts';
import { wrongUsage } from '../wrongUsage.ts';

export const compareCommand: Command = {
  name: 'compare',
  positionals: { usage: 'RUN RUN…', minimum: 1, maximum: Infinity },
  summary:
    'Show the settings in which runs differ, and their results, side by side; runs of several seeds as their means.',
  options: {
    json: { type: 'boolean', description: 'Print groups of runs that differ in the seed alone, as one JSON object.' },
    progress: progressOption,
  },
  async run({ positionals, options }, { stdout, directory }) {
    progressOf('compare', options.progress);
    const columns: { run: Run; progress: Progress }[] = [];
    for (const run of (await Promise.all(positionals.map((reference) => runsOf(reference, directory)))).flat()) {
      const progress = newProgress();
      for await (const event of readEvents(run)) advance(progress, event);
      columns.push({ run, progress });
    }
    if (columns.length < 2) throw wrongUsage('compare', 'expected at least two runs', 'Give RUN RUN…, or a sweep.');
    const runs = columns.map(({ run, progress }) => comparedRun(run, progress));
    const groups = groupRuns(runs);
    if (options.json) {
      stdout.write(printableJson(groupsJson(groups)) + '\n');
      return ExitCode.done;
    }
    if (haveSeveralSeeds(groups)) {
      writeLines(stdout, groupLines(groups, stdout));
      return ExitCode.done;
    }
    const settings = differingSettings(runs.map((run) => run.settings));
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
    writeLines(stdout, [styled(stdout, 'bold', header), ...rows]);
    return ExitCode.done;
  },
};

/** The run, or the runs of the sweep, that `reference` names. */
async function runsOf(reference: string, directory: string): Promise<Run[]> {
  try {
    return [await findRun(reference, directory)];
  } catch (error) {
    const sweep = await findSweep(reference, directory);
    if (!sweep) throw error;
    return (await readSweep(sweep)).flatMap(({ run }) => run ?? []);
  }
}

function comparedRun({ id }: Run, { started, end }: Progress): ComparedRun {
  return {
    id,
    settings: started ? flattenSettings(started.config) : new Map<string, string>(),
    result:
      started && end?.type === 'finished' ? { seed: started.config.training.seed, summary: end.summary } : undefined,
  };
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
    'test metric': latest
      ? `${latest.metric} ${formatNumber(latest.value)}${latest.split === 'test' ? '' : ` on the ${latest.split} split`}`
      : '',
    'before the last distortion':
      summary && !leftTestAlone(summary) ? formatNumber(summary.testBeforeLastDistortion) : '',
    'weights kept': summary ? formatCount(summary.weightsKept) : '',
    'weight ratio': summary ? formatRatio(summary.weightRatio) : '',
    'byte ratio': size ? `${size.isFile ? '' : 'would be '}${formatRatio(size.ratio)}` : '',
    'near zero': summary ? formatCount(summary.nearZeros) : '',
    'steps/s': summary ? formatNumber(summary.stepsPerSecond) : '',
    'training time': summary ? formatDuration(summary.trainingSeconds) : '',
  };
}
