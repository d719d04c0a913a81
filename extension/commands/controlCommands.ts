/** @file Commands to a run that is being trained. */
import { setTimeout as sleep } from 'node:timers/promises';
import { l10n, window } from 'vscode';
import { refusalElsewhere } from '../../server/runs/lockRun.ts';
import { killRun } from '../../server/sidecarClient/endRun.ts';
import { controlPhases, type Control } from '../../server/protocol/wire/sidecar.ts';
import type { Services } from '../services.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { findProcess } from '../sidecar/findProcess.ts';
import type { LiveRun } from '../sidecar/liveRun.ts';
import { showInformation, showWarning } from '../messages.ts';
import { requireTrustToChangeRuns } from '../trust.ts';
import { chooseRuns, type WantedState } from './commandTargets.ts';

/** A step that takes longer than this is one that may never end. */
const ANSWER_MS = 2000;
const POLL_MS = 50;

/** The state of the runs that each control is for. */
const states: Readonly<Record<Control, WantedState>> = {
  pause: 'training',
  continue: 'paused',
  observe: 'training',
  checkpoint: 'training',
  stop: 'inProgress',
};

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
    const live = await this.#reach(await this.#choose(argument, 'checkpoint'));
    if (!live) return;
    const { step } = await live.request('checkpoint');
    window.setStatusBarMessage(l10n.t('Checkpoint saved after step {0}', step), 5000);
  }

  /** After the current step; asked for once more, at once. */
  async stop(argument: unknown): Promise<void> {
    const stored = await this.#choose(argument, 'stop');
    // The run's process may still be starting. One that does not answer in time may be busy.
    if (stored && !stored.live) {
      const asking = this.#services.launcher.stop(stored);
      if (await Promise.race([asking, sleep(ANSWER_MS, false)])) return;
    }
    const live = await this.#reach(stored);
    if (!stored || !live) return;
    const when = live.state.phase === 'stopping' ? 'now' : 'after-step';
    try {
      await live.request('stop', { when }, AbortSignal.timeout(ANSWER_MS));
    } catch {
      // It does not answer, or it has ended: asked to stop at once, a process ends before it answers.
      const now = await this.#services.store.refresh(stored.key);
      if (now?.isActive) await this.#end(now);
    }
  }

  async #end(stored: StoredRun): Promise<void> {
    const end = l10n.t('End Process');
    const answer = await showWarning(
      l10n.t(
        'The run {0} does not answer: it is busy in one step, or in code that never returns. When its process is ended, the run can be resumed from its last checkpoint.',
        stored.run.id,
      ),
      end,
    );
    if (answer !== end) return;
    await killRun(stored.run);
    await this.#services.store.refresh(stored.key);
  }

  async #request(argument: unknown, method: 'pause' | 'continue' | 'observe'): Promise<void> {
    const live = await this.#reach(await this.#choose(argument, method));
    await live?.request(method);
  }

  /**
   * The connection to a run's process, which one that begins has a moment later; says where there is none.
   * @throws UserError for a run whose process is on another machine
   */
  async #reach(stored: StoredRun | undefined): Promise<LiveRun | undefined> {
    if (!stored) return undefined;
    const elsewhere = stored.live || !stored.isActive ? undefined : refusalElsewhere(stored.run);
    if (elsewhere) throw elsewhere;
    for (const end = Date.now() + ANSWER_MS; !stored.live && stored.isActive && Date.now() < end;) await sleep(POLL_MS);
    if (stored.live || !stored.isActive) return stored.live;
    if (await findProcess(stored.run)) await this.#end(stored);
    else if (!stored.run.record.process)
      void showInformation(
        l10n.t('The process of the run {0} is still starting. Try again in a moment.', stored.run.id),
      );
    else {
      void showInformation(
        l10n.t(
          'The run {0} was started in a terminal. Control it there: Ctrl+C stops it after its step.',
          stored.run.id,
        ),
      );
    }
    return undefined;
  }

  /** The run that is meant; where none is named, among those that can do it now. */
  async #choose(argument: unknown, method: Control): Promise<StoredRun | undefined> {
    requireTrustToChangeRuns();
    const canDo = ({ isActive, liveState }: StoredRun) =>
      isActive && (argument !== undefined || !liveState || controlPhases[method].includes(liveState.phase));
    const [stored] = await chooseRuns(this.#services, argument, undefined, { where: canDo, state: states[method] });
    if (stored && !stored.isActive) {
      void showInformation(l10n.t('The run {0} has ended.', stored.run.id));
      return undefined;
    }
    return stored;
  }
}
