/** @file What can be folded: objects and lists over several lines, comments over several lines. */
import { createScanner, type Node } from 'jsonc-parser';
import { FoldingRangeKind, type FoldingRange } from 'vscode-languageserver/node';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { isComment, Token } from '../../protocol/experiment/jsonTokens.ts';

export function folding(document: ExperimentDocument): FoldingRange[] {
  const { root } = document.json;
  return [...(root ? bracketRanges(root, document) : []), ...commentRanges(document)];
}

/** The line of the closing bracket stays to be seen. */
function bracketRanges(node: Node, document: ExperimentDocument): FoldingRange[] {
  const inner = (node.children ?? []).flatMap((child) => bracketRanges(child, document));
  if (node.type !== 'object' && node.type !== 'array') return inner;
  const { start, end } = document.rangeOf({ start: node.offset, end: node.offset + node.length });
  return end.line - 1 > start.line ? [{ startLine: start.line, endLine: end.line - 1 }, ...inner] : inner;
}

/** A block comment, or line comments on lines of their own, one below the other. */
function commentRanges({ text }: ExperimentDocument): FoldingRange[] {
  const scanner = createScanner(text.getText(), false);
  const ranges: { startLine: number; endLine: number; lines: boolean }[] = [];
  let startsLine = true;
  for (let token: number = scanner.scan(); token !== Token.end; token = scanner.scan()) {
    if (isComment(token)) {
      const startLine = text.positionAt(scanner.getTokenOffset()).line;
      const endLine = text.positionAt(scanner.getTokenOffset() + scanner.getTokenLength()).line;
      const lines = token === Token.lineComment;
      const last = ranges.at(-1);
      if (last?.lines && lines && startsLine && last.endLine === startLine - 1) last.endLine = endLine;
      else if (startsLine || !lines) ranges.push({ startLine, endLine, lines: lines && startsLine });
    }
    if (token === Token.lineBreak) startsLine = true;
    else if (token !== Token.blank) startsLine = false;
  }
  return ranges
    .filter(({ startLine, endLine }) => endLine > startLine)
    .map(({ startLine, endLine }) => ({ startLine, endLine, kind: FoldingRangeKind.Comment }));
}
