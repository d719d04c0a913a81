/** @file What ticks the steps of the walkthrough that a command alone does not complete: a file made, a run finished. */
import { Disposable, commands } from 'vscode';
import type { RunStore } from '../runs/runStore.ts';

export function completeWalkthrough(store: RunStore): Disposable {
  return Disposable.from(
    // A lens runs the experiment without the command that the walkthrough could wait for.
    store.onDidChange((run) => {
      if (run?.isActive) void commands.executeCommand('setContext', 'deeptwist.runStarted', true);
    }),
    store.onDidEnd(({ state }) => {
      if (state === 'finished') void commands.executeCommand('setContext', 'deeptwist.runFinished', true);
    }),
  );
}

/** New Experiment was answered to the end. */
export function experimentMade(): void {
  void commands.executeCommand('setContext', 'deeptwist.experimentMade', true);
}
