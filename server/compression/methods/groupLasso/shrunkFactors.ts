/**
 * @file The group lasso on weights whose singular values the nuclear norm has shrunk before it (Alvarez & Salzmann 2017):
 * what is left has units of zeros and a low rank, and a file holds the smaller of the two.
 */
import { multiplyFactors } from '../../../formats/packed/factors.ts';
import type { PackedWeight } from '../../../formats/packed/packedFile.ts';
import { storedView, type MatrixView } from '../../targets/matrixView.ts';
import type { MatchedWeight, NamedWeight } from '../../targets/targets.ts';
import type { CompressedSize } from '../../size.ts';
import { stateless, type CompressedWeight, type Distortion, type FactoredWeight, type Unit } from '../unit.ts';

export class ShrunkFactors implements Unit {
  readonly targets: readonly MatchedWeight[];
  readonly companions: readonly NamedWeight[];
  readonly state = stateless.state;
  readonly restore = stateless.restore;
  readonly #groups: Unit;
  /** The unit of each target that finds its factors; undefined for one that had none before. */
  readonly #factored: readonly (Unit | undefined)[];

  constructor(groups: Unit, earlier: readonly Unit[]) {
    this.#groups = groups;
    this.targets = groups.targets;
    this.companions = groups.companions ?? [];
    this.#factored = groups.targets.map(({ weight }) =>
      earlier.find(({ targets }) => targets[0].weight.name === weight.name),
    );
  }

  settingAt(step: number, weight: string) {
    return this.#groups.settingAt(step, weight);
  }

  get measured() {
    return this.#groups.measured;
  }

  distort(values: readonly Float32Array[], at: Distortion) {
    return this.#groups.distort(values, at);
  }

  async settle(values: readonly Float32Array[]): Promise<CompressedWeight[]> {
    const forms: CompressedWeight[] = [];
    for (const [i, { view }] of this.targets.entries()) {
      const copy = values[i].slice();
      const [form] = (await this.#factored[i]?.settle?.([copy])) ?? [];
      const { bits } = this.#groups.sizes(values, [])[i];
      if (form?.form === 'factors' && this.#asFactors(i, copy, form)!.bits < bits) {
        clearZeroRows(form, view, values[i]);
        multiplyFactors(form, storedView(view), values[i]);
        forms.push(form);
      } else forms.push({ form: 'sparse' });
    }
    return forms;
  }

  /** Size of a target as factors; undefined where it has none. */
  #asFactors(i: number, values: Float32Array, form: CompressedWeight | undefined): CompressedSize | undefined {
    return this.#factored[i]?.sizes([values], [form])[0];
  }

  sizes(
    values: readonly Float32Array[],
    compressed: readonly (CompressedWeight | undefined)[],
  ): readonly CompressedSize[] {
    return this.#groups.sizes(values, compressed).map((sparse, i) => {
      const factors = this.#asFactors(i, values[i], compressed[i]);
      return factors && factors.bits < sparse.bits ? factors : sparse;
    });
  }

  packed(
    values: readonly Float32Array[],
    compressed: readonly (CompressedWeight | undefined)[],
  ): readonly PackedWeight[] {
    return this.#groups.packed(values, compressed).map((sparse, i) => {
      const form = compressed[i];
      return form?.form === 'factors' ? this.#factored[i]!.packed([values[i]], [form])[0] : sparse;
    });
  }
}

/** Rounding gives factors of a weight little numbers where a unit of it is zero: they become 0, so that the unit stays so. */
function clearZeroRows({ left, right }: FactoredWeight, view: MatrixView, values: Float32Array): void {
  const isZero = zeroRows(view, values);
  const [factor, width] = view.inner === 1 ? [right, 1] : [left, left.length / view.rows];
  for (let i = 0; i < factor.length; i++) if (isZero[Math.floor(i / width) % view.rows]) factor[i] = 0;
}

function zeroRows({ outer, rows, inner }: MatrixView, values: Float32Array): boolean[] {
  const isZero = Array.from({ length: rows }, () => true);
  for (let i = 0; i < outer * rows * inner; i++) if (values[i] !== 0) isZero[Math.floor(i / inner) % rows] = false;
  return isZero;
}
