/**
 * @file Finds what is known around an experiment file, on the disk and in the editor, without running anything of the user's.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModelProblem } from '../protocol/wire/describeModel.ts';
import { moduleOf } from '../protocol/model/modelExports.ts';
import { MODULE_BYTES } from '../runs/copySources.ts';
import { isKeptCopy, isRunCopy } from '../runs/keptCopy.ts';
import { openRun } from '../runs/run.ts';
import { modelSourceOf, StoredDescriptions, type ModelSource } from '../runs/storedDescriptions.ts';
import { isInside, mayBeLookedAt, readRegularFile } from '../runs/workspaceFile.ts';
import type { ExperimentDocument, KnownRun, Surroundings } from './experimentDocument.ts';
import { CsvColumns } from './csvColumns.ts';
import { KnownRuns } from './knownRuns.ts';
import { fileOf, type OpenDocuments } from './openDocuments.ts';

/** Entries of a folder that are offered, and looked through for a name that was meant. */
const MOST_ENTRIES = 2000;

/** Around a text that is no file: nothing is known, and no path is wrong. */
const NOWHERE: Surroundings = {
  model: undefined,
  modelText: undefined,
  runs: [],
  others: [],
  cores: availableParallelism(),
  exists: () => true,
  entries: () => [],
  columns: () => [],
};

export class SurroundingsFinder {
  readonly #documents: Pick<OpenDocuments, 'textOf'>;
  readonly #descriptions = new StoredDescriptions();
  readonly #columns = new CsvColumns();
  readonly runs = new KnownRuns();
  /** Last found around a version of a document: the same object for as long as the same is around it. */
  #found = new WeakMap<ExperimentDocument, { readonly around: Surroundings; readonly all: readonly KnownRun[] }>();
  /** Problems that the editor had in making models, by the URI of the experiment. */
  readonly #problems = new Map<string, { readonly source: string; readonly problem: ModelProblem }>();
  #folders: readonly string[] = [];

  constructor(documents: Pick<OpenDocuments, 'textOf'>) {
    this.#documents = documents;
  }

  /** Folders of the workspace. Files are read in them, and in the folder of the experiment. */
  get folders(): readonly string[] {
    return this.#folders;
  }

  set folders(folders: readonly string[]) {
    this.#folders = folders;
    this.forget();
  }

  /** Why the model of an experiment cannot be made; undefined: nothing is known against it. @returns true where that is new */
  setModelProblem(uri: string, source: ModelSource, problem: ModelProblem | undefined): boolean {
    const known = JSON.stringify(this.#problems.get(uri));
    if (problem) this.#problems.set(uri, { source: JSON.stringify(source), problem });
    else this.#problems.delete(uri);
    return JSON.stringify(this.#problems.get(uri)) !== known;
  }

  /** Files around experiments have come, changed or gone. */
  forget(): void {
    this.runs.forget();
    this.#found = new WeakMap();
  }

  async around(document: ExperimentDocument): Promise<Surroundings> {
    const opened = fileOf(document.text.uri);
    if (opened === undefined) return NOWHERE;
    const file = (await originalOf(opened, this.folders)) ?? opened;
    const folder = dirname(file);
    const source = modelSourceOf(document.settings);
    const module = moduleOf(source?.model);
    const [model, modelText, all] = await Promise.all([
      source && this.#descriptions.read(file, source, this.folders),
      module === undefined ? undefined : this.#textOf(resolve(folder, module), folder),
      this.runs.around(file),
    ]);
    const told = this.#problems.get(document.text.uri);
    const modelProblem = !model && told?.source === JSON.stringify(source) ? told?.problem : undefined;
    const known = this.#found.get(document);
    if (
      known?.all === all &&
      known.around.model === model &&
      known.around.modelProblem === modelProblem &&
      known.around.modelText?.text === modelText?.text
    )
      return known.around;
    const around: Surroundings = {
      model,
      modelProblem,
      modelText,
      keptIn: isKeptCopy(opened) ? dirname(opened) : undefined,
      runs: all.filter(({ record }) => record.experiment === file),
      others: all.filter(({ record }) => record.experiment !== file),
      cores: availableParallelism(),
      exists: (path) => !mayBeLookedAt(resolve(folder, path), folder) || existsSync(resolve(folder, path)),
      entries: (path) => (mayBeLookedAt(resolve(folder, path), folder) ? entriesOf(resolve(folder, path)) : []),
      columns: (path, settings) =>
        mayBeLookedAt(resolve(folder, path), folder) ? this.#columns.of(resolve(folder, path), settings) : [],
    };
    this.#found.set(document, { around, all });
    return around;
  }

  async #textOf(path: string, folder: string): Promise<Surroundings['modelText']> {
    const open = this.#documents.textOf(path);
    if (open) return open;
    if (!isInside(path, [folder, ...this.folders])) return undefined;
    const text = await readRegularFile(path, MODULE_BYTES).catch(() => undefined);
    return text === undefined ? undefined : { uri: pathToFileURL(path).href, text };
  }
}

/**
 * The experiment file that was run: the paths in a copy start there. A run that came with somebody else's project may name any
 * place: one that is neither in the folder which the runs lie in nor in the workspace does not count.
 */
async function originalOf(file: string, folders: readonly string[]): Promise<string | undefined> {
  if (!isRunCopy(file)) return undefined;
  const run = dirname(file);
  const experiment = await openRun(run).then(
    ({ record }) => record.experiment,
    () => undefined,
  );
  const own = resolve(run, '..', '..', '..');
  return experiment !== undefined && isInside(experiment, [own, ...folders]) ? experiment : undefined;
}

function entriesOf(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).slice(0, MOST_ENTRIES);
    return entries.map((entry) =>
      entry.isDirectory() || (entry.isSymbolicLink() && isFolder(join(folder, entry.name)))
        ? `${entry.name}/`
        : entry.name,
    );
  } catch {
    return [];
  }
}

/** True for a link that leads to a folder; it may lead nowhere, or to itself. */
function isFolder(link: string): boolean {
  try {
    return statSync(link).isDirectory();
  } catch {
    return false;
  }
}
