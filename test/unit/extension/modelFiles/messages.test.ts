import { expect, test } from 'vitest';
import { parseFromModelFilePage } from '../../../../extension/modelFiles/messages.ts';

test('what the page says is taken as it is', () => {
  for (const message of [
    { type: 'ready' },
    { type: 'wanted', statistics: [0, 3], histogram: 3 },
    { type: 'wanted', statistics: [] },
    { type: 'computeSpectrum', tensor: 2 },
    { type: 'computeSpectrum' },
    { type: 'save', name: 'chart.csv', format: 'csv', content: 'a,b' },
  ])
    expect(parseFromModelFilePage(message)).toEqual(message);
});

test('anything else is no message', () => {
  for (const message of [
    undefined,
    'ready',
    { type: 'show' },
    { type: 'wanted', statistics: [-1] },
    { type: 'wanted', statistics: ['0'] },
    { type: 'wanted', statistics: Array.from({ length: 100_001 }, () => 0) },
    { type: 'computeSpectrum', tensor: 0.5 },
    { type: 'command', command: 'stop' },
  ])
    expect(parseFromModelFilePage(message)).toBeUndefined();
});
