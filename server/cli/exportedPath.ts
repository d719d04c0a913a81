/** @file Telling an exported file from a run in the arguments of a command. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exportFormatNames, exportFormats } from '../protocol/model/exportFormats.ts';

/** True for a file, and for a folder as an export makes it: no run is the one or the other. */
export function isExported(path: string): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status?.isDirectory()) return status !== undefined;
  return exportFormatNames.some((name) => {
    const { mainFile } = exportFormats[name];
    return mainFile !== undefined && existsSync(join(path, mainFile));
  });
}
