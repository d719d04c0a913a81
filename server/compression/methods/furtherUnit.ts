/** @file A compression that goes on where an earlier one of the same weights ends: with the numbers it kept, or with its factors. */
import { DenseWeight } from '../../formats/packed/dense.ts';
import { multiplyFactors } from '../../formats/packed/factors.ts';
import { FactorsCodedWeight, type Factor } from '../../formats/packed/factorsCoded.ts';
import { isCodedNumbers } from '../../formats/packed/nested.ts';
import type { PackedWeight } from '../../formats/packed/packedFile.ts';
import { sectionBytes } from '../../formats/packed/packedWeight.ts';
import { SparseWeight } from '../../formats/packed/sparse.ts';
import { SparseCodedWeight } from '../../formats/packed/sparseCoded.ts';
import { smallestIndex } from '../../formats/packed/sparseIndex.ts';
import { reconstruct } from '../../linalg/truncate.ts';
import type { CompressionSetting } from '../../protocol/run/events.ts';
import { denseSize, type CompressedSize } from '../size.ts';
import { scatterRows, storedMatrix, storedShape, storedView, type MatrixView } from '../targets/matrixView.ts';
import type { MatchedWeight } from '../targets/targets.ts';
import { areFactorsFewer } from './lowRank/size.ts';
import { sparseSize } from './prune/size.ts';
import type {
  CompressedWeight,
  CompressionState,
  Distortion,
  FactoredWeight,
  FittedPoints,
  TensorDistortion,
  Unit,
} from './unit.ts';

/** A tensor that is distorted further, and what has been made of it. */
interface Tensor {
  readonly values: Float32Array;
  readonly view: MatrixView;
  readonly form: CompressedWeight | undefined;
}

/**
 * The weights of an earlier unit. A distortion is the earlier one and then this, so that it leaves the form of both whether or not
 * the earlier compression distorts its weights at that step, too.
 */
export class FurtherUnit implements Unit {
  readonly targets: readonly MatchedWeight[];
  readonly #earlier: Unit;
  /** For each target the unit that goes on with it. */
  readonly #later: readonly Unit[];
  readonly #tensors: readonly TensorDistortion[];
  readonly #acts: (step: number) => boolean;
  readonly #lastStep: number;

  /**
   * @param later a unit for each target of the earlier one
   * @param acts tells whether the earlier compression acts at a step; before it does, this one distorts the weights as they are
   */
  constructor(
    earlier: Unit,
    later: readonly Unit[],
    { acts, lastStep }: { acts: (step: number) => boolean; lastStep: number },
  ) {
    this.targets = later.flatMap(({ targets }) => targets);
    this.#earlier = earlier;
    this.#later = later;
    this.#tensors = later.map(({ tensor }) => {
      if (!tensor) throw new TypeError('The method of this unit follows no other.');
      return tensor;
    });
    this.#acts = acts;
    this.#lastStep = lastStep;
  }

  settingAt(step: number, weight: string): CompressionSetting {
    const own = this.#later.find(({ targets }) => targets.some((target) => target.weight.name === weight))!;
    return own.settingAt(step, weight);
  }

  async distort(values: readonly Float32Array[], at: Distortion): Promise<CompressedWeight[]> {
    if (!this.#acts(at.step))
      return this.#tensors.map((tensor, i) => tensor.distort(values[i], this.targets[i].view, at));
    const forms = this.#worthwhile(await (this.#earlier.settle?.(values) ?? this.#earlier.distort(values, at)));
    /** What was made of the left factors, which weights can share. */
    const lefts = new Map<Float32Array, { values: Float32Array; form: CompressedWeight }>();
    const further: CompressedWeight[] = [];
    for (const [i, form] of forms.entries())
      further.push(
        form?.form === 'factors'
          ? await this.#distortFactors(form, i, values[i], at, lefts)
          : distortTensor(this.#tensors[i], { values: values[i], view: this.targets[i].view, form }, at),
      );
    return further;
  }

  /** Without factors that are no fewer numbers than the weights: a file would not have them either. */
  #worthwhile(forms: readonly (CompressedWeight | undefined)[]): readonly (CompressedWeight | undefined)[] {
    return forms.map((form) => {
      if (form?.form !== 'factors') return form;
      const views = this.targets.filter((_, i) => sharesLeft(form, forms[i])).map(({ view }) => view);
      return areFactorsFewer(views, form.left.length / storedShape(views[0]).rows) ? form : undefined;
    });
  }

  async #distortFactors(
    { left, right, basis, parts }: FactoredWeight,
    i: number,
    values: Float32Array,
    at: Distortion,
    lefts: Map<Float32Array, { values: Float32Array; form: CompressedWeight }>,
  ): Promise<FactoredWeight> {
    const { view } = this.targets[i];
    const [leftView, rightView] = factorViews(view, left);
    let newLeft = lefts.get(left);
    if (!newLeft) {
      // A copy: the next truncation begins with what this one found.
      const copy = left.slice();
      const form = distortTensor(this.#tensors[i], { values: copy, view: leftView, form: parts?.left }, at);
      lefts.set(left, (newLeft = { values: copy, form }));
    }
    const newRight = right.slice();
    const rightForm = distortTensor(this.#tensors[i], { values: newRight, view: rightView, form: parts?.right }, at);
    const factors = { left: newLeft.values, right: newRight };
    if (at.step === this.#lastStep) multiplyFactors(factors, storedView(view), values);
    else {
      const matrix = storedMatrix(values, view);
      await reconstruct(factors, matrix.rows, matrix.columns, matrix.data);
      if (matrix.data !== values) scatterRows(matrix.data, view, 0, view.rows, values);
    }
    return { form: 'factors', ...factors, basis, parts: { left: newLeft.form, right: rightForm } };
  }

  sizes(
    values: readonly Float32Array[],
    compressed: readonly (CompressedWeight | undefined)[],
  ): readonly CompressedSize[] {
    const sizes = this.targets.map(({ view }, i): CompressedSize => {
      const form = compressed[i];
      if (form?.form !== 'factors') return tensorSize(this.#tensors[i], { values: values[i], view, form });
      const [left, right] = factorsOf(form, view).map((factor) => {
        const { weightsKept, bits } = tensorSize(this.#tensors[i], factor);
        return { weightsKept, bits: inBytes(bits) };
      });
      return storingLeft(form, compressed) === i ? sum([left, right]) : right;
    });
    const dense = values.map(({ length }) => denseSize(length));
    return sum(sizes).bits < sum(dense).bits ? sizes : dense;
  }

  packed(
    values: readonly Float32Array[],
    compressed: readonly (CompressedWeight | undefined)[],
  ): readonly PackedWeight[] {
    const dense = this.targets.map(({ weight: { shape } }, i) => new DenseWeight(shape, values[i]));
    const packed = this.targets.map(({ weight: { shape }, view }, i): PackedWeight => {
      const form = compressed[i];
      if (form?.form !== 'factors') return packedTensor(this.#tensors[i], shape, { values: values[i], view, form });
      const { rows, columns } = storedShape(view);
      const rank = form.left.length / rows;
      const [left, right] = factorsOf(form, view);
      const storing = storingLeft(form, compressed);
      const coded = {
        left: packedFactor(this.#tensors[i], [rows, rank], left),
        right: packedFactor(this.#tensors[i], [rank, columns], right),
        leftOf: storing === i ? undefined : this.targets[storing].weight.name,
      };
      return new FactorsCodedWeight(shape, storedView(view), rank, coded);
    });
    const bytes = (weights: readonly PackedWeight[]) => weights.reduce((total, own) => total + sectionBytes(own), 0);
    return bytes(packed) < bytes(dense) ? packed : dense;
  }

  /** Points of what pruning leaves of each weight; undefined where one has none. */
  get points(): readonly FittedPoints[] | undefined {
    const points = this.#later.flatMap((unit) => unit.points ?? []);
    return points.length === this.targets.length ? points : undefined;
  }

  get state(): CompressionState {
    return Object.assign({}, ...this.#later.map(({ state }) => state)) as CompressionState;
  }

  restore(state: CompressionState): void {
    for (const unit of this.#later) unit.restore(state);
  }
}

/** Distorts the numbers that were kept of a tensor; all of it where nothing has been made of it, or where zeros count. */
function distortTensor(distortion: TensorDistortion, { values, view, form }: Tensor, at: Distortion): CompressedWeight {
  if (form?.form !== 'sparse' || distortion.countsZeros) return distortion.distort(values, view, at);
  const positions = form.kept?.positions ?? positionsOfNonZeros(values);
  if (positions.length === 0) return form;
  const kept = gather(values, positions);
  const numbers = distortion.distort(kept, inOneRow(kept), at);
  positions.forEach((position, i) => (values[position] = kept[i]));
  return { form: 'sparse', kept: { positions, numbers } };
}

/** The size of a tensor as {@link distortTensor} left it. */
function tensorSize(distortion: TensorDistortion, { values, view, form }: Tensor): CompressedSize {
  if (form?.form !== 'sparse') return distortion.size(values, view, form);
  if (!form.kept) return sparseSize(values);
  const { kept, marks } = keptNumbers(values, form.kept.positions);
  const { bits } = distortion.size(kept, inOneRow(kept), form.kept.numbers);
  return { weightsKept: kept.length, bits: inBytes(bits) + inBytes(smallestIndex(marks).bits) };
}

/** Bits of a section of a file, which begins and ends with a whole byte. */
function inBytes(bits: number): number {
  return 8 * Math.ceil(bits / 8);
}

/** What a file holds of a tensor as {@link distortTensor} left it. */
function packedTensor(
  distortion: TensorDistortion,
  shape: readonly number[],
  { values, view, form }: Tensor,
): PackedWeight {
  if (form?.form !== 'sparse') return distortion.packed(shape, values, view, form);
  if (!form.kept) return SparseWeight.of(shape, values);
  const { kept, marks } = keptNumbers(values, form.kept.positions);
  const coded = distortion.packed([kept.length], kept, inOneRow(kept), form.kept.numbers);
  return SparseCodedWeight.of(shape, marks, isCodedNumbers(coded) ? coded : new DenseWeight([kept.length], kept));
}

function packedFactor(distortion: TensorDistortion, shape: readonly number[], tensor: Tensor): Factor {
  const packed = packedTensor(distortion, shape, tensor);
  return packed.form === 'factors' || packed.form === 'factors-coded' ? new DenseWeight(shape, tensor.values) : packed;
}

/** The numbers that pruning kept of a tensor, and as many marks as the tensor has numbers: 1 where one is kept. */
function keptNumbers(values: Float32Array, positions: Uint32Array): { kept: Float32Array; marks: Uint8Array } {
  const marks = new Uint8Array(values.length);
  for (const position of positions) marks[position] = 1;
  return { kept: gather(values, positions), marks };
}

function gather(values: Float32Array, positions: Uint32Array): Float32Array {
  return Float32Array.from(positions, (position) => values[position]);
}

function positionsOfNonZeros(values: Float32Array): Uint32Array {
  const positions = new Uint32Array(values.reduce((count, value) => count + Number(value !== 0), 0));
  let next = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) positions[next++] = i;
  return positions;
}

/** What pruning leaves of a weight has no rows any more: it is one row, with what a method has for each row. */
function inOneRow({ length }: Float32Array): MatrixView {
  return { outer: 1, rows: 1, inner: length, columns: length };
}

function sharesLeft({ left }: FactoredWeight, other: CompressedWeight | undefined): boolean {
  return other?.form === 'factors' && other.left === left;
}

/** Index of the weight with which a file has the left factor of a weight: the first that shares it. */
function storingLeft(form: FactoredWeight, forms: readonly (CompressedWeight | undefined)[]): number {
  return forms.findIndex((other) => sharesLeft(form, other));
}

function factorsOf({ left, right, parts }: FactoredWeight, view: MatrixView): [left: Tensor, right: Tensor] {
  const [leftView, rightView] = factorViews(view, left);
  return [
    { values: left, view: leftView, form: parts?.left },
    { values: right, view: rightView, form: parts?.right },
  ];
}

/** The factors as matrices with a row for each of the `rank` products of a column and a row that make up the weight. */
function factorViews(weight: MatrixView, left: Float32Array): [left: MatrixView, right: MatrixView] {
  const { rows, columns } = storedShape(weight);
  const rank = left.length / rows;
  return [
    { outer: rows, rows: rank, inner: 1, columns: rows },
    { outer: 1, rows: rank, inner: columns, columns },
  ];
}

function sum(sizes: readonly CompressedSize[]): CompressedSize {
  return sizes.reduce((all, { weightsKept, bits }) => ({
    weightsKept: all.weightsKept + weightsKept,
    bits: all.bits + bits,
  }));
}
