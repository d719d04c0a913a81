import { expect, test } from 'vitest';
import { newMethods } from '../../../../server/protocol/experiment/methods/newMethods.ts';
import { experimentText } from '../../../../server/proposals/experimentText.ts';
import { compressionBlocks } from '../../../../server/language/features/experimentSnippets.ts';
import { findingsOf } from '../../../../server/language/findings/index.ts';
import type { Method } from '../../../../server/protocol/experiment/schema.ts';
import { around, describeModel, open } from './experiments.ts';

const layers = [
  { name: 'fc1', shortestSide: 300 },
  { name: 'fc2', shortestSide: 100 },
  { name: 'fc3', shortestSide: 10 },
];

function newText(method: Method, steps: number | undefined): string {
  const data = { type: 'mnist', path: './data/mnist' };
  return experimentText({ model: './model.ts', data, method, layers, ...(steps !== undefined && { steps }) });
}

test.each(newMethods)('the New Experiment command and completion begin with the same compression: %s', (method) => {
  for (const steps of [undefined, 500, 2000, 20_000]) {
    const document = open(newText(method, steps));
    const block = compressionBlocks(document, around()).find(({ label }) => label === method)!;
    const proposed = block.text.replace(/\$\{\d+:([^}]*)\}/g, '$1');
    expect(JSON.parse(proposed)).toEqual((document.settings as { compression: unknown }).compression);
  }
});

test.each(newMethods)('nothing is doubtful about a new experiment: %s', (method) => {
  for (const steps of [undefined, 500, 2000, 20_000])
    expect(findingsOf(open(newText(method, steps)), around()).map(({ message }) => message)).toEqual([]);
});

test.each(newMethods)('the quick fixes of a distortion step give that of a new experiment: %s', (method) => {
  const text = newText(method, 2000);
  const [setting, usual] = /"distortEvery": (\d+),/.exec(text)!;
  for (const wrong of ['"distortEvery": 1,', '']) {
    const fixes = findingsOf(open(text.replace(setting, wrong)), around()).flatMap((finding) => finding.fixes ?? []);
    const title = wrong === '' ? `Add "distortEvery": ${usual}` : `Change to ${usual}`;
    expect(fixes.map((fix) => fix.title)).toEqual([title]);
  }
});

test('a glob over many layers has a rank that the smallest of them can have', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const sides = (name: string) => (name === 'd' ? [12, 30] : [100, 200]);
  const model = describeModel(Object.fromEntries(names.map((name) => [name, { weights: { kernel: sides(name) } }])));
  const block = compressionBlocks(open('{}'), around({ model })).find(({ label }) => label === 'low-rank')!;
  expect(block.text).toMatch(/\{ "rank": \$\{\d+:6\} \}/);
});
