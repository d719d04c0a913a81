/** @file The place of the cursor in a JSON text, for what is typed there: the text is half written more often than not. */
import { createScanner } from 'jsonc-parser';
import type { TextRange } from '../protocol/experiment/jsonText.ts';
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import { isBlank, isComment, isSign, Token } from '../protocol/experiment/jsonTokens.ts';

export interface CursorPlace {
  readonly kind: 'key' | 'value';
  /** The object that gets a key; the setting that gets a value. */
  readonly path: SettingPath;
  /** What is typed so far, or stands there: what a completion replaces. */
  readonly range: TextRange;
  /** The comma is not yet there that what is in front needs: the offset where it belongs. */
  readonly missingComma: number | undefined;
  /** What follows what is replaced: a colon after a key that stands there, or the next entry, which wants a comma. */
  readonly next: 'colon' | 'entry' | 'other';
}

interface Container {
  readonly kind: 'object' | 'list';
  readonly path: SettingPath;
  /** What may come: in an object a key, a colon, a value, a comma; in a list a value or a comma. */
  expects: 'key' | 'colon' | 'value' | 'comma';
  key: string;
  index: number;
}

/** Undefined in a comment, where a completed value, a colon or a bracket is, and before a value that is no word. */
export function cursorPlace(text: string, offset: number): CursorPlace | undefined {
  const scanner = createScanner(text, false);
  const open: Container[] = [];
  let done = 0; // Offset after the last token that is not blank.
  let started = false;
  for (let token: number = scanner.scan(); ; token = scanner.scan()) {
    const start = scanner.getTokenOffset();
    const end = start + scanner.getTokenLength();
    const container = open.at(-1);
    if (isBlank(token)) {
      if (isComment(token) && start < offset && (offset < end || (offset === end && !text.endsWith('*/', end))))
        return undefined;
      continue;
    }
    const reached = token === Token.end || offset <= start || isTouched(text, token, { start, end }, offset);
    if (reached) {
      const isWord = offset > start && token !== Token.end;
      if (isWord && isSign(token)) return undefined;
      const isInFront = !isWord && isOwnValue(text, container, token, end);
      // Edits of a completion stay on a line, and replace no more than a word.
      if (isInFront && (isSign(token) || !/^[ \t]*$/.test(text.slice(offset, start)))) return undefined;
      const replaced = { start: isWord ? start : offset, end };
      const range = isWord || isInFront ? typed(text, token, replaced, offset) : { start: offset, end: offset };
      const missingComma = container?.expects === 'comma' ? done : undefined;
      return placeIn(text, container, range, missingComma, started);
    }
    done = end;
    started = true;
    advance(open, token, scanner.getTokenValue());
  }
}

function placeIn(
  text: string,
  container: Container | undefined,
  range: TextRange,
  missingComma: number | undefined,
  started: boolean,
): CursorPlace | undefined {
  const next = nextOf(text, range.end);
  if (!container) return started ? undefined : { kind: 'value', path: [], range, missingComma, next };
  const { kind, path, expects, key, index } = container;
  // On the line of a value, something else than a comma can hardly be meant.
  if (missingComma !== undefined && !/\n/.test(text.slice(missingComma, range.start))) return undefined;
  if (expects === 'colon') return undefined;
  if (kind === 'list') return { kind: 'value', path: [...path, index], range, missingComma, next };
  if (expects === 'value') return { kind: 'value', path: [...path, key], range, missingComma, next };
  return { kind: 'key', path, range, missingComma, next };
}

function advance(open: Container[], token: number, text: string): void {
  const container = open.at(-1);
  switch (token) {
    case Token.openBrace:
    case Token.openBracket: {
      const kind = token === Token.openBrace ? 'object' : 'list';
      const path = container ? [...container.path, container.kind === 'object' ? container.key : container.index] : [];
      if (container) container.expects = 'comma';
      open.push({ kind, path, expects: kind === 'object' ? 'key' : 'value', key: '', index: 0 });
      return;
    }
    case Token.closeBrace:
    case Token.closeBracket:
      open.pop();
      return;
    case Token.comma:
      if (!container) return;
      container.expects = container.kind === 'object' ? 'key' : 'value';
      container.index++;
      return;
    case Token.colon:
      if (container) container.expects = 'value';
      return;
    default:
      if (!container) return;
      if (container.kind === 'list' || container.expects === 'value') container.expects = 'comma';
      else {
        container.key = text;
        container.expects = 'colon';
      }
  }
}

/**
 * True if a token is, or begins, the value of the place before it: what is typed there takes the place of that value. In a list, and before a
 * key, it is one more.
 * @param end of the token
 */
function isOwnValue(text: string, container: Container | undefined, token: number, end: number): boolean {
  const isValue = !isSign(token) || token === Token.openBrace || token === Token.openBracket;
  if (token === Token.end || !isValue || container?.kind === 'list') return false;
  return (container?.expects ?? 'value') === 'value' && !(token === Token.string && nextOf(text, end) === 'colon');
}

/** True if the cursor is in a token, or at its end where what is typed next goes on with it. */
function isTouched(text: string, token: number, { start, end }: TextRange, offset: number): boolean {
  if (offset <= start || offset > end) return false;
  if (offset < end) return true;
  if (token === Token.string) return !isClosed(text, start, end);
  return !isSign(token);
}

/** A string that is not closed may have swallowed what follows: what is before the cursor is what was typed. */
function typed(text: string, token: number, { start, end }: TextRange, offset: number): TextRange {
  return { start, end: token === Token.string && !isClosed(text, start, end) ? offset : end };
}

function isClosed(text: string, start: number, end: number): boolean {
  return end - start >= 2 && /^"(?:[^"\\]|\\.)*"$/s.test(text.slice(start, end));
}

function nextOf(text: string, offset: number): CursorPlace['next'] {
  const scanner = createScanner(text, true);
  scanner.setPosition(offset);
  const token: number = scanner.scan();
  if (token === Token.colon) return 'colon';
  return token === Token.end || isSign(token) ? 'other' : 'entry';
}
