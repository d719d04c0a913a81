import type { MarkupContent } from 'vscode-languageserver/node';
import { expect, test } from 'vitest';
import { complete } from '../../../../server/language/features/completion.ts';
import { hover } from '../../../../server/language/features/hover.ts';
import { around, openAt, pruneText } from './experiments.ts';

const withSweep = (sweep: string) => `${pruneText.trimEnd().slice(0, -1)}, "sweep": ${sweep} }`;

function proposals(marked: string) {
  const { document, position } = openAt(marked);
  return complete(document, position, around()).map(({ label }) => label);
}

function hoverText(marked: string): string {
  const { document, position } = openAt(marked);
  return (hover(document, position, around())!.contents as MarkupContent).value;
}

test('the settings that a sweep can vary are proposed by their names, and none that is there or is the sweep', () => {
  const labels = proposals(withSweep('{ "vary": { "training.seed": [1], | } }'));
  expect(labels).toEqual(expect.arrayContaining(['model', 'training.batchSize', 'compression.distortEvery']));
  expect(labels).not.toContain('training.seed');
  expect(labels.filter((label) => label.startsWith('sweep'))).toEqual([]);
  expect(proposals(withSweep('{ "type": "list", "runs": [{ | }] }'))).toContain('training.seed');
});

test('so are the words of a setting, and the kinds of sweeps', () => {
  expect(proposals(withSweep('{ "vary": { "training.executor": [|] } }'))).toEqual(
    expect.arrayContaining(['auto', 'compiled', 'eager']),
  );
  expect(proposals(withSweep('{ "type": "|" }'))).toEqual(['grid', 'list', 'random']);
});

test('a name in a sweep is explained as the setting that it names, and the sweep as itself', () => {
  expect(hoverText(withSweep('{ "vary": { "training.se|ed": [1] } }'))).toContain('**training\\.seed**\n\nSeed of the');
  expect(hoverText(withSweep('{ "va|ry": { "training.seed": [1] } }'))).toContain('each with the values that it takes');
});
