/** @file Measure Sensitivity: what compressing each layer alone costs, by the command line, then as a map beside the code. */
import { dirname } from 'node:path';
import { l10n, window, type CancellationToken } from 'vscode';
import { formatNumber } from '../../server/protocol/formatQuantity.ts';
import { exampleDrop, type SensitivityReport } from '../../server/protocol/run/sensitivityReport.ts';
import { shownMetric } from '../../server/protocol/run/testMetric.ts';
import { runSensitivity } from '../cli/runSensitivity.ts';
import { showSensitivity } from '../sensitivity/sensitivityPanel.ts';
import type { RunStore } from '../runs/runStore.ts';
import { runTitle } from '../runs/runTitles.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { Services } from '../services.ts';
import { requireTrustToRun } from '../trust.ts';
import { withCommandProgress } from './commandProgress.ts';
import { chooseRuns, experimentArgument } from './commandTargets.ts';
import { tellFailure } from './measureFailure.ts';

/** What is measured. */
interface Subject {
  /** The run folder, or the experiment file. */
  readonly path: string;
  readonly directory: string;
  /** As a person knows it. */
  readonly name: string;
  /** What the metric is where that is known. */
  readonly value?: number | undefined;
}

export class SensitivityCommand {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /**
   * Measures the layers of a finished run, or of what an experiment starts from.
   * @param token cancels, as the button of the notification does
   * @param maxDrop asked for where it is not given; NaN: nothing is to be suggested
   * @returns undefined where nothing was measured
   */
  async measureSensitivity(
    argument: unknown,
    token?: CancellationToken,
    maxDrop?: number,
  ): Promise<SensitivityReport | undefined> {
    requireTrustToRun();
    const subject = await this.#subject(argument);
    if (!subject) return undefined;
    const allowed = maxDrop ?? (await askForDrop(subject));
    if (allowed === undefined) return undefined;
    return this.#measure(subject, Number.isNaN(allowed) ? undefined : allowed, [], token);
  }

  /** The newest finished run of a file; the weights that it starts from where it has none. */
  async #subject(argument: unknown): Promise<Subject | undefined> {
    const { store } = this.#services;
    const isFinished = ({ summary }: StoredRun) => summary.state === 'finished';
    const experiment = experimentArgument(argument);
    if (experiment) {
      const run = (await store.runsOf(experiment)).find(isFinished);
      const { file, name } = experiment;
      return run ? subjectOf(store, run) : { path: file, directory: dirname(file), name };
    }
    const [stored] = await chooseRuns(this.#services, argument, undefined, { where: isFinished, state: 'finished' });
    return stored && subjectOf(store, stored);
  }

  async #measure(
    subject: Subject,
    maxDrop: number | undefined,
    options: readonly string[],
    token?: CancellationToken,
  ): Promise<SensitivityReport | undefined> {
    const { path, directory, name } = subject;
    this.#services.log.info(`${path}: sensitivity …`);
    try {
      const title = l10n.t('Measuring the sensitivity of {0}', name);
      const report = await withCommandProgress(this.#services, title, token, (process) =>
        runSensitivity({ path, directory, maxDrop, options }, process),
      );
      if (report) showSensitivity(this.#services, path, report);
      return report;
    } catch (error) {
      void tellFailure(this.#services, error, (option) => this.#measure(subject, maxDrop, [...options, option]));
      return undefined;
    }
  }
}

async function subjectOf(store: RunStore, stored: StoredRun): Promise<Subject> {
  const { key, summary } = stored;
  const name = await runTitle(store, stored);
  return { path: key, directory: key, name, value: summary.result && shownMetric(summary.result) };
}

/** NaN where nothing is to be suggested; undefined where the user cancels. */
async function askForDrop({ name, value }: Subject): Promise<number | undefined> {
  const text = await window.showInputBox({
    title: l10n.t('Sensitivity of {0}', name),
    prompt: l10n.t(
      'How much worse the metric may get, in its unit (0.005 is half a point of accuracy), for settings to be suggested. Empty: only measure.',
    ),
    value: value === undefined || !Number.isFinite(value) ? '' : formatNumber(exampleDrop(value)),
    validateInput: (given) =>
      given.trim() === '' || Number(given) >= 0 ? undefined : l10n.t('A number of at least 0, such as 0.005.'),
  });
  if (text === undefined) return undefined;
  return text.trim() === '' ? NaN : Number(text);
}
