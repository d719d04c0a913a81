/** @file A sweep in the terminal: `deeptwist sweep` as a task, whose terminal stays with the results when it has ended. */
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
import type { Services } from '../services.ts';
import { requireTrustToRun } from '../trust.ts';

/** A sweep as a task, with the settings of `taskDefinitions` in package.json: VS Code keeps no others, to run the last task again. */
interface SweepTask extends TaskDefinition {
  /** Path of the experiment file: absolute, or from the workspace folder. */
  readonly experiment: string;
  /** Path of the experiment file, or of the folder of a sweep to go on with. */
  readonly sweep: string;
  readonly retryFailed?: boolean;
}

/** True for a sweep, and not for a run. */
export function isSweepTask(definition: TaskDefinition): definition is SweepTask {
  return typeof definition['sweep'] === 'string' && typeof definition['experiment'] === 'string';
}

/**
 * @param name of the terminal
 * @throws UserError where the workspace is not trusted
 */
export async function startSweep(
  services: Services,
  sweep: Pick<SweepTask, 'experiment' | 'sweep' | 'retryFailed'>,
  name: string,
): Promise<TaskExecution> {
  requireTrustToRun();
  return tasks.executeTask(sweepTask(services, { type: 'deeptwist', ...sweep }, name));
}

/**
 * @param definition becomes that of the task, as it is
 * @param folder where its paths begin
 */
export function sweepTask({ context }: Services, definition: SweepTask, name: string, folder = ''): Task {
  const { retryFailed = false } = definition;
  const [experiment, sweep] = [definition.experiment, definition.sweep].map((path) => resolve(folder, path));
  const parallel = workspace.getConfiguration('deeptwist').get<number>('runs.parallel', 1);
  const args = [
    ...[Uri.joinPath(context.extensionUri, 'bin', 'deeptwist.js').fsPath, 'sweep', sweep],
    ...['--parallel', String(parallel)],
    ...(retryFailed ? ['--retry-failed'] : []),
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
