/** @file Bytes of a text file as a string: UTF-8, or UTF-16 by its byte order mark, as Windows PowerShell writes it. */
import { constants, isUtf8 } from 'node:buffer';
import { FormatError } from './formatError.ts';

/** What to do with a text that is not UTF-8. */
export const ENCODING_REMEDY = 'Save the file as UTF-8, or convert it: iconv -f ENCODING -t UTF-8.';

/**
 * The byte order mark stays where it is, U+FEFF.
 * @throws FormatError for another encoding, and for UTF-16 that has no mark
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length > constants.MAX_STRING_LENGTH)
    throw new FormatError(`it has ${bytes.length} bytes; a text may have ${constants.MAX_STRING_LENGTH}`);
  const encoding = encodingOf(bytes);
  if (encoding === 'utf-8') {
    const problem = notUtf8(bytes);
    if (problem !== undefined) throw new FormatError(`it ${problem}`, { remedy: ENCODING_REMEDY });
  }
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FormatError('it is not UTF-16, though it begins with its byte order mark', { remedy: ENCODING_REMEDY });
  }
}

/** The encoding that the byte order mark names; UTF-8 where there is none. */
function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const mark = bytes.length < 2 ? 0 : (bytes[0] << 8) | bytes[1];
  return mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
}

/**
 * Bytes of a text in the encoding that those before have.
 * @param text with its byte order mark, if it has one
 * @param before bytes that {@link decodeText} takes
 */
export function encodeText(text: string, before: Uint8Array): Uint8Array {
  const encoding = encodingOf(before);
  if (encoding === 'utf-8') return Buffer.from(text);
  const bytes = Buffer.from(text, 'utf16le');
  return encoding === 'utf-16be' ? bytes.swap16() : bytes;
}

/**
 * What makes bytes no text in UTF-8, as the end of a sentence about the file: "is not UTF-8: byte 7 is 0xFC".
 * @param begin number of the first byte, for the message
 */
export function notUtf8(bytes: Uint8Array, begin = 0): string | undefined {
  if (!isUtf8(bytes)) {
    const at = firstInvalidByte(bytes);
    const value = bytes[at].toString(16).toUpperCase().padStart(2, '0');
    const isUtf16 = begin + at === 0 && (value === 'FF' || value === 'FE');
    return `is not UTF-8: byte ${begin + at} is 0x${value}${isUtf16 ? ', as of UTF-16' : ''}`;
  }
  // In UTF-16, every second byte of a Latin letter is 0; no text in UTF-8 has one.
  const zero = bytes.indexOf(0);
  return zero < 0 ? undefined : `is not a text in UTF-8: byte ${begin + zero} is 0, as in UTF-16 without its mark`;
}

/** Decoding puts U+FFFD at the first byte that is wrong; what is before it has as many bytes decoded as encoded. */
function firstInvalidByte(bytes: Uint8Array): number {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const replacement = Buffer.from('\uFFFD');
  let at = 0;
  let counted = 0;
  for (let i = text.indexOf('\uFFFD'); i >= 0; i = text.indexOf('\uFFFD', i + 1)) {
    at += Buffer.byteLength(text.slice(counted, i));
    counted = i;
    if (!replacement.equals(bytes.subarray(at, at + replacement.length))) return at;
  }
  throw new RangeError('The bytes are UTF-8.');
}
