/** @file Columns of numbers that grow by rows: what a run's history records very often. */

/** Numbers of equally long columns. */
export interface Columns<Name extends string> {
  readonly length: number;
  readonly columns: Readonly<Record<Name, Float64Array>>;
}

const FIRST_CAPACITY = 256;
/** Small tables double; a large one grows by half, so that a million rows do not hold memory for two. */
const LARGE = 1 << 16;

/** A table of float64 columns. What {@link view} gave stays as it was, whatever is done to the table afterwards. */
export class GrowingColumns<Name extends string> {
  readonly #names: readonly Name[];
  #columns: Record<Name, Float64Array>;
  #length: number;

  /** @param start rows to go on with; they are adopted, not copied */
  constructor(names: readonly Name[], start?: Columns<Name>) {
    this.#names = names;
    this.#length = start?.length ?? 0;
    this.#columns = this.#eachColumn((name) => start?.columns[name] ?? new Float64Array(0));
  }

  get length(): number {
    return this.#length;
  }

  /** Adds a row and returns the columns, in each of which its number is to be set at `length - 1`. */
  addRow(): Readonly<Record<Name, Float64Array>> {
    const row = this.#length++;
    const first = this.#names[0];
    if (first !== undefined && row >= this.#columns[first].length) this.#grow();
    return this.#columns;
  }

  /** Keeps the first `length` rows. */
  truncate(length: number): void {
    if (length >= this.#length) return;
    this.#length = length;
    // A copy: rows that come next must not appear in views that were given before.
    this.#columns = this.#eachColumn((name) => this.#columns[name].slice(0, length));
  }

  /** All rows so far, without copying them. */
  view(): Columns<Name> {
    const length = this.#length;
    return { length, columns: this.#eachColumn((name) => this.#columns[name].subarray(0, length)) };
  }

  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, this.#length < LARGE ? 2 * this.#length : Math.ceil(1.5 * this.#length));
    this.#columns = this.#eachColumn((name) => {
      const grown = new Float64Array(capacity);
      grown.set(this.#columns[name]);
      return grown;
    });
  }

  #eachColumn(make: (name: Name) => Float64Array): Record<Name, Float64Array> {
    return Object.fromEntries(this.#names.map((name) => [name, make(name)])) as Record<Name, Float64Array>;
  }
}

/** Columns beside the rows of a table, which not every row has: the first row with any says which there are. */
export class ColumnsBeside {
  #table: GrowingColumns<string> | undefined;

  /** @param start rows to go on with; they are adopted, not copied */
  constructor(start?: Columns<string>) {
    this.#table = start && new GrowingColumns(Object.keys(start.columns), start);
  }

  /**
   * @param values those of the last row; a row without one has NaN
   * @param rows of the table
   */
  set(values: Readonly<Record<string, number>> | undefined, rows: number): void {
    if (values === undefined && this.#table === undefined) return;
    this.#table ??= new GrowingColumns(Object.keys(values ?? {}));
    while (this.#table.length < rows) {
      const row = this.#table.length;
      const own = row === rows - 1 ? values : undefined;
      for (const [name, column] of Object.entries(this.#table.addRow())) column[row] = own?.[name] ?? NaN;
    }
  }

  /** Keeps the first `length` rows. */
  truncate(length: number): void {
    if (length === 0) this.#table = undefined;
    this.#table?.truncate(length);
  }

  /** Undefined where no row has any. */
  view(): Columns<string> | undefined {
    return this.#table?.view();
  }
}

/** Number of leading entries of the ascending `steps` that are at most `step`. */
export function countUpTo(steps: Float64Array, length: number, step: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle] ?? Infinity) <= step) low = middle + 1;
    else high = middle;
  }
  return low;
}
