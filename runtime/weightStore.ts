/** @file The weights of a model, put into the memory of the kernels as its layers ask for them. */
import { FormatError } from '../server/formats/formatError.ts';
import { isLowRank, isPruned, type LowRankWeight, type PackedWeight } from '../server/formats/packed/packedFile.ts';
import { elementCount } from '../server/protocol/shape.ts';
import type { Kernels } from './kernels.ts';
import type { LinearMemory } from './linearMemory.ts';
import { CodesMatrix } from './matrices/codes.ts';
import { DenseMatrix } from './matrices/dense.ts';
import { FactorsMatrix } from './matrices/factors.ts';
import type { Columns, Matrix } from './matrices/matrix.ts';
import { CodesRows, DenseRows, FactorsRows, SparseRows, type Rows } from './matrices/rows.ts';
import { SparseMatrix } from './matrices/sparse.ts';

/** Rows and columns of a matrix: more than any model has, and few enough for what is kept for each of them. */
const MOST_ROWS = 2 ** 24;

/** The two factors of a weight that is a matrix of low rank, each row-major. */
interface Factors {
  readonly left: Float32Array;
  readonly right: Float32Array;
  /** Name of the weight that stores the left one, where that is another. */
  readonly leftOf?: string;
}

export class WeightStore {
  readonly kernels: Kernels;
  readonly memory: LinearMemory;
  readonly #weights: ReadonlyMap<string, PackedWeight>;
  /** Addresses of left factors, by the weight that stores them. */
  readonly #lefts = new Map<string, number>();
  #zeros = { address: 0, length: 0 };

  constructor(kernels: Kernels, memory: LinearMemory, weights: ReadonlyMap<string, PackedWeight>) {
    this.kernels = kernels;
    this.memory = memory;
    this.#weights = weights;
  }

  /** Address of so many zeros: what a layer without a bias adds. */
  zeros(length: number): number {
    if (length > this.#zeros.length) this.#zeros = { address: this.memory.store(new Float32Array(length)), length };
    return this.#zeros.address;
  }

  /** The numbers of a weight of that many elements. */
  values(layer: readonly string[], weight: string, length: number): Float32Array {
    const { name, stored } = this.#find(layer, weight);
    if (elementCount(stored.shape) !== length)
      throw new FormatError(`its weight '${name}' has the shape [${stored.shape}], not ${length} numbers`);
    return stored.rebuild();
  }

  /** Sizes of a weight. */
  shape(layer: readonly string[], weight: string): readonly number[] {
    return this.#find(layer, weight).stored.shape;
  }

  /** Address of the numbers of a weight of that many elements, as float32. */
  vector(layer: readonly string[], weight: string, length: number): number {
    return this.memory.store(this.values(layer, weight, length));
  }

  /**
   * The weight as a matrix [inputs, outputs], outputs its last axis, in the form that it has.
   * @param part the columns of this one, where it is not the whole weight
   */
  matrix(layer: readonly string[], weight: string, outputs: number, part?: { from: number; to: number }): Matrix {
    const { name, stored } = this.#find(layer, weight);
    const inputs = elementCount(stored.shape) / outputs;
    if (stored.shape.at(-1) !== outputs || !(inputs > 0) || Math.max(inputs, outputs) > MOST_ROWS)
      throw new FormatError(
        `its weight '${name}' has the shape [${stored.shape}], whose last size should be ${outputs}`,
      );
    const { kernels, memory } = this;
    const columns: Columns = { from: 0, to: outputs, ...part, of: outputs };
    const factors = isLowRank(stored) && factorsOf(stored, inputs, outputs);
    if (factors) {
      const rank = factors.left.length / inputs;
      const left = new DenseMatrix(kernels, this.#left(factors.leftOf ?? name, factors.left), inputs, rank);
      const right = DenseMatrix.store(kernels, memory, factors.right, columns);
      return new FactorsMatrix(left, right, this.zeros(rank));
    }
    if (isPruned(stored)) return new SparseMatrix(kernels, memory, stored, inputs, columns);
    if (stored.form === 'binary-codes' && CodesMatrix.suits(stored, inputs, columns))
      return new CodesMatrix(kernels, memory, stored, inputs, columns);
    return DenseMatrix.store(kernels, memory, numbersOf(stored), columns);
  }

  /** The weight [rows, columns], of which rows are looked up, in the form that it has. */
  rows(layer: readonly string[], weight: string, rows: number, columns: number): Rows {
    const { name, stored } = this.#find(layer, weight);
    if (stored.shape.length !== 2 || stored.shape[0] !== rows || stored.shape[1] !== columns || rows > MOST_ROWS)
      throw new FormatError(`its weight '${name}' has the shape [${stored.shape}], not [${[rows, columns]}]`);
    const { kernels, memory } = this;
    const factors = isLowRank(stored) && factorsOf(stored, rows, columns);
    if (factors) {
      const rank = factors.left.length / rows;
      const right = new DenseMatrix(kernels, memory.store(factors.right), rank, columns);
      return new FactorsRows(this.#left(factors.leftOf ?? name, factors.left), rows, right, this.zeros(columns));
    }
    if (isPruned(stored)) return new SparseRows(memory, stored, rows, columns);
    if (stored.form === 'binary-codes' && CodesRows.suits(stored, rows))
      return new CodesRows(memory, stored, rows, columns);
    return new DenseRows(kernels, memory, numbersOf(stored), columns);
  }

  /** A left factor, once for all weights that have it. */
  #left(owner: string, left: Float32Array): number {
    const address = this.#lefts.get(owner) ?? this.memory.store(left);
    this.#lefts.set(owner, address);
    return address;
  }

  /**
   * The weight of a layer. One within others has the names of those before it, or some of them; those of a wrapper may be under its
   * own name.
   */
  #find(layer: readonly string[], weight: string): { name: string; stored: PackedWeight } {
    const paths = [layer, layer.slice(0, -1)].flatMap((path) => path.map((_, from) => path.slice(from)));
    for (const path of paths) {
      const name = [...path, weight].join('/');
      const stored = this.#weights.get(name);
      if (stored) return { name, stored };
    }
    // The two layers of a Bidirectional one may have numbers in their names that the topology has not.
    const way = /^(forward|backward)_/.exec(layer.at(-1) ?? '')?.[0];
    const before = `${layer.slice(0, -1).join('/')}/${way}`;
    for (const [name, stored] of this.#weights)
      if (way !== undefined && name.startsWith(before) && name.endsWith(`/${weight}`)) return { name, stored };
    throw new FormatError(`it has no weight '${[...layer.slice(-1), weight].join('/')}'`);
  }
}

/** The factors of a weight read as the matrix [rows, columns], where it is of low rank as that. */
function factorsOf(
  { view, rank, left, right, leftOf }: LowRankWeight,
  rows: number,
  columns: number,
): Factors | undefined {
  const { outer, inner } = view;
  if (outer === 1 && view.rows === rows) return { left, right, ...(leftOf !== undefined && { leftOf }) };
  if (inner !== 1 || view.rows !== columns || outer !== rows) return undefined;
  return { left: transposed(right, rank, rows), right: transposed(left, columns, rank) };
}

/** The numbers of a weight, without a copy where it has them. */
function numbersOf(stored: PackedWeight): Float32Array {
  return stored.form === 'dense' ? stored.values : stored.rebuild();
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = matrix[row * columns + column];
  return result;
}
