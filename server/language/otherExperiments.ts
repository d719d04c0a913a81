/** @file The experiment files of the workspace: what a change of a model's layers has to reach. */
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { moduleOf } from '../protocol/model/modelExports.ts';
import { isRecord } from '../protocol/record.ts';
import { EXPERIMENT_LANGUAGE } from '../protocol/wire/language.ts';
import { walkFolders } from '../runs/walkFolders.ts';
import { readExperiment } from '../runs/loadExperiment.ts';
import { EXPERIMENT_ENDING } from '../runs/run.ts';
import { ExperimentDocument } from './experimentDocument.ts';
import { fileOf, type OpenDocuments } from './openDocuments.ts';

/**
 * The experiment files below folders and those that are open, without one of them; as the editor has them, else from the disk.
 * @param but URI of the one that is left out
 */
export async function otherExperiments(
  folders: readonly string[],
  documents: Pick<OpenDocuments, 'experiments' | 'experiment'>,
  but: string,
): Promise<ExperimentDocument[]> {
  const open = documents.experiments();
  const known = new Set([...open, but].map(fileOf));
  const others = open.filter((uri) => uri !== but).flatMap((uri) => documents.experiment(uri) ?? []);
  const found = await Promise.all(folders.map(experimentFiles));
  for (const file of new Set(found.flat().filter((path) => !known.has(path)))) {
    const read = await readExperiment(file).catch(() => undefined); // Gone since it was listed, or no text.
    if (read === undefined) continue;
    // A version that the editor has not: its edits then hold for the file as it is.
    others.push(
      new ExperimentDocument(TextDocument.create(pathToFileURL(file).href, EXPERIMENT_LANGUAGE, 0, read.text)),
    );
  }
  return others;
}

/** Those of the experiments whose model is a file. @param model its URI */
export function experimentsOfModel(experiments: readonly ExperimentDocument[], model: string): ExperimentDocument[] {
  return experiments.filter(({ settings, text }) => {
    const module = isRecord(settings) ? moduleOf(settings.model) : undefined;
    const file = fileOf(text.uri);
    return module !== undefined && file !== undefined && resolve(dirname(file), module) === fileOf(model);
  });
}

async function experimentFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  await walkFolders(folder, (path, { files }) => {
    found.push(...files.filter((name) => name.endsWith(EXPERIMENT_ENDING)).map((name) => join(path, name)));
    return true;
  });
  return found;
}
