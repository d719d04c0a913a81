/** @file Finding the experiment file of a run, also after its project was renamed, moved, copied or mounted elsewhere. */
import { existsSync, realpathSync } from 'node:fs';
import platformPath, {
  basename,
  dirname,
  isAbsolute,
  join,
  posix,
  relative,
  resolve,
  sep,
  win32,
  type PlatformPath,
} from 'node:path';
import type { RunRecord } from './runRecord.ts';

/** What `run.json` says of the place of the experiment file. */
export type RecordedExperiment = Pick<RunRecord, 'experiment' | 'relativeExperiment'>;

/** The folder in which the runs of an experiment file are made unless another is given. */
export function runsFolder(experiment: string): string {
  return join(dirname(resolve(experiment)), '.deeptwist', 'runs');
}

/**
 * What a run records of the place of its experiment file.
 * @param folder of the run; both paths are absolute
 */
export function recordedExperiment(folder: string, experiment: string): RecordedExperiment {
  const path = relative(folder, experiment);
  // Another drive of Windows cannot be reached by a relative path.
  return isAbsolute(path)
    ? { experiment }
    : { experiment, relativeExperiment: sep === '\\' ? path.replaceAll(sep, '/') : path };
}

/**
 * The absolute path of a run's experiment file: as seen from the run folder, so that a project takes its runs along and the runs
 * of a copied project belong to the copy. The path at which the experiment was when the run began is the answer where nothing
 * is there as seen from the folder and that path still leads to this run: through a link, or with runs in a folder elsewhere.
 * @param folder of the run, absolute
 */
export function experimentOf(folder: string, recorded: RecordedExperiment): string {
  const near = seenFrom(folder, recorded);
  if (near === undefined || !isOnThisMachine(recorded.experiment, folder)) return near ?? recorded.experiment;
  return !existsSync(near) && existsSync(recorded.experiment) && leadsTo(recorded, folder) ? recorded.experiment : near;
}

function seenFrom(folder: string, { experiment, relativeExperiment }: RecordedExperiment): string | undefined {
  const seen = relativeExperiment !== undefined && resolve(folder, relativeExperiment);
  if (seen !== false && isOnThisMachine(seen, folder)) return seen;
  // Recorded by an early version: runs in `.deeptwist/runs/` are those of an experiment beside it.
  const project = projectOf(folder);
  return project && join(project, fileName(experiment));
}

/** The folder that a run in `.deeptwist/runs/` belongs to; undefined for a run elsewhere. */
function projectOf(folder: string): string | undefined {
  const project = resolve(folder, '..', '..', '..');
  return dirname(folder) === join(project, '.deeptwist', 'runs') ? project : undefined;
}

/** True where this run is among the runs of the experiment file, or lies where `--out` said. */
function leadsTo({ experiment }: RecordedExperiment, folder: string): boolean {
  if (projectOf(folder) === undefined) return true;
  try {
    return realpathSync(join(runsFolder(experiment), basename(folder))) === realpathSync(folder);
  } catch {
    return false;
  }
}

/** The last part of a path of this or of another system: a project may have been moved between them. */
function fileName(path: string): string {
  return /^([A-Za-z]:)?[\\]/.test(path) || /^[A-Za-z]:\//.test(path) ? win32.basename(path) : posix.basename(path);
}

/**
 * True where looking for a file does not make Windows sign in to another computer, `\\\\host\\share`: `run.json` may have come with
 * somebody else's project. Where the run folder is on a share, files of the same share are.
 * @param path the rules of the system: those of this one, but for a test
 */
export function isOnThisMachine(file: string, folder: string, path: PlatformPath = platformPath): boolean {
  const { root } = path.parse(file);
  return /^([A-Za-z]:)?[\\/]$/.test(root) || root === path.parse(folder).root;
}
