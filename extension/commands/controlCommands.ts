/** @file Commands to a run that is being trained. */
import { l10n, window } from 'vscode';
import { killRun } from '../../server/runs/endRun.ts';
import type { SidecarMethod } from '../../server/protocol/sidecar.ts';
import type { Services } from '../services.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { chooseRuns } from './arguments.ts';

/** A step that takes longer than this is one that may never end. */
const ANSWER_MS = 2000;

export class ControlCommands {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  pause(argument: unknown): Promise<void> {
    return this.#request(argument, 'pause');
  }

  continue(argument: unknown): Promise<void> {
    return this.#request(argument, 'continue');
  }

  observeNow(argument: unknown): Promise<void> {
    return this.#request(argument, 'observe');
  }

  async checkpointNow(argument: unknown): Promise<void> {
    const stored = await this.#choose(argument);
    if (!stored?.live) return;
    const { step } = await stored.live.request('checkpoint');
    window.setStatusBarMessage(l10n.t('Checkpoint saved after step {0}', step), 5000);
  }

  /** After the current step; asked for once more, at once. */
  async stop(argument: unknown): Promise<void> {
    const stored = await this.#choose(argument);
    if (!stored) return;
    const { live } = stored;
    const again = live?.state.phase === 'stopping';
    try {
      if (!live) throw new Error('The process does not answer.');
      const when = again ? 'now' : 'after-step';
      await live.request('stop', { when }, AbortSignal.timeout(ANSWER_MS));
    } catch {
      // Asked to stop at once, a process closes the connection before it answers.
      if (stored.isActive && !(again && live?.closed)) await this.#end(stored);
    }
  }

  async #end(stored: StoredRun): Promise<void> {
    const end = l10n.t('End Process');
    const answer = await window.showWarningMessage(
      l10n.t('The run {0} does not answer: it is busy in one step, or in code that never returns.', stored.run.id),
      { detail: l10n.t('It can be resumed from its last checkpoint.') },
      end,
    );
    if (answer !== end) return;
    await killRun(stored.run);
    await this.#services.store.refresh(stored.key);
  }

  async #request(argument: unknown, method: Extract<SidecarMethod, 'pause' | 'continue' | 'observe'>): Promise<void> {
    const stored = await this.#choose(argument);
    await stored?.live?.request(method);
  }

  async #choose(argument: unknown): Promise<StoredRun | undefined> {
    const [stored] = await chooseRuns(this.#services, argument, undefined, { where: (run) => run.isActive });
    if (stored && !stored.isActive) {
      void window.showInformationMessage(l10n.t('The run {0} has ended.', stored.run.id));
      return undefined;
    }
    return stored;
  }
}
