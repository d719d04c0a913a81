/** @file When the process of a run enters another phase: `run.json` has none, and a run that trains tells of its progress all the time. */
import type { Disposable } from 'vscode';
import type { LivePhase } from '../../server/protocol/wire/sidecar.ts';
import type { RunStore } from './runStore.ts';
import type { StoredRun } from './storedRun.ts';

export function onPhaseChange(
  { onDidProgress }: Pick<RunStore, 'onDidProgress'>,
  listener: (run: StoredRun) => void,
): Disposable {
  const phases = new WeakMap<StoredRun, LivePhase | undefined>();
  return onDidProgress((run) => {
    const phase = run.liveState?.phase;
    if (phases.get(run) === phase) return;
    phases.set(run, phase);
    listener(run);
  });
}
