/** @file What the extension and the page of a sensitivity report say to each other. Neither side trusts the other: what arrives is checked. */
import type { SensitivityReport } from '../run/sensitivityReport.ts';
import type { FromPage } from './page.ts';

export type ToSensitivityPage = {
  readonly type: 'report';
  readonly report: SensitivityReport;
  /** What was measured, as a person knows it. */
  readonly name: string;
};

export type FromSensitivityPage =
  /** The page is loaded and has nothing; asks for `report`. */
  | { readonly type: 'ready' }
  /** Writes the suggested compression into the experiment file, with `startFromRun` also `start`: the run whose weights were measured. */
  | { readonly type: 'use'; readonly startFromRun: boolean }
  | FromPage;
