/**
 * @file The exported files of a run, as they are kept in its folder: `exports/<key>.json`, a file for each, so that exports at the
 * same time do not meet.
 */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { exportedFileSchema, type ExportedFile, type RecordedExport } from '../protocol/run/exportedFile.ts';
import { isMissing } from '../protocol/systemError.ts';
import { makeFolder, writeAtomically } from './disk.ts';
import { FILES_AT_ONCE, mapAtOnce } from './mapAtOnce.ts';
import type { Run } from './run.ts';
import { isInside, mayBeLookedAt, readRegularFile } from './workspaceFile.ts';

/** Exports of one run that are read. */
const MOST_EXPORTS = 100;

/**
 * Keeps what is known of an exported file. One of the same path is replaced.
 * @throws UserError when it cannot be written
 */
export async function recordExport(run: Run, file: ExportedFile): Promise<void> {
  await makeFolder(run.exportsFolder);
  const key = createHash('sha256').update(file.path).digest('hex').slice(0, 16);
  // JSON makes null of a metric that is not finite; of a report, the schema takes what is kept.
  const kept = exportedFileSchema.parse(JSON.parse(JSON.stringify({ ...file, path: keptPath(run, file.path) })));
  await writeAtomically(join(run.exportsFolder, `${key}.json`), JSON.stringify(kept) + '\n');
}

/** A project that is moved takes the files that lie in it along. */
function keptPath(run: Run, path: string): string {
  const project = [dirname(run.record.experiment)];
  const isInProject = isInside(path, project) && isInside(run.path, project);
  return isInProject ? relative(run.path, path).replaceAll('\\', '/') : path;
}

/** The exported files of a run, newest first. Records that are damaged are passed over. */
export async function readExportedFiles(run: Pick<Run, 'exportsFolder' | 'path'>): Promise<RecordedExport[]> {
  const names = await readdir(run.exportsFolder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const records = names.filter((name) => name.endsWith('.json')).slice(0, MOST_EXPORTS);
  const read = await mapAtOnce(records, FILES_AT_ONCE, (name) => readExport(run, join(run.exportsFolder, name)));
  return read.filter((file) => file !== undefined).sort((a, b) => b.time - a.time);
}

async function readExport(run: Pick<Run, 'path'>, record: string): Promise<RecordedExport | undefined> {
  try {
    const file = exportedFileSchema.parse(JSON.parse(await readRegularFile(record)));
    const path = resolve(run.path, file.path);
    return { ...file, path, isThere: await isThere(run, path) };
  } catch {
    return undefined;
  }
}

/** A run folder may come with somebody else's project, and so may the paths in it. */
async function isThere(run: Pick<Run, 'path'>, path: string): Promise<boolean> {
  if (!mayBeLookedAt(path, run.path)) return false;
  return stat(path).then(
    () => true,
    () => false,
  );
}
