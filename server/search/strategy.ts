/**
 * @file What a search trains next, by what it has seen: short runs choose how the budget is given out over layers, full runs how strong the
 * compression is. Pure: the same outcomes give the same decisions, so that a search that was killed goes on by asking for all of its runs once more,
 * and those that are there are not trained again.
 */
import { groupBy } from '../protocol/groupBy.ts';
import { sampleStatistics } from '../protocol/run/sampleStatistics.ts';
import { allocate } from './allocation.ts';
import type { LayerOption } from './layerOptions.ts';
import { ways, type Way } from './ways.ts';

/** Settings for all layers: how they came about. */
export interface Aim {
  readonly way: Way;
  /** What the cost of each weight is multiplied by. */
  readonly weights: readonly number[];
  /** Bytes that the whole model is to take, as predicted. */
  readonly bytes: number;
}

/** A run that is wanted. */
export interface Wanted {
  readonly aim: Aim;
  /** The option of each weight. */
  readonly options: readonly number[];
  readonly predictedBytes: number;
  /** The part of the steps of a full run; 1 for a full run. */
  readonly length: number;
  /** Number that is added to the seed of the file. */
  readonly seed: number;
  /** What it is for, in a few words. */
  readonly purpose: string;
}

/** The same for runs with the same settings. */
export function keyOf({ length, seed, options }: Pick<Wanted, 'length' | 'seed' | 'options'>): string {
  return `${length}, ${seed}: ${settingsKey({ options })}`;
}

/** The same for runs that differ in their length or seed alone. */
function settingsKey({ options }: Pick<Wanted, 'options'>): string {
  return options.join();
}

export interface Outcome {
  readonly wanted: Wanted;
  /** By how much the metric on the validation split is worse than that of the reference; Infinity for a run that diverged. */
  readonly drop: number;
  /** Bytes of the file. */
  readonly bytes: number;
}

export interface SearchTask {
  /** The options of each weight that is compressed. */
  readonly options: readonly (readonly LayerOption[])[];
  /** Bytes of all other weights. */
  readonly otherBytes: number;
  /** Bytes of the model in 32-bit floats. */
  readonly denseBytes: number;
  /** Bytes of the file at most; undefined where the smallest model is looked for. */
  readonly mostBytes?: number | undefined;
  /** In the metric's unit; undefined where the best of a size is looked for. */
  readonly maxDrop?: number | undefined;
  /** Runs of the full length that all training together may take. */
  readonly budget: number;
  /** The part of the budget that is spent already. */
  readonly spent: number;
  /** The part of the steps of a full run that a short one has. */
  readonly shortLength: number;
  /** Trains runs, or finds those that are there. In the order of `wanted`. */
  train(wanted: readonly Wanted[]): Promise<Outcome[]>;
}

export interface SearchResult {
  /** All short runs, and all full ones, in their order. */
  readonly short: readonly Outcome[];
  readonly full: readonly Outcome[];
  /** The one that was looked for, or the nearest to it: with the seed of the file. Undefined where no full run came to an end. */
  readonly best: Outcome | undefined;
  /** Drops of the full runs with its settings, one for each seed. */
  readonly drops: readonly number[];
  readonly isMet: boolean;
  readonly spent: number;
}

/** Ratio that short runs begin with where no size is given. */
const FIRST_RATIO = 8;
/** Two sizes nearer than this are the same, in short runs and in full ones. */
const SHORT_RESOLUTION = 1.3;
const FULL_RESOLUTION = 1.04;
/** How far apart sizes are among which settings are looked for that had no full run. */
const SIZE_STEP = 1.02;
/** What is no smaller than this is not worth a run. */
const LEAST_RATIO = 1.05;
/** Files are aimed at with this much below the limit, since where zeros stand is not predicted. */
const ROOM = 0.995;
/** What the cost of a layer is multiplied or divided by, to see if it counts more or less than its way says. */
const REWEIGHTED = 3;
/** The part of what is left of the budget that short runs may take for that. */
const REWEIGHTING_PART = 0.4;
/** Settings of a size that get a full run, if their short runs were good enough; and those that get one whatever their short runs came to. */
const MOST_OF_A_SIZE = 4;
const FEWEST_OF_A_SIZE = 3;
/** Settings whose short run loses so many times as much as the best one's are not good enough. */
const HOPELESS = 2;
/** Seeds that the best settings of a size are trained with at most. */
const MOST_SEEDS = 3;

/** What short runs have told of an aim. */
interface Ranked {
  readonly aim: Aim;
  /** Undefined where it was not tried. */
  readonly drop: number | undefined;
}

/** A size that had a full run. */
interface Tried {
  readonly ratio: number;
  readonly drop: number;
}

/** Settings of full runs. */
interface Settings {
  /** The run with the seed of the file. */
  readonly first: Outcome;
  /** Drops of all its runs, one for each seed. */
  readonly drops: readonly number[];
  /** Mean of the drops. */
  readonly drop: number;
}

export async function search(task: SearchTask): Promise<SearchResult> {
  const state = new State(task);
  const { mostBytes } = task;
  const start = mostBytes === undefined ? await state.smallestByShortRuns() : await state.bestWayAt(mostBytes);
  const ranked = await state.reweighted(start);
  if (mostBytes === undefined) await state.smallestByFullRuns(ranked[0].aim);
  else {
    await state.bestOfSize(ranked, mostBytes);
    await state.repeated(mostBytes);
  }
  return state.result();
}

class State {
  readonly #task: SearchTask;
  readonly #full: Outcome[] = [];
  /** Bytes of a file over the predicted ones, by the last run. */
  #fileRatio = 1;
  /** Outcomes of runs, by {@link keyOf}: none is trained twice. */
  readonly #known = new Map<string, Outcome>();
  #spent: number;

  constructor(task: SearchTask) {
    this.#task = task;
    this.#spent = task.spent;
  }

  /** Bytes of the smallest model that the options make, as predicted. */
  get #least(): number {
    const { options, otherBytes } = this.#task;
    return options.reduce((sum, own) => sum + Math.min(...own.map(({ bytes }) => bytes)), otherBytes);
  }

  /** An aim at a size in which each layer counts as its way says. */
  #evenly(way: Way, bytes: number): Aim {
    return { way, weights: this.#task.options.map(() => 1), bytes };
  }

  #left(length: number): number {
    return Math.floor((this.#task.budget - this.#spent + 1e-9) / length);
  }

  #wanted(aim: Aim, length: number, purpose: string): Wanted {
    const { options, otherBytes } = this.#task;
    const weighted = options.map((own, i) =>
      own.map(({ bytes, costs }) => ({ bytes, cost: aim.weights[i] * costs[aim.way] })),
    );
    const chosen = allocate(weighted, aim.bytes - otherBytes);
    const predictedBytes = chosen.reduce((sum, option, i) => sum + options[i][option].bytes, otherBytes);
    return { aim, options: chosen, predictedBytes, length, seed: 0, purpose };
  }

  async #train(wanted: readonly Wanted[]): Promise<Outcome[]> {
    const missing = wanted.filter((one) => !this.#known.has(keyOf(one)));
    this.#spent += missing.reduce((sum, { length }) => sum + length, 0);
    const outcomes = missing.length === 0 ? [] : await this.#task.train(missing);
    for (const outcome of outcomes) {
      const { bytes, drop, wanted: own } = outcome;
      this.#known.set(keyOf(own), outcome);
      if (Number.isFinite(drop)) this.#fileRatio = bytes / own.predictedBytes;
    }
    return wanted.map((one) => ({ ...this.#known.get(keyOf(one))!, wanted: one }));
  }

  /** Predicted bytes of a model whose file takes so many. */
  #predictedFor(fileBytes: number): number {
    return (ROOM * fileBytes) / this.#fileRatio;
  }

  /** A short run for each way at one size. @returns the best first */
  async bestWayAt(fileBytes: number): Promise<Ranked[]> {
    const { shortLength } = this.#task;
    const distinct = this.#distinct(ways.map((way) => this.#evenly(way, this.#predictedFor(fileBytes))));
    if (distinct.length === 1 || this.#left(shortLength) < distinct.length)
      return distinct.map((aim) => ({ aim, drop: undefined }));
    return rankedBy(
      await this.#train(distinct.map((aim) => this.#wanted(aim, shortLength, 'which way to give bytes out'))),
    );
  }

  /** Aims that do not choose the same options. */
  #distinct(aims: readonly Aim[]): Aim[] {
    const byOptions = new Map<string, Aim>();
    for (const aim of aims) {
      const key = settingsKey(this.#wanted(aim, 1, ''));
      if (!byOptions.has(key)) byOptions.set(key, aim);
    }
    return [...byOptions.values()];
  }

  /**
   * Short runs at ever smaller sizes, then between the last two, of the ways that are left: those go that lose too much where others do not, and
   * the worst where all do.
   * @returns those of the last round whose best way was within the drop, the best first; where none was, of the weakest round
   */
  async smallestByShortRuns(): Promise<Ranked[]> {
    const { denseBytes, maxDrop = 0, shortLength, budget } = this.#task;
    const most = denseBytes / this.#least;
    let within: number | undefined;
    let beyond: number | undefined;
    let ratio = Math.min(FIRST_RATIO, Math.sqrt(most));
    let left: readonly Way[] = ways;
    let found: Ranked[] = [];
    // Half of the budget is for full runs in any case.
    while (this.#spent + left.length * shortLength <= budget / 2) {
      const bytes = denseBytes / ratio;
      const distinct = this.#distinct(left.map((way) => this.#evenly(way, bytes)));
      const ranked = rankedBy(
        await this.#train(distinct.map((aim) => this.#wanted(aim, shortLength, `${formatted(ratio)}x`))),
      );
      if (lossOf(ranked[0]) <= maxDrop) within = ratio;
      else beyond = ratio;
      if (within === ratio || within === undefined) found = ranked;
      const passed = ranked.filter((one) => lossOf(one) <= maxDrop);
      left = (passed.length > 0 ? passed : ranked.slice(0, Math.max(1, ranked.length - 1))).map(({ aim }) => aim.way);
      if (within !== undefined && (within >= most || (beyond ?? Infinity) / within < SHORT_RESOLUTION)) break;
      if (beyond === undefined) ratio = Math.min(2 * ratio, most);
      else if (within === undefined) ratio /= 2;
      else ratio = Math.sqrt(within * beyond);
      if (ratio < LEAST_RATIO) break;
    }
    if (found.length > 0) return found;
    return left.map((way) => ({ aim: this.#evenly(way, denseBytes / ratio), drop: undefined }));
  }

  /**
   * Short runs in which one layer counts more or less, at the same size: what is better is kept.
   * @param ranked the best first
   * @returns the best first
   */
  async reweighted(ranked: readonly Ranked[]): Promise<Ranked[]> {
    const { options, shortLength, budget } = this.#task;
    let [best] = ranked;
    const until = this.#spent + REWEIGHTING_PART * (budget - this.#spent);
    if (options.length === 1 || best.drop === undefined) return [...ranked];
    const found = [...ranked];
    // The layers with the most bytes first: they have the most to give.
    const order = options.map((_, i) => i).sort((a, b) => largest(options[b]) - largest(options[a]));
    for (const layer of order) {
      if (this.#spent + 2 * shortLength > until) break;
      const { aim } = best;
      const aims = [REWEIGHTED, 1 / REWEIGHTED].map((factor): Aim => ({
        ...aim,
        weights: aim.weights.with(layer, factor * aim.weights[layer]),
      }));
      const outcomes = await this.#train(
        this.#distinct(aims).map((one) => this.#wanted(one, shortLength, 'which layers count more')),
      );
      const tried = rankedBy(outcomes);
      found.push(...tried);
      if (lossOf(tried[0]) < lossOf(best)) [best] = tried;
    }
    return found.toSorted((a, b) => lossOf(a) - lossOf(b));
  }

  /** Full runs, stronger where there is room, eased where there is none. */
  async smallestByFullRuns(aim: Aim): Promise<void> {
    const { denseBytes, maxDrop = 0 } = this.#task;
    const most = denseBytes / this.#least;
    let near = denseBytes / aim.bytes;
    let within: Tried | undefined;
    let beyond: Tried | undefined;
    while (this.#left(1) >= 1) {
      const next = this.#untried(aim, near, { from: within?.ratio ?? LEAST_RATIO, to: beyond?.ratio ?? most });
      if (!next) return;
      const { ratio, wanted } = next;
      const [outcome] = await this.#train([wanted]);
      this.#full.push(outcome);
      const { drop } = outcome;
      if (drop <= maxDrop) within = { ratio, drop };
      else beyond = { ratio, drop };
      if (within && within.ratio >= most) return;
      if (within && beyond && beyond.ratio / within.ratio < FULL_RESOLUTION) return;
      near = nextRatio(within, beyond, maxDrop);
    }
  }

  /**
   * A full run of about a size. Few bits or ranks make few sizes: where the nearest settings have had a full run, the next weaker ones that have not, else
   * the next stronger ones.
   * @returns undefined where all settings between the two sizes have had one
   */
  #untried(aim: Aim, near: number, { from, to }: { readonly from: number; readonly to: number }) {
    const start = Math.min(to, Math.max(from, near));
    const weaker = geometric(start, 1 / SIZE_STEP, (ratio) => ratio >= from);
    const stronger = geometric(start, SIZE_STEP, (ratio) => ratio <= to);
    for (const ratio of [...weaker, ...stronger]) {
      const wanted = this.#wanted({ ...aim, bytes: this.#task.denseBytes / ratio }, 1, `${formatted(ratio)}x`);
      if (!this.#full.some((one) => keyOf(one.wanted) === keyOf(wanted))) return { ratio, wanted };
    }
    return undefined;
  }

  /** Full runs of a size, those first that were best in short ones. @param ranked the best first */
  async bestOfSize(ranked: readonly Ranked[], fileBytes: number): Promise<void> {
    const { maxDrop } = this.#task;
    const limit = HOPELESS * Math.max(lossOf(ranked[0]), maxDrop ?? 0);
    const drops = new Map(ranked.map((one) => [one.aim, lossOf(one)]));
    const left = this.#distinct(ranked.map(({ aim }) => aim)).filter(
      (aim, i) => i < FEWEST_OF_A_SIZE || drops.get(aim)! <= limit,
    );
    while (left.length > 0 && this.#left(1) >= 1 && this.#full.length < MOST_OF_A_SIZE) {
      const aim = left.shift()!;
      const wanted = this.#wanted({ ...aim, bytes: this.#predictedFor(fileBytes) }, 1, 'at the size');
      const [outcome] = await this.#train([wanted]);
      if (this.#full.some((one) => keyOf(one.wanted) === keyOf(wanted))) continue;
      this.#full.push(outcome);
      // Its file is larger than predicted: the next is aimed at by what is known now.
      if (outcome.bytes > fileBytes) left.unshift(aim);
      else if (maxDrop !== undefined && outcome.drop <= maxDrop) return;
    }
  }

  /**
   * The better half of the settings that fit is trained with another seed, and the better half of these again, as far as the budget goes: one run of
   * each does not tell settings apart that differ by less than two runs of the same settings do. Settings that meet a drop as well have ended the search.
   */
  async repeated(fileBytes: number): Promise<void> {
    if (this.#task.maxDrop !== undefined) return;
    let left = this.#settings().filter(({ first }) => first.bytes <= fileBytes);
    for (let seed = 1; seed < MOST_SEEDS; seed++) {
      const better = left.slice(0, Math.max(2, Math.floor(left.length / 2)));
      if (better.length < 2 || this.#left(1) < better.length) return;
      const again = better.map(({ first }): Wanted => ({ ...first.wanted, seed, purpose: 'another seed' }));
      this.#full.push(...(await this.#train(again)));
      left = this.#settings().filter(({ drops }) => drops.length === seed + 1);
    }
  }

  /** The settings of full runs that came to an end with every seed: the best first. */
  #settings(): Settings[] {
    return [...groupBy(this.#full, ({ wanted }) => settingsKey(wanted)).values()]
      .map((outcomes) => {
        const drops = outcomes.map(({ drop }) => drop);
        return { first: outcomes[0], drops, drop: sampleStatistics(drops).mean };
      })
      .filter(({ drop }) => Number.isFinite(drop))
      .sort((a, b) => a.drop - b.drop || a.first.bytes - b.first.bytes);
  }

  result(): SearchResult {
    const { mostBytes = Infinity, maxDrop = Infinity } = this.#task;
    const settings = this.#settings();
    const mostSeeds = Math.max(0, ...settings.map(({ drops }) => drops.length));
    // Settings that were not good enough for another seed are not compared with the mean of those that were.
    const compared = settings.filter(({ drops }) => drops.length === mostSeeds);
    const bySize = compared.toSorted((a, b) => a.first.bytes - b.first.bytes || a.drop - b.drop);
    const fits = ({ first }: Settings) => first.bytes <= mostBytes;
    const isMet = (one: Settings) => fits(one) && one.drop <= maxDrop;
    const best = (this.#task.mostBytes === undefined ? bySize : compared).find(isMet);
    // The nearest: of those of the size the most accurate, else the smallest.
    const shown = best ?? compared.find(fits) ?? bySize.at(0);
    const short = [...this.#known.values()].filter(({ wanted: { length } }) => length < 1);
    return {
      short,
      full: this.#full,
      best: shown?.first,
      drops: shown?.drops ?? [],
      isMet: best !== undefined,
      spent: this.#spent,
    };
  }
}

function rankedBy(outcomes: readonly Outcome[]): Ranked[] {
  return outcomes.toSorted((a, b) => a.drop - b.drop).map(({ wanted: { aim }, drop }) => ({ aim, drop }));
}

function lossOf({ drop }: Ranked): number {
  return drop ?? 0;
}

function largest(options: readonly LayerOption[]): number {
  return Math.max(...options.map(({ bytes }) => bytes));
}

/** The ratio of the next full run: between one that is within the drop and one that is not, or beyond the only ones that are known. */
function nextRatio(within: Tried | undefined, beyond: Tried | undefined, maxDrop: number): number {
  if (!beyond) {
    const { ratio, drop } = within!;
    const used = maxDrop === 0 ? 1 : drop / maxDrop;
    return ratio * (used < 0.5 ? 1.5 : used < 0.8 ? 1.25 : 1.12);
  }
  if (!within) return beyond.ratio / (beyond.drop > 4 * maxDrop ? 2 : beyond.drop > 2 * maxDrop ? 1.5 : 1.2);
  const [low, high] = [within, beyond].map(({ ratio }) => Math.log(ratio));
  const part = Number.isFinite(beyond.drop) ? (maxDrop - within.drop) / (beyond.drop - within.drop) : 0.5;
  return Math.exp(low + Math.min(0.75, Math.max(0.25, part)) * (high - low));
}

/** Numbers from `first` on, each `factor` times the one before, as long as they are within. */
function geometric(first: number, factor: number, isWithin: (value: number) => boolean): number[] {
  const values: number[] = [];
  for (let value = first; isWithin(value); value *= factor) values.push(value);
  return values;
}

function formatted(ratio: number): string {
  return ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(3);
}
