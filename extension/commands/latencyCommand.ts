/** @file Measure Latency: the models of a finished run by the command line, then what came of it. */
import { l10n, type CancellationToken } from 'vscode';
import type { Latency } from '../../server/protocol/run/latency.ts';
import { runBenchmark } from '../cli/runBenchmark.ts';
import type { Dashboards } from '../dashboard/dashboards.ts';
import { reportError, showInformation } from '../messages.ts';
import { runTitle } from '../runs/runTitles.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { Services } from '../services.ts';
import { requireTrustToRun } from '../trust.ts';
import { withCommandProgress } from './commandProgress.ts';
import { chooseRuns } from './commandTargets.ts';
import { measuredText } from './exportText.ts';
import { tellFailure } from './measureFailure.ts';

export class LatencyCommand {
  readonly #services: Services;
  readonly #dashboards: Dashboards;

  constructor(services: Services, dashboards: Dashboards) {
    this.#services = services;
    this.#dashboards = dashboards;
  }

  /**
   * Measures the models of a finished run. What became of it is shown; nobody waits for an answer.
   * @param token cancels, as the button of the notification does
   * @returns undefined where nothing was measured
   */
  async measureLatency(argument: unknown, token?: CancellationToken): Promise<Latency | undefined> {
    requireTrustToRun();
    const where = ({ summary }: StoredRun) => summary.state === 'finished';
    const [stored] = await chooseRuns(this.#services, argument, undefined, { where, state: 'finished' });
    return stored && this.#measure(stored, [], token);
  }

  async #measure(
    stored: StoredRun,
    options: readonly string[],
    token?: CancellationToken,
  ): Promise<Latency | undefined> {
    const { log } = this.#services;
    log.info(`${stored.key}: measured …`);
    try {
      const title = l10n.t('Measuring {0}', await runTitle(this.#services.store, stored));
      const latency = await withCommandProgress(this.#services, title, token, (process) =>
        runBenchmark(stored.key, options, process),
      );
      if (latency) this.#tell(stored, latency).catch((error: unknown) => reportError(error, log));
      return latency;
    } catch (error) {
      void tellFailure(this.#services, error, (option) => this.#measure(stored, [...options, option]));
      return undefined;
    }
  }

  async #tell(stored: StoredRun, latency: Latency): Promise<void> {
    const report = l10n.t('Show Report');
    const answer = await showInformation(measuredText(l10n, latency), report);
    if (answer === report) await this.#dashboards.open([stored.key], { tab: 'files' });
  }
}
