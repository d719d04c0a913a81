/** @file `deeptwist runs`. */
import { statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { formatDuration, formatNumber, formatRatio } from '../../protocol/formatQuantity.ts';
import { explainSystemError } from '../../protocol/systemError.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { compressedSize, recordedRatio, type CompressedSize } from '../../protocol/run/compressedSize.ts';
import { shownMetric } from '../../protocol/run/testMetric.ts';
import { listRuns } from '../../runs/findRun.ts';
import { FILES_AT_ONCE, mapAtOnce } from '../../runs/mapAtOnce.ts';
import { readLastEvents } from '../../runs/log/readEvents.ts';
import type { Run } from '../../runs/run.ts';
import type { Command } from '../command.ts';
import { advance, latestMetric, newProgress } from '../../protocol/run/progress.ts';
import { runStateText } from '../runStateText.ts';
import { styled, writeLines } from '../terminal.ts';
import { textTable } from '../textTable.ts';

export const runsCommand: Command = {
  name: 'runs',
  positionals: { usage: '[DIR]', minimum: 0, maximum: 1 },
  summary: 'List the runs in a folder and in the folders below it.',
  options: {},
  async run({ positionals: [reference = '.'] }, { stdout, stderr, directory, now }) {
    const folder = resolve(directory, reference);
    const status = statSync(folder, { throwIfNoEntry: false });
    if (!status?.isDirectory())
      throw new UserError(`There is no folder ${folder}${status ? ': it is a file' : ''}.`, {
        remedy: 'Give the path of a folder in which, or below which, experiments have been run.',
        exitCode: ExitCode.usage,
      });
    const { runs, unreadable } = await listRuns(folder);
    const warn = ({ message }: UserError) => stderr.write(`${styled(stderr, 'yellow', 'warning:')} ${message}\n`);
    for (const { error } of unreadable) warn(error);
    if (runs.length === 0) {
      stderr.write(`There are no runs in ${folder}.\n`);
      return ExitCode.done;
    }
    const [header, ...rows] = textTable(
      {
        header: ['id', 'state', 'metric', 'weights', 'bytes', 'age', 'folder'],
        rows: await mapAtOnce(runs, FILES_AT_ONCE, (run) => row(run, folder, now(), warn)),
        right: new Set([3, 4]),
      },
      stdout.columns,
    );
    writeLines(stdout, [styled(stdout, 'dim', header), ...rows]);
    return ExitCode.done;
  },
};

async function row(run: Run, folder: string, now: number, warn: (error: UserError) => void): Promise<string[]> {
  const { metric, weightRatio, size } = await figuresOf(run).catch((error: unknown): Figures => {
    const explained = explainSystemError(error);
    if (!(explained instanceof UserError)) throw error;
    warn(explained);
    return {};
  });
  return [
    run.id,
    runStateText(run),
    metric ?? '',
    weightRatio === undefined ? '' : formatRatio(weightRatio),
    size === undefined ? '' : `${size.isFile ? '' : 'would be '}${formatRatio(size.ratio)}`,
    formatDuration((now - Date.parse(run.record.created)) / 1000),
    relative(folder, run.path) || '.',
  ];
}

interface Figures {
  readonly metric?: string;
  readonly weightRatio?: number;
  readonly size?: Pick<CompressedSize, 'ratio' | 'isFile'>;
}

/** The figures of a finished run stand in `run.json`; those of another one are looked for at the end of its log. */
async function figuresOf(run: Run): Promise<Figures> {
  const { result } = run.record;
  if (run.record.state === 'finished' && result) {
    const { metric, weightRatio } = result;
    return { metric: metricText({ metric, value: shownMetric(result) }), weightRatio, size: recordedRatio(result) };
  }
  const progress = (await readLastEvents(run)).reduce(advance, newProgress());
  const summary = progress.end?.type === 'finished' ? progress.end.summary : undefined;
  const latest = latestMetric(progress);
  return {
    ...(latest && { metric: metricText(latest) }),
    ...(summary && { weightRatio: summary.weightRatio, size: compressedSize(summary) }),
  };
}

function metricText({ metric, value }: { metric: string; value: number }): string {
  return `${metric} ${formatNumber(value)}`;
}
