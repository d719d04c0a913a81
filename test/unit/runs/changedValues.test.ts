import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyOverride, parseOverride } from '../../../server/protocol/experiment/overrides.ts';
import { lastValues, valuesAfter } from '../../../server/runs/changedValues.ts';

test('what a run was given and what was changed up to a step are in effect, each setting with its last value', () => {
  const record = {
    overrides: ['training.seed=2', 'compression.layers.fc1.rate=0.9'],
    changes: [
      { step: 10, values: ['compression.layers.fc1.rate=0.95'] },
      { step: 20, values: ['compression.layers.fc1.rate=0.97'] },
    ],
  };
  expect(valuesAfter(record, 0)).toEqual(['training.seed=2', 'compression.layers.fc1.rate=0.9']);
  expect(valuesAfter(record, 10)).toEqual(['training.seed=2', 'compression.layers.fc1.rate=0.95']);
  expect(valuesAfter(record, Infinity)).toEqual(['training.seed=2', 'compression.layers.fc1.rate=0.97']);
});

describe('the last values of settings', () => {
  test('name a setting once, however its path is written', () => {
    expect(
      lastValues(['compression.layers.*.rate=0.95', 'training.seed=2', 'compression.layers["*"].rate=0.97']),
    ).toEqual(['training.seed=2', 'compression.layers["*"].rate=0.97']);
  });

  test('make the same settings as all of them one after the other', () => {
    const path = fc.constantFrom(
      'a',
      'a.b',
      'a.c',
      'list',
      'list[0]',
      'list[0].b',
      'list[1]',
      'list[2]',
      'list[3].b',
      '["a"].b',
    );
    const value = fc.constantFrom('1', '2', '{"b": 3}', '[4, {"b": 5}]', 'null', 'word');
    const texts = fc.array(
      fc.tuple(path, value).map((parts) => parts.join('=')),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(texts, (all) => {
        // Those that cannot be applied are refused when they are given.
        fc.pre(applied(all) !== undefined);
        expect(applied(lastValues(all))).toEqual(applied(all));
      }),
      { numRuns: 1000 },
    );
  });
});

/** @returns undefined where one of them cannot be applied */
function applied(texts: readonly string[]): unknown {
  const document: Record<string, unknown> = { list: [{ b: 0 }, 1] };
  for (const override of texts.map(parseOverride))
    if (!override || applyOverride(document, override) !== undefined) return undefined;
  return document;
}
