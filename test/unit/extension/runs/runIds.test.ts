import { describe, expect, test } from 'vitest';
import { mayBelongTo, newestFirst, sweepInId } from '../../../../extension/runs/runIds.ts';

describe('the name of a run folder', () => {
  test('tells the experiment', () => {
    expect(mayBelongTo('20261124-101500-lenet', 'lenet')).toBe(true);
    expect(mayBelongTo('20261124-101500-lenet-5', 'lenet-300')).toBe(false);
    expect(mayBelongTo('20261124-101500-lenet-prune', 'lenet')).toBe(false);
  });

  test('may have a number at its end where two runs began in the same second', () => {
    expect(mayBelongTo('20261124-101500-lenet-2', 'lenet')).toBe(true);
  });

  test('has a dash for signs that a folder had better not have', () => {
    expect(mayBelongTo('20261124-101500-my-first-net', 'my first (net')).toBe(true);
  });

  test('that is none of a run belongs to no experiment', () => {
    expect(mayBelongTo('lenet', 'lenet')).toBe(false);
  });

  test('begins with the time, by which the newest is first', () => {
    expect(newestFirst(['20261123-235959-b', '20261124-000000-a', '20251231-000000-c'])).toEqual([
      '20261124-000000-a',
      '20261123-235959-b',
      '20251231-000000-c',
    ]);
  });
});

test('the id of a run of a sweep begins with that of the sweep', () => {
  expect(sweepInId('20261124-101500-lenet.07')).toBe('20261124-101500-lenet');
  expect(sweepInId('20261124-101500-lenet')).toBeUndefined();
  expect(mayBelongTo('20261124-101500-lenet.07', 'lenet')).toBe(false);
});
