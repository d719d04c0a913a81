/** @file How far a sweep or a search in a terminal is, in the status bar, until its terminal ends. */
import { ProgressLocation, l10n, tasks, window, type TaskExecution } from 'vscode';
import { formatCount } from '../../server/protocol/formatQuantity.ts';
import { reportError } from '../messages.ts';
import type { ExperimentFile } from '../runs/experimentFiles.ts';
import type { Services } from '../services.ts';

/** The folder of a sweep; undefined while there is none. */
export type FindSweep = () => Promise<string | undefined>;

/** Called before a task is started that begins a sweep of the experiment. @returns finds the folder of that sweep */
export async function nextSweep({ sweeps }: Services, experiment: ExperimentFile): Promise<FindSweep> {
  const known = new Set(await sweeps.pathsOf(experiment));
  return async () => (await sweeps.pathsOf(experiment)).find((path) => !known.has(path));
}

/** @param onEnd is called with the folder of the sweep when its terminal has ended; not where none was begun */
export function followSweep(
  { sweeps, store, log }: Services,
  execution: TaskExecution,
  title: string,
  findPath: FindSweep,
  onEnd: (path: string) => Promise<void>,
): void {
  void window.withProgress({ location: ProgressLocation.Window, title }, async (progress) => {
    let path: string | undefined;
    const look = async () => {
      path ??= await findPath();
      const sweep = path === undefined ? undefined : await sweeps.read(path);
      const finished = sweep?.rows.filter(({ state }) => state === 'finished').length ?? 0;
      progress.report({ message: finished === 1 ? l10n.t('1 run finished') : l10n.t('{0} runs finished', formatCount(finished)) }); // prettier-ignore
    };
    const lookAgain = () => void look().catch((error: unknown) => log.debug(String(error)));
    const listeners = [store.onDidChange(lookAgain), sweeps.onDidChange(lookAgain)];
    const code = await new Promise<number | undefined>((done) => {
      listeners.push(
        tasks.onDidEndTaskProcess(({ execution: ended, exitCode }) => ended === execution && done(exitCode)),
        tasks.onDidEndTask(({ execution: ended }) => ended === execution && done(undefined)),
      );
    });
    for (const listener of listeners) listener.dispose();
    log.info(`${title}: ended with ${code}.`);
    path ??= await findPath().catch(() => undefined);
    if (path === undefined) return;
    sweeps.forget(path);
    onEnd(path).catch((error: unknown) => reportError(error, log));
  });
}
