/** @file What every packed form of a weight has in common. */
import { elementCount } from '../../protocol/shape.ts';
import { elementsOf } from '../elements.ts';
import { FormatError } from '../formatError.ts';

/** A weight as a packed file holds it. */
export interface PackedForm {
  /** The word for the form in a file. */
  readonly form: string;
  /** Shape of the tensor that is rebuilt. */
  readonly shape: readonly number[];
  /** What a reader must know besides form and shape, as texts. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The bytes of the weight in a file, which stand one after the other. */
  readonly sections: readonly Uint8Array[];
  /** Computes the dense tensor, row-major. @throws FormatError where it does not fit into memory */
  rebuild(): Float32Array;
}

/**
 * A tensor [outer, rows, inner], row-major, read as the matrix [rows, outer * inner]: the element of row r and column
 * `o * inner + i` is number `(o * rows + r) * inner + i` of the tensor.
 */
export interface RowView {
  readonly outer: number;
  readonly rows: number;
  readonly inner: number;
}

/** What a file says of a weight, and what it holds. */
export interface StoredWeight {
  readonly form: string;
  readonly shape: readonly number[];
  readonly parameters: ReadonlyMap<string, string>;
  readonly bytes: Uint8Array;
}

/** @throws FormatError for what is no list of whole numbers whose product can be counted */
export function parseSizes(text: string | undefined, what: string): number[] {
  const sizes =
    text === '' ? [] : (text?.split(',').map((size) => (/^\d{1,16}$/.test(size) ? Number(size) : NaN)) ?? [NaN]);
  if (!sizes.every(Number.isSafeInteger) || !Number.isSafeInteger(elementCount(sizes)))
    throw new FormatError(`it does not say ${what}`);
  return sizes;
}

/** @throws FormatError for what is no whole number of at least `least` */
export function parseCount(text: string | undefined, what: string, least = 0): number {
  const [count, ...more] = parseSizes(text, what);
  if (count === undefined || more.length > 0 || count < least) throw new FormatError(`it does not say ${what}`);
  return count;
}

/** @throws FormatError where it is no view of a tensor of that shape */
export function parseView(text: string | undefined, shape: readonly number[]): RowView {
  const sizes = parseSizes(text, 'its view');
  if (sizes.length !== 3 || sizes.includes(0) || elementCount(sizes) !== elementCount(shape))
    throw new FormatError(`its view is no outer, rows and inner of its ${elementCount(shape)} numbers`);
  const [outer, rows, inner] = sizes;
  return { outer, rows, inner };
}

/** The text that {@link parseView} reads. */
export function viewText({ outer, rows, inner }: RowView): string {
  return [outer, rows, inner].join();
}

/** Calls `visit` with where each number stands in the tensor, in the order of the matrix, which `place` counts. */
export function forEachElement(
  { outer, rows, inner }: RowView,
  visit: (position: number, row: number, place: number) => void,
): void {
  let place = 0;
  for (let row = 0; row < rows; row++)
    for (let o = 0; o < outer; o++) {
      const start = (o * rows + row) * inner;
      for (let i = 0; i < inner; i++) visit(start + i, row, place++);
    }
}

/** Bytes of a weight in a file. */
export function sectionBytes({ sections }: Pick<PackedForm, 'sections'>): number {
  return sections.reduce((sum, { length }) => sum + length, 0);
}

/** @throws FormatError where the sections of a weight do not have the bytes that its parameters ask for */
export function checkBytes(bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected) throw new FormatError(`it needs ${expected} bytes but has ${bytes.length}`);
}

/** Memory for a dense tensor. @throws FormatError where there is not so much */
export function allocateDense(shape: readonly number[]): Float32Array {
  const count = elementCount(shape);
  try {
    return new Float32Array(count);
  } catch (error) {
    if (error instanceof RangeError) throw new FormatError(`its ${count} numbers do not fit into memory`);
    throw error;
  }
}

/** The bytes of an array. */
export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The float32 numbers of bytes. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return elementsOf(bytes, Float32Array);
}
