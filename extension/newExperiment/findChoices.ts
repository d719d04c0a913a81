/** @file The models, data sets and teachers that a workspace has for a new experiment. */
import { Uri, window, workspace } from 'vscode';
import type { CancellationToken } from 'vscode';
import { modelEndings, moduleEndings } from '../../server/protocol/model/modelEndings.ts';
import type { FoundFiles, Proposals } from '../../server/protocol/wire/proposals.ts';
import type { RunStore } from '../runs/runStore.ts';
import { findTeachingRuns, type FoundTeacher } from './findTeachers.ts';
import type { Proposer } from './proposer.ts';

export interface Choices extends Omit<Proposals, 'teachers'> {
  readonly teachers: readonly FoundTeacher[];
}

/** Modules in which a model or a data set is looked for. */
const MODULES = 3000;
/** Images that are looked for: a single data set may have as many as the first thousands. */
const IMAGES = 4000;
/** Files of another kind. */
const FILES = 50;
/** Folders in which no model of the user's is. */
export const EXCLUDED = '**/{node_modules,.deeptwist,.git,dist,out,build,coverage,.venv,venv}/**';
/** Data sets come as packages, too. */
const EXCLUDED_DATA = '**/{.deeptwist,.git}/**';

/** @returns undefined where the user cancels: the proposer's thread, which may be reading a large file, is then ended */
export async function findChoices(
  proposer: Pick<Proposer, 'ask' | 'dispose'>,
  store: Pick<RunStore, 'experiments' | 'runsOf'>,
  token: CancellationToken,
): Promise<Choices | undefined> {
  const cancellation = token.onCancellationRequested(() => proposer.dispose());
  try {
    const files = await findFiles(token);
    if (token.isCancellationRequested) return undefined; // A thread that has ended does not answer.
    const { teachers, ...found } = await proposer.ask('find', files);
    const runs = await findTeachingRuns(store, token);
    if (token.isCancellationRequested) return undefined;
    return { ...found, teachers: [...runs, ...teachers.map((file) => ({ file }))] };
  } catch (error) {
    if (token.isCancellationRequested) return undefined;
    throw error;
  } finally {
    cancellation.dispose();
  }
}

async function findFiles(token: CancellationToken): Promise<FoundFiles> {
  const find = async (glob: string, limit = FILES, excluded = EXCLUDED) =>
    (await workspace.findFiles(glob, excluded, limit, token)).map(({ fsPath }) => fsPath).sort();
  const models = modelEndings.map((ending) => find(ending === '.json' ? '**/model.json' : `**/*${ending}`));
  const [sources, digits, images, arrays, tables, texts, ...ofModels] = await Promise.all([
    find(`**/*{${moduleEndings.join(',')}}`, MODULES),
    // Raw or gzip: an empty alternative in braces matches nothing.
    find('**/train-images?idx3-ubyte*', FILES, EXCLUDED_DATA),
    find('**/*/*.{jpg,jpeg,png,JPG,JPEG,PNG}', IMAGES),
    find('**/*.{npy,npz,safetensors}'),
    find('**/*.csv'),
    find('**/*.train.txt'),
    ...models,
  ]);
  return { sources, models: ofModels.flat(), digits, images, arrays, tables, texts, shown: shownFile() };
}

/** That of the active tab, also of one that is no text. */
function shownFile(): string | undefined {
  const input: unknown = window.tabGroups.activeTabGroup.activeTab?.input;
  return typeof input === 'object' && input !== null && 'uri' in input && input.uri instanceof Uri
    ? input.uri.fsPath
    : undefined;
}
