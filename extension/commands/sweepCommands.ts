/** @file Commands on sweeps: start one, go on with it, show it. */
import { basename } from 'node:path';
import { l10n, window, type TaskExecution } from 'vscode';
import { isOver } from '../../server/protocol/wire/sweep.ts';
import { showInformation } from '../messages.ts';
import { revealPath } from '../runs/revealPath.ts';
import type { Services } from '../services.ts';
import type { SweepPanels } from '../sweeps/sweepPanels.ts';
import { startSweep } from '../tasks/sweepTask.ts';
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
    return startSweep(this.#services, { experiment: file, sweep: file }, l10n.t('Sweep {0}', name));
  }

  async continueSweep(argument: unknown): Promise<TaskExecution | undefined> {
    const path = await chooseSweep(this.#services, argument);
    if (path === undefined) return undefined;
    const sweep = await this.#services.sweeps.read(path);
    const { experiment, rows, search } = sweep;
    if (isOver(sweep)) {
      void showInformation(l10n.t('All runs of the sweep have ended.'));
      return undefined;
    }
    if (search) return this.#search.continueSearch(path, experiment);
    const failed = rows.filter(({ state }) => state === 'failed').length;
    const retryFailed = failed > 0 && (await wantsFailed(failed));
    if (retryFailed === undefined) return undefined;
    return startSweep(this.#services, { experiment, sweep: path, retryFailed }, l10n.t('Sweep {0}', basename(path)));
  }

  async openSweep(argument: unknown): Promise<void> {
    const path = await chooseSweep(this.#services, argument);
    if (path !== undefined) this.#panels.open(path);
  }

  async revealSweepFolder(argument: unknown): Promise<void> {
    const path = await chooseSweep(this.#services, argument);
    if (path !== undefined) await revealPath(path);
  }
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
