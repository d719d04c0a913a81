/** @file Weights that are pruned together: those of a layer that have the same units, or all of a model with one threshold. */
import type { PackedWeight } from '../../../formats/packed/packedFile.ts';
import { SparseWeight } from '../../../formats/packed/sparse.ts';
import { clearUnmarked } from '../../marks.ts';
import type { MatchedWeight } from '../../targets/targets.ts';
import type { CompressedSize } from '../../size.ts';
import type { CompressedWeight, CompressionState, Distortion, TensorDistortion, Unit } from '../unit.ts';
import type { Criterion } from './criteria.ts';
import type { Selection } from './selection.ts';
import { sparseSize } from './size.ts';

export interface PruningRule {
  readonly selection: Selection;
  readonly criterion: Criterion;
  /** False where the policy finds by itself what becomes zero. */
  readonly hasRate: boolean;
  rateAt(step: number): number;
}

export class PruningUnit implements Unit {
  readonly targets: readonly MatchedWeight[];
  readonly tensor?: TensorDistortion;
  readonly observe?: Unit['observe'];
  readonly splice?: Unit['splice'];
  readonly regrow?: Unit['regrow'];
  readonly #rule: PruningRule;
  /** Scores that have gathered from gradients, of each weight; empty before the first gradient. */
  #scores: Float32Array[] = [];

  /** @param tensor how a part of a weight is pruned, for a unit of one weight */
  constructor(targets: readonly MatchedWeight[], rule: PruningRule, tensor?: TensorDistortion) {
    this.targets = targets;
    this.#rule = rule;
    if (tensor) this.tensor = tensor;
    const { accumulate } = rule.criterion;
    if (accumulate)
      this.observe = (values, gradients) => {
        if (this.#scores.length === 0) this.#scores = values.map(({ length }) => new Float32Array(length));
        this.#scores.forEach((scores, i) => accumulate(scores, values[i], gradients[i]));
      };
    const { selection } = rule;
    if (!selection.splice) return;
    this.splice = (values, step, before) => selection.splice!(this.#gathered(values), rule.rateAt(step), before);
    this.regrow = (values, gradients, step, part) => {
      if (part === 0) return this.kept(values, step);
      const rate = rule.rateAt(step);
      const left = selection.keep(this.#scoresOf(values), 1 - (1 - rate) * (1 - part));
      const scores = gradients.map((own, i) => own.map((slope, j) => (left[i][j] === 1 ? Infinity : Math.abs(slope))));
      return selection.keep(scores, rate);
    };
  }

  settingAt(step: number): { rate?: number } {
    return this.#rule.hasRate ? { rate: this.#rule.rateAt(step) } : {};
  }

  zerosAt(step: number): number {
    return this.#rule.selection.zerosAt(this.#rule.rateAt(step));
  }

  kept(values: readonly Float32Array[], step: number): Uint8Array[] {
    return this.#rule.selection.keep(this.#scoresOf(values), this.#rule.rateAt(step));
  }

  distort(values: readonly Float32Array[], { step }: Distortion): CompressedWeight[] {
    const { selection, criterion } = this.#rule;
    if (selection.prune && !criterion.accumulate) selection.prune(values, this.#rule.rateAt(step));
    else clear(values, this.kept(values, step));
    return values.map(() => ({ form: 'sparse' }));
  }

  /** The scores by which weights are chosen: what is zero already, under a mask for example, goes first, as it does by magnitudes. */
  #scoresOf(values: readonly Float32Array[]): readonly Float32Array[] {
    if (this.#scores.length === 0) return magnitudesOf(values);
    const live = this.#rule.selection.nonZeros(values);
    return this.#scores.map((scores, i) => scores.map((score, j) => (live[i][j] === 0 ? -Infinity : score)));
  }

  /** Before the first gradient, scores are magnitudes. */
  #gathered(values: readonly Float32Array[]): readonly Float32Array[] {
    return this.#scores.length > 0 ? this.#scores : magnitudesOf(values);
  }

  sizes(values: readonly Float32Array[]): CompressedSize[] {
    return values.map((array) => sparseSize(array));
  }

  packed(values: readonly Float32Array[]): PackedWeight[] {
    return values.map((array, i) => SparseWeight.of(this.targets[i].weight.shape, array));
  }

  get state(): CompressionState {
    return Object.fromEntries(this.#scores.map((scores, i) => [this.#keyOf(i), scores]));
  }

  restore(state: CompressionState): void {
    const saved = this.targets.map((_, i) => state[this.#keyOf(i)]);
    if (this.observe && saved.every((scores) => scores instanceof Float32Array))
      this.#scores = saved.map((scores) => scores.slice());
  }

  #keyOf(index: number): string {
    return `score:${this.targets[index].weight.name}`;
  }
}

/** How a tensor is pruned by its magnitudes, whatever its matrix is. */
export function prunesTensor(
  selectionOf: (view: MatchedWeight['view']) => Selection,
  rateAt: (step: number) => number,
): TensorDistortion {
  return {
    countsZeros: true,
    distort(values, view, { step }) {
      const selection = selectionOf(view);
      if (selection.prune) selection.prune([values], rateAt(step));
      else clear([values], selection.keep(magnitudesOf([values]), rateAt(step)));
      return { form: 'sparse' };
    },
    size: sparseSize,
    packed: (shape, values) => SparseWeight.of(shape, values),
  };
}

function magnitudesOf(values: readonly Float32Array[]): Float32Array[] {
  return values.map((array) => array.map(Math.abs));
}

function clear(values: readonly Float32Array[], kept: readonly Uint8Array[]): void {
  values.forEach((array, i) => clearUnmarked(array, kept[i]));
}
