/** @file What a report of runs is made of, and what it comes to: the command line gathers it, the charts of the dashboard draw it. */
import type { RecordedExport } from './exportedFile.ts';
import type { Latency } from './latency.ts';
import type { RunSnapshot } from './runHistory.ts';

export interface ReportedRun {
  readonly id: string;
  /** `finished`, `running`, … */
  readonly state: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** `path=value` of each value that was changed for this run alone. */
  readonly overrides: readonly string[];
  readonly snapshot: RunSnapshot;
  /** Newest first. */
  readonly exports: readonly RecordedExport[];
  readonly latency?: Latency | undefined;
  /** Text of the experiment file as the run began with it. */
  readonly experimentText: string;
  /** What a user enters to have the run again. */
  readonly commands: readonly string[];
}

/** Rows of text under a header. */
export interface ReportTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

export interface ReportData {
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The versions of DeepTwist and of Node.js by which the report was made. */
  readonly versions: { readonly deeptwist: string; readonly node: string };
  readonly runs: readonly ReportedRun[];
  /** Runs that differ in their seed alone, taken together; absent where none do. */
  readonly seeds?: ReportTable | undefined;
}

/** A page in parts: the style is apart, so that a policy can name it by its hash. */
export interface RenderedReport {
  readonly title: string;
  readonly style: string;
  readonly body: string;
}

/** What the bundle of the report exports. */
export interface ReportRenderer {
  renderReport(data: ReportData): RenderedReport;
}
