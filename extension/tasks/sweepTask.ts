/** @file A sweep or a search in the terminal: the command as a task, whose terminal stays with the results when it has ended. */
import { dirname, resolve } from 'node:path';
import {
  ProcessExecution,
  Task,
  TaskPanelKind,
  TaskRevealKind,
  TaskScope,
  Uri,
  tasks,
  workspace,
  type TaskDefinition,
  type TaskExecution,
} from 'vscode';
import { nodePath } from '../cli/nodePath.ts';
import { parallelRuns } from '../cli/parallelRuns.ts';
import type { Services } from '../services.ts';
import { requireTrustToRun } from '../trust.ts';

/** A sweep or a search as a task, with the settings of `taskDefinitions` in package.json: VS Code keeps no others, to run the last task again. */
interface SweepTask extends TaskDefinition {
  /** Path of the experiment file: absolute, or from the workspace folder. */
  readonly experiment: string;
  /** Path of the experiment file, or of the folder of a sweep to go on with. */
  readonly sweep?: string;
  readonly retryFailed?: boolean;
  /** In place of `sweep`: path of the experiment file, or of the folder of a search to go on with. */
  readonly search?: string;
  /** How much a search may train, in runs of the full length. */
  readonly budget?: number;
}

/** Work of such a task: at least the experiment, and a sweep or a search. */
export type SweepWork = Omit<SweepTask, 'type'> & Pick<SweepTask, 'experiment'>;

/** True for a sweep or a search, and not for a run. */
export function isSweepTask(definition: TaskDefinition): definition is SweepTask {
  const { experiment, sweep, search } = definition as Readonly<Record<string, unknown>>;
  return typeof experiment === 'string' && [sweep, search].some((path) => typeof path === 'string');
}

/**
 * @param name of the terminal
 * @throws UserError where the workspace is not trusted
 */
export async function startSweep(services: Services, work: SweepWork, name: string): Promise<TaskExecution> {
  requireTrustToRun();
  return tasks.executeTask(sweepTask(services, { type: 'deeptwist', ...work }, name));
}

/**
 * @param definition becomes that of the task, as it is
 * @param folder where its paths begin
 */
export function sweepTask({ context }: Services, definition: SweepTask, name: string, folder = ''): Task {
  const { sweep, retryFailed = false, search, budget } = definition;
  const experiment = resolve(folder, definition.experiment);
  const work = search === undefined ? ['sweep', sweep ?? experiment] : ['search', search];
  const args = [
    ...[Uri.joinPath(context.extensionUri, 'bin', 'deeptwist.js').fsPath, work[0], resolve(folder, work[1])],
    ...['--parallel', String(parallelRuns())],
    ...(retryFailed ? ['--retry-failed'] : []),
    ...(budget === undefined ? [] : ['--budget', String(budget)]),
  ];
  const execution = new ProcessExecution(nodePath(), args, {
    cwd: dirname(experiment),
    env: { ELECTRON_RUN_AS_NODE: '1' },
  });
  const scope = workspace.getWorkspaceFolder(Uri.file(experiment)) ?? TaskScope.Workspace;
  const task = new Task(definition, scope, name, 'deeptwist', execution);
  task.presentationOptions = { reveal: TaskRevealKind.Always, panel: TaskPanelKind.Dedicated, showReuseMessage: false };
  return task;
}
