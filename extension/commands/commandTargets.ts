/** @file The runs or the experiment that a command is for: a row of the tree, a run's folder, a file, or what the user picks. */
import { basename, dirname } from 'node:path';
import { Uri, commands, l10n, window, workspace } from 'vscode';
import { UserError } from '../../server/protocol/userError.ts';
import { EXPERIMENT_LANGUAGE } from '../../server/protocol/wire/language.ts';
import { EXPERIMENT_ENDING } from '../../server/runs/run.ts';
import { runTitles } from '../runs/runTitles.ts';
import type { TreeNode } from '../experiments/experimentsTree.ts';
import {
  experimentFileOf,
  isCopy,
  isExperimentFile,
  isOpenExperiment,
  type ExperimentFile,
} from '../runs/experimentFiles.ts';
import { newestFirst } from '../runs/runIds.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { Services } from '../services.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { offerFolder, showInformation } from '../messages.ts';

/**
 * The experiment that is meant, or that of the editor; asks where there are several. Undefined if the user cancels.
 * @throws UserError for the copy that a run or a sweep keeps, and where what is meant is no experiment file: no other one is run in its place
 */
export async function chooseExperiment({ store }: Services, argument: unknown): Promise<ExperimentFile | undefined> {
  if (isNode(argument)) return experimentOfNode(argument);
  const file = fileOf(argument);
  if (file) return ownExperiment(file);
  const run = typeof argument === 'string' ? await store.get(argument) : undefined;
  if (run) return experimentFileOf(Uri.file(run.run.record.experiment));
  if (typeof argument === 'string')
    throw new UserError(l10n.t('There is neither a run nor an experiment file {0}.', argument), {
      remedy: l10n.t('It may have been deleted or renamed: open the experiment file, then do it again.'),
    });
  const open = window.activeTextEditor?.document;
  if (isExperimentFile(open?.uri)) return ownExperiment(open.uri);
  if (open?.languageId === EXPERIMENT_LANGUAGE) throw notAnExperiment(open.uri);

  const experiments = (await store.experiments()).filter((experiment) => !experiment.missing);
  if (!workspace.workspaceFolders?.length) {
    await offerFolder();
    return undefined;
  }
  if (experiments.length === 0) {
    const create = l10n.t('New Experiment…');
    const answer = await showInformation(l10n.t('This workspace has no experiment file yet.'), create);
    if (answer === create) await commands.executeCommand('deeptwist.newExperiment');
    return undefined;
  }
  if (experiments.length === 1) return experiments[0];
  const picked = await window.showQuickPick(
    experiments.map((experiment) => ({ label: experiment.name, description: relativeTo(experiment), experiment })),
    { placeHolder: l10n.t('Select an experiment') },
  );
  return picked?.experiment;
}

function ownExperiment(file: Uri): ExperimentFile {
  if (!isCopy(file)) return experimentFileOf(file);
  throw new UserError(l10n.t('{0} is the copy of an experiment file that a run or a sweep keeps.', file.fsPath), {
    remedy: l10n.t('Train the run again with Rerun, or open the experiment file itself.'),
  });
}

function notAnExperiment({ scheme, path, fsPath }: Uri): UserError {
  const name = scheme === 'file' ? fsPath : `${scheme}:${path}`;
  return new UserError(l10n.t('{0} is not an experiment file.', name), {
    remedy: l10n.t('Save it under a name that ends in {0}, or open an experiment file; then do it again.', EXPERIMENT_ENDING), // prettier-ignore
  });
}

function experimentOfNode(node: TreeNode): ExperimentFile {
  switch (node.kind) {
    case 'run':
      return experimentFileOf(Uri.file(node.stored.run.record.experiment));
    case 'planned':
      return node.sweep.experiment;
    case 'more':
      return node.of.experiment;
    case 'experiment':
    case 'sweep':
      return node.experiment;
  }
}

function relativeTo({ file, folder }: ExperimentFile): string {
  return folder === '' ? file : file.slice(folder.length + 1);
}

/** Path of the sweep that is meant: a row of the tree, a path, the newest of a file, or what the user picks. Undefined if they cancel. */
export async function chooseSweep({ store, sweeps }: Services, argument: unknown): Promise<string | undefined> {
  if (isNode(argument) && argument.kind === 'sweep') return argument.path;
  const file = fileOf(argument);
  if (typeof argument === 'string' && !file) return argument;
  const experiments = file ? [experimentFileOf(file)] : await store.experiments();
  // One that cannot be read may be that of several experiments.
  const paths = [...new Set((await Promise.all(experiments.map((one) => sweeps.pathsOf(one)))).flat())];
  if (paths.length === 0) {
    void showInformation(l10n.t('There is no sweep yet: `"sweep"` in an experiment file says what to vary.'));
    return undefined;
  }
  if (file || paths.length === 1) return paths[0];
  const items = newestFirst(paths, (path) => basename(path)).map((path) => ({
    label: basename(path),
    // Experiments of the same name have sweeps of the same id, where they were started in the same second.
    description: workspace.asRelativePath(dirname(path)),
    path,
  }));
  return (await window.showQuickPick(items, { placeHolder: l10n.t('Select a sweep'), matchOnDescription: true }))?.path;
}

/** What is said where no run is in a state for a command: none of the workspace, and none of an experiment. */
const missing = {
  any: [() => l10n.t('This workspace has no run yet.'), (name: string) => l10n.t('{0} has no run yet.', name)],
  training: [() => l10n.t('No run is training.'), (name: string) => l10n.t('No run of {0} is training.', name)],
  paused: [() => l10n.t('No run is paused.'), (name: string) => l10n.t('No run of {0} is paused.', name)],
  inProgress: [() => l10n.t('No run is in progress.'), (name: string) => l10n.t('No run of {0} is in progress.', name)],
  stopped: [
    () => l10n.t('No stopped run to resume.'),
    (name: string) => l10n.t('No stopped run of {0} to resume.', name),
  ],
  finished: [
    () => l10n.t('No run has finished yet.'),
    (name: string) => l10n.t('No run of {0} has finished yet.', name),
  ],
} as const;

/** The state that a command wants a run to be in. */
export type WantedState = keyof typeof missing;

interface ChosenRuns {
  /** Which runs the command can be used on. */
  readonly where?: (run: StoredRun) => boolean;
  /** What these runs are, for the message where there is none. */
  readonly state?: WantedState;
  /** What the user is asked where several runs can be chosen; undefined: one is. */
  readonly several?: string;
}

/**
 * The runs that are meant: the selection of the tree, or the run in the argument, the newest of the file there, the run that keeps
 * the file as its copy; asks where there is none.
 */
export async function chooseRuns(
  { store }: Services,
  argument: unknown,
  selection: unknown,
  { where = () => true, state = 'any', several }: ChosenRuns = {},
): Promise<StoredRun[]> {
  const selected = Array.isArray(selection) ? selection.filter(isNode).filter((node) => node.kind === 'run') : [];
  if (selected.length > 1 && several !== undefined) return selected.map(({ stored }) => stored).filter(where);
  if (isNode(argument) && argument.kind === 'run') return [argument.stored].filter(where);
  const file = fileOf(argument);
  if (file && isCopy(file)) {
    const run = await store.get(dirname(file.fsPath));
    return run && where(run) ? [run] : [];
  }
  if (file) return newestRunOf(store, experimentFileOf(file), where, state);
  if (typeof argument === 'string') {
    const run = await store.get(argument);
    return run ? [run] : [];
  }
  if (Array.isArray(argument)) {
    const given = await Promise.all(argument.filter((key) => typeof key === 'string').map((key) => store.get(key)));
    return given.filter((run) => run !== undefined).filter(where);
  }
  // A sweep may have begun more runs since than are picked from.
  const runs = [...new Set([...store.active, ...(await store.newest(PICKED))])].filter(where);
  if (runs.length === 0) {
    const [none] = missing[state];
    void showInformation(none());
    return [];
  }
  if (runs.length === 1 && several === undefined) return runs;
  return (await pickRuns(runs, several)) ?? [];
}

async function newestRunOf(
  store: RunStore,
  experiment: ExperimentFile,
  where: (run: StoredRun) => boolean,
  state: WantedState,
): Promise<StoredRun[]> {
  const run = (await store.runsOf(experiment)).find(where);
  if (run) return [run];
  const [, noneOf] = missing[state];
  void showInformation(noneOf(experiment.name));
  return [];
}

/** The experiment that a command without a run is for: that of the argument, or of the editor; undefined for the copy of a run. */
export function experimentArgument(argument: unknown): ExperimentFile | undefined {
  const file = argument === undefined ? window.activeTextEditor?.document.uri : fileOf(argument);
  return file && isOpenExperiment(file) ? experimentFileOf(file) : undefined;
}

/** The beginning of an address. A single letter is a drive of Windows. */
const SCHEME = /^[a-z][\w+.-]+:/i;

/**
 * The experiment file that an argument names: a code lens gives its address, an extension may give its path. Undefined for what is no document.
 * @throws UserError for another document, such as one that is not saved yet
 */
function fileOf(argument: unknown): Uri | undefined {
  if (typeof argument === 'string' && !SCHEME.test(argument)) {
    const file = Uri.file(argument);
    return isExperimentFile(file) ? file : undefined;
  }
  const uri = typeof argument === 'string' ? Uri.parse(argument) : argument;
  if (!(uri instanceof Uri)) return undefined;
  if (isExperimentFile(uri)) return uri;
  throw notAnExperiment(uri);
}

/** Newest runs that a quick pick offers. */
const PICKED = 100;

/** Asks which of some runs is meant. Undefined if the user cancels. */
export async function chooseAmong(runs: readonly StoredRun[]): Promise<StoredRun | undefined> {
  return (await pickRuns(runs, undefined))?.at(0);
}

/** @param several what the user is asked where several can be chosen; undefined: one */
async function pickRuns(runs: readonly StoredRun[], several: string | undefined): Promise<StoredRun[] | undefined> {
  const titles = await runTitles(runs);
  const items = runs.map((stored) => ({ ...titles.get(stored.key)!, stored }));
  if (several === undefined) {
    const picked = await window.showQuickPick(items, { placeHolder: l10n.t('Select a run'), matchOnDescription: true });
    return picked && [picked.stored];
  }
  const picked = await window.showQuickPick(items, {
    placeHolder: several,
    canPickMany: true,
    matchOnDescription: true,
  });
  return picked?.map(({ stored }) => stored);
}

/** Further runs, to be compared with one. */
export async function chooseOthers({ store }: Services, stored: StoredRun): Promise<StoredRun[]> {
  const others = (await store.newest(PICKED)).filter((run) => run !== stored);
  if (others.length > 0) return (await pickRuns(others, l10n.t('Select runs to compare'))) ?? [];
  void showInformation(l10n.t('There is no other run to compare this one with.'));
  return [];
}

/** VS Code gives the tree's commands its nodes; other callers can give anything. */
function isNode(value: unknown): value is TreeNode {
  return typeof value === 'object' && value !== null && 'kind' in value;
}
