import { expect, test } from 'vitest';
import { differencesBetween } from '../../../../extension/runs/differences.ts';

const settings = (values: Record<string, string>) => new Map(Object.entries(values));

test('runs are told apart by the settings in which they differ, those with the most values first', () => {
  const same = { 'training.steps': '150', model: './net.ts' };
  const runs = new Map([
    ['a', settings({ ...same, 'training.seed': '1', 'compression.layers.fc1.rate': '0.9' })],
    ['b', settings({ ...same, 'training.seed': '2', 'compression.layers.fc1.rate': '0.9' })],
    ['c', settings({ ...same, 'training.seed': '3', 'compression.layers.fc1.rate': '0.95' })],
  ]);
  expect([...differencesBetween(runs)]).toEqual([
    ['a', 'seed 1, rate 0.9'],
    ['b', 'seed 2, rate 0.9'],
    ['c', 'seed 3, rate 0.95'],
  ]);
});

test('a setting that only some runs have tells them from the others; equal runs have no name', () => {
  expect([
    ...differencesBetween(
      new Map([
        ['a', settings({ x: '1', y: '2' })],
        ['b', settings({ x: '1' })],
      ]),
    ),
  ]).toEqual([['a', 'y 2']]);
  expect([
    ...differencesBetween(
      new Map([
        ['a', settings({ x: '1' })],
        ['b', settings({ x: '1' })],
      ]),
    ),
  ]).toEqual([]);
});
