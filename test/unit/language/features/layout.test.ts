/** @file Formatting, folding and the outline. */
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { DocumentSymbol } from 'vscode-languageserver/node';
import { describe, expect, test } from 'vitest';
import { folding } from '../../../../server/language/features/folding.ts';
import { formatting } from '../../../../server/language/features/formatting.ts';
import { symbols } from '../../../../server/language/features/symbols.ts';
import { checkExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';
import { open, pruneText } from './experiments.ts';

describe('formatting', () => {
  const options = { tabSize: 2, insertSpaces: true };
  const formatted = (text: string, lines?: [number, number]) => {
    const document = open(text);
    const range = lines && { start: { line: lines[0], character: 3 }, end: { line: lines[1], character: 0 } };
    return TextDocument.applyEdits(document.text, formatting(document, options, range));
  };

  const untidy = `// mine
{"model":"a.ts", // keep
      "layers": { "fc1":   {"rate":0.9},
"fc2": { "rate":0.8 } }, /* and
this */
  "c":1
    }
`;

  test('spaces and indents, and keeps lines and comments', () => {
    expect(formatted(untidy)).toBe(`// mine
{ "model": "a.ts", // keep
  "layers": { "fc1": { "rate": 0.9 },
    "fc2": { "rate": 0.8 } }, /* and
this */
  "c": 1
}
`);
  });

  test('leaves a tidy file alone, and what it made itself', () => {
    expect(formatted(pruneText)).toBe(pruneText);
    expect(formatted(formatted(untidy))).toBe(formatted(untidy));
    expect(formatted(untidy.replaceAll('\n', '\r\n'))).toBe(formatted(untidy).replaceAll('\n', '\r\n'));
  });

  test('of some lines changes those alone', () => {
    const text = formatted(untidy, [5, 6]);
    expect(text.split('\n').slice(0, 5)).toEqual(untidy.split('\n').slice(0, 5));
    expect(text).toContain('\n  "c": 1\n');
  });

  test('changes no setting', () => {
    const broken = pruneText.replaceAll('  ', ' ').replace('"steps"', '     "steps"');
    expect(checkExperiment(formatted(broken)).experiment).toEqual(checkExperiment(pruneText).experiment);
  });
});

describe('folding', () => {
  const text = `// one
// two
{
  // alone
  "a": { // behind
    // third
    // fourth
    "b": 1
  },
  /* block
     comment */
  "c": [
    1
  ], "d": { "e": 1 }
}
`;

  test('of objects leaves the closing bracket, of comments takes those below one another', () => {
    expect(folding(open(text)).sort((a, b) => a.startLine - b.startLine)).toEqual([
      { startLine: 0, endLine: 1, kind: 'comment' },
      { startLine: 2, endLine: 13 },
      { startLine: 4, endLine: 7 },
      { startLine: 5, endLine: 6, kind: 'comment' },
      { startLine: 9, endLine: 10, kind: 'comment' },
      { startLine: 11, endLine: 12 },
    ]);
  });
});

describe('the outline', () => {
  const outline = (all: DocumentSymbol[]): unknown =>
    Object.fromEntries(
      all.map(({ name, detail, children = [] }) => [`${name}: ${detail}`, children.length > 0 ? outline(children) : 0]),
    );

  test('has the settings with their values', () => {
    const [model, , training, compression] = symbols(open(pruneText));
    expect(model).toMatchObject({ name: 'model', detail: './model.ts' });
    expect(outline([training])).toEqual({
      'training: batchSize 50, steps 20000': {
        'optimizer: adam, learningRate 0.001': { 'type: adam': 0, 'learningRate: 0.001': 0 },
        'batchSize: 50': 0,
        'steps: 20000': 0,
      },
    });
    expect(compression.detail).toBe('prune, distortEvery 10');
    expect(compression.children?.[2].children?.map(({ name, detail }) => [name, detail])).toEqual([
      ['fc1', 'rate 0.98'],
      ['fc*', 'rate 0.9'],
    ]);
  });

  test('selects keys, and every symbol is around what it selects', () => {
    const document = open(pruneText);
    const visit = ({ name, range, selectionRange, children = [] }: DocumentSymbol): void => {
      expect(document.text.getText(selectionRange)).toBe(JSON.stringify(name));
      expect(document.text.offsetAt(range.end)).toBeGreaterThanOrEqual(document.text.offsetAt(selectionRange.end));
      children.forEach(visit);
    };
    symbols(document).forEach(visit);
  });

  test('of half a file is that of what is there', () => {
    expect(symbols(open('{ "model": "a.ts", "": 1, "data": { "type": ')).map(({ name }) => name)).toEqual([
      'model',
      'data',
    ]);
  });
});
