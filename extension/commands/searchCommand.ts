/** @file Find Settings: the search for a `target` in a terminal, its progress, and what it found, offered into the file. */
import { basename } from 'node:path';
import { l10n, window, type TaskExecution } from 'vscode';
import { searchBudget } from '../../server/protocol/experiment/searchBudget.ts';
import { openSettings } from '../../server/protocol/experiment/openSettings.ts';
import { JsonText } from '../../server/protocol/experiment/jsonText.ts';
import {
  formatBytes,
  formatCount,
  formatDrop,
  formatDuration,
  formatRatio,
} from '../../server/protocol/formatQuantity.ts';
import { formatMetric } from '../../server/protocol/run/resultText.ts';
import { hasEnded, type SweepContent, type SweepSearch } from '../../server/protocol/wire/sweep.ts';
import { showInformation, showWarning } from '../messages.ts';
import type { ExperimentFile } from '../runs/experimentFiles.ts';
import type { Services } from '../services.ts';
import type { SweepPanels } from '../sweeps/sweepPanels.ts';
import { useValues } from '../sweeps/useValues.ts';
import { followSweep, nextSweep, type FindSweep } from '../tasks/followSweep.ts';
import { startSweep } from '../tasks/sweepTask.ts';
import { requireTrustToRun } from '../trust.ts';
import { chooseExperiment } from './commandTargets.ts';
import type { ExperimentProblems } from './experimentProblems.ts';

export class SearchCommand {
  readonly #services: Services;
  readonly #problems: ExperimentProblems;
  readonly #panels: SweepPanels;

  constructor(services: Services, problems: ExperimentProblems, panels: SweepPanels) {
    this.#services = services;
    this.#problems = problems;
    this.#panels = panels;
  }

  /**
   * Starts `deeptwist search FILE` in a terminal.
   * @param budget asked for where it is not given
   */
  async findSettings(argument: unknown, budget?: number): Promise<TaskExecution | undefined> {
    requireTrustToRun();
    const experiment = await chooseExperiment(this.#services, argument);
    const text = experiment && (await this.#problems.check(experiment.file, { mayBeOpen: true }));
    if (!experiment || text === undefined) return undefined;
    const { file, name } = experiment;
    if (openSettings(new JsonText(text).value()).length === 0) {
      void showInformation(
        l10n.t(
          'There is nothing to find in {0}: write a "target", such as {1}, and leave rates, bits or ranks of "compression" out.',
          name,
          '{ "maxDrop": 0.005 }',
        ),
      );
      return undefined;
    }
    const runs = budget ?? (await this.#askForBudget(experiment));
    if (runs === undefined) return undefined;
    const findPath = await nextSweep(this.#services, experiment);
    const work = { experiment: file, search: file, budget: runs };
    const execution = await startSweep(this.#services, work, l10n.t('Find settings of {0}', name));
    this.#follow(execution, name, findPath);
    return execution;
  }

  /** Goes on with a search that was stopped. @param path its folder */
  async continueSearch(path: string, experiment: string): Promise<TaskExecution> {
    const name = l10n.t('Search {0}', basename(path));
    const execution = await startSweep(this.#services, { experiment, search: path }, name);
    this.#follow(execution, basename(experiment), () => Promise.resolve(path));
    return execution;
  }

  /** Undefined where the user cancels. */
  async #askForBudget(experiment: ExperimentFile): Promise<number | undefined> {
    // Most runs of a search are shorter than a full one.
    const [last] = (await this.#services.store.ownRunsOf(experiment)).flatMap(
      ({ run }) => run.record.result?.seconds ?? [],
    );
    const time =
      last === undefined
        ? ''
        : ` ${l10n.t('The last run took {0}: ten of them take {1}.', formatDuration(last), formatDuration(10 * last))}`;
    const text = await window.showInputBox({
      title: l10n.t('Find settings of {0}', experiment.name),
      prompt: `${l10n.t('How much the search may train, in runs of the full length. It keeps within that, by steps.')}${time}`,
      value: String(searchBudget.usual),
      validateInput: (given) => {
        const budget = Number(given);
        if (given.trim() !== '' && budget >= searchBudget.least && budget <= searchBudget.most) return undefined;
        return l10n.t('A number from {0} to {1}.', searchBudget.least, formatCount(searchBudget.most));
      },
    });
    return text === undefined ? undefined : Number(text);
  }

  /** Offers what the search found when its terminal has ended. */
  #follow(execution: TaskExecution, name: string, findPath: FindSweep): void {
    const title = l10n.t('Finding settings of {0}', name);
    followSweep(this.#services, execution, title, findPath, (path) => this.#offer(path, name));
  }

  /** Says what a search came to, or that a run of it failed; nothing where it was stopped: its terminal tells how to go on. */
  async #offer(path: string, name: string): Promise<void> {
    const sweep = await this.#services.sweeps.read(path);
    const { result } = sweep.search ?? {};
    const open = l10n.t('Open Search');
    if (!result) {
      if (!hasEnded(sweep) || sweep.rows.every(({ state }) => state !== 'failed')) return;
      const text = l10n.t('The search for {0} has ended before its result: a run of it failed.', name);
      if ((await showWarning(text, open)) === open) this.#panels.open(path);
      return;
    }
    const use = l10n.t('Use These Values');
    const { isMet, best } = result;
    if (!best) {
      const answer = await showWarning(l10n.t('No full run of the search for {0} came to its end.', name), open);
      if (answer === open) this.#panels.open(path);
      return;
    }
    const text = foundText(result.metric, best);
    const answer = isMet
      ? await showInformation(l10n.t('Found settings of {0}: {1}.', name, text), use, open)
      : await showWarning(l10n.t('The target of {0} was not reached. The nearest: {1}.', name, text), open, use);
    if (answer === open) this.#panels.open(path);
    const row = bestRow(sweep);
    if (answer === use && row) await useValues(sweep, row);
  }
}

/** `24.1 kB, 44.2x smaller, accuracy 98.10% on the validation split, 0.0031 worse than the dense model` */
function foundText(metric: string, best: Best): string {
  const { value, drop, bytes, ratio } = best;
  const parts = [
    formatBytes(bytes ?? NaN),
    l10n.t('{0} smaller', formatRatio(ratio ?? NaN)),
    l10n.t('{0} {1} on the validation split', metric, formatMetric(metric, value ?? NaN)),
    l10n.t('{0} worse than the dense model', formatDrop(drop ?? NaN)),
  ];
  return parts.join(', ');
}

function bestRow({ rows, search }: SweepContent) {
  return rows.find(({ id }) => id === search?.result?.best?.run);
}

type Result = NonNullable<SweepSearch['result']>;
type Best = NonNullable<Result['best']>;
