/** @file The kinds of tokens of a JSON text with comments. */

/** Tokens as jsonc-parser numbers them; it declares them as a const enum, which is not there at run time. */
export const Token = {
  openBrace: 1,
  closeBrace: 2,
  openBracket: 3,
  closeBracket: 4,
  comma: 5,
  colon: 6,
  string: 10,
  lineComment: 12,
  blockComment: 13,
  lineBreak: 14,
  blank: 15,
  end: 17,
} as const;

/** A bracket, a comma or a colon. */
export function isSign(token: number): boolean {
  return token <= Token.colon;
}

/** Space, line breaks and comments. */
export function isBlank(token: number): boolean {
  return token === Token.blank || token === Token.lineBreak || isComment(token);
}

export function isComment(token: number): boolean {
  return token === Token.lineComment || token === Token.blockComment;
}
