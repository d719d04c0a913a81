/** @file The runs that an experiment could be about, read once and again when they change. */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runsFolder } from '../runs/experimentOf.ts';
import { listRuns } from '../runs/findRun.ts';
import { readBackwards } from '../runs/log/readBackwards.ts';
import { isUnderWay, openRun, RUN_FILE, type Run } from '../runs/run.ts';
import type { RunRecord } from '../runs/runRecord.ts';
import { MOST_TEXT_BYTES, readBeginningSync } from '../runs/workspaceFile.ts';
import type { KnownRun } from './experimentDocument.ts';

/** The first event of a run, `started`, is in the beginning of its log. */
const FIRST_EVENT_BYTES = 1 << 20;
/** The last metrics are in the end of a log, unless large distortions came since: then the step is not told for a while. */
const LAST_METRICS_BYTES = 1 << 18;

/** Runs below a folder, newest first. */
interface Listing {
  readonly runs: Promise<readonly KnownRun[]>;
  /** When the folder of the experiment's own runs had changed last: a watcher may miss its first run. */
  readonly changed: number;
}

export class KnownRuns {
  readonly #listings = new Map<string, Listing>();
  /** Run folders by path, with the time of their `run.json`. */
  readonly #opened = new Map<string, { readonly run: Run; readonly known: KnownRun; readonly changed: number }>();

  /** The runs that `deeptwist` finds from the folder of an experiment file, newest first. */
  async around(experiment: string): Promise<readonly KnownRun[]> {
    const changed = await timeOf(runsFolder(experiment));
    const folder = dirname(experiment);
    const known = this.#listings.get(folder);
    if (known?.changed === changed && !(await this.#hasMovedOn(await known.runs))) return known.runs;
    const runs = this.#list(folder);
    this.#listings.set(folder, { runs, changed });
    return runs;
  }

  /** True while one of the listed runs trains. */
  get anyTrains(): boolean {
    return [...this.#opened.values()].some(({ known }) => known.state === 'running');
  }

  /** A `run.json` has come, changed or gone. */
  forget(): void {
    this.#listings.clear();
  }

  /** True if a run that trained when it was read has written anything since: its end may be known before a watcher tells. */
  async #hasMovedOn(runs: readonly KnownRun[]): Promise<boolean> {
    const trained = runs.filter(({ record }) => isUnderWay(record.state));
    const times = await Promise.all(trained.map(({ path }) => timeOf(join(path, RUN_FILE))));
    return trained.some(({ path }, i) => this.#opened.get(path)?.changed !== times[i]);
  }

  async #list(folder: string): Promise<readonly KnownRun[]> {
    const { runs } = await listRuns(folder, (path) => this.#open(path));
    return runs.map(({ path }) => this.#opened.get(path)!.known).reverse();
  }

  async #open(path: string): Promise<Run> {
    const changed = await timeOf(join(path, RUN_FILE));
    const opened = this.#opened.get(path);
    if (opened?.changed === changed) return opened.run;
    const run = await openRun(path);
    this.#opened.set(run.path, { run, known: new RunInFolder(run), changed });
    return run;
  }
}

async function timeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

/** Reads of its folder what it is asked for: most runs are only counted. */
class RunInFolder implements KnownRun {
  readonly record: RunRecord;
  readonly #run: Run;
  #text: string | undefined;

  constructor(run: Run) {
    this.#run = run;
    this.record = { ...run.record };
  }

  get path(): string {
    return this.#run.path;
  }

  get state(): KnownRun['state'] {
    return this.#run.observedState();
  }

  async step(): Promise<number | undefined> {
    let last: number | undefined;
    const take = ({ step }: { step: number }) => {
      last = step;
      return false;
    };
    await readBackwards(this.#run, ['metrics'], take, { most: LAST_METRICS_BYTES });
    return last;
  }

  get text(): string | undefined {
    return (this.#text ??= attempt(() => readBeginningSync(this.#run.experimentFile, MOST_TEXT_BYTES)));
  }

  get weights(): KnownRun['weights'] {
    return attempt(() => {
      const { type, layers } = JSON.parse(firstLine(this.#run.eventsFile)) as {
        type: string;
        layers: { name: string; shape: number[] }[];
      };
      return type === 'started' ? layers : undefined;
    });
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // Deleted since, or not written yet.
  }
}

function firstLine(file: string): string {
  const text = readBeginningSync(file, FIRST_EVENT_BYTES);
  return text.slice(0, text.indexOf('\n'));
}
