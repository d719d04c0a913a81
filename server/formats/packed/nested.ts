/**
 * @file A packed weight as a part of another one. Its parameters have the name of the part and a point before them, `values.levels=16`, and
 * two more say its form and its bytes.
 */
import { FormatError } from '../formatError.ts';
import { BinaryCodesWeight } from './binaryCodes.ts';
import { DenseWeight } from './dense.ts';
import { LevelsWeight } from './levels.ts';
import { checkBytes, floatsOf, parseCount, sectionBytes, type PackedForm, type StoredWeight } from './packedWeight.ts';
import { elementCount } from '../../protocol/shape.ts';

export const UPDATE = 'Read the file with a newer version of DeepTwist.';

/** A weight in a form that says nothing of where its numbers stand. */
export type CodedNumbers = DenseWeight | BinaryCodesWeight | LevelsWeight;

/** The forms of {@link CodedNumbers}. */
const numberForms: Readonly<Record<string, (stored: StoredWeight) => CodedNumbers>> = {
  dense({ shape, bytes }) {
    checkBytes(bytes, elementCount(shape) * Float32Array.BYTES_PER_ELEMENT);
    return new DenseWeight(shape, floatsOf(bytes));
  },
  'binary-codes': (stored) => BinaryCodesWeight.read(stored),
  levels: (stored) => LevelsWeight.read(stored),
};

export function isCodedNumbers(weight: PackedForm): weight is CodedNumbers {
  return Object.hasOwn(numberForms, weight.form);
}

/** @throws FormatError where parameters and bytes do not fit together, or the form is another */
export function readNumbers(stored: StoredWeight): CodedNumbers {
  return ofForm(numberForms, stored.form)(stored);
}

/** The row of a form. @throws FormatError for a form that has none */
export function ofForm<T>(forms: Readonly<Record<string, T>>, form: string): T {
  if (Object.hasOwn(forms, form)) return forms[form];
  throw new FormatError(`this version of DeepTwist does not know its form '${form.slice(0, 40)}'`, { remedy: UPDATE });
}

/** What a weight says of a part. */
export function nestedParameters(part: string, weight: PackedForm): Record<string, string> {
  const own = { form: weight.form, bytes: String(sectionBytes(weight)), ...weight.parameters };
  return Object.fromEntries(Object.entries(own).map(([key, value]) => [`${part}.${key}`, value]));
}

/**
 * The first part of a weight's bytes, and the bytes behind it.
 * @param shape of the part
 * @throws FormatError where the weight does not say what the part is, or has fewer bytes
 */
export function splitNested(
  part: string,
  shape: readonly number[],
  { parameters, bytes }: Pick<StoredWeight, 'parameters' | 'bytes'>,
): { nested: StoredWeight; rest: Uint8Array } {
  const prefix = `${part}.`;
  const own = new Map(
    [...parameters].flatMap(([key, value]): [string, string][] =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
    ),
  );
  const length = parseCount(own.get('bytes'), `how many bytes '${part}' has`);
  if (length > bytes.length) throw new FormatError(`'${part}' needs more than its ${bytes.length} bytes`);
  return {
    nested: { form: own.get('form') ?? '', shape, parameters: own, bytes: bytes.subarray(0, length) },
    rest: bytes.subarray(length),
  };
}
