/** @file What ticks the steps of the walkthrough that a command alone does not complete: a file made, a run finished. */
import { commands, type Disposable } from 'vscode';
import type { RunStore } from '../runs/runStore.ts';

export function completeWalkthrough(store: RunStore): Disposable {
  return store.onDidEnd(({ state }) => {
    if (state === 'finished') void commands.executeCommand('setContext', 'deeptwist.runFinished', true);
  });
}

/** New Experiment was answered to the end. */
export function experimentMade(): void {
  void commands.executeCommand('setContext', 'deeptwist.experimentMade', true);
}
