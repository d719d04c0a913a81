/** @file One file that makes layers, with the run whose weights are shown in it. */
import { MODULE_BYTES, sourceCopy } from '../../server/runs/copySources.ts';
import { readRegularFile } from '../../server/runs/workspaceFile.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { MeasureReader } from './measureReader.ts';
import { measuredWeights, type Measures, type MeasuredWeight } from './measures.ts';
import { isOtherCode, placeLayers, placeModules, type LocateModules, type PlacedLayer } from './placedLayers.ts';

/** Newest runs of each experiment that are looked at. */
const NEWEST = 20;

/** What is to be seen in a text of the file. */
export interface ModelView {
  readonly run: StoredRun;
  readonly layers: readonly PlacedLayer[];
  /** The text has other code than the run used. */
  readonly changed: boolean;
}

/** A file of Python code, which shows the weights of the models that it may be the code of. */
export interface PythonCode {
  readonly text: () => string;
  readonly locate: LocateModules;
}

type Runs = Pick<RunStore, 'experiments' | 'runsOf' | 'active'>;

interface ShownRun {
  readonly run: StoredRun;
  /** The file's text as the run used it; undefined for Python code, which no run uses. */
  readonly code: string | undefined;
  readonly measures: Measures;
  readonly weights: readonly MeasuredWeight[];
}

export class ModelFile {
  readonly #path: string;
  readonly #store: Runs;
  readonly #python: PythonCode | undefined;
  /** Readers of the runs that were looked at: each goes on where it has been. */
  readonly #readers = new WeakMap<StoredRun, MeasureReader>();
  #shown: ShownRun | undefined;
  /** Layers that were found in the last text that was asked for. */
  #view: { readonly text: string; readonly shown: ShownRun; readonly view: ModelView } | undefined;

  constructor(path: string, store: Runs, python?: PythonCode) {
    this.#path = path;
    this.#store = store;
    this.#python = python;
  }

  /** Looks for the newest run that used the file, and at what it recorded. False where nothing is new. */
  async search(): Promise<boolean> {
    const experiments = await this.#store.experiments();
    const lists = await Promise.all(experiments.map((experiment) => this.#store.runsOf(experiment, NEWEST)));
    const found = await this.#firstOf(lists.flat());
    if (found) return this.#show(found);
    const hadRun = this.#shown !== undefined;
    this.#shown = undefined;
    return hadRun;
  }

  /** The same among the runs that are trained now: one of them may have come to load its model. */
  async follow(): Promise<boolean> {
    const found = await this.#firstOf(this.#store.active);
    return found !== undefined && this.#show(found);
  }

  /** Undefined where no run used the file. */
  viewIn(text: string): ModelView | undefined {
    const shown = this.#shown;
    if (!shown) return undefined;
    if (this.#view?.text !== text || this.#view.shown !== shown) {
      const { run, weights, code } = shown;
      this.#view = {
        text,
        shown,
        view: this.#python
          ? { run, layers: placeModules(this.#python.locate, text, weights), changed: false }
          : { run, layers: placeLayers(text, weights), changed: isOtherCode(text, code ?? '') },
      };
    }
    return this.#view.view;
  }

  #show(found: Omit<ShownRun, 'weights'>): boolean {
    if (this.#shown?.run === found.run && this.#shown.measures === found.measures) return false;
    this.#shown = { ...found, weights: measuredWeights(found.measures) };
    return true;
  }

  /** Those that are trained now come first, then the newest. */
  async #firstOf(runs: readonly StoredRun[]): Promise<Omit<ShownRun, 'weights'> | undefined> {
    const sorted = runs.toSorted(
      (a, b) => Number(b.isActive) - Number(a.isActive) || b.summary.created - a.summary.created,
    );
    for (const run of sorted) {
      const known = this.#shown?.run === run ? this.#shown.code : undefined;
      const code = known ?? (this.#python ? undefined : await textOf(sourceCopy(run.run, this.#path)));
      if (code === undefined && !this.#python) continue;
      const reader = this.#readers.get(run) ?? new MeasureReader(run.key);
      this.#readers.set(run, reader);
      const measures = await reader.read().catch(() => undefined); // It was deleted, or is damaged.
      if (!measures) continue;
      const { text, locate } = this.#python ?? {};
      const isOther = text && locate && placeModules(locate, text(), measuredWeights(measures)).length === 0;
      if (!isOther) return { run, code, measures };
    }
    return undefined;
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readRegularFile(file, MODULE_BYTES);
  } catch {
    return undefined; // The run did not use it.
  }
}
