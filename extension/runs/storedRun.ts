/** @file A run of the workspace as the extension sees it: its `run.json`, and the process that trains it. */
import { relative } from 'node:path';
import type { LiveState } from '../../server/protocol/sidecar.ts';
import type { RunKey, RunSummary } from '../../server/protocol/dashboard.ts';
import type { Run } from '../../server/runs/run.ts';
import type { LiveRun } from '../sidecar/liveRun.ts';

export class StoredRun {
  readonly run: Run;
  /** Workspace folder that the run lies in; undefined for one outside of all. */
  readonly folder: string | undefined;
  /** While a process trains the run and answers. */
  live: LiveRun | undefined;

  constructor(run: Run, folder: string | undefined) {
    this.run = run;
    this.folder = folder;
  }

  get key(): RunKey {
    return this.run.path;
  }

  get summary(): RunSummary {
    const { id, name, experiment, overrides, created, result, failure } = this.run.record;
    return {
      key: this.key,
      id,
      name,
      experiment: this.folder === undefined ? experiment : relative(this.folder, experiment),
      overrides,
      state: this.run.observedState(),
      created: Date.parse(created),
      ...(result && { result: { ...result, test: result.test ?? NaN } }),
      ...(failure && { failure }),
    };
  }

  /** How the training stands; undefined where no process trains the run, or it cannot be reached. */
  get liveState(): LiveState | undefined {
    return this.live?.state;
  }

  /** Whether a process has the run now. */
  get isActive(): boolean {
    const state = this.run.observedState();
    return state === 'running' || state === 'queued';
  }
}
