/**
 * @file What the thread that reads sweeps, the extension and the page of a sweep say to each other. Neither side trusts the other: what
 * arrives is checked. VS Code carries messages as JSON: a metric that is not finite is null here.
 */
import type { Fault } from '../run/fault.ts';
import type { MeasuredSummary } from '../run/seedGroups.ts';
import type { RunKey, RunSummary } from './dashboard.ts';
import type { FromPage } from './page.ts';

/** What a person has said of a run. */
export interface RunNote {
  /** Stays above the others. */
  readonly pinned: boolean;
  readonly text: string;
}

/** What is said anew of some runs; what is absent stays as it is for each of them. */
export interface RunNoteChange {
  readonly pinned?: boolean | undefined;
  readonly text?: string | undefined;
}

/** What a finished run came to. */
export interface SweptRunResult extends Omit<MeasuredSummary, 'test' | 'validation'> {
  readonly test: number | null;
  readonly validation?: number | null | undefined;
  /** Loss on the split of the metric that is shown; absent where it is not recorded, null where it is not finite. */
  readonly loss?: number | null | undefined;
  /** Seconds that it took; absent where they are not recorded. */
  readonly seconds?: number | undefined;
}

/** A line of a sweep's plan, and how its run stands. */
export interface SweptRunRow {
  /** Place in the plan, from 1. */
  readonly line: number;
  readonly id: string;
  readonly key: RunKey;
  /** The `path=value` texts in which it differs from the other runs. */
  readonly vary: readonly string[];
  readonly seed: number;
  /** `planned`: it has not begun; `early`: it was stopped, since others were better at that step. */
  readonly state: RunSummary['state'] | 'planned' | 'early';
  readonly result?: SweptRunResult | undefined;
  /** Why it is not finished; absent where nothing is known to be wrong. */
  readonly problem?: string | undefined;
  /** Why it fails again when it is gone on with. */
  readonly fault?: Fault | undefined;
  readonly note?: RunNote | undefined;
}

/** The target of a search, and its result. */
export interface SweepSearch {
  /** `target` of its file, in a line. */
  readonly target: string;
  /** Absent before the end of the search. */
  readonly result?: {
    readonly isMet: boolean;
    /** Name of the metric. */
    readonly metric: string;
    /** The run that was looked for, or the nearest to it; absent where no full run came to an end. */
    readonly best?: FoundRun;
  };
}

export interface FoundRun {
  readonly run: string;
  /** Metric on the validation split; null where it is not finite. */
  readonly value: number | null;
  /** By how much that is worse than the dense model's. */
  readonly drop: number | null;
  readonly bytes: number | null;
  readonly ratio: number | null;
}

/** A sweep as it is on the disk. */
export interface SweepContent {
  readonly id: string;
  /** Its folder. */
  readonly path: string;
  /** Path of its experiment file. */
  readonly experiment: string;
  /** Runs that it has when it is done: more than there are rows while Optuna still adds some. */
  readonly size: number;
  /** In the order of the plan. */
  readonly rows: readonly SweptRunRow[];
  /** Set for a search, whose runs are decided one after the other. */
  readonly search?: SweepSearch | undefined;
}

/** What is asked of the thread that reads sweeps. */
export type SweepRequest = { readonly number: number; readonly path: string } & (
  | { readonly type: 'read' }
  /** Writes what a person says of some runs; then as `read`. */
  | { readonly type: 'note'; readonly runs: readonly string[]; readonly change: RunNoteChange }
);

export type SweepAnswer = { readonly number: number } & (
  | { readonly sweep: SweepContent }
  | { readonly problem: { readonly message: string; readonly remedy?: string | undefined } }
);

/** The progress of a run that trains. */
export interface RunProgress {
  readonly run: RunKey;
  /** `43% · 97.10%`: the part of its steps that is done, and its last evaluation. */
  readonly text: string;
}

export type ToSweepPage =
  /** Replaces all that is known. */
  | { readonly type: 'sweep'; readonly sweep: SweepContent; readonly isTrusted: boolean }
  /** Replaces what is known of these runs' progress. */
  | { readonly type: 'progress'; readonly runs: readonly RunProgress[] }
  /** What keeps the sweep from being shown, and what can be done. */
  | { readonly type: 'problem'; readonly message: string; readonly remedy?: string | undefined };

export type FromSweepPage =
  /** The page is loaded and has nothing; asks for `sweep`. */
  | { readonly type: 'ready' }
  /** Goes on with the sweep in a terminal. */
  | { readonly type: 'continue' }
  /** Writes what was varied in a run, but for the seed, into the experiment file. */
  | { readonly type: 'use'; readonly run: RunKey }
  /** Shows runs in the dashboard; several are compared. */
  | { readonly type: 'open'; readonly runs: readonly RunKey[] }
  | { readonly type: 'note'; readonly runs: readonly RunKey[]; readonly change: RunNoteChange }
  | FromPage;

/** True where nothing of a sweep is left to be trained. */
export function isOver({ size, rows, search }: SweepContent): boolean {
  if (search) return search.result !== undefined;
  return rows.length >= size && rows.every(({ state }) => state === 'finished' || state === 'early');
}

/** True where every run of a sweep has come to an end, if only by failing: none is planned, trains, or was stopped before its end. */
export function hasEnded({ size, rows }: Pick<SweepContent, 'size' | 'rows'>): boolean {
  return (
    rows.length >= size && rows.every(({ state }) => state === 'finished' || state === 'early' || state === 'failed')
  );
}

/** A result with the numbers that JSON does not have. */
export function measuredSummary({ test, validation, ...result }: SweptRunResult): MeasuredSummary {
  return {
    ...result,
    test: test ?? NaN,
    ...(validation !== undefined && { validation: validation ?? NaN }),
  };
}
