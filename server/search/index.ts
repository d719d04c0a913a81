/**
 * @file Search: the rates, bits and ranks with which a model is as small as a target wants it, or as accurate as it can be at that size. Its runs are
 * those of a sweep that grows; what it decides follows from what they came to.
 */
import { basename, join } from 'node:path';
import { JsonText } from '../protocol/experiment/jsonText.ts';
import { parseExperiment, placed, withOverrides } from '../protocol/experiment/parseExperiment.ts';
import { finiteOrNull } from '../protocol/finiteOrNull.ts';
import { overrideWith } from '../protocol/experiment/overrides.ts';
import type { Experiment, ExperimentSettings, TargetConfig } from '../protocol/experiment/schema.ts';
import { bytesOf } from '../protocol/experiment/schema/target.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { samplesPerStep, timesInSteps } from '../protocol/experiment/times.ts';
import { compressionsAsWritten } from '../protocol/experiment/writtenCompression.ts';
import { formatBytes, formatRatio } from '../protocol/formatQuantity.ts';
import type { Summary } from '../protocol/run/events.ts';
import { compressedSize } from '../protocol/run/compressedSize.ts';
import { DivergenceError } from '../protocol/run/fault.ts';
import { isGreaterBetter } from '../protocol/run/metricDirection.ts';
import { floatBytes } from '../protocol/shape.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import { nameOnly, type NamedWeight } from '../compression/targets/targets.ts';
import type { SourceFile } from '../runs/copySources.ts';
import { pathWord } from '../runs/pathWord.ts';
import { openRun, type Run } from '../runs/run.ts';
import { secondsOf } from '../protocol/run/runSeconds.ts';
import { readSummary } from '../runs/log/readEvents.ts';
import { trainLines, type LineOutcome, type QueueOptions } from '../sweeps/runQueue.ts';
import type { PlannedRun, Sweep } from '../sweeps/sweepFolder.ts';
import { evaluateRun, withExperiment } from '../training/index.ts';
import type { Origin } from '../sensitivity/subject.ts';
import { optionsOf, otherBytes, searchedWeights, writtenLayers, type SearchedWeight } from './layerOptions.ts';
import { measureWeights } from './measure.ts';
import { checkSearched } from './newSearch.ts';
import { denseRun, startRun, validationOf } from './reference.ts';
import { denseSettings, fullSettings, shortSettings, withoutCompression, type RunSettings } from './runSettings.ts';
import {
  readMeasured,
  readRecord,
  takeSearch,
  writeMeasured,
  writeRecord,
  writeResult,
  type MeasuredModel,
} from './searchFolder.ts';
import { keyOf, search, type Outcome, type Wanted } from './strategy.ts';
import type { Way } from './ways.ts';

export { newSearch } from './newSearch.ts';

/** The part of the steps of a full run that a short one has. */
const SHORT_LENGTH = 0.2;

/** What is told while a search goes on. */
export type SearchEvent =
  | {
      readonly type: 'reference';
      readonly run: string;
      readonly how: 'reused' | 'start' | 'trained';
      readonly metric: string;
      readonly value: number;
    }
  | { readonly type: 'measuring'; readonly progress: ExportProgress }
  | {
      readonly type: 'started';
      readonly line: number;
      readonly run: string;
      readonly how: 'started' | 'resumed' | 'followed';
      readonly purpose: string;
      readonly length: number;
    }
  | ({ readonly type: 'run' } & SearchedRun);

/** A run of the search, with what it came to. */
export interface SearchedRun {
  readonly line: number;
  readonly run: string;
  /** The part of the steps of a full run. */
  readonly length: number;
  readonly seed: number;
  readonly way: Way;
  readonly purpose: string;
  /** On the validation split; null for a run that diverged. */
  readonly value: number | null;
  /** By how much that is worse than the reference; null for a run that diverged. */
  readonly drop: number | null;
  readonly bytes: number | null;
  readonly ratio: number | null;
}

export interface SearchReport {
  readonly id: string;
  /** Folder of the sweep that the search is. */
  readonly path: string;
  readonly experiment: string;
  readonly target: TargetConfig;
  readonly metric: string;
  /** True where the target is met. */
  readonly isMet: boolean;
  readonly reference: { readonly run: string; readonly value: number; readonly test: number; readonly bytes: number };
  /** The run that was looked for, or the nearest to it; absent where no full run came to an end. */
  readonly best?: SearchedRun & {
    readonly path: string;
    readonly test: number;
    readonly weightRatio: number;
    readonly compression: unknown;
    /** Drops of the full runs with these settings, one for each seed; the settings were chosen by their mean. */
    readonly drops: readonly number[];
  };
  /** The start of full runs, as the file has it; absent where they begin with random weights. */
  readonly start?: unknown;
  readonly short: readonly SearchedRun[];
  readonly full: readonly SearchedRun[];
  readonly runs: number;
  /** Training that the search took, in runs of the full length. */
  readonly fullRuns: number;
  /** Seconds that runs and measurements took, and those of a full run on average. */
  readonly seconds: number;
  readonly secondsOfFullRun: number;
}

export interface SearchOptions extends Pick<QueueOptions, 'parallel' | 'sidecarScript' | 'signal'> {
  readonly onEvent: (event: SearchEvent) => void;
}

/** What is known of the model without training. */
interface Subject {
  readonly weights: readonly NamedWeight[];
  readonly searched: readonly SearchedWeight[];
  /** With times in steps. */
  readonly experiment: Experiment;
  readonly stepsPerEpoch: number | undefined;
  readonly sources: readonly SourceFile[];
  readonly denseBytes: number;
}

/**
 * Goes on with a search to its end.
 * @param sweep for which `isSearch` is true
 * @throws UserError where it cannot go on; the signal's reason when it aborts
 */
export async function goOnSearching(sweep: Sweep, options: SearchOptions): Promise<SearchReport> {
  const held = await takeSearch(sweep);
  try {
    return await new Searching(sweep, options).run();
  } finally {
    await held.release();
  }
}

class Searching {
  readonly #sweep: Sweep;
  readonly #options: SearchOptions;
  /** Summaries of the runs that have ended, by line. */
  readonly #summaries = new Map<number, Summary>();

  constructor(sweep: Sweep, options: SearchOptions) {
    this.#sweep = sweep;
    this.#options = options;
  }

  async run(): Promise<SearchReport> {
    const sweep = this.#sweep;
    const file = sweep.experiment;
    const record = await readRecord(sweep);
    const text = await sweep.experimentText();
    const { settings, target, document } = checkSearched(text, file, record.overrides);
    const base = [...record.overrides, overrideWith(['target'], null).text];
    const subject = await this.#subject(settings, target, document, { file, text, base, given: record.overrides });
    const { experiment, searched, weights, denseBytes, stepsPerEpoch } = subject;
    const dense = denseSettings(settings, base);
    const mostBytes = mostBytesOf(target, denseBytes);
    const other = otherBytes(weights, searched);
    if (mostBytes !== undefined) checkSize(file, target, { mostBytes, denseBytes, searched, other });

    const reference = await this.#reference(file, settings, subject, { dense, text, base });
    const measured = await this.#measured(reference.origin, subject);
    const { value, metric } = reference;
    const perWeight = new Map(measured.weights.map((one) => [one.name, one]));
    const options = searched.map((one) => optionsOf(one, perWeight.get(one.weight.name)));

    const settingsOf = ({ options: chosen, length, seed }: Wanted): RunSettings => {
      const layers = writtenLayers(searched, chosen.map((option, i) => options[i][option].values)); // prettier-ignore
      if (length === 1) return fullSettings(experiment, base, layers, seed);
      const start = reference.start ?? experiment.start;
      return shortSettings(experiment, base, { layers, length, start, stepsPerEpoch });
    };
    /** By {@link keyOf}. */
    const lines = new Map<string, PlannedRun>();
    const lineOf = ({ wanted }: Outcome) => lines.get(keyOf(wanted))!;
    const drop = (of: number | undefined) => {
      if (of === undefined || !Number.isFinite(of)) return Infinity;
      return isGreaterBetter(metric) ? value - of : of - value;
    };
    const shown: (outcome: Outcome) => SearchedRun = (outcome) => {
      const { line, run } = lineOf(outcome);
      const { wanted } = outcome;
      const own = this.#summaries.get(line);
      return {
        ...{ line, run, length: wanted.length, way: wanted.aim.way, purpose: wanted.purpose },
        seed: experiment.training.seed + wanted.seed,
        value: own?.validation ?? null,
        drop: finiteOrNull(outcome.drop),
        bytes: own ? outcome.bytes : null,
        ratio: own ? denseBytes / outcome.bytes : null,
      };
    };
    const result = await search({
      ...{ options, otherBytes: other, denseBytes, mostBytes, maxDrop: target.maxDrop, budget: record.budget },
      spent: reference.how === 'trained' ? 1 : 0,
      shortLength: SHORT_LENGTH,
      train: async (wanted) => {
        const planned = await this.#plan(wanted.map(settingsOf));
        await this.#train(planned, wanted);
        return planned.map((line, i) => {
          const own = this.#summaries.get(line.line);
          const outcome: Outcome = {
            wanted: wanted[i],
            drop: drop(own?.validation),
            bytes: own ? compressedSize(own).bytes : NaN,
          };
          lines.set(keyOf(wanted[i]), line);
          this.#options.onEvent({ type: 'run', ...shown(outcome) });
          return outcome;
        });
      },
    });
    const { best, drops, short, full, isMet, spent } = result;
    const seconds = [...this.#summaries.values()].reduce((sum, one) => sum + secondsOf(one), measured.seconds);
    const fullSeconds = full.flatMap((outcome) => this.#summaries.get(lineOf(outcome).line) ?? []).map(secondsOf);
    const report: SearchReport = {
      ...{ id: sweep.id, path: sweep.path, experiment: file, target, metric, isMet },
      reference: { run: reference.run.id, value, test: await this.#test(reference.run), bytes: denseBytes },
      ...(best && {
        best: {
          ...shown(best),
          path: sweep.runFolder(lineOf(best)),
          test: await this.#test(await openRun(sweep.runFolder(lineOf(best)))),
          weightRatio: this.#summaries.get(lineOf(best).line)!.weightRatio,
          compression: parseDocument(text, settingsOf(best.wanted).set),
          drops,
        },
      }),
      ...(experiment.start !== undefined && { start: experiment.start }),
      ...{ short: short.map(shown), full: full.map(shown) },
      runs: this.#sweep.plan.length,
      fullRuns: spent,
      seconds,
      secondsOfFullRun: fullSeconds.reduce((sum, one) => sum + one, 0) / Math.max(1, fullSeconds.length),
    };
    await writeResult(sweep, report);
    return report;
  }

  async #subject(
    settings: ExperimentSettings,
    target: TargetConfig,
    document: unknown,
    { file, text, base, given }: { file: string; text: string; base: readonly string[]; given: readonly string[] },
  ): Promise<Subject> {
    const overrides = [...base, ...withoutCompression(settings)];
    return withExperiment(
      file,
      async ({ weights, dataset, sources }) => {
        if (!dataset.validation)
          throw placed(
            new SettingError(['data'], 'the data have no validation split, on which settings are chosen', {
              remedy: 'Give them one: `"validation": 0.1`, for example (docs/data.md says how for each type of data).',
            }),
            { file, text, overrides },
          );
        const stepsPerEpoch = dataset.stepsPerEpoch(samplesPerStep(settings.training));
        const named = weights.map(nameOnly);
        try {
          return {
            weights: named,
            searched: searchedWeights(compressionsAsWritten(document), named, target.bounds),
            experiment: timesInSteps(settings, stepsPerEpoch),
            stepsPerEpoch,
            sources: [...sources],
            denseBytes: named.reduce((sum, { shape }) => sum + floatBytes(shape), 0),
          };
        } catch (error) {
          throw error instanceof SettingError ? placed(error, { file, text, overrides: given }) : error;
        }
      },
      { overrides, text, signal: this.#options.signal },
    );
  }

  /** The dense model: trained where it is not there yet. */
  async #reference(
    file: string,
    settings: ExperimentSettings,
    { sources }: Subject,
    { dense, text, base }: { dense: RunSettings; text: string; base: readonly string[] },
  ): Promise<{
    run: Run;
    how: 'reused' | 'start' | 'trained';
    origin: Origin;
    start?: string | undefined;
    metric: string;
    value: number;
  }> {
    const { onEvent } = this.#options;
    const record = await readRecord(this.#sweep);
    const told = async (run: Run, how: 'reused' | 'start' | 'trained', origin: Origin, start?: string) => {
      const found = await validationOf(run);
      if (!found)
        throw new DivergenceError(
          `The run ${run.id}, the dense model, has no metric on the validation split that is a finite number.`,
          {
            remedy: 'See why it diverged; mend the training first, without a compression.',
          },
        );
      onEvent({ type: 'reference', run: run.id, how, ...found });
      return { run, how, origin, start, ...found };
    };
    const started = await startRun(file, settings);
    if (started) {
      const overrides = [...base, ...withoutCompression(settings)];
      return told(started, 'start', { experiment: file, overrides, text });
    }
    const known = record.reference;
    if (known?.isReused && known.run !== undefined) {
      const run = await openRun(join(this.#sweep.runs, basename(known.run)));
      return told(run, 'reused', { run, checkpoint: false }, `run:${run.id}`);
    }
    if (!known) {
      const denseExperiment = parseExperiment(text, { file, overrides: dense.set });
      const run = await denseRun(this.#sweep.runs, denseExperiment, sources);
      await writeRecord(this.#sweep, {
        ...record,
        reference: { ...(run && { run: basename(run.path) }), isReused: run !== undefined },
      });
      if (run) return told(run, 'reused', { run, checkpoint: false }, `run:${run.id}`);
    }
    const [line] = await this.#plan([dense]);
    await this.#train([line], [{ purpose: 'the dense model', length: 1 }]);
    if (!this.#summaries.has(line.line)) throw failed(await openRun(this.#sweep.runFolder(line)));
    const run = await openRun(this.#sweep.runFolder(line));
    return told(run, 'trained', { run, checkpoint: false }, `run:${run.id}`);
  }

  async #measured(origin: Origin, { experiment, searched }: Subject): Promise<MeasuredModel> {
    const known = await readMeasured(this.#sweep);
    if (known) return known;
    const began = Date.now();
    const { signal, onEvent } = this.#options;
    const onProgress = (progress: ExportProgress) => onEvent({ type: 'measuring', progress });
    const { weights, value } = await measureWeights({ origin, experiment, searched, signal, onProgress });
    const measured: MeasuredModel = { value, weights: [...weights], seconds: (Date.now() - began) / 1000 };
    await writeMeasured(this.#sweep, measured);
    return measured;
  }

  /** The lines of runs with these settings: those that are there, and new ones at the end of the plan. */
  async #plan(runs: readonly RunSettings[]): Promise<PlannedRun[]> {
    const textOf = ({ set }: Pick<PlannedRun, 'set'>) => JSON.stringify(set);
    await this.#sweep.addRuns((plan) => {
      const known = new Set(plan.map(textOf));
      return [...new Map(runs.map((run) => [textOf(run), run])).values()].filter((run) => !known.has(textOf(run)));
    });
    const byText = new Map(this.#sweep.plan.map((line) => [textOf(line), line]));
    return runs.map((run) => byText.get(textOf(run))!);
  }

  /** Trains what is not there yet. @param wanted what each line is for */
  async #train(planned: readonly PlannedRun[], wanted: readonly Pick<Wanted, 'purpose' | 'length'>[]): Promise<void> {
    const { parallel, sidecarScript, signal, onEvent } = this.#options;
    const outcomes = await trainLines(this.#sweep, [...new Set(planned)], {
      ...{ parallel, sidecarScript, signal, retryFailed: false },
      onStart: ({ line, run }, _, how) => {
        const { purpose, length } = wanted[planned.findIndex((one) => one.line === line)];
        onEvent({ type: 'started', line, run, how, purpose, length });
      },
    });
    for (const outcome of outcomes) await this.#keep(outcome);
  }

  async #keep({ planned, state, run, problem }: LineOutcome): Promise<void> {
    this.#options.signal.throwIfAborted();
    if (problem) throw problem;
    const summary = run && state === 'finished' ? await readSummary(run) : undefined;
    if (summary) this.#summaries.set(planned.line, summary);
    // A training that runs away says how good its settings are.
    else if (run && state === 'failed' && run.record.failure?.fault === 'divergence') return;
    else throw run ? failed(run) : new UserError(`The run ${planned.run} has not been begun.`);
  }

  /** Metric of the final model of a run on the test split: of its summary where it was evaluated there. */
  async #test(run: Run): Promise<number> {
    const summary = await readSummary(run);
    if (summary && Number.isFinite(summary.test)) return summary.test;
    return (await evaluateRun({ run, changedFiles: true, signal: this.#options.signal })).value;
  }
}

function failed(run: Run): UserError {
  const { failure } = run.record;
  const why = failure ? `: ${failure.message}` : '';
  const message = `The run ${run.id} of the search is ${run.observedState()}${why}`;
  const { fault, remedy } = failure ?? {};
  const options = remedy === undefined ? {} : { remedy };
  if (fault === 'divergence') return new DivergenceError(message, options);
  if (fault === 'settings') return new UserError(message, { ...options, exitCode: ExitCode.usage });
  return new UserError(message, {
    remedy: `${remedy === undefined ? '' : `${remedy} `}When that is mended: deeptwist resume ${pathWord(run.path)}, then go on with the search.`,
  });
}

function mostBytesOf({ bytes, ratio }: TargetConfig, denseBytes: number): number | undefined {
  if (bytes !== undefined) return bytesOf(bytes);
  return ratio === undefined ? undefined : denseBytes / ratio;
}

/** @throws UserError for a size that no settings reach */
function checkSize(
  file: string,
  { bytes, ratio }: TargetConfig,
  {
    mostBytes,
    denseBytes,
    searched,
    other,
  }: { mostBytes: number; denseBytes: number; searched: readonly SearchedWeight[]; other: number },
): void {
  const least = searched.reduce((sum, one) => sum + Math.min(...optionsOf(one).map((option) => option.bytes)), other);
  if (least <= mostBytes) return;
  const wanted = bytes === undefined ? `target.ratio: ${ratio}` : `target.bytes: ${formatBytes(mostBytes)}`;
  throw new UserError(
    `${file} ${wanted} cannot be met: with the strongest settings that are tried, the model takes ${formatBytes(least)} of ${formatBytes(denseBytes)}, ` +
      `${formatRatio(denseBytes / least)} smaller, ${formatBytes(other)} of that for weights that nothing compresses.`,
    {
      remedy: 'Ask for a larger size, compress more layers, add a method (quantize after prune), or widen "bounds".',
      exitCode: ExitCode.usage,
    },
  );
}

/** `compression` of the file with the values that were found. */
function parseDocument(text: string, overrides: readonly string[]): unknown {
  const { document } = withOverrides(new JsonText(text), overrides);
  return (document as Readonly<Record<string, unknown>>).compression;
}
