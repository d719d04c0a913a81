/** @file What a report of runs shows, from their folders. */
import { createRunHistory, type RunSnapshot } from '../protocol/run/runHistory.ts';
import { flattenSettings } from '../protocol/experiment/flattenSettings.ts';
import { fileName } from '../protocol/fileName.ts';
import { shellWord } from '../protocol/shellWord.ts';
import type { ReportData, ReportedRun, ReportTable } from '../protocol/run/report.ts';
import { readExportedFiles } from '../runs/exportedFiles.ts';
import { readLatency } from '../runs/latencyRecord.ts';
import { readEvents } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';
import { groupColumns, groupRuns, haveSeveralSeeds, type ComparedRun } from './comparedGroups.ts';
import { setOptions } from './setOptions.ts';

/** Reads a run as a report has it. */
export async function reportedRun(run: Run): Promise<ReportedRun> {
  const history = createRunHistory();
  for await (const event of readEvents(run)) history.apply(event);
  const { created, overrides } = run.record;
  return {
    id: run.id,
    state: run.observedState(),
    created: Date.parse(created),
    overrides,
    snapshot: history.snapshot(),
    exports: await readExportedFiles(run),
    latency: await readLatency(run),
    experimentText: await run.experimentText(),
    commands: commandsOf(run),
  };
}

export function reportData(
  runs: readonly ReportedRun[],
  { title, time, deeptwist }: { title: string; time: number; deeptwist: string },
): ReportData {
  return {
    title,
    time,
    versions: { deeptwist, node: process.versions.node },
    runs,
    seeds: seedsTable(runs),
  };
}

/** What a user enters in the folder of the experiment file. */
function commandsOf({ record }: Run): string[] {
  const { experiment, overrides, changes = [] } = record;
  return [
    `npx deeptwist run ${shellWord(fileName(experiment))}${setOptions(overrides)}`,
    ...changes.map(({ step, values }) => `# from step ${step} on: npx deeptwist change last${setOptions(values)}`),
  ];
}

function seedsTable(runs: readonly ReportedRun[]): ReportTable | undefined {
  const groups = groupRuns(runs.map(comparedRun));
  return haveSeveralSeeds(groups) ? groupColumns(groups) : undefined;
}

function comparedRun({ id, snapshot: { started, end } }: { id: string; snapshot: RunSnapshot }): ComparedRun {
  return {
    id,
    settings: started ? flattenSettings(started.config) : new Map<string, string>(),
    result:
      started && end?.type === 'finished' ? { seed: started.config.training.seed, summary: end.summary } : undefined,
  };
}
