/** @file The models, data sets and teachers that a workspace has for a new experiment. */
import { Uri, window, workspace } from 'vscode';
import type { CancellationToken } from 'vscode';
import { modelEndings, moduleEndings } from '../../server/protocol/model/modelEndings.ts';
import {
  arrayEndings,
  EXCLUDED_FOLDERS,
  imageEndings,
  MODEL_JSON,
  MOST_FOUND,
  TABLE_ENDING,
  TEXT_ENDING,
} from '../../server/protocol/wire/foundFiles.ts';
import type { FoundFiles, Proposals } from '../../server/protocol/wire/proposals.ts';
import type { RunStore } from '../runs/runStore.ts';
import { findTeachingRuns, type FoundTeacher } from './findTeachers.ts';
import type { Proposer } from './proposer.ts';

export interface Choices extends Omit<Proposals, 'teachers'> {
  readonly teachers: readonly FoundTeacher[];
}

/** Files in folders in which no model of the user's is. */
export const EXCLUDED = `**/{${EXCLUDED_FOLDERS.join(',')}}/**`;
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
  const find = async (glob: string, limit: number = MOST_FOUND.others, excluded = EXCLUDED) =>
    (await workspace.findFiles(glob, excluded, limit, token)).map(({ fsPath }) => fsPath).sort();
  const models = modelEndings.map((ending) => find(ending === '.json' ? `**/${MODEL_JSON}` : `**/*${ending}`));
  const [sources, digits, images, arrays, tables, texts, ...ofModels] = await Promise.all([
    find(`**/*{${moduleEndings.join(',')}}`, MOST_FOUND.sources),
    // Raw or gzip: an empty alternative in braces matches nothing.
    find('**/train-images?idx3-ubyte*', MOST_FOUND.others, EXCLUDED_DATA),
    find(`**/*/*{${imageEndings.flatMap((ending) => [ending, ending.toUpperCase()]).join(',')}}`, MOST_FOUND.images),
    find(`**/*{${arrayEndings.join(',')}}`),
    find(`**/*${TABLE_ENDING}`),
    find(`**/*${TEXT_ENDING}`),
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
