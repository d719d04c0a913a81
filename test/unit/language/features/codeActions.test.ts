import { TextDocument } from 'vscode-languageserver-textdocument';
import type { TextDocumentEdit, TextEdit } from 'vscode-languageserver/node';
import { describe, expect, test } from 'vitest';
import { rewritings } from '../../../../server/language/features/codeActions.ts';
import { findingsOf } from '../../../../server/language/findings/index.ts';
import { checkExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';
import { around, lstm, open, openAt, pruneText, URI, withCompression } from './experiments.ts';

const variational =
  '"method": "prune", "policy": "variational-dropout", "distortEvery": 10, "layers": { "fc1": {}, "fc2": {} }';

/** What each action makes of the text, by its title. */
function actions(marked: string, surroundings = around()): Record<string, string> {
  const { document, position } = openAt(marked);
  return Object.fromEntries(
    rewritings(document, { start: position, end: position }, surroundings).map(({ title, edit }) => {
      const [change] = (edit?.documentChanges ?? []) as TextDocumentEdit[];
      expect(change.textDocument).toEqual({ uri: URI, version: 1 });
      return [title, TextDocument.applyEdits(document.text, change.edits as TextEdit[])];
    }),
  );
}

/** The outcome of the only action whose title begins so. */
function made(marked: string, title: string, surroundings = around()): string {
  const found = Object.entries(actions(marked, surroundings)).filter(([name]) => name.startsWith(title));
  if (found.length !== 1)
    throw new Error(`${found.length} of: ${Object.keys(actions(marked, surroundings)).join('; ')}`);
  return found[0][1];
}

describe('converting', () => {
  const marked = pruneText.replace('"method"', '"met|hod"');

  test('pruning to bits of about the same size leaves comments and the rest as they are', () => {
    const text = made(marked, 'Convert to quantize');
    expect(checkExperiment(text).problems).toEqual([]);
    // 98% pruned is 40 times smaller, which no number of bits is: 1 bit comes nearest; 90% pruned is about 8.6 times smaller.
    expect(text).toContain('"fc1": { "bits": 1 }, // the largest');
    expect(text).toContain('"fc*": { "bits": 3 }');
    expect(text).toContain('"schedule": { "from": 8000 }');
    expect(text).toContain('// as in the paper');
  });

  test('takes along the settings that only pruning has', () => {
    const pruned = (settings: string) =>
      withCompression(`"met|hod": "prune", "distortEvery": 10, ${settings} "layers": { "fc1": { "pattern": "2:4" } }`);
    for (const settings of ['"criterion": "taylor",', '\n    "scope": "layer",\n    "criterion": "taylor",\n    ']) {
      const text = made(pruned(settings), 'Convert to quantize');
      expect(checkExperiment(text).problems).toEqual([]);
      expect(text).toMatch(/"layers": \{ "fc1": \{ "bits": \d+ \} \}/);
      expect(text).not.toMatch(/criterion|scope|pattern/);
    }
    // One behind the other at the end, they cannot be removed one by one.
    const last = withCompression(
      '"met|hod": "prune", "distortEvery": 10, "layers": { "fc1": { "rate": 0.9 } }, "scope": "layer", "criterion": "taylor"',
    );
    expect(Object.keys(actions(last)).filter((title) => title.startsWith('Convert'))).toEqual([]);
  });

  test('pruning to a rank', () => {
    const text = made(marked, 'Convert to low-rank');
    expect(checkExperiment(text).problems).toEqual([]);
    const { rank } = /"fc1": \{ "rank": (?<rank>\d+) \}/.exec(text)?.groups ?? {};
    const smaller = (784 * 300) / (Number(rank) * (784 + 300));
    expect(smaller).toBeGreaterThan(35);
  });

  test('bits to a rate whose size in bytes is the same', () => {
    const quantized = withCompression('"met|hod": "quantize", "distortEvery": 100, "layers": { "fc1": { "bits": 2 } }');
    const text = made(quantized, 'Convert to prune');
    expect(checkExperiment(text).problems).toEqual([]);
    const rate = Number(/"rate": ([\d.]+)/.exec(text)?.[1]);
    // 2 bits and 2 scales of 32 bits for each of 300 rows of 784: 15.4 times smaller.
    const wanted = (2 * 784 + 64) / (32 * 784);
    const kept = 1 - rate;
    const index = Math.min(...[3, 4, 5, 6].map((bits) => (bits * kept) / (1 - rate ** (2 ** bits - 1))));
    expect((32 * kept + index) / 32).toBeCloseTo(wanted, 2);
  });

  test('a schedule gets an end when it becomes one of pruning', () => {
    const lowRank =
      '"met|hod": "low-rank", "policy": "factors", "distortEvery": 9, "layers": { "fc1": { "rank": 9 } }, "schedule": { "from": 4000 }';
    const text = made(withCompression(lowRank), 'Convert to prune');
    expect(checkExperiment(text).problems).toEqual([]);
    expect(text).toContain('"policy": "deeptwist"');
    expect(text).toContain('"schedule": { "from": 4000, "to": 12000 }');
  });

  test('is not offered where the model or a setting is not known', () => {
    const titles = (text: string, surroundings = around()) =>
      Object.keys(actions(text, surroundings)).filter((title) => title.startsWith('Convert'));
    expect(titles(marked)).toHaveLength(2);
    expect(titles(marked, around({ model: undefined }))).toEqual([]);
    expect(titles(marked.replace('0.98', '"x"'))).toEqual([]);
    expect(titles(pruneText.replace('"batchSize"', '"batch|Size"'))).toEqual([]);
  });
});

test.each([
  variational,
  '"method": "prune", "distortEvery": 10, "layers": { "fc1": {}, "fc2": { "rate": 0.9 } }',
  '"method": "prune", "policy": "variational-dropout", "layers": { "fc1": { "rate": 0.9 } }',
])('no conversion at about the same size, and no rate for a ratio, where a size is not known: %s', (compression) => {
  const target = withCompression(compression).replace('"compression"', '"target": { "maxDrop": 0.005 }, "compression"');
  for (const text of [withCompression(compression), target])
    for (const [mark, place] of [
      ['"method"', '"met|hod"'],
      ['"fc1"', '"f|c1"'],
      ['"layers"', '"lay|ers"'],
    ]) {
      const titles = Object.keys(actions(text.replace(mark, place)));
      expect(titles.filter((title) => title.startsWith('Convert'))).toEqual([]);
      expect(titles.join()).not.toContain('Set the rate');
    }
});

describe('a target ratio', () => {
  test('becomes a rate', () => {
    const marked = pruneText.replace('0.98', '0.9|8');
    // It is 0.98 already, which is 50x.
    expect(Object.keys(actions(marked))).toEqual([
      'Set the rate to 0.9: 10.0x fewer weights',
      'Set the rate to 0.95: 20.0x fewer weights',
      'Write out the default of compression.layers.fc1',
    ]);
    expect(made(marked, 'Set the rate to 0.95')).toContain('"fc1": { "rate": 0.95 }, // the largest');
  });

  test('is not offered beside a pattern that has the rate', () => {
    const text = withCompression('"method": "prune", "distortEvery": 9, "layers": { "fc1": { "pattern|": "2:4" } }');
    expect(Object.keys(actions(text)).filter((title) => title.startsWith('Set the'))).toEqual([]);
  });

  test('becomes the largest rank that is small enough', () => {
    const marked = withCompression('"method": "low-rank", "distortEvery": 9, "layers": { "fc1": { "rank|": 64 } }');
    const text = made(marked, 'Set the rank to 21');
    expect(text).toContain('"rank": 21');
    const smaller = (rank: number) => (784 * 300) / (rank * (784 + 300));
    expect([smaller(21) >= 10, smaller(22) >= 10]).toEqual([true, false]);
  });
});

describe('a glob', () => {
  test('becomes the layers that it names and no closer key does', () => {
    const text = made(pruneText.replace('"fc*"', '"f|c*"'), 'Write "fc*" as the 2 layers');
    expect(text).toContain('      "fc2": { "rate": 0.9 },\n      "fc3": { "rate": 0.9 }\n');
    expect(checkExperiment(text).problems).toEqual([]);
  });

  test('becomes weights where a weight of a layer has a key of its own', () => {
    const marked = withCompression(
      '"method": "prune", "distortEvery": 9, "layers": { "lst|m*": { "rate": 0.9 }, "lstm1/kernel": { "rate": 0.5 } }',
    );
    expect(made(marked, 'Write "lstm*"', around({ model: lstm }))).toContain(
      '{ "lstm1/recurrent_kernel": { "rate": 0.9 }, "lstm2": { "rate": 0.9 }, "lstm1/kernel"',
    );
  });

  test('a name has nothing to be expanded', () => {
    expect(Object.keys(actions(pruneText.replace('"fc1"', '"f|c1"'))).join()).not.toContain('Write "');
  });
});

describe('defaults', () => {
  test('are written behind the last setting, a line each where that has one', () => {
    const text = made(pruneText.replace('"batchSize"', '"batch|Size"'), 'Write out the 11 defaults of training');
    expect(text).toContain('    "steps": 20000,\n    "loss": "auto",\n    "lossReduction": "mean",\n');
    const before = checkExperiment(pruneText);
    expect(checkExperiment(text)).toEqual(before);
  });

  test('leave a comment where it is', () => {
    const text = pruneText
      .replace('"steps": 20000', '"steps": 20000 // an hour')
      .replace('"batchSize"', '"batch|Size"');
    expect(made(text, 'Write out')).toContain('"steps": 20000, // an hour\n    "loss": "auto",');
    const comma = text.replace('20000 // an hour', '20000, // an hour');
    expect(made(comma, 'Write out')).toContain('"steps": 20000, // an hour\n    "loss": "auto",');
  });

  test('of a method, of a layer and of an optimizer, in one line where they are in one', () => {
    const marked = withCompression('"method": "quantize", "distortEvery": 9, "layers": { "fc1": { "b|its": 2 } }');
    expect(made(marked, 'Write out the 4 defaults of compression.layers.fc1')).toContain(
      '{ "bits": 2, "levels": "binary", "algorithm": "alternating", "scales": "row", "iterations": 2 }',
    );
    expect(made(pruneText.replace('"adam"', '"ad|am"'), 'Write out')).toContain('"learningRate": 1e-3, "beta1": 0.9,');
  });

  test('are not offered where the policy refuses them', () => {
    const titles = Object.keys(actions(withCompression(variational.replace('"method"', '"met|hod"'))));
    expect(titles.filter((title) => title.startsWith('Write out'))).toEqual([]);
  });
});

const pruning = '"method": "prune", "distortEvery": 10, "layers": { "fc1": { "rate": 0.9 }, "fc2": { "rate": 0.9 } }';
const quantizing = '"method": "quantize", "distortEvery": 10, "layers": { "fc1": { "bits": 2 } }';
test.each([
  pruneText,
  withCompression(variational),
  withCompression(`${pruning}, "scope": "model"`),
  withCompression(pruning).replace(/"compression": (\{[^]*\})\s*\}\s*$/, `"compression": [$1, { ${quantizing} }] }`),
])('no rewriting makes an error in %s', (text) => {
  const errorsOf = (content: string) => findingsOf(open(content), around()).filter(({ severity }) => severity === 1);
  expect(errorsOf(text)).toEqual([]);
  const keys = [...text.matchAll(/"(?=\w+\*?":)/g)].map(({ index }) => index + 1);
  for (const key of keys)
    for (const [title, made] of Object.entries(actions(`${text.slice(0, key)}|${text.slice(key)}`)))
      expect(errorsOf(made), title).toEqual([]);
});
