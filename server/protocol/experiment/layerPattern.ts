/**
 * @file What a key of `compression.layers` names: a layer, a weight, or a pattern of either. The patterns are globs: `*`, `?`, `[a-z]`,
 * `[!a-z]` and `{a,b}`. A star stands for slashes, too, so that `*` is every layer, those inside of wrappers and nested models included.
 * `LayerKeys` of compression/targets/ finds the weights that the keys of an experiment name; a run's log says which key chose which.
 */

/** Between a layer and its weight, and between a layer and what it is inside of. */
const SEPARATOR = '/';

/** No layer has a longer name; a pattern beyond it matches nothing. */
const LONGEST_PATTERN = 500;

/** What makes a key more than a name. */
const SIGNS = /[*?[\]{}\\]/;

/** True for a key that may name more than one layer or weight. */
export function isPattern(key: string): boolean {
  return SIGNS.test(key);
}

/** One place of a pattern: a character, any number of characters, or one of several patterns. */
type Part =
  | { readonly kind: 'character'; readonly accepts: (character: string) => boolean }
  | { readonly kind: 'any'; readonly accepts: (character: string) => boolean }
  | { readonly kind: 'choice'; readonly options: readonly (readonly Part[])[] };

const isAnything = () => true;

/**
 * A pattern of names. A match takes a time proportional to the length of the pattern times that of the name, whatever the two are:
 * all ways to read the name are followed at once, none is tried again.
 */
export class LayerPattern {
  /** What each name that matches begins with. */
  readonly prefix: string;
  readonly #pattern: string;
  readonly #parts: readonly Part[] | undefined;

  constructor(pattern: string) {
    this.prefix = pattern.split(SIGNS, 1)[0];
    this.#pattern = pattern;
    this.#parts = pattern.length <= LONGEST_PATTERN ? new PatternReader(pattern).read() : undefined;
  }

  /**
   * True where it is compared with the names of weights, too: a pattern with a slash, or with what stands between a layer and its weight
   * in these names. Any other names layers alone.
   */
  namesWeights(separator: string): boolean {
    return this.#pattern.includes(SEPARATOR) || this.#pattern.includes(separator);
  }

  matches(name: string): boolean {
    if (!this.#parts || !name.startsWith(this.prefix)) return false;
    const characters = Array.from(name);
    const start = new Uint8Array(characters.length + 1);
    start[0] = 1;
    return placesAfter(this.#parts, characters, start)[characters.length] === 1;
  }
}

/**
 * How far a name can be read.
 * @param places 1 at each place of the name, from 0 to its length, where the parts may begin
 * @returns 1 at each place where they may end
 */
function placesAfter(parts: readonly Part[], name: readonly string[], places: Uint8Array): Uint8Array {
  let before = places;
  for (const part of parts) {
    if (!before.includes(1)) return before;
    before = placesAfterPart(part, name, before);
  }
  return before;
}

function placesAfterPart(part: Part, name: readonly string[], before: Uint8Array): Uint8Array {
  const after = new Uint8Array(before.length);
  if (part.kind === 'choice') {
    for (const option of part.options)
      placesAfter(option, name, before).forEach((place, i) => {
        after[i] |= place;
      });
    return after;
  }
  if (part.kind === 'any') after.set(before);
  for (let i = 0; i < name.length; i++) {
    const from = part.kind === 'any' ? after : before;
    if (from[i] && part.accepts(name[i])) after[i + 1] = 1;
  }
  return after;
}

class PatternReader {
  readonly #pattern: readonly string[];
  #at = 0;
  #isClosed = true;

  constructor(pattern: string) {
    this.#pattern = Array.from(pattern);
  }

  /** Undefined for a pattern with a bracket or a brace that is not closed: it matches nothing. */
  read(): Part[] | undefined {
    const parts = this.#sequence(() => false);
    return this.#isClosed ? parts : undefined;
  }

  /** @param ends tells the sign before which the parts end, which is not taken */
  #sequence(ends: (sign: string) => boolean): Part[] {
    const parts: Part[] = [];
    while (this.#at < this.#pattern.length && !ends(this.#pattern[this.#at])) parts.push(this.#part());
    return parts;
  }

  #part(): Part {
    const sign = this.#pattern[this.#at++];
    if (sign === '*') return this.#star();
    if (sign === '?') return { kind: 'character', accepts: isAnything };
    if (sign === '[') return this.#set();
    if (sign === '{') return this.#choice();
    // A backslash at the end stands for itself.
    return literal(sign === '\\' ? (this.#pattern[this.#at++] ?? sign) : sign);
  }

  /** Stars; two with the slash behind them, where they begin a part of the name, stand for no part, too. */
  #star(): Part {
    const begins = this.#at === 1 || [SEPARATOR, '{', ','].includes(this.#pattern[this.#at - 2]);
    const any: Part = { kind: 'any', accepts: isAnything };
    if (this.#pattern[this.#at] !== '*') return any;
    while (this.#pattern[this.#at] === '*') this.#at++;
    if (!begins || this.#pattern[this.#at] !== SEPARATOR) return any;
    this.#at++;
    return { kind: 'choice', options: [[], [any, literal(SEPARATOR)]] };
  }

  #set(): Part {
    const negated = ['!', '^'].includes(this.#pattern[this.#at]);
    const first = negated ? this.#at + 1 : this.#at;
    // A closing bracket that comes first is one of the characters.
    const end = this.#pattern.indexOf(']', first + 1);
    this.#isClosed &&= end >= 0;
    this.#at = end < 0 ? this.#pattern.length : end + 1;
    const ranges: { readonly from: string; readonly to: string }[] = [];
    for (let i = first; i < end; i++) {
      const isRange = this.#pattern[i + 1] === '-' && i + 2 < end;
      ranges.push({ from: this.#pattern[i], to: this.#pattern[isRange ? i + 2 : i] });
      if (isRange) i += 2;
    }
    return {
      kind: 'character',
      accepts: (character) => negated !== ranges.some(({ from, to }) => character >= from && character <= to),
    };
  }

  #choice(): Part {
    const options: Part[][] = [];
    do options.push(this.#sequence((sign) => sign === ',' || sign === '}'));
    while (this.#pattern[this.#at++] === ',');
    this.#isClosed &&= this.#pattern[this.#at - 1] === '}';
    return { kind: 'choice', options };
  }
}

function literal(written: string): Part {
  return { kind: 'character', accepts: (character) => character === written };
}
