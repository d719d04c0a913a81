/**
 * @file The filter of a sweep's rows: comparisons such as `rate > 0.9`, joined by `and`, `or`, `not` and parentheses, and words that are
 * looked for in a row's texts. A comparison asks a column by any of its names. Pure.
 */
import * as l10n from '@vscode/l10n';
import { ownNames, type Column } from './columns.ts';
import type { SweepItem } from './items.ts';

export type Passes = (item: SweepItem) => boolean;

export interface ParsedFilter {
  readonly passes: Passes;
  /** Why nothing is filtered by the text; undefined where it is understood. */
  readonly problem?: string;
}

interface Token {
  readonly type: 'word' | 'operator' | 'sign';
  readonly text: string;
}

const OPERATORS = ['>=', '<=', '!=', '==', '>', '<', '=', ':'] as const;
type Operator = (typeof OPERATORS)[number];

/** What a number in digits is in each of the units that may follow it. */
const units = new Map<string, (digits: string) => number>([
  ['%', (digits) => movePoint(digits, -2)],
  ['b', Number],
  ['kb', (digits) => movePoint(digits, 3)],
  ['mb', (digits) => movePoint(digits, 6)],
  ['gb', (digits) => movePoint(digits, 9)],
  ['x', Number],
  ['s', Number],
  ['min', (digits) => Number(digits) * 60],
  ['h', (digits) => Number(digits) * 3600],
]);

/** Thrown within the parser alone. */
class FilterError extends Error {}

/** @param columns that a comparison can ask */
export function parseFilter(text: string, columns: readonly Column[]): ParsedFilter {
  try {
    const parser = new Parser(tokensOf(text), columns);
    return { passes: parser.parse() };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { passes: () => true, problem: error.message };
  }
}

/** Words may be quoted; a quoted one is never `and`, `or` or `not`. */
function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s*(?:("(?:[^"\\]|\\.)*"?)|(>=|<=|!=|==|&&|\|\||[><=:!(),])|([^\s"><=:!(),&|]+|[&|]))/gy;
  let end = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    end = pattern.lastIndex;
    const [, quoted, sign, word] = match;
    if (quoted !== undefined) {
      if (quoted.length < 2 || !quoted.endsWith('"')) throw new FilterError(l10n.t('A quotation mark is not closed.'));
      tokens.push({ type: 'word', text: quoted.slice(1, -1).replace(/\\(.)/g, '$1') });
    } else if (sign !== undefined) {
      const isOperator = (OPERATORS as readonly string[]).includes(sign);
      tokens.push({ type: isOperator ? 'operator' : 'sign', text: sign });
    } else {
      const joint = { and: '&&', or: '||', not: '!' }[word.toLowerCase()];
      tokens.push(joint === undefined ? { type: 'word', text: word } : { type: 'sign', text: joint });
    }
  }
  if (text.slice(end).trim() !== '') throw new FilterError(l10n.t('"{0}" is not understood.', text.slice(end).trim()));
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #columns: readonly Column[];
  #at = 0;

  constructor(tokens: readonly Token[], columns: readonly Column[]) {
    this.#tokens = tokens;
    this.#columns = columns;
  }

  parse(): Passes {
    if (this.#tokens.length === 0) return () => true;
    const passes = this.#any();
    if (this.#at < this.#tokens.length) throw new FilterError(l10n.t('"{0}" is not expected here.', this.#next().text));
    return passes;
  }

  #any(): Passes {
    const parts = [this.#all()];
    while (this.#takes('||')) parts.push(this.#all());
    return parts.length === 1 ? parts[0] : (item) => parts.some((part) => part(item));
  }

  /** `and` may be left out, or be a comma. */
  #all(): Passes {
    const parts = [this.#one()];
    while (this.#takes('&&') || this.#takes(',') || this.#startsOne()) parts.push(this.#one());
    return parts.length === 1 ? parts[0] : (item) => parts.every((part) => part(item));
  }

  #startsOne(): boolean {
    const token = this.#peek();
    return token?.type === 'word' || token?.text === '(' || token?.text === '!';
  }

  #one(): Passes {
    if (this.#takes('!')) {
      const inner = this.#one();
      return (item) => !inner(item);
    }
    if (this.#takes('(')) {
      const inner = this.#any();
      if (!this.#takes(')')) throw new FilterError(l10n.t('A parenthesis is not closed.'));
      return inner;
    }
    const word = this.#word();
    if (this.#peek()?.type !== 'operator') return this.#search(word);
    const operator = this.#next().text as Operator;
    return comparison(this.#column(word), operator, this.#value());
  }

  #value(): string {
    const value = this.#word();
    // A unit may stand apart from its number: `24 kB`.
    const unit = this.#peek();
    const isApart = unit?.type === 'word' && units.has(unit.text.toLowerCase());
    return isApart && !Number.isNaN(Number(value)) ? value + this.#next().text : value;
  }

  #word(): string {
    if (this.#at >= this.#tokens.length) throw new FilterError(l10n.t('Something is missing at the end.'));
    const token = this.#next();
    if (token.type !== 'word') throw new FilterError(l10n.t('"{0}" is not expected here.', token.text));
    return token.text;
  }

  #search(word: string): Passes {
    const searched = word.toLowerCase();
    return (item) =>
      item.runs.some(({ id }) => id.toLowerCase().includes(searched)) ||
      this.#columns.some((column) => column.text(item).toLowerCase().includes(searched));
  }

  #column(name: string): Column {
    const wanted = name.toLowerCase();
    const named = (column: Column) => [column.id, column.title, ...column.names].map((one) => one.toLowerCase());
    const isEnd = (one: string) => one.endsWith(`.${wanted}`) && !ownNames.has(wanted);
    const found =
      this.#columns.find((column) => named(column).includes(wanted)) ??
      this.#columns.find((column) => named(column).some(isEnd));
    if (found) return found;
    const all = this.#columns.map(({ id }) => id).join(', ');
    throw new FilterError(l10n.t('There is no column "{0}", but {1}.', name, all));
  }

  #takes(sign: string): boolean {
    const token = this.#peek();
    if (token?.type !== 'sign' || token.text !== sign) return false;
    this.#at++;
    return true;
  }

  /** Undefined at the end. */
  #peek(): Token | undefined {
    return this.#tokens.at(this.#at);
  }

  #next(): Token {
    return this.#tokens[this.#at++];
  }
}

function comparison(column: Column, operator: Operator, text: string): Passes {
  const wanted = numberOf(text);
  const compares = (value: number | string): boolean => {
    if (operator === ':') return String(value).toLowerCase().includes(text.toLowerCase());
    const isEqual = typeof value === 'number' && wanted !== undefined ? value === wanted : isSame(value, text);
    if (operator === '=' || operator === '==') return isEqual;
    if (operator === '!=') return !isEqual;
    if (typeof value !== 'number' || wanted === undefined) return false;
    return operator === '>'
      ? value > wanted
      : operator === '<'
        ? value < wanted
        : operator === '>='
          ? value >= wanted
          : value <= wanted;
  };
  if (wanted === undefined && ['>', '<', '>=', '<='].includes(operator))
    throw new FilterError(l10n.t('"{0}" is not a number.', text));
  return operator === '!='
    ? (item) => column.values(item).every(compares)
    : (item) => column.values(item).some(compares);
}

function isSame(value: number | string, text: string): boolean {
  return String(value).toLowerCase() === text.toLowerCase();
}

/** `0.9`, `98%`, `24kB`, `5min`; undefined for what is no number. */
function numberOf(text: string): number | undefined {
  const [, number, unit = ''] = /^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-z%]*)$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  return unit === '' ? Number(number) : units.get(unit.toLowerCase())?.(number);
}

/** Multiplies by a power of ten without rounding: `95 * 0.01` is not 0.95. */
function movePoint(digits: string, places: number): number {
  const [mantissa, exponent = '0'] = digits.toLowerCase().split('e');
  return Number(`${mantissa}e${Number(exponent) + places}`);
}
