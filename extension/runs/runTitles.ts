/** @file What runs are called in pickers, titles and questions. */
import { Uri, env } from 'vscode';
import type { RunKey } from '../../server/protocol/wire/dashboard.ts';
import { experimentFileOf } from './experimentFiles.ts';
import { startTime } from './runLabels.ts';
import { standText } from './runResultText.ts';
import type { RunStore } from './runStore.ts';
import type { StoredRun } from './storedRun.ts';

/** Newest runs of its experiment that a run is told from. */
const SIBLINGS = 50;

/** A run as an entry of a picker. */
interface RunTitle {
  /** `lenet · seed 2`: its experiment, and the name that the user gave it, or what tells it from the others, or else when it began. */
  readonly label: string;
  /** What it came to, when it began where the label does not say that, and its note. */
  readonly description: string;
}

/** @param runs that are listed together */
export async function runTitles(runs: readonly StoredRun[]): Promise<Map<RunKey, RunTitle>> {
  const { runDifferences } = await import('./runDifferences.ts');
  const differs = await runDifferences(runs);
  return new Map(
    runs.map((stored): [RunKey, RunTitle] => {
      const { key, label, summary } = stored;
      const time = startTime(summary.created, Date.now(), env.language);
      const told = label.name ?? differs.get(key);
      const parts = [standText(stored), told === undefined ? undefined : time, label.note];
      const description = parts.filter((part) => part !== undefined).join(' · ');
      return [key, { label: `${summary.name} · ${told ?? time}`, description }];
    }),
  );
}

/** The label of one run among the newest of its experiment. */
export async function runTitle(store: Pick<RunStore, 'runsOf'>, stored: StoredRun): Promise<string> {
  const siblings = await store.runsOf(experimentFileOf(Uri.file(stored.run.record.experiment)), SIBLINGS);
  const titles = await runTitles([stored, ...siblings.filter((run) => run !== stored)]);
  return titles.get(stored.key)?.label ?? stored.run.id;
}
