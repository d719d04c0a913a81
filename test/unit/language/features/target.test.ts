import type { MarkupContent } from 'vscode-languageserver/node';
import { expect, test } from 'vitest';
import { complete } from '../../../../server/language/features/completion.ts';
import { hover } from '../../../../server/language/features/hover.ts';
import { around, openAt } from './experiments.ts';

const file = (target: string) =>
  `{ "model": "builtin:lenet-300-100", "compression": { "method": "prune", "distortEvery": 10, "layers": { "*": {} } }, "target": { ${target} } }`;

function labels(marked: string): string[] {
  const { document, position } = openAt(marked);
  return complete(document, position, around()).map(({ label }) => label);
}

test('a target is completed with what it can want, and its bounds with the parameters', () => {
  expect(labels(file('|'))).toEqual(expect.arrayContaining(['bytes', 'ratio', 'maxDrop', 'split', 'bounds']));
  expect(labels(file('"bounds": { | }'))).toEqual(['rate', 'bits', 'rank']);
});

test('a target is explained', () => {
  const { document, position } = openAt(file('"maxD|rop": 0.005'));
  const { value } = hover(document, position, around())!.contents as MarkupContent;
  expect(value).toContain('0.005 of accuracy is half a point');
});
