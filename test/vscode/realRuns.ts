/** @file What suites with runs share: their folder, real runs from start to end, and what these recorded. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { StoredRun } from '../../extension/runs/storedRun.ts';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import type { EventOf, RunEvent } from '../../server/protocol/run/events.ts';
import { eventually } from './frame.ts';

/** A suite's own folder of the window's workspace. */
export function folderOf(suite: string): string {
  return join(vscode.workspace.workspaceFolders![0].uri.fsPath, `${suite}-test`);
}

export async function activate(): Promise<DeepTwistApi> {
  return (await vscode.extensions.getExtension<DeepTwistApi>('deeptwist.deeptwist')?.activate())!;
}

export async function startRun(file: vscode.Uri, command = 'deeptwist.runExperiment'): Promise<StoredRun> {
  const run = await vscode.commands.executeCommand<StoredRun | undefined>(command, file.toString());
  assert.ok(run, 'the run did not start');
  return run;
}

/** Waits until the run has ended, and asserts how. */
export async function ended(run: StoredRun, state: StoredRun['summary']['state'] = 'finished'): Promise<void> {
  await eventually(`the end of ${run.key}`, () => !run.isActive && !run.live);
  assert.equal(run.summary.state, state, run.summary.failure?.message);
}

/** Stops what still trains. */
export async function stopAll({ store }: DeepTwistApi): Promise<void> {
  for (const run of store.active) await vscode.commands.executeCommand('deeptwist.stop', run.key);
  await eventually('all runs to end', () => store.active.length === 0);
}

export function eventsOf(run: StoredRun): RunEvent[] {
  const lines = readFileSync(run.run.eventsFile, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as RunEvent);
}

export function eventsOfType<T extends RunEvent['type']>(run: StoredRun, type: T): EventOf<T>[] {
  return eventsOf(run).filter((event): event is EventOf<T> => event.type === type);
}
