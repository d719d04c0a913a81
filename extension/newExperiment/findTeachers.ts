/** @file The models of a workspace that a new experiment can learn from: finished runs, and files with layers and weights. */
import type { CancellationToken } from 'vscode';
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import type { ChosenTeacher } from '../../server/protocol/wire/proposals.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { StoredRun } from '../runs/storedRun.ts';

/** What a new experiment can learn from. */
export type FoundTeacher =
  | {
      readonly run: StoredRun;
      /** `data.type` of the experiment that trained it. */
      readonly dataType: string;
      /** True where no other experiment of the workspace has the name of this one's. */
      readonly isNameUnique: boolean;
    }
  | {
      /** Absolute path of a `model.json`, or of a `.safetensors` file with layers. */
      readonly file: string;
    };

/** Runs of an experiment among which a finished one is looked for. */
const NEWEST = 20;

/** The newest finished run of each experiment. */
export async function findTeachingRuns(
  store: Pick<RunStore, 'experiments' | 'runsOf'>,
  token: CancellationToken,
): Promise<FoundTeacher[]> {
  const found: FoundTeacher[] = [];
  const experiments = await store.experiments();
  for (const experiment of experiments) {
    if (token.isCancellationRequested) return [];
    const run = (await store.runsOf(experiment, NEWEST)).find(({ state }) => state === 'finished');
    const dataType = run && (await dataTypeOf(run));
    if (!run || dataType === undefined) continue;
    const isNameUnique = experiments.filter(({ name }) => name === experiment.name).length === 1;
    found.push({ run, dataType, isNameUnique });
  }
  return found;
}

async function dataTypeOf({ run, summary }: StoredRun): Promise<string | undefined> {
  const text = await run.experimentText().catch(() => undefined);
  return text === undefined ? undefined : checkExperiment(text, summary.overrides).experiment?.data.type;
}

/** As the text of an experiment is made of it. */
export function chosenTeacher(teacher: FoundTeacher): ChosenTeacher {
  if ('file' in teacher) return teacher;
  const { run, isNameUnique } = teacher;
  return { run: run.run.path, name: run.run.record.name, isNameUnique };
}
