import { expect, test } from 'vitest';
import { chosenText } from '../../../bench/reproduce/chosenText.ts';

const rate = (value: number | string) => `training.optimizer.learningRate=${value}`;
const tries = [rate(0.1), rate('1e-2'), rate(1)].flatMap((own) => [
  [own, 'training.optimizer.epsilon=1e-3'],
  [own, 'training.optimizer.epsilon=1e-7'],
]);

test.each([
  [rate(0.1), 'learningRate=0.1'],
  [rate('1e-2'), 'learningRate=1e-2 (lowest tried)'],
  [rate(1), 'learningRate=1 (highest tried)'],
  ['training.optimizer.epsilon=1e-7', 'epsilon=1e-7'],
])('%s', (setting, text) => {
  expect(chosenText([setting], tries)).toBe(text);
});

test('settings that are no numbers, or were not tried, are named alone', () => {
  const policies = ['a', 'b', 'c'].map((policy) => [`compression.policy=${policy}`]);
  expect(chosenText(['compression.policy=a', rate(3)], policies)).toBe('policy=a, learningRate=3');
});
