/** @file Starting runs in processes of their own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { l10n, type LogOutputChannel, type Uri } from 'vscode';
import type { RunKey } from '../../server/protocol/wire/dashboard.ts';
import { NODE_PATH_REMEDY } from '../../server/protocol/nodeVersion.ts';
import { messageOf } from '../../server/protocol/thrown.ts';
import { UserError } from '../../server/protocol/userError.ts';
import { createRun } from '../../server/runs/createRun.ts';
import type { Run } from '../../server/runs/run.ts';
import type { RunRecord } from '../../server/runs/runRecord.ts';
import { startSidecar, type SidecarExit } from '../../server/sidecarClient/startSidecar.ts';
import { nodePath } from '../cli/nodePath.ts';
import { parallelRuns } from '../cli/parallelRuns.ts';
import type { RunStore } from './runStore.ts';
import type { StoredRun } from './storedRun.ts';
import { requireTrustToRun } from '../trust.ts';

/** How often it is looked at whether a process has taken its run. */
const TAKEN_MS = 50;

/** Lines of a process's output that an error repeats. */
const LAST_LINES = 3;

export interface RunRequest {
  /** Absolute path of the experiment file. */
  readonly file: string;
  /** `path=value` texts, as of `--set`. */
  readonly overrides?: readonly string[];
  /** What was changed while the run trained that is repeated. */
  readonly changes?: RunRecord['changes'];
  /** Text of an earlier run, used in place of what the file says now. */
  readonly text?: string;
}

export class Launcher {
  readonly #store: RunStore;
  readonly #log: LogOutputChannel;
  readonly #sidecarScript: string;
  readonly #exits = new Map<RunKey, SidecarExit>();
  /** Processes that this window has started and that have not ended. */
  readonly #processes = new Map<RunKey, number>();

  /** @param sidecarScript the built `sidecar.js` */
  constructor(store: RunStore, log: LogOutputChannel, sidecarScript: Uri) {
    this.#store = store;
    this.#log = log;
    this.#sidecarScript = sidecarScript.fsPath;
  }

  /**
   * Makes the run folder and starts its process.
   * @throws UserError for an experiment that cannot be run, with what is wrong in it; where the workspace is not trusted
   */
  async start({ file, overrides = [], changes, text }: RunRequest): Promise<StoredRun> {
    requireTrustToRun();
    const exact = text ?? (await checkedText(file, overrides));
    const run = await createRun({ experiment: file, text: exact, overrides, changes, state: 'queued' });
    return this.#launch(run, false);
  }

  /** Goes on with a run that was stopped, failed or interrupted. @throws UserError */
  async resume({ run }: StoredRun): Promise<StoredRun> {
    requireTrustToRun();
    return this.#launch(run, true);
  }

  /**
   * Stops a run after its step, also before its process can be connected to where this window has started it.
   * @returns false where nobody is known who could be asked
   */
  async stop({ key, run, live }: StoredRun): Promise<boolean> {
    if (live) {
      await live.request('stop', { when: 'after-step' });
      return true;
    }
    const pid = this.#processes.get(key);
    if (pid === undefined) return false;
    // A window begins before a run is stopped.
    const { askToStop } = await import('../../server/sidecarClient/endRun.ts');
    return askToStop(run, pid);
  }

  /** How the last process of a run ended, where this window had started it. */
  exitOf(key: RunKey): SidecarExit | undefined {
    return this.#exits.get(key);
  }

  async #launch(run: Run, resume: boolean): Promise<StoredRun> {
    const before = run.record.updated;
    const { pid, exited } = await startSidecar({
      run,
      node: nodePath(),
      sidecarScript: this.#sidecarScript,
      resume,
      parallel: parallelRuns(),
    });
    this.#log.info(`${run.id}: process ${pid} started.`);
    this.#exits.delete(run.path);
    this.#processes.set(run.path, pid);
    void exited.then(async (exit) => {
      const { code, signal } = exit;
      this.#exits.set(run.path, exit);
      if (this.#processes.get(run.path) === pid) this.#processes.delete(run.path);
      this.#log.info(`${run.id}: process ${pid} ended, ${signal ?? `code ${code}`}.`);
      await recordUntaken(run, exit).catch((error: unknown) => this.#log.warn(messageOf(error)));
      return this.#store.refresh(run.path);
    });
    const gone = exited.then(() => true);
    for (;;) {
      const stored = await this.#store.refresh(run.path);
      if (!stored) break;
      // A run that is resumed is what it was until its process has taken it.
      if (!resume || stored.run.record.process?.pid === pid) return stored;
      if (await Promise.race([gone, sleep(TAKEN_MS, false)])) break;
    }
    const ended = await this.#store.refresh(run.path);
    if (ended && ended.run.record.updated !== before) return ended;
    if (ended) {
      const { message, remedy } = untaken(run, await exited);
      throw new UserError(message, { remedy });
    }
    throw new UserError(l10n.t('The run folder {0} has gone.', run.path), {
      remedy: l10n.t('Run the experiment again.'),
    });
  }
}

async function checkedText(file: string, overrides: readonly string[]): Promise<string> {
  const { loadExperiment } = await import('../../server/runs/loadExperiment.ts');
  return (await loadExperiment(file, overrides)).text;
}

/** Records the end of a queued run whose process has ended before it took the run. */
async function recordUntaken(run: Run, exit: SidecarExit): Promise<void> {
  await run.reload();
  if (run.record.state !== 'queued' || run.record.process) return;
  if (exit.signal === 'SIGTERM' || exit.signal === 'SIGINT') return run.update({ state: 'stopped' });
  await run.update({ state: 'failed', failure: untaken(run, exit) });
}

/** Why a process has ended before it took its run, and what to do. */
function untaken({ logFile }: Run, { code, signal, logTail }: SidecarExit): { message: string; remedy: string } {
  const said = logTail.trimEnd().split(/\r?\n/).slice(-LAST_LINES).join('\n');
  const how = signal ?? `code ${code}`;
  const message =
    said === ''
      ? l10n.t("The run's process ended before it could begin ({0}).", how)
      : l10n.t("The run's process ended before it could begin ({0}): {1}", how, said);
  return { message, remedy: [l10n.t('See {0}.', logFile), NODE_PATH_REMEDY].join(' ') };
}
