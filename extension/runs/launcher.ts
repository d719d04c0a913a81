/** @file Starting runs in processes of their own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { l10n, workspace, type LogOutputChannel, type Uri } from 'vscode';
import type { RunKey } from '../../server/protocol/wire/dashboard.ts';
import { UserError } from '../../server/protocol/userError.ts';
import { createRun } from '../../server/runs/createRun.ts';
import type { Run } from '../../server/runs/run.ts';
import type { RunRecord } from '../../server/runs/runRecord.ts';
import { startSidecar, type SidecarExit } from '../../server/sidecarClient/startSidecar.ts';
import { nodePath } from '../cli/nodePath.ts';
import type { RunStore } from './runStore.ts';
import type { StoredRun } from './storedRun.ts';
import { requireTrustToRun } from '../trust.ts';

/** How often it is looked at whether a process has taken its run. */
const TAKEN_MS = 50;

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

  /** How the last process of a run ended, where this window had started it. */
  exitOf(key: RunKey): SidecarExit | undefined {
    return this.#exits.get(key);
  }

  async #launch(run: Run, resume: boolean): Promise<StoredRun> {
    const settings = workspace.getConfiguration('deeptwist');
    const { pid, exited } = await startSidecar({
      run,
      node: nodePath(),
      sidecarScript: this.#sidecarScript,
      resume,
      parallel: settings.get<number>('runs.parallel', 1),
    });
    this.#log.info(`${run.id}: process ${pid} started.`);
    this.#exits.delete(run.path);
    void exited.then((exit) => {
      const { code, signal } = exit;
      this.#exits.set(run.path, exit);
      this.#log.info(`${run.id}: process ${pid} ended, ${signal ?? `code ${code}`}.`);
      return this.#store.refresh(run.path);
    });
    const gone = exited.then(() => true);
    for (;;) {
      const stored = await this.#store.refresh(run.path);
      if (!stored) break;
      // A run that is resumed is what it was until its process has taken it.
      if (!resume || stored.run.record.process?.pid === pid) return stored;
      if (await Promise.race([gone, sleep(TAKEN_MS, false)])) return stored;
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
