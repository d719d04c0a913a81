/** @file What the CLI asks of `server/export/`, which it loads when a command exports. */
import type * as exporting from '../export/index.ts';

export type Exporter = Pick<typeof exporting, 'exportRun' | 'evaluateFile' | 'thinFile'>;
export type { ExportSettings } from '../export/format.ts';
export type { ExportReport } from '../export/exportModel.ts';
export type { ThinSettings } from '../export/thinSource.ts';
