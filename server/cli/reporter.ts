/** @file The renderer of reports, which the CLI loads when a command writes one. */
export type { ReportRenderer as Reporter } from '../protocol/run/report.ts';
