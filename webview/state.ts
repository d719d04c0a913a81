/** @file What the page knows: the runs of the workspace, those that are shown, and what was recorded of them. */
import { fileName } from '../server/protocol/fileName.ts';
import type { DashboardCommand, RunKey, RunSummary, ToDashboard } from '../server/protocol/wire/dashboard.ts';
import { canResume } from '../server/protocol/run/canResume.ts';
import type { Latency } from '../server/protocol/run/latency.ts';
import type { RecordedExport } from '../server/protocol/run/exportedFile.ts';
import { restoreSnapshot } from '../server/protocol/wire/packSnapshot.ts';
import { restoreMeasured } from '../server/protocol/run/restoreMeasured.ts';
import { runHistoryFrom } from '../server/protocol/run/runHistory.ts';
import type { RunHistory, RunSnapshot } from '../server/protocol/run/runHistory.ts';
import { controlPhases, type Control, type LiveState } from '../server/protocol/wire/sidecar.ts';

/** A message that says what is wrong and, where there is something to be done, what. */
export interface Problem {
  readonly message: string;
  readonly remedy?: string;
}

/** A run that is shown. The object is a new one whenever something in it is new. */
export interface ShownRun {
  readonly key: RunKey;
  /** Short, and different from that of every other shown run. */
  readonly label: string;
  /** Place in the palette; a run keeps it while it is shown. */
  readonly color: number;
  readonly summary?: RunSummary;
  /** Undefined until it is loaded. The same object until an event is added. */
  readonly snapshot?: RunSnapshot;
  /** 0 to 1 while the snapshot is on its way. */
  readonly loading?: number;
  readonly live?: LiveState;
  /** Newest first. Undefined while the extension has told of none. */
  readonly exports?: readonly RecordedExport[];
  /** Undefined where nothing was measured. */
  readonly latency?: Latency;
  readonly problem?: Problem;
}

/** What views draw. A new object whenever something in it is new. */
export interface PageState {
  /** Newest first. Undefined until the extension has answered. */
  readonly runs?: readonly RunSummary[];
  /** True where the workspace has no experiment file that could be run. */
  readonly withoutExperiment: boolean;
  /** The first is the run whose weights are seen; the others are laid over it. */
  readonly shown: readonly ShownRun[];
  readonly problem?: Problem;
  /** True while the dashboard is open in the editor area, and not here. */
  readonly elsewhere: boolean;
  /** Set in a workspace that is not trusted. */
  readonly restricted?: { readonly reason: string };
}

interface RunData {
  color: number;
  history?: RunHistory;
  /** Snapshot of `history`; undefined if events were added since it was made. */
  snapshot?: RunSnapshot;
  loading?: number;
  live?: LiveState;
  exports?: readonly RecordedExport[];
  latency?: Latency;
  problem?: Problem;
  /** Undefined where something is new. */
  shown?: ShownRun;
}

/** Folds the extension's messages into {@link PageState}. */
export class DashboardState {
  #runs: readonly RunSummary[] | undefined;
  #withoutExperiment = false;
  #shown: readonly RunKey[] = [];
  readonly #data = new Map<RunKey, RunData>();
  #problem: Problem | undefined;
  #restricted: PageState['restricted'];
  #elsewhere = false;

  apply(message: ToDashboard): void {
    switch (message.type) {
      case 'runs':
        this.#runs = message.runs;
        this.#withoutExperiment = message.withoutExperiment === true;
        this.show(message.shown);
        for (const data of this.#data.values()) data.shown = undefined;
        return;
      case 'openTab':
        return; // It changes the view state alone.
      case 'loading':
        return this.#change(message.run, (data) => (data.loading = message.fraction));
      case 'snapshot':
        return this.#change(message.run, (data) => {
          const snapshot = restoreSnapshot(message.snapshot);
          data.history = runHistoryFrom(snapshot);
          data.snapshot = snapshot;
          data.loading = undefined;
          data.problem = undefined;
        });
      case 'events':
        return this.#change(message.run, (data) => {
          // Events before the snapshot are in the snapshot.
          if (!data.history) return;
          for (const event of message.events) data.history.apply(restoreMeasured(event));
          data.snapshot = undefined;
        });
      case 'exports':
        return this.#change(message.run, (data) => {
          data.exports = message.files;
          data.latency = message.latency;
        });
      case 'live':
        return this.#change(message.run, (data) => {
          data.live = message.live;
          // The run's process answers: that it had refused to is over.
          if (message.live) data.problem = undefined;
        });
      case 'problem': {
        const { run, message: text, remedy } = message;
        const problem = { message: text, remedy };
        if (run === undefined) this.#problem = problem;
        else this.#change(run, (data) => (data.problem = problem));
        return;
      }
      case 'elsewhere':
        this.#elsewhere = message.elsewhere;
        return;
      case 'restricted':
        this.#restricted = message.reason === undefined ? undefined : { reason: message.reason };
        return;
      default:
        message satisfies never;
    }
  }

  /** Chooses the runs that are shown. What was recorded of the others is forgotten. */
  show(keys: readonly RunKey[]): void {
    this.#shown = [...new Set(keys)];
    for (const key of this.#data.keys()) if (!this.#shown.includes(key)) this.#data.delete(key);
    for (const key of this.#shown) {
      if (this.#data.has(key)) continue;
      const taken = new Set([...this.#data.values()].map((data) => data.color));
      let color = 0;
      while (taken.has(color)) color++;
      this.#data.set(key, { color });
    }
    for (const data of this.#data.values()) data.shown = undefined;
  }

  get shown(): readonly RunKey[] {
    return this.#shown;
  }

  dismissProblem(): void {
    this.#problem = undefined;
  }

  snapshot(): PageState {
    const labels = runLabels(this.#shown, this.#runs ?? []);
    return {
      runs: this.#runs,
      withoutExperiment: this.#withoutExperiment,
      shown: this.#shown.map((key, i) => this.#shownRun(key, labels[i])),
      problem: this.#problem,
      elsewhere: this.#elsewhere,
      restricted: this.#restricted,
    };
  }

  #shownRun(key: RunKey, label: string): ShownRun {
    const data = this.#data.get(key)!;
    data.snapshot ??= data.history?.snapshot();
    data.shown ??= {
      key,
      label,
      color: data.color,
      summary: this.#runs?.find((run) => run.key === key),
      snapshot: data.snapshot,
      loading: data.loading,
      live: data.live,
      exports: data.exports,
      latency: data.latency,
      problem: data.problem,
    };
    return data.shown;
  }

  #change(run: RunKey, change: (data: RunData) => void): void {
    const data = this.#data.get(run);
    if (!data) return; // It is no longer shown.
    change(data);
    data.shown = undefined;
  }
}

/** What a user calls a run, or what tells it from others of its experiment, or when it began. */
export function runTitle({ label, differs, created }: RunSummary): string {
  return label?.name ?? differs ?? startTime(created);
}

/**
 * Names that tell the shown runs apart: those that a user gave them, the experiment's, or what differs between runs of one experiment,
 * which is the settings in which they differ, or else the time at which each began.
 */
function runLabels(shown: readonly RunKey[], runs: readonly RunSummary[]): string[] {
  const summaries = shown.map((key) => runs.find((run) => run.key === key));
  const names = new Set(summaries.map((summary) => summary?.name));
  return summaries.map((summary, i) => {
    if (!summary) return fileName(shown[i]);
    if (summary.label?.name !== undefined) return summary.label.name;
    const namesakes = summaries.filter((other) => other && other !== summary && other.name === summary.name);
    if (namesakes.length === 0) return summary.name;
    const own = summary.overrides.filter(
      (override) => !namesakes.every((other) => other!.overrides.includes(override)),
    );
    const isTaken = namesakes.some((other) => own.every((override) => other!.overrides.includes(override)));
    const isTold = summary.differs !== undefined && namesakes.every((other) => other!.differs !== summary.differs);
    const difference = isTold
      ? summary.differs
      : isTaken
        ? startTime(summary.created)
        : [...new Set(own.map(shortOverride))].join(', ');
    return names.size === 1 ? difference : `${summary.name} · ${difference}`;
  });
}

/** `distortEvery=20` of `compression.distortEvery=20`. */
function shortOverride(override: string): string {
  const equals = override.indexOf('=');
  return override.slice(override.lastIndexOf('.', equals) + 1);
}

function startTime(created: number): string {
  return new Date(created).toLocaleString(undefined, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  });
}

/** The commands to a run that is under way, in the order of importance. */
const controls: readonly (readonly [DashboardCommand, Control])[] = [
  ['pause', 'pause'],
  ['continue', 'continue'],
  ['stop', 'stop'],
  ['observeNow', 'observe'],
];

/** What can be done with a run as it stands, in the order of importance. */
export function runCommands({ summary, snapshot, live }: ShownRun, restricted: boolean): readonly DashboardCommand[] {
  if (restricted || !summary) return [];
  const { state } = summary;
  if (state === 'running' || state === 'queued') {
    const phase = live?.phase;
    // One that was asked to stop waits for its step.
    if (phase === undefined || phase === 'stopping') return [];
    return controls.filter(([, control]) => controlPhases[control].includes(phase)).map(([command]) => command);
  }
  if (state === 'finished') return ['exportModel', 'rerun'];
  // While the recorded data are not there, a checkpoint is not known to be missing.
  if (!canResume(summary, snapshot?.checkpoints.length !== 0)) return ['rerun'];
  return state === 'failed' ? ['rerun', 'resume'] : ['resume', 'rerun'];
}
