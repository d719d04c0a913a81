/** @file `deeptwist runs`. */
import { relative, resolve } from 'node:path';
import { formatDuration, formatNumber, formatRatio } from '../../protocol/formatQuantity.ts';
import { WOULD_TAKE } from '../../protocol/wouldTake.ts';
import { ExitCode } from '../../protocol/userError.ts';
import { listRuns } from '../../runs/findRun.ts';
import { readLastEvents } from '../../runs/readEvents.ts';
import type { Run } from '../../runs/run.ts';
import type { Command } from '../command.ts';
import { advance, latestMetric, noProgress } from '../progress.ts';
import { styled } from '../terminal.ts';
import { textTable } from '../textTable.ts';

export const runsCommand: Command = {
  name: 'runs',
  positionals: { usage: '[DIR]', minimum: 0, maximum: 1 },
  summary: 'List the runs in a folder and in the folders below it.',
  options: {},
  async run({ positionals: [reference = '.'] }, { stdout, stderr, directory, now }) {
    const folder = resolve(directory, reference);
    const { runs, unreadable } = await listRuns(folder);
    for (const { error } of unreadable) stderr.write(`${styled(stderr, 'yellow', 'warning:')} ${error.message}\n`);
    if (runs.length === 0) {
      stderr.write(`There are no runs in ${folder}.\n`);
      return ExitCode.done;
    }
    const [header, ...rows] = textTable(
      {
        header: ['id', 'state', 'metric', 'weights', `bytes (${WOULD_TAKE})`, 'age', 'folder'],
        rows: await Promise.all(runs.map((run) => row(run, folder, now()))),
        right: new Set([3, 4]),
      },
      stdout.columns,
    );
    stdout.write([styled(stdout, 'dim', header), ...rows].map((line) => `${line}\n`).join(''));
    return ExitCode.done;
  },
};

async function row(run: Run, folder: string, now: number): Promise<string[]> {
  const progress = (await readLastEvents(run)).reduce(advance, noProgress);
  const summary = progress.end?.type === 'finished' ? progress.end.summary : undefined;
  const latest = latestMetric(progress);
  return [
    run.id,
    run.observedState(),
    latest ? `${latest.metric} ${formatNumber(latest.value)}` : '',
    summary ? formatRatio(summary.weightRatio) : '',
    summary ? formatRatio(summary.byteRatio) : '',
    formatDuration((now - Date.parse(run.record.created)) / 1000),
    relative(folder, run.path) || '.',
  ];
}
