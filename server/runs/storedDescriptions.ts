/**
 * @file Descriptions of models on the disk, `.deeptwist/models/<key>.json` beside the runs: written by whoever has loaded the
 * model, read by who must not. A description holds as long as the files that the model was made from are what they were.
 */
import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { experimentSchema, type ExperimentSettings } from '../protocol/experiment/schema.ts';
import { modelDescriptionSchema, type ModelDescription } from '../protocol/model/modelDescription.ts';
import { writeAtomically } from './disk.ts';
import { hashRegularFile, isInside, readRegularFile } from './workspaceFile.ts';

/** Bytes of a file that a model is made from: of a saved model, its weights are among them. */
const MOST_HASHED_BYTES = 1024 ** 3;

/** What a model is made from: a module or a built-in model may be shaped by the data. */
export type ModelSource = Pick<ExperimentSettings, 'model' | 'data'>;

/**
 * What the model of an experiment is made from.
 * @param document the settings as they stand in the file; the others may be wrong
 * @returns undefined where its model or its data are not valid settings
 */
export function modelSourceOf(document: unknown): ModelSource | undefined {
  if (typeof document !== 'object' || document === null || !('model' in document && 'data' in document))
    return undefined;
  const { shape } = experimentSchema;
  const model = shape.model.safeParse(document.model);
  const data = shape.data.safeParse(document.data);
  return model.success && data.success ? { model: model.data, data: data.data } : undefined;
}

/** Folder with descriptions of the models of an experiment file. */
export function modelsFolder(experiment: string): string {
  return join(dirname(resolve(experiment)), '.deeptwist', 'models');
}

/** @returns the path of the description */
export async function writeDescription(
  experiment: string,
  source: ModelSource,
  description: ModelDescription,
): Promise<string> {
  const file = descriptionFile(experiment, source);
  await mkdir(dirname(file), { recursive: true });
  await writeAtomically(file, JSON.stringify(description) + '\n');
  return file;
}

/** Reads descriptions again and again; a file that has not changed is neither read nor hashed twice. */
export class StoredDescriptions {
  readonly #descriptions = new Cache(async (file) =>
    modelDescriptionSchema.safeParse(JSON.parse(await readRegularFile(file))),
  );
  readonly #hashes = new Cache((file) => hashRegularFile(file, MOST_HASHED_BYTES));

  /**
   * The description of a model; undefined where there is none that holds. A description may have come with somebody else's
   * project: of the files that it names, only those in the folder of the experiment and in `folders` are opened.
   */
  async read(
    experiment: string,
    source: ModelSource,
    folders: readonly string[] = [],
  ): Promise<ModelDescription | undefined> {
    const parsed = await this.#descriptions.get(descriptionFile(experiment, source));
    if (!parsed?.success) return undefined;
    const { files } = parsed.data;
    const own = [dirname(resolve(experiment)), ...folders];
    if (!files.every(({ path }) => isAbsolute(path) && isInside(path, own))) return undefined;
    for (const { path, sha256 } of files) if ((await this.#hashes.get(path)) !== sha256) return undefined;
    return parsed.data;
  }
}

function descriptionFile(experiment: string, source: ModelSource): string {
  const key = createHash('sha256').update(JSON.stringify(source, sortedKeys)).digest('hex').slice(0, 16);
  return join(modelsFolder(experiment), `${key}.json`);
}

/** The order of settings in a file makes no other model. */
function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is computed from a file, kept until its time or size changes. */
class Cache<T> {
  readonly #compute: (file: string) => Promise<T>;
  readonly #known = new Map<string, { readonly state: string; readonly value: Promise<T | undefined> }>();

  constructor(compute: (file: string) => Promise<T>) {
    this.#compute = compute;
  }

  /** Undefined where the file cannot be read. */
  async get(file: string): Promise<T | undefined> {
    const state = await stat(file).then(
      ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
      () => undefined,
    );
    if (state === undefined) return undefined;
    const known = this.#known.get(file);
    if (known?.state === state) return known.value;
    const value = this.#compute(file).catch(() => undefined);
    this.#known.set(file, { state, value });
    return value;
  }
}
