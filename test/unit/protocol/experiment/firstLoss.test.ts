import { describe, expect, it } from 'vitest';
import { firstLoss, targetKindOf } from '../../../../server/protocol/experiment/firstLoss.ts';

describe('the loss of a first experiment', () => {
  it.each([
    [[null, 10], 'other', 'labels', 'sparse-categorical-crossentropy-from-logits'],
    [[null, 10], 'softmax', 'labels', 'sparse-categorical-crossentropy'],
    [[null, 10], 'softmax', 'one-hot', 'categorical-crossentropy'],
    [[null, 10], 'sigmoid', 'one-hot', 'binary-crossentropy'],
    [[null, 1], 'sigmoid', 'labels', 'binary-crossentropy'],
    [[null, 1], 'other', 'numbers', 'mean-squared-error'],
    [[null, 1], 'other', 'labels', 'binary-crossentropy-from-logits'],
    [[null, 1], 'other', undefined, 'mean-squared-error'],
    [[null, 1], 'softmax', 'labels', 'mean-squared-error'],
    [[null, 4], 'other', 'numbers', 'mean-squared-error'],
    [[null, 20, 500], 'other', 'labels', 'sparse-categorical-crossentropy-from-logits'],
  ] as const)('of outputs %j with %s and targets that are %s is %s', (shape, activation, targets, loss) => {
    expect(firstLoss({ shape: [...shape], activation }, targets)).toBe(loss);
  });

  it('takes outputs that are not known for logits, and targets for labels', () => {
    expect(firstLoss(undefined)).toBe('sparse-categorical-crossentropy-from-logits');
  });
});

describe('the targets of data', () => {
  it.each([
    [{ type: 'images' }, 'labels'],
    [{ type: 'table' }, 'labels'],
    [{ type: 'table', task: 'regression' }, 'numbers'],
    [{ type: 'arrays' }, undefined],
    [{}, undefined],
  ])('%j are %s', (data, kind) => {
    expect(targetKindOf(data)).toBe(kind);
  });
});
