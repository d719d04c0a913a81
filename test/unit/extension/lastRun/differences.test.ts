import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differencesByLine } from '../../../../extension/lastRun/differences.ts';
import { parseExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';

const text = `{
  // The model's own file.
  "model": "./model.ts",
  "data": { "type": "mnist", "path": "mnist" },
  "training": {
    "optimizer": { "type": "adam", "learningRate": 0.01 },
    "batchSize": 50,
    "steps": 1000,
  },
  "compression": {
    "method": "prune",
    "distortEvery": 10,
    "layers": {
      "block.1": { "rate": 0.98 },
      "fc2": { "rate": 0.9 },
    },
    "schedule": { "initialRate": 0.25, "from": 100, "to": 500 },
  },
}
`;
const lines = text.split('\n');
const lineOf = (part: string) => lines.findIndex((line) => line.includes(part));
const run = parseExperiment(text, { file: 'test' });
const changed = (...replacements: [string, string][]) =>
  replacements.reduce((result, [from, to]) => result.replace(from, to), text);
const shown = (edited: string, overrides: readonly string[] = []) =>
  differencesByLine(edited, parseExperiment(text, { file: 'test', overrides }))?.map(({ line, text: value }) => [
    line,
    value,
  ]);

describe('the values of the last run', () => {
  test('are none where nothing differs, also in comments, order and defaults', () => {
    expect(shown(text)).toEqual([]);
    expect(
      shown(changed(["// The model's own file.", '// Mine.'], ['"steps": 1000,', '"seed": 1, "steps": 1000,'])),
    ).toEqual([]);
  });

  test.each([
    ['a value', changed(['0.98', '0.95']), [[lineOf('block.1'), '0.98']]],
    ['a value among others of its line', changed(['0.01 }', '0.02 }']), [[lineOf('optimizer'), 'learningRate 0.01']]],
    ['a text', changed(['./model.ts', './other.ts']), [[lineOf('./model.ts'), '"./model.ts"']]],
    [
      'two of a line, with their names',
      changed(['"from": 100, "to": 500', '"from": 200, "to": 600']),
      [[lineOf('initialRate'), 'from 100, to 500']],
    ],
    [
      'one that the run had by default',
      changed(['"steps": 1000,', '"steps": 1000,\n"seed": 2,']),
      [[lineOf('1000') + 1, '1']],
    ],
    [
      'one that the run did not have',
      changed(['"steps": 1000,', '"steps": 1000,\n"clip": { "value": 1 },']),
      [[lineOf('1000') + 1, '–']],
    ],
    [
      'one that the file leaves out, at its part',
      changed(['"initialRate": 0.25, ', '']),
      [[lineOf('"schedule"'), 'initialRate 0.25']],
    ],
    [
      'a part that the file leaves out',
      changed([lines[lineOf('"schedule"')], '']),
      [[lineOf('"compression"'), 'schedule {"initialRate":0.25,"from":100,"to":500,"exponent":3}']],
    ],
  ])('stand where they differ: %s', (_, edited, expected) => {
    expect(shown(edited)).toEqual(expected);
  });

  test('are those of the run with what was set for it alone', () => {
    const overrides = ['compression.layers.fc2.rate=0.5', 'compression.distortEvery=20'];
    expect(shown(text, overrides)).toEqual([
      [lineOf('distortEvery'), '20'],
      [lineOf('fc2'), '0.5'],
    ]);
    expect(shown(changed(['"rate": 0.9 ', '"rate": 0.5 ']), overrides)).toEqual([[lineOf('distortEvery'), '20']]);
  });

  test.each([
    ['"sweep"', '"vary": { "training.optimizer.learningRate": [0.01, 0.02] }', 'training.optimizer.learningRate=0.02', 'optimizer', 'learningRate 0.02'], // prettier-ignore
    ['"target"', '"maxDrop": 0.005', 'compression.layers.fc2.rate=0.5', 'fc2', '0.5'],
  ])('are none of %s, which no run has', (key, inside, value, line, was) => {
    const planned = changed(['"training": {', `${key}: { ${inside} },\n"training": {`]);
    const overrides = [`${key.slice(1, -1)}=null`, value];
    const ofPlan = parseExperiment(planned, { file: 'test', overrides });
    expect(differencesByLine(planned, ofPlan)?.map((found) => [found.line, found.text])).toEqual([
      [lineOf(line) + 1, was],
    ]);
    expect(differencesByLine(text, parseExperiment(planned, { file: 'test' }))).toEqual([]);
  });

  test('are unknown while a value is typed', () => {
    for (const half of ['0.', '', '"', '-', '1e', '98'])
      expect(shown(changed(['"rate": 0.98', `"rate": ${half}`])), half).toBeUndefined();
  });

  test('never fail, whatever is typed, and stand at lines that are there', () => {
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string(), (start, length, typed) => {
        const edited = text.slice(0, start) + typed + text.slice(start + length);
        for (const { line, changes } of differencesByLine(edited, run) ?? []) {
          expect(line).toBeGreaterThanOrEqual(0);
          expect(line).toBeLessThan(edited.split(/\r\n|\r|\n/).length);
          expect(changes).not.toEqual([]);
        }
      }),
    );
  });
});
