/**
 * @file Finds what is known around an experiment file, on the disk and in the editor, without running anything of the user's.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXPERIMENT_FILE, openRun, RUN_FILE } from '../runs/run.ts';
import { modelSourceOf, StoredDescriptions } from '../runs/storedDescriptions.ts';
import type { ExperimentDocument, Surroundings } from './experimentDocument.ts';
import { KnownRuns } from './knownRuns.ts';
import { fileOf, type OpenDocuments } from './openDocuments.ts';

/** The modules that a model's layers can be written in. */
const MODULE = /\.[cm]?[jt]s$/;

/** Around a text that is no file: nothing is known, and no path is wrong. */
const NOWHERE: Surroundings = {
  model: undefined,
  modelText: undefined,
  runs: [],
  others: [],
  cores: availableParallelism(),
  exists: () => true,
  entries: () => [],
};

export class SurroundingsFinder {
  readonly #documents: Pick<OpenDocuments, 'textOf'>;
  readonly #descriptions = new StoredDescriptions();
  readonly runs = new KnownRuns();

  constructor(documents: Pick<OpenDocuments, 'textOf'>) {
    this.#documents = documents;
  }

  async around(document: ExperimentDocument): Promise<Surroundings> {
    const opened = fileOf(document.text.uri);
    if (opened === undefined) return NOWHERE;
    const file = (await originalOf(opened)) ?? opened;
    const folder = dirname(file);
    const source = modelSourceOf(document.settings);
    const [model, modelText, all] = await Promise.all([
      source && this.#descriptions.read(file, source),
      typeof source?.model === 'string' && MODULE.test(source.model)
        ? this.#textOf(resolve(folder, source.model))
        : undefined,
      this.runs.around(file),
    ]);
    return {
      model,
      modelText,
      runs: all.filter(({ record }) => record.experiment === file),
      others: all.filter(({ record }) => record.experiment !== file),
      cores: availableParallelism(),
      exists: (path) => existsSync(resolve(folder, path)),
      entries: (path) => entriesOf(resolve(folder, path)),
    };
  }

  async #textOf(path: string): Promise<Surroundings['modelText']> {
    const open = this.#documents.textOf(path);
    if (open) return open;
    const text = await readFile(path, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : { uri: pathToFileURL(path).href, text };
  }
}

/** Whether a file is the copy of an experiment in a run folder. */
export function isRunCopy(file: string): boolean {
  return basename(file) === EXPERIMENT_FILE && existsSync(join(dirname(file), RUN_FILE));
}

/** The paths in a copy start where the experiment file is that was run. */
async function originalOf(file: string): Promise<string | undefined> {
  if (!isRunCopy(file)) return undefined;
  return openRun(dirname(file)).then(
    ({ record }) => record.experiment,
    () => undefined,
  );
}

function entriesOf(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.map((entry) =>
      entry.isDirectory() || (entry.isSymbolicLink() && isFolder(join(folder, entry.name)))
        ? `${entry.name}/`
        : entry.name,
    );
  } catch {
    return [];
  }
}

/** Whether a link leads to a folder: it may lead nowhere, or to itself. */
function isFolder(link: string): boolean {
  try {
    return statSync(link).isDirectory();
  } catch {
    return false;
  }
}
