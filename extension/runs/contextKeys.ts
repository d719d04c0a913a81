/** @file Context keys that say how the runs of the window stand: for the conditions of commands in package.json. */
import { Disposable, commands } from 'vscode';
import { onPhaseChange } from './phaseChanges.ts';
import type { RunStore } from './runStore.ts';

/** Keeps `deeptwist.hasRunInProgress` and `deeptwist.hasPausedRun` as the runs are. VS Code is told when one changes. */
export function keepContextKeys(store: Pick<RunStore, 'active' | 'onDidChange' | 'onDidProgress'>): Disposable {
  const told = new Map<string, boolean>();
  const tell = (key: string, value: boolean) => {
    if ((told.get(key) ?? false) === value) return;
    told.set(key, value);
    void commands.executeCommand('setContext', key, value);
  };
  const update = () => {
    const { active } = store;
    tell('deeptwist.hasRunInProgress', active.length > 0);
    tell(
      'deeptwist.hasPausedRun',
      active.some(({ liveState }) => liveState?.phase === 'paused'),
    );
  };
  return Disposable.from(store.onDidChange(update), onPhaseChange(store, update));
}
