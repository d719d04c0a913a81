/** @file Reads what is wanted of a file's numbers, one tensor after the other, and leaves off what is no longer wanted. */
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
import type { TensorStatistics } from '../protocol/model/tensor.ts';
import type { FoundInFile, WantedNumbers } from '../protocol/wire/modelFile.ts';
import { histogramOf, statisticsOf } from './statistics.ts';
import type { ModelFile, StoredTensor } from './tensor.ts';

export class NumbersReader {
  readonly #tensors: readonly StoredTensor[];
  readonly #tell: (found: FoundInFile) => void;
  /** A page that was hidden asks again for what was found before. */
  readonly #statistics = new Map<number, TensorStatistics>();
  #wanted: WantedNumbers = { statistics: [] };
  #current: { readonly tensor: number; readonly controller: AbortController } | undefined;

  constructor({ tensors }: Pick<ModelFile, 'tensors'>, tell: (found: FoundInFile) => void) {
    this.#tensors = tensors;
    this.#tell = tell;
  }

  /** What is not in `wanted` is not read any further. */
  want(wanted: WantedNumbers): void {
    this.#wanted = wanted;
    const { statistics, histogram } = wanted;
    if (this.#current) {
      const { tensor, controller } = this.#current;
      // The histogram, which somebody has just asked for, does not wait for another tensor of a gigabyte.
      const isFirst = histogram === undefined || histogram === tensor;
      if (!isFirst || (histogram !== tensor && !statistics.includes(tensor))) controller.abort();
    } else void this.#work();
  }

  async #work(): Promise<void> {
    for (let next = this.#next(); next; next = this.#next()) {
      const { tensor, withHistogram } = next;
      const controller = new AbortController();
      this.#current = { tensor, controller };
      try {
        await this.#read(tensor, withHistogram, controller.signal);
      } catch (error) {
        if (!controller.signal.aborted) {
          const remedy = error instanceof UserError ? error.remedy : undefined;
          this.#tell({ type: 'tensorProblem', tensor, message: messageOf(error), remedy });
        }
      }
      // What was left off may be wanted again, and is in the list then.
      if (!controller.signal.aborted) this.#leaveOut(tensor, withHistogram);
      this.#current = undefined;
    }
  }

  #next(): { tensor: number; withHistogram: boolean } | undefined {
    const { histogram, statistics } = this.#wanted;
    const isThere = (tensor: number | undefined): tensor is number => tensor !== undefined && tensor in this.#tensors;
    if (isThere(histogram)) return { tensor: histogram, withHistogram: true };
    const tensor = statistics.find(isThere);
    return tensor === undefined ? undefined : { tensor, withHistogram: false };
  }

  #leaveOut(tensor: number, withHistogram: boolean): void {
    const { histogram, statistics } = this.#wanted;
    this.#wanted = {
      statistics: statistics.filter((other) => other !== tensor),
      histogram: withHistogram && histogram === tensor ? undefined : histogram,
    };
  }

  async #read(index: number, withHistogram: boolean, signal: AbortSignal): Promise<void> {
    const tensor = this.#tensors[index];
    const statistics = this.#statistics.get(index) ?? (await statisticsOf(tensor, signal));
    this.#statistics.set(index, statistics);
    this.#tell({ type: 'statistics', tensor: index, statistics });
    if (!withHistogram) return;
    this.#tell({ type: 'histogram', tensor: index, histogram: await histogramOf(tensor, statistics, signal) });
  }
}
