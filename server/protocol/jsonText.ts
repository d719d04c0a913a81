/** @file JSON with comments, with the place of everything in it. */
import {
  findNodeAtLocation,
  findNodeAtOffset,
  getNodePath,
  getNodeValue,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';
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

/** A parsed JSONC text (comments and trailing commas allowed) that knows where each value stands. */
export class JsonText {
  /** Syntax errors (the first of each line: one mistake makes the parser stumble several times) and duplicate keys. */
  readonly problems: readonly JsonProblem[];
  readonly #text: string;
  readonly #root: Node | undefined;

  constructor(text: string) {
    const errors: ParseError[] = [];
    this.#text = text.replace(/^\uFEFF/, ' ');
    this.#root = parseTree(this.#text, errors, { allowTrailingComma: true });
    const syntax = errors.map((error) => ({
      path: [],
      ...this.#placeOf(error.offset),
      message: syntaxErrors[printParseErrorCode(error.error)],
    }));
    const firstOfLine = syntax.filter((problem, i) => i === 0 || problem.line !== syntax[i - 1].line);
    this.problems = [...firstOfLine, ...(this.#root ? this.#duplicates(this.#root, []) : [])];
  }

  /** A new copy of the value that the text stands for. */
  value(): unknown {
    return this.#root && (getNodeValue(this.#root) as unknown);
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

  /** Where the value at `path` starts; for one that is not there, the key of the nearest object around it. */
  placeOfValue(path: SettingPath): Place {
    const node = this.#node(path);
    if (node) return this.#placeOf(node.offset);
    return path.length === 0 ? this.#placeOf(0) : this.placeOfKey(path.slice(0, -1));
  }

  /** Where the key of the value at `path` starts. */
  placeOfKey(path: SettingPath): Place {
    const node = this.#node(path);
    if (!node) return this.placeOfValue(path);
    const key = node.parent?.type === 'property' ? node.parent : node;
    return this.#placeOf(key.offset);
  }

  /** Where the value at `path` stands; undefined where there is none. */
  rangeOfValue(path: SettingPath): TextRange | undefined {
    const node = this.#node(path);
    return node && { start: node.offset, end: node.offset + node.length };
  }

  /** Where the key of the value at `path` stands, with its quotes; undefined for what has no key. */
  rangeOfKey(path: SettingPath): TextRange | undefined {
    const property = this.#node(path)?.parent;
    const key = property?.type === 'property' ? property.children?.[0] : undefined;
    return key && { start: key.offset, end: key.offset + key.length };
  }

  /** The setting at an offset, by its key or its value: the innermost one. */
  pathAt(offset: number): SettingPath {
    const node = this.#root && findNodeAtOffset(this.#root, offset, true);
    return node ? getNodePath(node) : [];
  }

  #node(path: SettingPath): Node | undefined {
    return this.#root && findNodeAtLocation(this.#root, [...path]);
  }

  #placeOf(offset: number): Place {
    const before = this.#text.slice(0, offset).split(/\r\n|\r|\n/);
    return { line: before.length, column: before[before.length - 1].length + 1 };
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
        { path: inner, ...this.#placeOf(child.offset), message: 'this key is there twice; remove one of them' },
        ...nested,
      ];
    });
  }
}
