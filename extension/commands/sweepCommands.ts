/** @file Commands on sweeps: start one, go on with it, show it. */
import { basename } from 'node:path';
import { l10n, window, type TaskExecution } from 'vscode';
import { hasEnded, isOver, type SweepContent, type SweptRunRow } from '../../server/protocol/wire/sweep.ts';
import { showInformation, showWarning } from '../messages.ts';
import { revealPath } from '../runs/revealPath.ts';
import type { Services } from '../services.ts';
import type { SweepPanels } from '../sweeps/sweepPanels.ts';
import { followSweep, nextSweep, type FindSweep } from '../tasks/followSweep.ts';
import { startSweep, type SweepWork } from '../tasks/sweepTask.ts';
import { chooseExperiment, chooseSweep } from './commandTargets.ts';
import type { ExperimentProblems } from './experimentProblems.ts';
import type { SearchCommand } from './searchCommand.ts';

export class SweepCommands {
  readonly #services: Services;
  readonly #problems: ExperimentProblems;
  readonly #panels: SweepPanels;
  readonly #search: SearchCommand;

  constructor(services: Services, problems: ExperimentProblems, panels: SweepPanels, search: SearchCommand) {
    this.#services = services;
    this.#problems = problems;
    this.#panels = panels;
    this.#search = search;
  }

  /** Starts `deeptwist sweep FILE` in a terminal, which asks before it begins many runs. */
  async runSweep(argument: unknown): Promise<TaskExecution | undefined> {
    const experiment = await chooseExperiment(this.#services, argument);
    if (!experiment || (await this.#problems.check(experiment.file)) === undefined) return undefined;
    const { file, name } = experiment;
    const findPath = await nextSweep(this.#services, experiment);
    return this.#start({ experiment: file, sweep: file }, name, findPath);
  }

  async continueSweep(argument: unknown): Promise<TaskExecution | undefined> {
    const path = await chooseSweep(this.#services, argument);
    if (path === undefined) return undefined;
    const sweep = await this.#services.sweeps.read(path);
    const { experiment, search } = sweep;
    if (isOver(sweep)) {
      void showInformation(l10n.t('All runs of the sweep have ended.'));
      return undefined;
    }
    if (search) return this.#search.continueSearch(path, experiment);
    // The others fail again: a run keeps its settings.
    const failed = sweep.rows.filter(({ state, fault }) => state === 'failed' && fault === undefined).length;
    const retryFailed = failed > 0 && (await wantsFailed(failed));
    if (retryFailed === undefined) return undefined;
    return this.#start({ experiment, sweep: path, retryFailed }, basename(path), () => Promise.resolve(path));
  }

  async openSweep(argument: unknown): Promise<void> {
    const path = await chooseSweep(this.#services, argument);
    if (path !== undefined) this.#panels.open(path);
  }

  async revealSweepFolder(argument: unknown): Promise<void> {
    const path = await chooseSweep(this.#services, argument);
    if (path !== undefined) await revealPath(path);
  }

  /** Starts the task, and offers the page of the sweep when its terminal has ended. */
  async #start(work: SweepWork, name: string, findPath: FindSweep): Promise<TaskExecution> {
    const title = l10n.t('Sweep {0}', name);
    const execution = await startSweep(this.#services, work, title);
    followSweep(this.#services, execution, title, findPath, (path) => this.#offer(path, name));
    return execution;
  }

  /** Says what a sweep came to, and warns of runs that failed; nothing where it was stopped before its end: its terminal tells how to go on. */
  async #offer(path: string, name: string): Promise<void> {
    const sweep = await this.#services.sweeps.read(path);
    if (!hasEnded(sweep)) return;
    const finished = countOf(sweep, 'finished');
    const failed = countOf(sweep, 'failed');
    const open = l10n.t('Open Sweep');
    const { size } = sweep;
    const answer =
      failed === 0
        ? await showInformation(l10n.t('Sweep {0} has ended: {1} of {2} runs finished.', name, finished, size), open)
        : await showWarning(l10n.t('Sweep {0} has ended: {1} of {2} runs finished, {3} failed.', name, finished, size, failed), open); // prettier-ignore
    if (answer === open) this.#panels.open(path);
  }
}

function countOf({ rows }: SweepContent, wanted: SweptRunRow['state']): number {
  return rows.filter(({ state }) => state === wanted).length;
}

/** Undefined where the user cancels. */
async function wantsFailed(failed: number): Promise<boolean | undefined> {
  const items = [
    { label: l10n.t('Only runs that have not failed'), retry: false },
    {
      label: failed === 1 ? l10n.t('Also the one that has failed') : l10n.t('Also the {0} that have failed', failed),
      retry: true,
    },
  ];
  return (await window.showQuickPick(items, { placeHolder: l10n.t('Runs to continue') }))?.retry;
}
