import { describe, expect, it } from 'vitest';
import { shortest } from '../../../until.ts';
import { didYouMean } from '../../../../server/protocol/experiment/didYouMean.ts';

describe('didYouMean', () => {
  const keys = ['distortEvery', 'method', 'layers', 'schedule', 'policy'];

  it.each([
    ['distortevery', 'distortEvery'],
    ['distrotEvery', 'distortEvery'],
    ['layer', 'layers'],
    ['shcedule', 'schedule'],
    ['polcy', 'policy'],
  ])('finds the nearest name to %s', (word, meant) => {
    expect(didYouMean(word, keys)).toBe(meant);
  });

  it('suggests nothing when no name is near', () => {
    expect(didYouMean('optimizer', keys)).toBeUndefined();
    expect(didYouMean('', keys)).toBeUndefined();
    expect(didYouMean('x', [])).toBeUndefined();
  });

  it('prefers the nearest, and the first of equally near ones', () => {
    expect(didYouMean('fc1', ['fc10', 'fc1x', 'fc1'])).toBe('fc1');
    expect(didYouMean('fc4', ['conv1', 'fc1', 'fc2'])).toBe('fc1');
  });

  it('does not call two different one-letter names near', () => {
    expect(didYouMean('a', ['b'])).toBeUndefined();
  });
});

it('nothing is suggested for, nor from, names that nobody types', async () => {
  const took = await shortest(500, () => {
    const start = performance.now();
    expect(didYouMean('a'.repeat(1e6), ['a'.repeat(1e6)])).toBeUndefined();
    expect(didYouMean('steps', ['s'.repeat(1e6), 'stpes'])).toBe('stpes');
    return performance.now() - start;
  });
  expect(took).toBeLessThan(500);
});
