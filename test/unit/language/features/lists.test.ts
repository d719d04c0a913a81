/** @file A list of compressions, as each feature of the language server sees it. */
import { describe, expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { TextDocumentEdit, TextEdit } from 'vscode-languageserver/node';
import { rewritings } from '../../../../server/language/features/codeActions.ts';
import { complete } from '../../../../server/language/features/completion.ts';
import { hover } from '../../../../server/language/features/hover.ts';
import { inlayHints } from '../../../../server/language/features/inlayHints.ts';
import { rename } from '../../../../server/language/features/rename.ts';
import { symbols } from '../../../../server/language/features/symbols.ts';
import { findingsOf } from '../../../../server/language/findings/index.ts';
import { checkExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';
import { around, open, openAt, pruneText } from './experiments.ts';

const text = `{
  "model": "./model.ts",
  "data": { "type": "mnist", "path": "./data/mnist" },
  "training": { "optimizer": { "type": "adam", "learningRate": 0.001 }, "batchSize": 50, "steps": 20000 },
  "compression": [
    {
      "method": "prune",
      "distortEvery": 10,
      "layers": { "fc1": { "rate": 0.98 }, "fc2": { "rate": 0.9 } },
      "schedule": { "from": 8000, "to": 13000 }
    },
    {
      "method": "quantize",
      "distortEvery": 100,
      "layers": {
        "fc*": { "bits": 3, "scales": "matrix" }
      }
    }
  ]
}`;

const changed = (from: string, to: string) => {
  expect(text).toContain(from);
  return text.replace(from, to);
};

test('is a valid experiment', () => {
  const { experiment, problems } = checkExperiment(text);
  expect(problems).toEqual([]);
  expect(experiment?.compression).toHaveLength(2);
  expect(findingsOf(open(text), around())).toEqual([]);
});

test.each([
  ['[]', 'compression: expected an object whose "method" is'],
  ['[{ "method": "prune" }]', 'compression[0].distortEvery: missing: expected a positive integer'],
  ['[{ "method": "pruen", "distortEvery": 1, "layers": {} }]', "compression[0].method: expected 'prune'"],
  ['[{ "method": "prune", "distortEvery": 1, "layers": {} }]', 'compression[0].layers: expected at least one layer'],
  [
    '[{ "method": "prune", "distortEvery": 1, "layer": {} }]',
    'compression[0].layer: unknown setting; did you mean "layers"?',
  ],
  [
    '[{ "method": "quantize", "policy": "factors", "distortEvery": 1, "layers": { "fc1": { "bits": 1 } } }]',
    'compression[0].policy: "factors" works with the method low-rank only, got "quantize"',
  ],
  [
    '[{ "method": "prune", "distortEvery": 30000, "layers": { "fc1": { "rate": 0.9 } } }]',
    'compression[0].distortEvery: expected at most training.steps (20000), got 30000',
  ],
])('what is wrong with an entry is told at its place: %s', (list, message) => {
  const wrong = text.replace(/"compression": \[[^]*\]/, `"compression": ${list}`);
  const found = checkExperiment(wrong).problems.map(({ path, message: own }) => `${path}: ${own}`);
  expect(found.join('\n')).toContain(message);
});

test.each(['compression[1].layers["fc*"].bits=2', 'compression[0].distortEvery=20'])(
  '--set reaches an entry: %s',
  (set) => {
    expect(checkExperiment(text, [set]).problems).toEqual([]);
  },
);

test('--set adds an entry behind the last one, removes one, and leaves no hole', () => {
  const entry = '{"method":"low-rank","distortEvery":5,"layers":{"fc3":{"rank":2}}}';
  expect(checkExperiment(text, [`compression[2]=${entry}`]).experiment?.compression).toHaveLength(3);
  expect(checkExperiment(text, ['compression[0]=null']).experiment?.compression).toMatchObject([
    { method: 'quantize' },
  ]);
  expect(checkExperiment(text, ['compression[5].distortEvery=3']).problems).toMatchObject([
    { message: 'compression is a list of 2: expected a number from 0 to 2 in brackets' },
  ]);
});

describe('hints', () => {
  const document = open(text);
  const hints = inlayHints(document, { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } }, around());
  const at = (line: string) => {
    const number = text.split('\n').findIndex((own) => own.includes(line));
    return hints.filter(({ position }) => position.line === number).map(({ label }) => label);
  };

  test('each entry has its own number of distortions', () => {
    expect(at('"distortEvery": 10,')).toEqual(['→ 1,201 distortions']);
    expect(at('"distortEvery": 100,')).toEqual(['→ 200 distortions']);
  });

  test('the size is that which the list leaves', () => {
    // 2% of 235,200, 10% of 30,000, and fc3 as a whole; of each 3 bits, an index and 3 scales.
    expect(at('"compression": [')[0]).toMatch(/^~1\d\.\d kB, .*x smaller \(weights: 30\.6x\)$/);
    expect(at('"fc*"')[0]).toMatch(/^→ 1\.06 MB, would take \d\.\d\d kB/);
  });
});

test('a hover over a layer tells what its own entry names, over a schedule that of its entry', () => {
  const hovered = (from: string, to: string) => {
    const { document, position } = openAt(changed(from, to));
    return JSON.stringify(hover(document, position, around())?.contents);
  };
  expect(hovered('"fc*"', '"fc|*"')).toContain('compresses 3 matrices');
  expect(hovered('"fc1"', '"fc|1"')).toContain('compresses 1 matrix');
  expect(hovered('"schedule"', '"sche|dule"')).toContain('svg');
  expect(hovered('"distortEvery": 100', '"distort|Every": 100')).toContain('compression');
  expect(hovered('"bits"', '"bi|ts"')).toContain('Bits per weight');
  expect(hovered('"method": "quantize"', '"meth|od": "quantize"')).toContain('Weights become codes of a few bits');
});

describe('completion', () => {
  const labels = (from: string, to: string) => {
    const { document, position } = openAt(changed(from, to));
    return complete(document, position, around()).map(({ label }) => label);
  };

  test('of a further entry proposes each method', () => {
    expect(labels('    }\n  ]', '    },\n    |\n  ]')).toEqual(
      expect.arrayContaining(['prune', 'quantize', 'low-rank']),
    );
  });

  test('within an entry proposes its settings, its layers and their values', () => {
    expect(labels('"distortEvery": 100,', '"distortEvery": 100, |')).toContain('policy');
    expect(labels('"fc*": {', '|\n"fc*": {')).toEqual(expect.arrayContaining(['fc1', 'fc3']));
    expect(labels('"bits": 3', '"bits": |')).toEqual(expect.arrayContaining(['1', '2', '4']));
  });
});

test('an entry of a list is converted by itself, where the method can go on with what is left', () => {
  const conversions = (text: string) => {
    const { document, position } = openAt(text.replace('"method": "quantize"', '"meth|od": "quantize"'));
    const found = rewritings(document, { start: position, end: position }, around()).filter(({ title }) =>
      title.startsWith('Convert to low-rank'),
    );
    return found.map(({ edit }) => {
      const [{ edits }] = edit?.documentChanges as TextDocumentEdit[];
      return TextDocument.applyEdits(document.text, edits as TextEdit[]);
    });
  };
  const [converted] = conversions(changed('"fc*"', '"fc3"'));
  expect(checkExperiment(converted).experiment?.compression).toMatchObject([
    { method: 'prune' },
    { method: 'low-rank' },
  ]);
  // Factors cannot go on with pruned weights.
  expect(conversions(text)).toEqual([]);
});

describe('what is left of some layers is compressed further', () => {
  const offered = (marked: string) => {
    const { document, position } = openAt(marked);
    const found = rewritings(document, { start: position, end: position }, around()).filter(({ title }) =>
      title.startsWith('Then '),
    );
    return found.map(({ title, edit }) => {
      const [{ edits }] = edit?.documentChanges as TextDocumentEdit[];
      return { title, text: TextDocument.applyEdits(document.text, edits as TextEdit[]) };
    });
  };

  test('a compression becomes the first of a list, as it is written', () => {
    const [{ title, text: list }, ...others] = offered(pruneText.replace('"method"', '"met|hod"'));
    expect(others).toEqual([]);
    expect(title).toBe('Then quantize what it leaves of these layers');
    const before = checkExperiment(pruneText).experiment?.compression;
    const { experiment, problems } = checkExperiment(list);
    expect(problems).toEqual([]);
    expect(experiment?.compression).toMatchObject([
      before,
      { method: 'quantize', layers: { fc1: { bits: 2 }, 'fc*': { bits: 2 } } },
    ]);
    expect(list).toContain('// the largest');
  });

  test('the last of a list is followed by another', () => {
    const single = text.replace(/,\s*\{\s*"method": "quantize"[^]*?\n {4}\}/, '');
    const low = single.replace('"method": "prune"', '"met|hod": "low-rank"').replaceAll(/"rate": [\d.]+/g, '"rank": 4');
    const lists = offered(low.replace(', "to": 13000', ''));
    expect(lists.map(({ title }) => title.split(' ')[1])).toEqual(['prune', 'quantize']);
    for (const { text: list } of lists) expect(checkExperiment(list).experiment?.compression).toHaveLength(2);
  });

  test('nothing goes on with codes, and one in the middle of a list is followed already', () => {
    expect(offered(text.replace('"method": "quantize"', '"met|hod": "quantize"'))).toEqual([]);
    expect(offered(text.replace('"method": "prune"', '"met|hod": "prune"'))).toEqual([]);
  });
});

test('an outline has a symbol for each entry', () => {
  const outline = symbols(open(text)).find(({ name }) => name === 'compression');
  expect(outline?.children?.map(({ name, detail }) => [name, detail])).toEqual([
    ['[0]', 'prune, distortEvery 10'],
    ['[1]', 'quantize, distortEvery 100'],
  ]);
});

test('a layer is renamed in every entry', () => {
  const model =
    "export const createModel = () => tf.sequential({ layers: [tf.layers.dense({ name: 'fc1', units: 300 })] });";
  const both = changed('"fc*": { "bits"', '"fc1": { "bits"');
  const marked = both.replace('"fc1"', '"fc|1"');
  const { document, position } = openAt(marked);
  const there = around({ modelText: { uri: 'file:///home/user/project/model.ts', text: model } });
  const { edit } = rename(document, position, 'first', there, []);
  const edits = edit.changes?.[document.text.uri] ?? [];
  expect(edits).toHaveLength(2);
  expect(TextDocument.applyEdits(document.text, edits).match(/"first"/g)).toHaveLength(2);
});

test.each([
  ['prune', '"rate": 0.5'],
  ['low-rank', '"rank": 2'],
])('what cannot go together is an error at the second: %s after pruning', (method, parameters) => {
  const wrong = text.replace('"quantize"', `"${method}"`).replace('"bits": 3, "scales": "matrix"', parameters);
  const errors = findingsOf(open(wrong), around()).filter(({ code }) => code === 'cannot-follow');
  expect(errors.map(({ message }) => message)).toEqual([
    `compression[1].layers.fc*: fc1/kernel is compressed by compression[0] before, and "${method}" cannot go on with what ` +
      '"prune" leaves. Leave the layer out of one of the two. After "prune" there can be: quantize.',
  ]);
});
