/**
 * @file Reading a `metrics` line straight from its bytes. A long run's log has a million of them, and all look alike, as the
 * trainer writes them: `{"type":"metrics","step":1,"loss":2,"learningRate":3,"stepsPerSecond":4,"epoch":5,"time":6}`. This takes a
 * third of the time of JSON.parse; a line that looks different in any way is left to it, also one with parts of the loss.
 */

const keys = [
  '{"type":"metrics","step":',
  ',"loss":',
  ',"learningRate":',
  ',"stepsPerSecond":',
  ',"epoch":',
  ',"time":',
];
const keyBytes = keys.map((key) => Buffer.from(key));
/** How many numbers a line has. */
export const METRICS_NUMBERS = keys.length;

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COMMA = 0x2c;
const BRACE = 0x7d;
const NEWLINE = 0x0a;
/** Powers of ten that a double holds exactly. */
const powers = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/**
 * Reads the line that begins at `start`.
 * @param numbers receives step, loss, learning rate, steps per second, epoch and time
 * @returns where the next line begins, or -1 for a line that is not of this form
 */
export function scanMetricsLine(bytes: Buffer, start: number, numbers: Float64Array): number {
  let at = start;
  for (let k = 0; k < keyBytes.length; k++) {
    const key = keyBytes[k];
    for (let i = 0; i < key.length; i++) if (bytes[at + i] !== key[i]) return -1;
    at = scanNumber(bytes, at + key.length, numbers, k);
    if (at < 0) return -1;
  }
  return bytes[at] === BRACE && bytes[at + 1] === NEWLINE ? at + 2 : -1;
}

/** Returns where the number ends, or -1 where there is none. */
function scanNumber(bytes: Buffer, start: number, numbers: Float64Array, index: number): number {
  let at = start;
  const negative = bytes[at] === MINUS;
  if (negative) at++;
  let digits = 0;
  let decimals = 0;
  let mantissa = 0;
  let pointSeen = false;
  for (; ; at++) {
    const digit = bytes[at] - ZERO;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
      if (pointSeen) decimals++;
    } else if (bytes[at] === POINT && !pointSeen) pointSeen = true;
    else break;
  }
  if (digits === 0) return -1;
  const ended = bytes[at] === COMMA || bytes[at] === BRACE;
  // Two integers that doubles hold exactly have a correctly rounded quotient (Clinger 1990). Else the engine's own parser.
  if (ended && mantissa <= Number.MAX_SAFE_INTEGER && decimals < powers.length) {
    const value = mantissa / powers[decimals];
    numbers[index] = negative ? -value : value;
    return at;
  }
  while (bytes[at] !== COMMA && bytes[at] !== BRACE) {
    if (at >= bytes.length || bytes[at] === NEWLINE) return -1;
    at++;
  }
  const value = Number(bytes.toString('latin1', start, at));
  if (!Number.isFinite(value)) return -1;
  numbers[index] = value;
  return at;
}
