/** @file Trains what the studies ask for and is not recorded yet, each training once, and records what it came to. */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import type { EventOf, RunEvent } from '../../../server/protocol/run/events.ts';
import { EXPERIMENT_ENDING } from '../../../server/runs/run.ts';
import { keptEvents, metricText, runInto } from '../experiments.ts';
import { describeMachine } from '../machine.ts';
import { digestOf, type RunRecord, type RunRecords } from './runRecords.ts';
import { commandOf, settingsFor, type Training } from './study.ts';
import type { Turns } from './turns.ts';

/** The name of a corpus in a setting. */
const CORPUS = /\$([A-Z]+)/g;

interface TrainerOptions {
  readonly records: RunRecords;
  readonly turns: Turns;
  /** Folder of the run folders: one that was interrupted goes on, and one that is finished is recorded. */
  readonly keep: string;
  /** When no further training is begun, in milliseconds of `Date.now()`. */
  readonly until: number;
  /** Folders of corpora, by the names that stand for them in settings: `PTB`. */
  readonly corpora: Readonly<Record<string, string | undefined>>;
}

export class Trainer {
  readonly #options: TrainerOptions;
  readonly #begun = new Map<string, Promise<RunRecord | undefined>>();

  constructor(options: TrainerOptions) {
    this.#options = options;
  }

  /**
   * The record of a training, which is trained where there is none.
   * @param rank as for {@link Turns.take}
   * @returns undefined where the time is up, or where its corpus is not there
   * @throws Error with what a run wrote, when it fails for another reason than that it diverges
   */
  async train(training: Training, rank: number): Promise<RunRecord | undefined> {
    return this.#options.records.find(training) ?? this.#trainOnce(training, rank);
  }

  /** As {@link train}, but a record alone is not enough: the run folder is there afterwards, for trainings that start from it. */
  #trainOnce(training: Training, rank: number): Promise<RunRecord | undefined> {
    const folder = this.#folderOf(training);
    const begun = this.#begun.get(folder) ?? this.#trainInto(folder, training, rank);
    this.#begun.set(folder, begun);
    return begun;
  }

  async #trainInto(folder: string, training: Training, rank: number): Promise<RunRecord | undefined> {
    const { records, turns, until } = this.#options;
    if (!hasEnded(keptEvents(folder))) {
      const settings = this.#settingsOf(training);
      if (!settings) return undefined;
      if (training.start && (await this.#trainOnce(training.start, rank))?.test === undefined) return undefined;
      const isOver = await turns.take(rank, async () => {
        if (Date.now() > until) return true;
        await runInto(folder, training.file, settings).catch((error: unknown) => {
          if (!hasEnded(keptEvents(folder))) throw error;
        });
        return false;
      });
      if (isOver) return undefined;
    }
    const record = recordOf(training, keptEvents(folder));
    records.add(record);
    console.log(`  ${training.name}, seed ${training.seed}: ${resultText(record)}, ${record.seconds.toFixed(0)} s`);
    return record;
  }

  /** The settings for the command line, with the folders of corpora in the place of their names; undefined without such a folder. */
  #settingsOf(training: Training): string[] | undefined {
    const { corpora } = this.#options;
    const settings = settingsFor(training, (start) => this.#folderOf(start));
    const names = settings.flatMap((setting) => [...setting.matchAll(CORPUS)].map(([, name]) => name));
    if (names.some((name) => corpora[name] === undefined)) return undefined;
    return settings.map((setting) => setting.replaceAll(CORPUS, (_, name: string) => corpora[name]!));
  }

  /** Another command or another text of the experiment is another folder. */
  #folderOf(training: Training): string {
    const digest = createHash('sha256').update(commandOf(training)).update(digestOf(training)).digest('hex');
    return join(
      this.#options.keep,
      `${basename(training.file, EXPERIMENT_ENDING)}-${training.seed}-${digest.slice(0, 12)}`,
    );
  }
}

const resultText = ({ metric, test, weightRatio = 1 }: RunRecord) =>
  test === undefined ? 'diverged' : `${metricText({ metric, test })} at ${weightRatio.toFixed(1)}x`;

/** True for a run that came to its end, or to one that it would come to again. */
function hasEnded(events: readonly RunEvent[]): boolean {
  const last = events.at(-1);
  return last?.type === 'finished' || (last?.type === 'failed' && isDivergence(last));
}

const isDivergence = ({ message }: EventOf<'failed'>) => message.startsWith('Training diverged');

function recordOf(training: Training, events: readonly RunEvent[]): RunRecord {
  const { cpu, cores, node } = describeMachine();
  const end = events.at(-1)!;
  const common = {
    run: commandOf(training),
    experiment: digestOf(training),
    machine: `${cores} cores of an ${cpu}, Node ${node}`,
    date: new Date(end.time).toISOString().slice(0, 10),
  };
  if (end.type !== 'finished') {
    const metrics = events.filter((event) => event.type === 'evaluation');
    const [first] = events;
    return { ...common, metric: metrics[0]?.metric ?? 'none', seconds: (end.time - first.time) / 1000 };
  }
  const { metric, validation, test, testBeforeLastDistortion, weightRatio, byteRatio, nearZeros, trainingSeconds } =
    end.summary;
  const series = training.series?.(events);
  return {
    ...common,
    metric,
    ...(validation !== undefined && { validation: rounded(validation) }),
    test: rounded(test),
    beforeLast: rounded(testBeforeLastDistortion),
    weightRatio: rounded(weightRatio),
    byteRatio: rounded(byteRatio),
    nearZeros,
    seconds: Math.round(trainingSeconds),
    ...(series && { series: mapValues(series, (values) => values.map(rounded)) }),
  };
}

/** Six digits are more than a metric of ten thousand samples has. */
const rounded = (value: number) => Number(value.toPrecision(6));

function mapValues<T, R>(values: Readonly<Record<string, T>>, map: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
