/** @file The models of a workspace that a new experiment can learn from: finished runs, and files with layers and weights. */
import { dirname, join } from 'node:path';
import type { CancellationToken } from 'vscode';
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import { RUN } from '../../server/protocol/experiment/runReference.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { beginningOf } from './beginningOf.ts';
import { hasModelLayers } from './modelSource.ts';
import { relativePath } from './relativePath.ts';

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
/** Bytes in which a safetensors file tells that it has the layers of its model. */
const HEAD_BYTES = 256 * 1024;

/** The newest finished run of each experiment. */
export async function findTeachingRuns(store: RunStore, token: CancellationToken): Promise<FoundTeacher[]> {
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

/** Those of some safetensors files that hold the layers of their model. */
export function teachingFiles(files: readonly string[]): FoundTeacher[] {
  return files.filter((file) => hasModelLayers(beginningOf(file, HEAD_BYTES))).map((file) => ({ file }));
}

/**
 * `distillation.teacher` of an experiment. A run in sight of its folder goes by the name of its experiment, so that the newest one
 * teaches; another one by its path.
 * @param folder of the experiment, absolute
 */
export function teacherSetting(teacher: FoundTeacher, folder: string): string {
  if ('file' in teacher) return relativePath(folder, teacher.file);
  const { run, isNameUnique } = teacher;
  const { path, record } = run.run;
  const isInSight = dirname(path) === join(folder, '.deeptwist', 'runs');
  return RUN + (isInSight && isNameUnique ? record.name : relativePath(folder, path));
}
