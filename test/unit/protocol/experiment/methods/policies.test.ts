import { describe, expect, test } from 'vitest';
import { methodNames } from '../../../../../server/protocol/experiment/methods/index.ts';
import {
  isPolicy,
  suitablePolicies,
  unsuitablePolicy,
  worksWith,
} from '../../../../../server/protocol/experiment/methods/policies.ts';

describe('policies and methods', () => {
  test.each([
    [
      'prune',
      ['deeptwist', 'gradual-mask', 'dynamic-surgery', 'rigl', 'variational-dropout', 'one-shot', 'straight-through'],
    ],
    ['quantize', ['deeptwist', 'one-shot', 'straight-through', 'points', 'alternating-points']],
    ['low-rank', ['deeptwist', 'one-shot', 'factors', 'straight-through']],
    ['custom', ['deeptwist', 'one-shot', 'straight-through']],
  ] as const)('%s works with %j', (method, policies) => {
    expect(suitablePolicies(method)).toEqual(policies);
  });

  test('a mask works with zeros alone', () => {
    expect(methodNames.filter((method) => worksWith('gradual-mask', method))).toEqual(['prune']);
    expect(unsuitablePolicy('factors', 'prune')).toBe('"factors" works with the method low-rank only, got "prune"');
  });

  test('a policy is known by its own name alone', () => {
    expect(['one-shot', 'oneShot', 'toString', null].map(isPolicy)).toEqual([true, false, false, false]);
  });
});
