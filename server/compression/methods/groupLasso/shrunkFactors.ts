/**
 * @file The group lasso on weights whose singular values the nuclear norm has shrunk before it (Alvarez & Salzmann 2017, equation (6)):
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
  /** The unit of each target that finds its factors. */
  readonly #factored: readonly Unit[];

  constructor(groups: Unit, earlier: readonly Unit[]) {
    this.#groups = groups;
    this.targets = groups.targets;
    this.companions = groups.companions ?? [];
    this.#factored = groups.targets.map(({ weight }) => {
      const unit = earlier.find(({ targets }) => targets[0].weight.name === weight.name);
      if (!unit?.settle) throw new TypeError(`No earlier compression factors ${weight.name}.`);
      return unit;
    });
  }

  settingAt(step: number) {
    return this.#groups.settingAt(step);
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
      const [form] = await this.#factored[i].settle!([copy]);
      const [asFactors] = this.#factored[i].sizes([copy], [form]);
      const isSmaller = asFactors.bits < this.#groups.sizes(values, [])[i].bits;
      if (form.form === 'factors' && isSmaller) {
        clearZeroRows(form, view, values[i]);
        multiplyFactors(form, storedView(view), values[i]);
        forms.push(form);
      } else forms.push({ form: 'sparse' });
    }
    return forms;
  }

  sizes(
    values: readonly Float32Array[],
    compressed: readonly (CompressedWeight | undefined)[],
  ): readonly CompressedSize[] {
    return this.#groups.sizes(values, compressed).map((sparse, i) => {
      const [factors] = this.#factored[i].sizes([values[i]], [compressed[i]]);
      return factors.bits < sparse.bits ? factors : sparse;
    });
  }

  packed(
    values: readonly Float32Array[],
    compressed: readonly (CompressedWeight | undefined)[],
  ): readonly PackedWeight[] {
    return this.#groups
      .packed(values, compressed)
      .map((sparse, i) =>
        compressed[i]?.form === 'factors' ? this.#factored[i].packed([values[i]], [compressed[i]])[0] : sparse,
      );
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
