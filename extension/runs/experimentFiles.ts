/** @file The experiment files of the workspace. */
import { RelativePattern, workspace, type Uri } from 'vscode';
import { experimentName } from '../../server/runs/run.ts';
import { runsFolder } from '../../server/runs/createRun.ts';

export const EXPERIMENT_GLOB = '**/*.deeptwist.jsonc';
const EXCLUDED = '**/{node_modules,.deeptwist}/**';

export interface ExperimentFile {
  /** Absolute path. */
  readonly file: string;
  /** File name without its ending. */
  readonly name: string;
  /** Path of the workspace folder that it lies in. */
  readonly folder: string;
  /** Where its runs are. */
  readonly runsFolder: string;
  /** The file is gone, its runs are still there. */
  readonly missing?: true;
}

/** In every workspace folder, by path. */
export async function findExperimentFiles(): Promise<ExperimentFile[]> {
  const found = await Promise.all(
    (workspace.workspaceFolders ?? []).map((folder) =>
      workspace.findFiles(new RelativePattern(folder, EXPERIMENT_GLOB), EXCLUDED),
    ),
  );
  return found
    .flat()
    .map(experimentFileOf)
    .sort((a, b) => a.file.localeCompare(b.file));
}

export function experimentFileOf(uri: Uri): ExperimentFile {
  const file = uri.fsPath;
  const folder = workspace.getWorkspaceFolder(uri)?.uri.fsPath ?? '';
  return { file, name: experimentName(file), folder, runsFolder: runsFolder(file) };
}

export function isExperimentFile(uri: Uri | undefined): uri is Uri {
  return uri?.scheme === 'file' && uri.path.endsWith('.deeptwist.jsonc');
}
