/** @file No text makes a feature fail: half-typed files are what a language server sees most. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rewritings } from '../../../../server/language/features/codeActions.ts';
import { codeLenses } from '../../../../server/language/features/codeLenses.ts';
import { complete } from '../../../../server/language/features/completion.ts';
import { definition } from '../../../../server/language/features/definition.ts';
import { folding } from '../../../../server/language/features/folding.ts';
import { formatting } from '../../../../server/language/features/formatting.ts';
import { hover } from '../../../../server/language/features/hover.ts';
import { inlayHints } from '../../../../server/language/features/inlayHints.ts';
import { prepareRename } from '../../../../server/language/features/rename.ts';
import { symbols } from '../../../../server/language/features/symbols.ts';
import { around, knownRun, lstm, open, pruneText, withCompression } from './experiments.ts';

const modelText = { uri: 'file:///home/user/project/model.ts', text: "layers.dense({ name: 'fc1' }); layers.lstm({" };
const surroundings = [
  around({
    modelText,
    runs: [knownRun('20261126-1-prune', { state: 'running', step: () => Promise.resolve(3) })],
    others: [knownRun('x')],
  }),
  around({ model: lstm }),
  around({ model: undefined }),
];

/** Asks all features about a place; every range that they answer is in the text. */
async function askAll(text: string, offset: number): Promise<void> {
  for (const known of surroundings) {
    const document = open(text);
    const position = document.text.positionAt(offset);
    const here = { start: position, end: position };
    const all = { start: { line: 0, character: 0 }, end: { line: 1e6, character: 0 } };
    const answers = [
      complete(document, position, known).map(({ textEdit }) => textEdit),
      hover(document, position, known),
      inlayHints(document, all, known),
      await codeLenses(document, known),
      rewritings(document, here, known),
      symbols(document),
      folding(document),
      definition(document, position, known).map(({ originSelectionRange }) => originSelectionRange),
      prepareRename(document, position, known),
      formatting(document, { tabSize: 2, insertSpaces: true }),
    ];
    const lines = JSON.stringify(answers).matchAll(/"(?:line|startLine|endLine)":(-?\d+)/g);
    for (const [, line] of lines) expect(Number(line)).toBeLessThan(document.text.lineCount);
  }
}

describe('every feature answers', () => {
  test('at each character of a file that is typed from the beginning', async () => {
    for (let length = 0; length <= pruneText.length; length += 2) await askAll(pruneText.slice(0, length), length);
  });

  test('at each character of a file of which the rest is there already', async () => {
    const text = withCompression('"method": "low-rank", "distortEvery": 9, "layers": { "l*": { "rank": 4 } }');
    for (let cut = 0; cut < text.length; cut += 5) await askAll(text.slice(0, cut) + text.slice(cut + 4), cut);
  });

  test.each([
    '',
    ' ',
    '\uFEFF{ "model": "|" }',
    '\n\n|\n',
    'null',
    'true|',
    '3',
    '"text|"',
    '[|]',
    '[{ "model": | }]',
    '{',
    '}|',
    '{{|',
    '{ |: 1 }',
    '{ "": | }',
    '{ "|": {} }',
    '{ "model" }',
    '{ "model": }|',
    '{ "model":: | }',
    '{ , | }',
    '{ "model": "a" "|" }',
    '{ "model": { "builtin": | } }',
    '{ "model": { "builtin": "lstm-lm", | } }',
    '{ "model": [|] }',
    '{ "data": | }',
    '{ "data": { "type": | } }',
    '{ "data": { "type": "nothing", | } }',
    '{ "data": { "type": "text", "vocabulary": { | } } }',
    '{ "data": { "type": "arrays", "train": | } }',
    '{ "data": { "type": 3, | } }',
    '{ "training": | }',
    '{ "training": null, | }',
    '{ "training": { "steps": 0, "batchSize": -1, | } }',
    '{ "training": { "optimizer": { "type": "sgd" "|" } } }',
    '{ "training": { "learningRateSchedule": { "type": "step", | } } }',
    '{ "training": { "steps": 1e999 } , "compression": { "method": "prune", "distortEvery": 0, | } }',
    '{ "compression": | }',
    '{ "compression": "prune|" }',
    '{ "compression": { | } }',
    '{ "compression": { "method": | } }',
    '{ "compression": { "method": "pru|" } }',
    '{ "compression": { "method": "__proto__", | } }',
    '{ "compression": { "layers": { | } } }',
    '{ "compression": { "method": "prune", "layers": | } }',
    '{ "compression": { "method": "prune", "layers": { "fc1": | } } }',
    '{ "compression": { "method": "prune", "layers": { "fc1": { | } } } }',
    '{ "compression": { "method": "prune", "layers": { "fc1": { "rate": | } } } }',
    '{ "compression": { "method": "prune", "layers": { "fc1": { "rate": 1.5| } } } }',
    '{ "compression": { "method": "prune", "layers": { "": { "rate": | } } } }',
    '{ "compression": { "method": "prune", "layers": { "__proto__": { "rate": 0.5| } } } }',
    '{ "compression": { "method": "prune", "layers": { "[|": { "rate": 0.5 } } } }',
    '{ "compression": { "method": "prune", "layers": { "((|": { "rate": 0.5 } } } }',
    '{ "compression": { "method": "prune", "layers": { "fc1": { "rate": 0.5 }, "fc1": { "rate": |0.6 } } } }',
    '{ "compression": { "method": "quantize", "layers": { "fc1": { "bits": 9| } } } }',
    '{ "compression": { "method": "low-rank", "layers": { "*": { "rank": 1e9, "sharedProjection": true| } } } }',
    '{ "compression": { "method": "low-rank", "layers": { "fc1/bias": { "rank": | } } } }',
    '{ "compression": { "method": "custom", "layers": { "fc1": { "any": [1, { "deep": | }] } } } }',
    '{ "compression": { "method": "prune", "layers": [ { "rate": | } ] } }',
    '{ "training": { "steps": 10 }, "compression": { "method": "prune", "distortEvery": 3, "schedule": { "from": 90, "to|": 5 } } }',
    '{ "training": { "steps": 10 }, "compression": { "method": "prune", "distortEvery": 3, "schedule": [|] } }',
    '{ "training": { "epochs": 10 }, "compression": { "method": "prune", "distortEvery": 3, "schedule": { "to": 5, "unit|": "epochs" } } }',
    '{ "start": "run:|',
    '{ "start": "../|',
    '{ "start": "\\u00|" }',
    '{ "model": "\\|" }',
    '{ // |',
    '{ /* |',
    '{ "a": 1 /* */ | }',
    '{\r\n"model": "a",\r\n|\r\n}',
    '{ "observe": { "bins": 8, } | }',
  ])('%s', async (marked) => {
    const offset = Math.max(0, marked.indexOf('|'));
    await askAll(marked.replace('|', ''), offset);
  });

  test('after random edits', async () => {
    const edit = fc.record({
      at: fc.nat(900),
      removed: fc.nat(12),
      text: fc.string({ unit: fc.constantFrom(...'{}[]",:/*\\\n .0a'), maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 8 }), async (edits) => {
        let text = pruneText;
        for (const { at, removed, text: typed } of edits) text = text.slice(0, at) + typed + text.slice(at + removed);
        await askAll(text, Math.min(edits[0].at, text.length));
      }),
    );
  });
});
