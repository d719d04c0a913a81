/** @file What the CLI asks of `server/export/`, which it loads when a command exports. */
import type * as exporting from '../export/index.ts';

export type Exporter = Pick<typeof exporting, 'exportRun'>;
export type { ExportProgress, ExportReport } from '../export/index.ts';
export type { ExportSettings } from '../export/format.ts';
