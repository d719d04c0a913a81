/** @file A sweep or a search in the terminal: the command as a task, whose terminal stays with the results when it has ended. */
import { dirname } from 'node:path';
import {
  ProcessExecution,
  Task,
  TaskPanelKind,
  TaskRevealKind,
  TaskScope,
  Uri,
  tasks,
  workspace,
  type TaskExecution,
} from 'vscode';
import { nodePath } from '../cli/nodePath.ts';
import type { Services } from '../services.ts';
import { requireTrustToRun } from '../trust.ts';

export interface SweepWork {
  /** The experiment file, or the folder of a sweep to go on with. */
  readonly path: string;
  /** Path of the experiment file. */
  readonly experiment: string;
  /** Name of the terminal. */
  readonly name: string;
  readonly command: 'sweep' | 'search';
  /** Further arguments of the command. */
  readonly options?: readonly string[];
}

/** @throws UserError where the workspace is not trusted */
export async function startSweep({ context }: Services, work: SweepWork): Promise<TaskExecution> {
  requireTrustToRun();
  const { command, path, experiment, name, options = [] } = work;
  const parallel = workspace.getConfiguration('deeptwist').get<number>('runs.parallel', 1);
  const args = [
    ...[Uri.joinPath(context.extensionUri, 'bin', 'deeptwist.js').fsPath, command, path],
    ...['--parallel', String(parallel)],
    ...options,
  ];
  const execution = new ProcessExecution(nodePath(), args, {
    cwd: dirname(experiment),
    env: { ELECTRON_RUN_AS_NODE: '1' },
  });
  const scope = workspace.getWorkspaceFolder(Uri.file(experiment)) ?? TaskScope.Workspace;
  const task = new Task({ type: 'deeptwist', experiment, sweep: path }, scope, name, 'deeptwist', execution);
  task.presentationOptions = { reveal: TaskRevealKind.Always, panel: TaskPanelKind.Dedicated, showReuseMessage: false };
  return tasks.executeTask(task);
}
