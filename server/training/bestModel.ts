/** @file The weights of the evaluation with the lowest validation loss: the final model of a run that keeps its best. */
import type { ParameterSet } from '../compiler/parameters.ts';

export class BestModel {
  readonly #parameters: ParameterSet;
  /** By name; before the first evaluation zeros. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Nats; undefined before the first evaluation. */
  loss: number | undefined;

  constructor(parameters: ParameterSet) {
    this.#parameters = parameters;
    this.weights = new Map(parameters.list.map(({ name, value }) => [name, new Float32Array(value.length)]));
  }

  /** Keeps the weights as they are if there was none better. A loss that is no number is never the best. */
  consider(loss: number): void {
    if (!Number.isFinite(loss) || (this.loss !== undefined && loss >= this.loss)) return;
    this.loss = loss;
    for (const { name, value } of this.#parameters.list) this.weights.get(name)?.set(value);
  }

  /** @returns whether that changed any weight */
  restore(): boolean {
    if (this.loss === undefined) return false;
    let changed = false;
    for (const { name, value } of this.#parameters.list) {
      const best = this.weights.get(name)!;
      changed ||= value.some((weight, i) => weight !== best[i]);
      value.set(best);
    }
    return changed;
  }
}
