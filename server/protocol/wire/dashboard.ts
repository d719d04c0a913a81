/**
 * @file What the extension and the dashboard's page say to each other. The page gets a snapshot of each run that it shows,
 * then the events as they come, and only while it is visible. Neither side trusts the other: what arrives is checked.
 *
 * VS Code carries messages as JSON with typed arrays beside it: a Map arrives as {}, and a number that is not finite, outside
 * of a typed array, as null. Events are put right again by `restoreMeasured`.
 */
import type { RunEvent } from '../run/events.ts';
import type { Fault } from '../run/fault.ts';
import type { LossRise } from '../run/riseOfLoss.ts';
import type { RunLabel } from '../run/runLabel.ts';
import type { RecordedRatio } from '../run/compressedSize.ts';
import type { Latency } from '../run/latency.ts';
import type { RecordedExport } from '../run/exportedFile.ts';
import type { MeasuredMetrics } from '../run/testMetric.ts';
import type { SentSnapshot } from './packSnapshot.ts';
import type { FromPage } from './page.ts';
import type { LiveState } from './sidecar.ts';

/** What a run is called between the two: the absolute path of its folder. */
export type RunKey = string;

/** Runs that a dashboard shows at most: more curves than that say nothing. */
export const MOST_SHOWN = 50;

/** A run as lists show it, from its `run.json`. */
export interface RunSummary {
  readonly key: RunKey;
  readonly id: string;
  /** Name of the experiment. */
  readonly name: string;
  /** Path of the experiment file, relative to its workspace folder where it lies in one. */
  readonly experiment: string;
  readonly overrides: readonly string[];
  readonly state: 'queued' | 'running' | 'finished' | 'failed' | 'stopped' | 'interrupted';
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly result?: RecordedRatio &
    MeasuredMetrics & {
      readonly metric: string;
      /** Where the loss is larger at the end than at the beginning. */
      readonly lossRise?: LossRise | undefined;
    };
  readonly failure?: { readonly message: string; readonly remedy?: string; readonly fault?: Fault };
  readonly label?: RunLabel;
  /** Its differences from the other runs of its experiment: `fc1.rate 0.95, seed 2`. Absent if there are none, or too many runs to compare. */
  readonly differs?: string;
}

/** The ids of the views, in the order of their tabs. */
export const dashboardTabs = ['curves', 'weights', 'spectrum', 'layers', 'files', 'compare'] as const;
export type DashboardTab = (typeof dashboardTabs)[number];

/** A view that the extension opens. */
export type DashboardPlace =
  | { readonly tab: DashboardTab }
  /** At a weight of the first run, by its name, e.g. `fc1/kernel`. */
  | { readonly tab: 'weights'; readonly weight: string };

export type ToDashboard =
  /** The newest runs of the workspace and those that are shown. Without an experiment, the workspace has no file of one. */
  | {
      readonly type: 'runs';
      readonly runs: readonly RunSummary[];
      readonly shown: readonly RunKey[];
      readonly withoutExperiment?: boolean;
    }
  /** A command that is about a view was used, or somebody has chosen a weight elsewhere. */
  | ({ readonly type: 'openTab' } & DashboardPlace)
  | { readonly type: 'loading'; readonly run: RunKey; readonly fraction: number }
  /** All that was recorded so far; replaces what the page knows of the run. */
  | { readonly type: 'snapshot'; readonly run: RunKey; readonly snapshot: SentSnapshot }
  | { readonly type: 'events'; readonly run: RunKey; readonly events: readonly RunEvent[] }
  /**
   * The files that the run's model was exported to, newest first, and what was measured last of its speed; replaces what the page
   * knows of them.
   */
  | {
      readonly type: 'exports';
      readonly run: RunKey;
      readonly files: readonly RecordedExport[];
      readonly latency?: Latency | undefined;
    }
  /** Undefined: no process trains the run, or none that can be reached. */
  | { readonly type: 'live'; readonly run: RunKey; readonly live?: LiveState }
  /** What keeps a run from being shown or controlled, and what can be done. */
  | { readonly type: 'problem'; readonly run?: RunKey; readonly message: string; readonly remedy?: string }
  /** True while the dashboard is open in the editor area: that of the side bar shows no run. */
  | { readonly type: 'elsewhere'; readonly elsewhere: boolean }
  /** Why nothing can be run: the workspace is not trusted. No reason: it is. */
  | { readonly type: 'restricted'; readonly reason?: string };

/** Commands of a run that the page offers; the extension runs the command of the same name, or does it in `perform.ts`. */
export const dashboardCommands = [
  'pause',
  'continue',
  'stop',
  'resume',
  'rerun',
  'exportModel',
  'measureLatency',
  'observeNow',
  'checkpointNow',
  'openDashboard',
  'openExperiment',
  'openFailure',
  'showLog',
  'newExperiment',
  'runExperiment',
  'manageTrust',
] as const;
export type DashboardCommand = (typeof dashboardCommands)[number];

export type FromDashboard =
  /** The page is loaded and has nothing; asks for `runs` and for the snapshots of `shown`, by default the newest run's. */
  | { readonly type: 'ready'; readonly shown?: readonly RunKey[] }
  /** The first is the run whose weights are seen; the others are laid over it. */
  | { readonly type: 'show'; readonly runs: readonly RunKey[] }
  /** Another tab is open. */
  | { readonly type: 'tab'; readonly tab: DashboardTab }
  | { readonly type: 'command'; readonly command: DashboardCommand; readonly run?: RunKey }
  /** Shows the key of the experiment file that chose a weight, such as `fc1/kernel`; a log of an earlier version has no keys. */
  | {
      readonly type: 'revealLayer';
      readonly run: RunKey;
      readonly weight: string;
      readonly compressed: boolean;
      readonly key?: string | undefined;
    }
  /** Shows where an exported file of the run is. */
  | { readonly type: 'revealExport'; readonly run: RunKey; readonly path: string }
  | FromPage;
