import { expect, test } from 'vitest';
import { formatMetric, resultText } from '../../../../server/protocol/run/resultText.ts';

test('an accuracy is in percent, any other metric as it is', () => {
  expect(formatMetric('accuracy', 0.98219)).toBe('98.22%');
  expect(formatMetric('perplexity', 84.123)).toBe('84.12');
});

test.each([
  [undefined, undefined],
  [{ metric: 'accuracy', test: 0.982, byteRatio: 62.24, fileRatio: 61.9 }, 'accuracy 98.20% · 61.9x smaller'],
  [{ metric: 'accuracy', test: 0.982, byteRatio: 62.24 }, 'accuracy 98.20% · would be 62.2x smaller'],
  [{ metric: 'perplexity', test: 84.123, byteRatio: 1 }, 'perplexity 84.12'],
  [{ metric: 'perplexity', test: 84.123, byteRatio: 0.85 }, 'perplexity 84.12 · would be 0.850x smaller'],
  [{ metric: 'perplexity', test: null, byteRatio: 2 }, 'perplexity NaN · would be 2.00x smaller'],
])('a result of %j', (result, text) => {
  expect(resultText({ result })).toBe(text);
});

test('the words can be those of another language', () => {
  const result = { metric: 'accuracy', test: 0.982, byteRatio: 62.24 };
  const words = { smaller: String, wouldBeSmaller: (ratio: string) => `wäre ${ratio} kleiner` };
  expect(resultText({ result }, words)).toBe('accuracy 98.20% · wäre 62.2x kleiner');
});
