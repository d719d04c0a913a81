/** @file The experiment files of the workspace. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RelativePattern, Uri, workspace } from 'vscode';
import { listRunIds } from '../../server/runs/findRun.ts';
import { isKeptCopy } from '../../server/runs/keptCopy.ts';
import { EXPERIMENT_ENDING, experimentName, openRun } from '../../server/runs/run.ts';
import { runsFolder } from '../../server/runs/experimentOf.ts';
import { newestFirst, ownerByName } from './runIds.ts';

export const EXPERIMENT_GLOB = `**/*${EXPERIMENT_ENDING}`;
const EXCLUDED = '**/{node_modules,.deeptwist}/**';

export interface ExperimentFile {
  /** Absolute path. */
  readonly file: string;
  /** File name without its ending. */
  readonly name: string;
  /** Path of the workspace folder that it lies in. */
  readonly folder: string;
  /** Folder of its runs. */
  readonly runsFolder: string;
  /** The file is gone, its runs are still there. */
  readonly missing?: true;
}

/** In every workspace folder, by path, each once: a workspace folder may lie in another one. */
export async function findExperimentFiles(): Promise<ExperimentFile[]> {
  const found = await Promise.all(
    (workspace.workspaceFolders ?? []).map((folder) =>
      workspace.findFiles(new RelativePattern(folder, EXPERIMENT_GLOB), EXCLUDED),
    ),
  );
  const files = found
    .flat()
    .filter((uri) => !isCopy(uri))
    .map(experimentFileOf);
  const folders = new Set(files.map(({ runsFolder }) => runsFolder));
  const gone = await Promise.all(
    Array.from(folders, (folder) =>
      missingExperiments(
        folder,
        files.filter(({ runsFolder }) => runsFolder === folder),
      ),
    ),
  );
  const byPath = new Map([...files, ...gone.flat()].map((experiment) => [experiment.file, experiment]));
  return [...byPath.values()].sort((a, b) => a.file.localeCompare(b.file));
}

/** Run folders that are opened to look for experiments that are gone. */
const OPENED = 20;

/** Experiments beside those that are there, whose files were renamed or deleted; their runs are still there. */
async function missingExperiments(folder: string, present: readonly ExperimentFile[]): Promise<ExperimentFile[]> {
  const missing: ExperimentFile[] = [];
  let opened = 0;
  const ids = new Set(await listRunIds(folder));
  for (const id of newestFirst([...ids])) {
    if (ownerByName(id, [...present, ...missing], ids)) continue;
    if (++opened > OPENED) break;
    const record = await openRun(join(folder, id)).then(
      (run) => run.record,
      () => undefined,
    );
    if (record && runsFolder(record.experiment) === folder && !existsSync(record.experiment))
      missing.push({ ...experimentFileOf(Uri.file(record.experiment)), missing: true });
  }
  return missing;
}

export function experimentFileOf(uri: Uri): ExperimentFile {
  const file = uri.fsPath;
  const folder = workspace.getWorkspaceFolder(uri)?.uri.fsPath ?? '';
  return { file, name: experimentName(file), folder, runsFolder: runsFolder(file) };
}

export function isExperimentFile(uri: Uri | undefined): uri is Uri {
  return uri?.scheme === 'file' && uri.path.endsWith(EXPERIMENT_ENDING);
}

/** An experiment file that a user writes. */
export function isOpenExperiment(uri: Uri): boolean {
  return isExperimentFile(uri) && !isCopy(uri);
}

/** True for the copy that a run or a sweep keeps, which is no experiment of its own. */
export function isCopy(uri: Uri): boolean {
  return isKeptCopy(uri.fsPath);
}
