/** @file JSON with comments, with the place of everything in it. */
import {
  createScanner,
  findNodeAtOffset,
  getNodePath,
  getNodeValue,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';
import { isBlank, Token } from './jsonTokens.ts';
import type { SettingPath } from './settingPath.ts';

/** A place in a text; both numbers count from 1, columns in UTF-16 code units as editors do. */
export interface Place {
  line: number;
  column: number;
}

/** Part of a text, in UTF-16 code units; `end` is not in it. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

export interface JsonProblem extends Place {
  path: SettingPath;
  code: 'syntax' | 'duplicate-key';
  /** The characters in question, or the second of two equal keys; may be empty where something is missing. */
  range: TextRange;
  message: string;
}

/** What the parser expected or met, for each of its error codes that a reader can meet. */
const syntaxErrors: Record<string, string> = {
  InvalidSymbol: 'not JSON: names and strings are written in double quotes',
  InvalidNumberFormat: 'not JSON: not a number',
  PropertyNameExpected: 'not JSON: expected a name in double quotes',
  ValueExpected: 'not JSON: expected a value',
  ColonExpected: 'not JSON: expected a colon',
  CommaExpected: 'not JSON: expected a comma',
  CloseBraceExpected: 'not JSON: expected a closing brace',
  CloseBracketExpected: 'not JSON: expected a closing bracket',
  EndOfFileExpected: 'not JSON: expected the end of the file',
  UnexpectedEndOfComment: 'not JSON: a comment is not closed',
  UnexpectedEndOfString: 'not JSON: a string is not closed',
  UnexpectedEndOfNumber: 'not JSON: a number is not complete',
  InvalidUnicode: 'not JSON: expected \\u and four hexadecimal digits',
  InvalidEscapeCharacter: 'not JSON: unknown escape in a string',
  InvalidCharacter: 'not JSON: a string contains a control character; write \\n, \\t, …',
};

/**
 * Levels of objects and lists at most. An experiment has ten; whatever walks a value calls itself for each level, which the
 * stack does not allow ten thousand times.
 */
export const MOST_LEVELS = 100;

/** A parsed JSONC text (comments and trailing commas allowed) that knows where each value stands. */
export class JsonText {
  /** Syntax errors (the first of each line: one mistake makes the parser stumble several times) and duplicate keys. */
  readonly problems: readonly JsonProblem[];
  readonly #text: string;
  readonly #root: Node | undefined;
  #lineStarts: readonly number[] | undefined;
  /** The values by their keys, for each object that was asked for a property. */
  readonly #properties = new Map<Node, ReadonlyMap<string, Node>>();

  constructor(text: string) {
    const errors: ParseError[] = [];
    this.#text = text.replace(/^\uFEFF/, ' ');
    const tooDeep = firstBeyond(MOST_LEVELS, this.#text);
    this.#root = parseTree(this.#text.slice(0, tooDeep), errors, { allowTrailingComma: true });
    if (tooDeep !== undefined) {
      this.problems = [
        {
          path: [],
          code: 'syntax',
          ...this.#placeOf(tooDeep),
          range: { start: tooDeep, end: tooDeep + 1 },
          message: `nested too deep: at most ${MOST_LEVELS} levels of objects and lists can be read`,
        },
      ];
      return;
    }
    const syntax = errors.map((error) => ({
      path: [],
      code: 'syntax' as const,
      ...this.#placeOf(error.offset),
      range: { start: error.offset, end: error.offset + error.length },
      message: syntaxErrors[printParseErrorCode(error.error)],
    }));
    const firstOfLine = syntax.filter((problem, i) => i === 0 || problem.line !== syntax[i - 1].line);
    this.problems = [...firstOfLine, ...(this.#root ? this.#duplicates(this.#root, []) : [])];
  }

  /** What the text was parsed into; undefined for a text without a value. */
  get root(): Node | undefined {
    return this.#root;
  }

  /** A new copy of the value that the text stands for. */
  value(): unknown {
    return this.#root && (getNodeValue(this.#root) as unknown);
  }

  /** A new copy of the value at `path`; undefined where there is none. */
  at(path: SettingPath): unknown {
    const node = this.#node(path);
    return node && (getNodeValue(node) as unknown);
  }

  has(path: SettingPath): boolean {
    return this.#node(path) !== undefined;
  }

  /** The keys of the object at `path`, in their order; none where there is no object. */
  keysOf(path: SettingPath): string[] {
    const node = this.#node(path);
    if (node?.type !== 'object') return [];
    return (node.children ?? []).map((property) => property.children?.[0].value as string);
  }

  /** Start of the value at `path`; for one that is not there, the key of the nearest object around it. */
  placeOfValue(path: SettingPath): Place {
    const { node, length } = this.#nearest(path);
    return this.#placeOf((length === path.length ? node : node && withKey(node))?.offset ?? 0);
  }

  /** Start of the key of the value at `path`; for one that is not there, as {@link placeOfValue}. */
  placeOfKey(path: SettingPath): Place {
    const { node } = this.#nearest(path);
    return this.#placeOf((node && withKey(node))?.offset ?? 0);
  }

  /** Range of the value at `path`; undefined where there is none. */
  rangeOfValue(path: SettingPath): TextRange | undefined {
    const node = this.#node(path);
    return node && { start: node.offset, end: node.offset + node.length };
  }

  /** Range of the key of the value at `path`, with its quotes; undefined for what has no key. */
  rangeOfKey(path: SettingPath): TextRange | undefined {
    const property = this.#node(path)?.parent;
    const key = property?.type === 'property' ? property.children?.[0] : undefined;
    return key && { start: key.offset, end: key.offset + key.length };
  }

  /**
   * What to remove so that a setting is gone, in the order of the text: the setting with the comma that is then too many, and with
   * its line where it has one of its own. Comments stay, except one between a setting and its comma. Empty where there is no setting.
   * @param key an offset in its key: of equal keys, each can be removed
   */
  rangesToRemove(key: number): TextRange[] {
    const property = this.#root && findNodeAtOffset(this.#root, key)?.parent;
    if (property?.type !== 'property') return [];
    const start = property.offset;
    const end = start + property.length;
    const comma = this.#commaAfter(end);
    if (comma !== undefined) {
      const after = comma + 1 + (/^[ \t]*/.exec(this.#text.slice(comma + 1))?.[0].length ?? 0);
      // The line break before a setting that has a line of its own, and the blanks before one that is the last of its line.
      return [{ start: this.#isLineEnd(after) ? this.#startOfBlanks(start) : start, end: after }];
    }
    const siblings = property.parent?.children ?? [];
    const previous = siblings[siblings.indexOf(property) - 1] as Node | undefined;
    if (!previous) return [{ start, end }];
    const behind = previous.offset + previous.length;
    const between = this.#commaAfter(behind);
    if (between === undefined || /^\s*,\s*$/.test(this.#text.slice(behind, start))) return [{ start: behind, end }];
    // Where no line ends behind the setting, the line break before it stays: it may end a comment.
    const startOfRest = this.#isLineEnd(end) ? this.#startOfBlanks(start) : start;
    return [
      { start: between, end: between + 1 },
      { start: startOfRest, end },
    ];
  }

  /** Offset of the comma that comes next, behind blanks and comments; undefined where something else does. */
  #commaAfter(offset: number): number | undefined {
    const scanner = createScanner(this.#text);
    scanner.setPosition(offset);
    let token = scanner.scan();
    while (isBlank(token)) token = scanner.scan();
    return token === Token.comma ? scanner.getTokenOffset() : undefined;
  }

  #isLineEnd(offset: number): boolean {
    return /^[\r\n]/.test(this.#text.slice(offset, offset + 1));
  }

  /** Start of the blanks before an offset, with the line break before them. */
  #startOfBlanks(offset: number): number {
    let start = offset;
    while (/[ \t]/.test(this.#text.charAt(start - 1))) start--;
    if (this.#text.charAt(start - 1) === '\n') start--;
    return this.#text.charAt(start - 1) === '\r' ? start - 1 : start;
  }

  /** The setting at an offset, by its key or its value: the innermost one. */
  pathAt(offset: number): SettingPath {
    const node = this.#root && findNodeAtOffset(this.#root, offset, true);
    return node ? getNodePath(node) : [];
  }

  #node(path: SettingPath): Node | undefined {
    const { node, length } = this.#nearest(path);
    return length === path.length ? node : undefined;
  }

  /** The value at the longest part of `path` that is there, and the length of that part. */
  #nearest(path: SettingPath): { node: Node | undefined; length: number } {
    let node = this.#root;
    for (const [length, key] of path.entries()) {
      let inner: Node | undefined;
      if (typeof key === 'string') inner = node && this.#propertiesOf(node).get(key);
      else if (node?.type === 'array') inner = node.children?.[key];
      if (inner === undefined) return { node, length };
      node = inner;
    }
    return { node, length: path.length };
  }

  #propertiesOf(object: Node): ReadonlyMap<string, Node> {
    let properties = this.#properties.get(object);
    if (properties === undefined) {
      const entries = (object.type === 'object' ? (object.children ?? []) : []).flatMap(({ children = [] }) =>
        children.length === 2 ? [[children[0].value as string, children[1]] as const] : [],
      );
      // The first one counts here of a key that is written twice.
      properties = new Map(entries.reverse());
      this.#properties.set(object, properties);
    }
    return properties;
  }

  #placeOf(offset: number): Place {
    this.#lineStarts ??= [
      0,
      ...Array.from(this.#text.matchAll(/\r\n|\r|\n/g), ({ index, 0: end }) => index + end.length),
    ];
    let line = 0;
    for (let beyond = this.#lineStarts.length; beyond - line > 1;) {
      const middle = (line + beyond) >> 1;
      if (this.#lineStarts[middle] <= offset) line = middle;
      else beyond = middle;
    }
    return { line: line + 1, column: offset - this.#lineStarts[line] + 1 };
  }

  #duplicates(node: Node, path: (string | number)[]): JsonProblem[] {
    const seen = new Set<string>();
    return (node.children ?? []).flatMap((child, index) => {
      if (child.type !== 'property') return this.#duplicates(child, [...path, index]);
      const [key, value] = child.children ?? [];
      const name = key.value as string;
      const inner = [...path, name];
      const nested = value ? this.#duplicates(value, inner) : [];
      if (!seen.has(name)) {
        seen.add(name);
        return nested;
      }
      return [
        {
          path: inner,
          code: 'duplicate-key',
          ...this.#placeOf(child.offset),
          range: { start: key.offset, end: key.offset + key.length },
          message: 'this key is there twice; remove one of them',
        },
        ...nested,
      ];
    });
  }
}

/** A value with its key, where it has one. */
function withKey(node: Node): Node {
  return node.parent?.type === 'property' ? node.parent : node;
}

/** Offset of the first bracket that opens more than so many levels; undefined where none does. */
function firstBeyond(levels: number, text: string): number | undefined {
  const scanner = createScanner(text);
  let level = 0;
  for (let token = scanner.scan(); token !== Token.end; token = scanner.scan()) {
    if (token === Token.openBrace || token === Token.openBracket) level++;
    else if (token === Token.closeBrace || token === Token.closeBracket) level--;
    if (level > levels) return scanner.getTokenOffset();
  }
  return undefined;
}
