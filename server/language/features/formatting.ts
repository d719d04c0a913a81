/** @file An experiment file, or some lines of it, laid out anew: spaces and indentation. Lines and comments stay as they are. */
import { format } from 'jsonc-parser';
import type { FormattingOptions, Range, TextEdit } from 'vscode-languageserver/node';
import type { ExperimentDocument } from '../experimentDocument.ts';

/**
 * Short objects stay in one line, as experiment files have them.
 * @param range the whole text where it is left out
 */
export function formatting(document: ExperimentDocument, options: FormattingOptions, range?: Range): TextEdit[] {
  const text = document.text.getText();
  const start = range && document.text.offsetAt({ line: range.start.line, character: 0 });
  const end = range && document.text.offsetAt(range.end);
  const part = start === undefined || end === undefined ? undefined : { offset: start, length: end - start };
  const edits = format(text, part, {
    tabSize: options.tabSize,
    insertSpaces: options.insertSpaces,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
    keepLines: true,
  });
  return edits.flatMap(({ offset, length, content }) => {
    const atEnd = /^\r?$/.test(text.slice(offset + length).split('\n', 1)[0]);
    // The formatter puts a space behind the last bracket.
    const newText = atEnd && /^[ \t]+$/.test(content) ? '' : content;
    if (newText === text.slice(offset, offset + length)) return [];
    return [{ range: document.rangeOf({ start: offset, end: offset + length }), newText }];
  });
}
