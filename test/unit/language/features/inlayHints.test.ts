import { describe, expect, test } from 'vitest';
import { inlayHints } from '../../../../server/language/features/inlayHints.ts';
import { around, lenet, lstm, open, pruneText, withCompression } from './experiments.ts';

/** Labels, without their arrows, by the text of their line up to them. */
function hints(text: string, surroundings = around(), lines: [number, number] = [0, 999]): Record<string, string> {
  const document = open(text);
  const range = { start: { line: lines[0], character: 0 }, end: { line: lines[1], character: 0 } };
  return Object.fromEntries(
    inlayHints(document, range, surroundings).map(({ position, label }) => {
      const start = { line: position.line, character: 0 };
      return [document.text.getText({ start, end: position }).trim(), (label as string).replace(/^→ /, '')];
    }),
  );
}

test('a hint behind a value is set apart from it by an arrow, one behind a brace has no need to be', () => {
  const document = open(pruneText);
  const range = { start: { line: 0, character: 0 }, end: { line: 999, character: 0 } };
  const shown = inlayHints(document, range, around()).map(({ position, label }) => [
    document.text.getText().charAt(document.text.offsetAt(position) - 1),
    (label as string).startsWith('→ '),
  ]);
  expect(shown).toContainEqual(['{', false]);
  for (const [before, hasArrow] of shown) expect(hasArrow, String(before)).toBe(before !== '{');
});

/**
 * Bits of the best index: gap codes of a width, one a kept weight, each followed by another where the gap is too long for one; or Rice
 * codes, a bit more for every `2^bits` zeros.
 */
function expectedIndexBits(weights: number, kept: number): number {
  const rate = 1 - kept / weights;
  const widths = Array.from({ length: 17 }, (_, i) => i);
  const gaps = widths.slice(2).map((bits) => (bits * kept) / (1 - rate ** (2 ** bits - 1)));
  const quotient = (m: number) => rate ** m / (1 - rate ** m);
  const rice = widths.slice(0, 16).map((bits) => kept * (1 + bits + quotient(2 ** bits)));
  return Math.min(weights, ...gaps, ...rice);
}

describe('pruning', () => {
  const shown = hints(pruneText);

  test('says how many weights stay, of those that the key compresses', () => {
    // 2% of 784 * 300, and 10% of 300 * 100 + 100 * 10: fc1 has a closer key than fc*.
    expect(shown['"fc1": { "rate": 0.98']).toBe('4,704 of 235,200 kept');
    expect(shown['"fc*": { "rate": 0.9']).toBe('3,100 of 31,000 kept');
  });

  test('predicts the size of the model at the top, with the index of sparse weights', () => {
    const kept = [4704, 3000, 100];
    const dense = [235_200, 30_000, 1_000];
    const bits = kept.map((k, i) => 32 * k + expectedIndexBits(dense[i], k)).reduce((a, b) => a + b);
    const biases = 4 * (300 + 100 + 10);
    const ratio = (4 * 266_200 + biases) / (bits / 8 + biases);
    const label = shown['"compression": {'];
    expect(label).toMatch(/^~\d\d\.\d kB, \d\d\.\dx smaller \(weights: 34\.1x\)$/);
    expect(label.length).toBeLessThan(43);
    expect(label).toContain(`, ${ratio.toPrecision(3)}x smaller`);
  });

  test('counts distortions, and tells steps in epochs', () => {
    expect(shown['"distortEvery": 10']).toBe('1,201 distortions');
    // 60,000 samples in batches of 50.
    expect(shown['"steps": 20000']).toBe('16.7 epochs');
    expect(shown['"schedule": { "initialRate": 0.25, "from": 8000']).toBe('6.67 epochs');
  });
});

test('steps of several batches are told in epochs of fewer steps', () => {
  const shown = hints(pruneText.replace('"batchSize": 50,', '"batchSize": 50, "accumulate": 4,'));
  expect(shown['"steps": 20000']).toBe('66.7 epochs');
});

test('a pattern that has the rate says how many weights stay', () => {
  const layers = '"layers": {\n"fc1": { "pattern": "2:4" },\n"fc2": { "rate": 0.5, "pattern": "unit" } }';
  const shown = hints(withCompression(`"method": "prune", "distortEvery": 10, ${layers}`));
  expect(shown['"fc1": { "pattern": "2:4"']).toBe('117,600 of 235,200 kept');
  expect(shown['"fc2": { "rate": 0.5']).toBe('15,000 of 30,000 kept');
});

test('times of a schedule are told while another of its settings is wrong', () => {
  const shown = hints(pruneText.replace('"exponent": 7', '"exponent": "seven"'));
  expect(shown['"schedule": { "initialRate": 0.25, "from": 8000']).toBe('6.67 epochs');
  expect(shown['"distortEvery": 10']).toBe('1,201 distortions');
});

test('bits are bytes, with the scales of each row', () => {
  const shown = hints(withCompression('"method": "quantize", "layers": { "fc2": { "bits": 2 } }'));
  // 2 bits for each of 30,000 weights, and two scales of 32 bits for each of 100 rows.
  const bytes = (2 * 30_000 + 2 * 32 * 100) / 8;
  expect(bytes).toBe(8300);
  expect(shown['"method": "quantize", "layers": { "fc2": { "bits": 2']).toBe(
    `120 kB, would take 8.30 kB, ${(120_000 / bytes).toPrecision(3)}x smaller`,
  );
});

test('a rank is how much smaller, and none where it is too high', () => {
  const line = '"method": "low-rank", "layers": { "embedding": { "rank": 20 }, "lstm*": { "rank": 170 } }';
  const shown = hints(withCompression(line), around({ model: lstm }));
  // 10,000 x 200 at rank 20: 2,000,000 / (20 * 10,200); 200 x 800 breaks even at 160.
  expect(Object.values(shown)).toContain(`${(2_000_000 / (20 * 10_200)).toPrecision(3)}x smaller`);
  expect(Object.values(shown)).toContain('no smaller');
});

test('epochs are told in steps', () => {
  const compression =
    '"method": "prune", "distortEvery": 100,\n"layers": { "fc1": { "rate": 0.9 } },\n"schedule": { "to": 3, "unit": "epochs" }';
  const shown = hints(withCompression(compression, '\n"epochs": 10'));
  expect(shown['"epochs": 10']).toBe('12,000 steps');
  expect(shown['"schedule": { "to": 3']).toBe('3,600 steps');
  expect(shown['"method": "prune", "distortEvery": 100']).toBe('120 distortions');
});

test('a distortion step in epochs is told in steps, with the number of distortions', () => {
  const compression = '"method": "prune", "unit": "epochs", "distortEvery": 2,\n"layers": { "fc1": { "rate": 0.9 } }';
  const shown = hints(withCompression(compression, '\n"epochs": 10'));
  expect(shown['"method": "prune", "unit": "epochs", "distortEvery": 2']).toBe('2,400 steps, 5 distortions');
});

test('times at which the model is thinned are told in the other unit', () => {
  const compression = '"method": "group-lasso",\n"layers": { "fc1": { "lambda": 0.5 } }';
  const text = withCompression(compression, '\n"epochs": 10').replace(
    '"compression"',
    '"thin": { "at": [\n2,\n5] }, "compression"',
  );
  expect(hints(text)['2']).toBe('2,400 steps');
});

test('what is wrong or unknown has no hint, and the rest has', () => {
  expect(hints(pruneText, around({ model: undefined }))).toEqual({});
  const broken = pruneText.replace('0.98', '1.98').replace('"steps": 20000', '"steps": ');
  expect(Object.values(hints(broken))).toContain('3,100 of 31,000 kept');
  expect(Object.values(hints(broken)).join()).not.toContain('235,200');
  const oneShot = withCompression('"method": "prune", "policy": "one-shot", "distortEvery": 5, "layers": {}');
  expect(Object.values(hints(oneShot))).toEqual(['16.7 epochs']);
});

describe('a size that nothing tells before the training has no hint', () => {
  const target = (text: string) => text.replace('"compression"', '"target": { "maxDrop": 0.005 }, "compression"');
  const known = '"fc3": { "rate": 0.9 }';
  test.each([
    [
      'a policy that finds the rate',
      withCompression(`"method": "prune", "policy": "variational-dropout", "layers": {\n"fc1": {} }`),
    ],
    [
      'a rate beside such a policy',
      withCompression(`"method": "prune", "policy": "variational-dropout", "layers": {\n"fc1": { "rate": 0.9 } }`),
    ],
    [
      'a rate that a search is to find',
      target(withCompression(`"method": "prune", "distortEvery": 9, "layers": {\n"fc1": {},\n${known} }`)),
    ],
    [
      'bits that a search is to find',
      target(withCompression('"method": "quantize", "distortEvery": 9, "layers": {\n"fc1": {} }')),
    ],
    [
      'a wrong value',
      withCompression(`"method": "prune", "distortEvery": 9, "layers": {\n"fc1": { "rate": 1.5 },\n${known} }`),
    ],
    ['a missing value', withCompression(`"method": "prune", "distortEvery": 9, "layers": {\n"fc1": {},\n${known} }`)],
    ['a norm', withCompression('"method": "nuclear-norm", "layers": {\n"fc1": { "tau": 5 } }')],
    ['groups', withCompression('"method": "group-lasso", "layers": {\n"fc1": { "lambda": 0.1 } }')],
    [
      'a function of the user',
      withCompression('"method": "custom", "distortEvery": 9, "module": "./model.ts", "layers": {\n"fc1": {} }'),
    ],
    [
      'what another compression of the layer leaves',
      withCompression('X').replace(
        /\{\nX\n {2}\}/,
        '[{ "method": "nuclear-norm", "layers": { "fc1": { "tau": 5 } } },\n' +
          '{ "method": "quantize", "distortEvery": 9, "layers": {\n"fc1": { "bits": 2 } } }]',
      ),
    ],
  ])('%s', (_, text) => {
    expect(open(text).json.problems).toEqual([]);
    const shown = hints(text);
    const sizes = Object.entries(shown).filter(([, label]) => /kept|smaller|would take/.test(label));
    const others = text.includes(known) ? [['"fc3": { "rate": 0.9', '100 of 1,000 kept']] : [];
    expect(sizes).toEqual(others);
  });
});

test('only those of the lines that are seen', () => {
  const line = pruneText.split('\n').findIndex((text) => text.includes('"fc*"'));
  expect(Object.keys(hints(pruneText, around({ model: lenet }), [line, line]))).toEqual(['"fc*": { "rate": 0.9']);
});
