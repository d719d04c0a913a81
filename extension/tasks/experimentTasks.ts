/** @file Tasks of the type `deeptwist`: a run in tasks.json, whose terminal shows its progress and ends with its exit code; a sweep that is run again. */
import {
  CustomExecution,
  EventEmitter,
  Task,
  TaskGroup,
  TaskScope,
  Uri,
  l10n,
  tasks,
  workspace,
  type Disposable,
  type Pseudoterminal,
  type TaskDefinition,
  type WorkspaceFolder,
} from 'vscode';
import { printable } from '../../server/protocol/printable.ts';
import { UserError } from '../../server/protocol/userError.ts';
import { runResultText } from '../runs/runResultText.ts';
import { progressText } from '../runs/runLabels.ts';
import type { Services } from '../services.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { isSweepTask, sweepTask } from './sweepTask.ts';

interface RunTask extends TaskDefinition {
  /** Path of the experiment file, from the workspace folder. */
  experiment: string;
  /** `path=value` texts. */
  set?: string[];
}

function isRunTask(definition: TaskDefinition): definition is RunTask {
  return typeof definition['experiment'] === 'string' && !('sweep' in definition);
}

export function registerTasks(services: Services): Disposable {
  return tasks.registerTaskProvider('deeptwist', {
    async provideTasks() {
      const experiments = await services.store.experiments();
      return experiments.flatMap(({ file, folder, missing }) => {
        const workspaceFolder = workspace.getWorkspaceFolder(Uri.file(file));
        if (!workspaceFolder || missing) return [];
        const experiment = file.slice(folder.length + 1).replaceAll('\\', '/');
        return [taskOf({ type: 'deeptwist', experiment }, workspaceFolder, services)];
      });
    },
    resolveTask(task) {
      const { definition, name, scope } = task;
      const folder = typeof scope === 'object' ? scope : workspace.workspaceFolders?.[0];
      if (!folder) return undefined;
      if (isSweepTask(definition)) return sweepTask(services, definition, name, folder.uri.fsPath);
      return isRunTask(definition) ? taskOf(definition, folder, services) : undefined;
    },
  });
}

function taskOf(definition: RunTask, folder: WorkspaceFolder, services: Services): Task {
  const execution = new CustomExecution(() =>
    Promise.resolve(new RunTerminal(services, Uri.joinPath(folder.uri, definition.experiment).fsPath, definition.set)),
  );
  const task = new Task(definition, folder ?? TaskScope.Workspace, definition.experiment, 'deeptwist', execution);
  task.group = TaskGroup.Build;
  task.detail = l10n.t('Train and compress, in a process of its own');
  return task;
}

/** Shows a run; closing it stops the run after the current step. */
class RunTerminal implements Pseudoterminal {
  readonly #services: Services;
  readonly #file: string;
  readonly #overrides: readonly string[];
  readonly #write = new EventEmitter<string>();
  readonly #close = new EventEmitter<number>();
  readonly #listeners: Disposable[] = [];
  #run: StoredRun | undefined;
  #lastLine = '';
  /** True once the terminal is closed, which can be before the run's process has started. */
  #isClosed = false;

  readonly onDidWrite = this.#write.event;
  readonly onDidClose = this.#close.event;

  constructor(services: Services, file: string, overrides: readonly string[] = []) {
    this.#services = services;
    this.#file = file;
    this.#overrides = overrides;
  }

  open(): void {
    void this.#start();
  }

  async #start(): Promise<void> {
    const { store, launcher } = this.#services;
    this.#listeners.push(
      store.onDidProgress((run) => run.key === this.#run?.key && this.#show(run)),
      store.onDidEnd(({ run, state }) => {
        if (run.key !== this.#run?.key) return;
        const { failure } = run.summary;
        this.#line(runResultText(run.summary) ?? failure?.message ?? state);
        this.#end(state === 'finished' ? 0 : state === 'stopped' ? 130 : 1);
      }),
    );
    try {
      this.#run = await launcher.start({ file: this.#file, overrides: this.#overrides });
      if (this.#isClosed) return this.#stop(this.#run);
      this.#line(this.#run.key);
    } catch (error) {
      this.#line(error instanceof UserError ? [error.message, error.remedy].join('\n') : String(error));
      this.#end(2);
    }
  }

  close(): void {
    this.#isClosed = true;
    if (this.#run?.isActive) this.#stop(this.#run);
    this.#dispose();
  }

  #stop(run: StoredRun): void {
    this.#services.launcher.stop(run).catch(() => undefined); // It has ended.
  }

  #show({ liveState }: StoredRun): void {
    const line = liveState && progressText(liveState);
    if (line === undefined || line === this.#lastLine) return;
    this.#lastLine = line;
    this.#line(line);
  }

  #line(text: string): void {
    this.#write.fire(`${printable(text).replaceAll('\n', '\r\n')}\r\n`);
  }

  #end(code: number): void {
    this.#close.fire(code);
    this.#dispose();
  }

  #dispose(): void {
    for (const listener of this.#listeners.splice(0)) listener.dispose();
  }
}
