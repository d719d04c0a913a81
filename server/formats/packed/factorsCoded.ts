/** @file A weight of low rank whose factors are packed weights themselves; weights can share a left factor. */
import { multiplyFactors, sharedLeft } from './factors.ts';
import { nestedParameters, ofForm, readNumbers, splitNested, type CodedNumbers } from './nested.ts';
import {
  allocateDense,
  checkBytes,
  parseCount,
  parseView,
  viewText,
  type PackedForm,
  type RowView,
  type StoredWeight,
} from './packedWeight.ts';
import { SparseWeight } from './sparse.ts';
import { SparseCodedWeight } from './sparseCoded.ts';

/** A factor in any form but another product. */
export type Factor = CodedNumbers | SparseWeight | SparseCodedWeight;

const factorForms: Readonly<Record<string, (stored: StoredWeight) => Factor>> = {
  dense: readNumbers,
  'binary-codes': readNumbers,
  levels: readNumbers,
  sparse: (stored) => SparseWeight.read(stored),
  'sparse-coded': (stored) => SparseCodedWeight.read(stored),
};

export class FactorsCodedWeight implements PackedForm {
  readonly form = 'factors-coded';
  readonly shape: readonly number[];
  /** The matrix that the factors make: [rows, outer * inner]. */
  readonly view: RowView;
  readonly rank: number;
  /** [rows, rank] */
  readonly codedLeft: Factor;
  /** [rank, outer * inner] */
  readonly codedRight: Factor;
  /** The weight that has the same left factor and stores it; absent where this one does. */
  readonly leftOf: string | undefined;
  #left: Float32Array | undefined;
  #right: Float32Array | undefined;

  constructor(
    shape: readonly number[],
    { outer, rows, inner }: RowView,
    rank: number,
    { left, right, leftOf }: { left: Factor; right: Factor; leftOf?: string | undefined },
  ) {
    this.shape = shape;
    this.view = { outer, rows, inner };
    this.rank = rank;
    this.codedLeft = left;
    this.codedRight = right;
    this.leftOf = leftOf;
  }

  /**
   * @param leftOf gives the left factor that a weight stores
   * @throws FormatError where parameters and bytes do not fit together
   */
  static read(stored: StoredWeight, leftOf: (weight: string) => Factor): FactorsCodedWeight {
    const { shape, parameters } = stored;
    const rank = parseCount(parameters.get('rank'), 'its rank', 1);
    const view = parseView(parameters.get('view'), shape);
    const [leftShape, rightShape] = [
      [view.rows, rank],
      [rank, view.outer * view.inner],
    ];
    const sharedWith = parameters.get('left');
    let { bytes } = stored;
    let left: Factor;
    if (sharedWith === undefined) {
      const { nested, rest } = splitNested('left', leftShape, stored);
      left = readFactor(nested);
      bytes = rest;
    } else left = sharedLeft(leftOf, sharedWith, leftShape);
    const { nested, rest } = splitNested('right', rightShape, { parameters, bytes });
    checkBytes(rest, 0);
    return new FactorsCodedWeight(shape, view, rank, { left, right: readFactor(nested), leftOf: sharedWith });
  }

  get parameters(): Readonly<Record<string, string>> {
    return {
      rank: String(this.rank),
      view: viewText(this.view),
      ...(this.leftOf === undefined ? nestedParameters('left', this.codedLeft) : { left: this.leftOf }),
      ...nestedParameters('right', this.codedRight),
    };
  }

  get sections(): readonly Uint8Array[] {
    return [...(this.leftOf === undefined ? this.codedLeft.sections : []), ...this.codedRight.sections];
  }

  /** The left factor as floats: decoded when it is first asked for, and kept. */
  get left(): Float32Array {
    return (this.#left ??= this.codedLeft.rebuild());
  }

  /** The right factor as floats: decoded when it is first asked for, and kept. */
  get right(): Float32Array {
    return (this.#right ??= this.codedRight.rebuild());
  }

  rebuild(): Float32Array {
    const dense = allocateDense(this.shape);
    multiplyFactors(this, this.view, dense);
    return dense;
  }
}

function readFactor(stored: StoredWeight): Factor {
  return ofForm(factorForms, stored.form)(stored);
}
