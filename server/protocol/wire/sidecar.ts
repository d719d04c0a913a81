/**
 * @file What a client and a run's sidecar say to each other: JSON-RPC over a local socket (a named pipe on Windows), which its
 * ticket leads to (`findRunProcess`). Declared once as parameters, result and doc; both sides derive their types from it.
 * The run folder stays the truth: a client that cannot connect reads it, and sees the same run a moment later.
 */
import type { RunEvent } from '../run/events.ts';

/** Raised when a message changes in a way that an older side would misread. */
export const SIDECAR_PROTOCOL_VERSION = 1;

/**
 * The phase of a run between the start of its process and its end. `ended` is the last that a client is told: it then closes the
 * connection, for which the process waits a few seconds.
 */
export type LivePhase = 'queued' | 'preparing' | 'training' | 'paused' | 'stopping' | 'ended';

/** What a user asks of a run that is under way. */
export type Control = 'pause' | 'continue' | 'observe' | 'checkpoint' | 'stop';

/** The phases in which a run can do what it is asked for. */
export const controlPhases: Readonly<Record<Control, readonly LivePhase[]>> = {
  pause: ['training'],
  continue: ['paused'],
  observe: ['training', 'paused'],
  checkpoint: ['training', 'paused'],
  stop: ['queued', 'preparing', 'training', 'paused', 'stopping'],
};

/** How a run stands at this moment. */
export interface LiveState {
  readonly phase: LivePhase;
  /** Steps done. */
  readonly step: number;
  /** Steps in all; 0 while the experiment is being prepared. */
  readonly steps: number;
  readonly stepsPerSecond?: number;
  /** Loss of the last metrics event. */
  readonly loss?: number;
  /** The last evaluation. */
  readonly evaluation?: { readonly metric: string; readonly value: number; readonly step: number };
  /** Runs that must end before this one starts, while it is queued. */
  readonly runsAhead?: number;
  /**
   * Images that are decoded, bytes of a text that are tokenized, or samples whose labels are counted, of all, while the experiment is being
   * prepared.
   */
  readonly decoded?: { readonly what: 'images' | 'text' | 'labels'; readonly done: number; readonly total: number };
}

/** Requests, by method name: [parameters, result]. Each fails with an error message that a user can read. */
export interface SidecarRequests {
  /** First of all. Fails where the two sides speak different versions. */
  initialize: [{ readonly protocol: number; readonly client: string }, InitializeResult];
  state: [undefined, LiveState];
  /**
   * From now on this client receives `events` notifications: first what the log has from `offset` on, then what is added.
   * The offset is one at which a line of `events.jsonl` begins. `cuts` is how many `cuts` run.json had when the offset was
   * learnt: where the log has been cut before the offset since then, the events begin at the cut. Subscribing again starts
   * anew at the new offset. A client that has several readers numbers their streams of events; each then starts at an offset of
   * its own, and subscribing again concerns the stream of that number.
   */
  subscribe: [{ readonly offset: number; readonly cuts?: number; readonly stream?: number }, undefined];
  /** Ends the stream of that number: no more of its events are sent after the answer. */
  unsubscribe: [{ readonly stream: number }, undefined];
  /** After the current step. Answered when the run has paused; fails where it ends before. */
  pause: [undefined, undefined];
  continue: [undefined, undefined];
  /**
   * `after-step`: with a checkpoint and a `stopped` event; answered at once. `now`: without waiting for the step, from the last
   * checkpoint; the process ends, and the connection with it. Both can be asked for twice. A step that never gives control
   * back (a loop in a user's module) leaves both unanswered: a client then ends the process, see `killRun`.
   */
  stop: [{ readonly when: 'after-step' | 'now' }, undefined];
  /**
   * After the current step: records an `observation` event, what a distortion would do to the weights at this moment, and a
   * `spectrum` event. The weights stay as they are. Answered when both are recorded.
   */
  observe: [undefined, undefined];
  /**
   * Changes settings of a run that trains, each given as `path=value` (`path=null` removes it). They take effect together with
   * the next distortion, or after the next step where the policy distorts at the end only. Answered after the current step
   * with the step after which that is. Fails, and changes nothing, where a value is wrong or a run keeps the setting.
   */
  change: [{ readonly values: readonly string[] }, { readonly step: number }];
  /** Saves a checkpoint after the current step. */
  checkpoint: [undefined, { readonly step: number; readonly path: string }];
  /**
   * What the run does when its last client has left and none has come for `afterMs` milliseconds, by default 20,000: a window
   * that is reloaded comes back. The last client that says it decides. Default: `continue`. A run that paused stays so until it
   * is told to continue.
   */
  whenAlone: [{ readonly action: WhenAlone; readonly afterMs?: number }, undefined];
}

export type WhenAlone = 'continue' | 'pause' | 'stop';

export interface InitializeResult {
  readonly protocol: number;
  readonly run: string;
  readonly pid: number;
  readonly state: LiveState;
  /** The sidecar keeps several streams of events for a client. One of an older version has a single one, without a number. */
  readonly streams?: boolean;
}

/** Notifications from the sidecar, by method name. */
export interface SidecarNotifications {
  state: LiveState;
  events: {
    /** Bytes of `events.jsonl` that precede what comes next: the offset to subscribe from after these. */
    readonly offset: number;
    readonly events: readonly RunEvent[];
    /** Number that the stream was subscribed with. */
    readonly stream?: number;
  };
}

export type SidecarMethod = keyof SidecarRequests;
export type SidecarParams<M extends SidecarMethod> = SidecarRequests[M][0];
export type SidecarResult<M extends SidecarMethod> = SidecarRequests[M][1];
