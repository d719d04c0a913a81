/** Names of a folder that somebody else made, in everything of the language server that an editor draws as Markdown. */
import type { MarkupContent } from 'vscode-languageserver/node';
import { describe, expect, test } from 'vitest';
import { complete } from '../../../../server/language/features/completion.ts';
import { hover } from '../../../../server/language/features/hover.ts';
import { inlayHints } from '../../../../server/language/features/inlayHints.ts';
import type { DescribedWeight, ModelDescription } from '../../../../server/protocol/model/modelDescription.ts';
import type { RunRecord } from '../../../../server/runs/runRecord.ts';
import { activeMarkdown, HARMFUL, hostileNames } from '../../protocol/activeMarkdown.ts';
import { around, openAt, withCompression } from './experiments.ts';

function modelWith(name: string): ModelDescription {
  const weight = (own: string): DescribedWeight => ({
    name: `${name}/${own}`,
    layer: name,
    weight: own,
    layerClass: name,
    shape: [30, 20],
    trainable: true,
  });
  return { version: 1, model: name, files: [], weights: [weight('kernel'), weight('recurrent_kernel')] };
}

const everywhere = { start: { line: 0, character: 0 }, end: { line: 1000, character: 0 } };

describe.each(hostileNames)('%j', (name) => {
  const expectText = (markdown: string | undefined) => {
    expect(markdown).toBeDefined();
    expect(activeMarkdown(markdown!)).not.toMatch(HARMFUL);
  };
  const layers = (keys: string) => withCompression(`"method": "prune", "distortEvery": 10, "layers": { ${keys} }`);
  const hovered = (marked: string, model: ModelDescription | undefined) => {
    const { document, position } = openAt(marked);
    return (hover(document, position, around({ model }))?.contents as MarkupContent | undefined)?.value;
  };
  // A bar for the cursor in the text marks the place: a name with one is not written there.
  const key = JSON.stringify(name).replaceAll('|', '\\u007c');

  test('as a key, and as the name of a weight, in a hover', () => {
    expectText(hovered(layers(`${key.slice(0, 2)}|${key.slice(2)}: { "rate": 0.9 }`), modelWith('fc1')));
    expectText(hovered(layers(`${key.slice(0, 2)}|${key.slice(2)}: { "rate": 0.9 }`), undefined));
    expectText(hovered(layers('"*|*": { "rate": 0.9 }'), modelWith(name)));
    expectText(hovered(layers(`${key}: { "r|ate": 0.9 }`), modelWith(name)));
  });

  test('as a layer in what is completed', () => {
    const { document, position } = openAt(layers('"|"'));
    const items = complete(document, position, around({ model: modelWith(name) }));
    expect(items.length).toBeGreaterThan(2);
    for (const { documentation } of items) expectText((documentation as MarkupContent | undefined)?.value);
  });

  test('as a run, its experiment and its folder in what is completed', () => {
    const record = { name, id: name, experiment: `/home/${name}`, created: '2026-01-01T00:00:00Z' } as RunRecord;
    const run = { record, path: `/home/${name}`, state: 'finished', text: undefined } as const;
    const { document, position } = openAt('{ "start": "|" }');
    const items = complete(document, position, around({ others: [run] }));
    const ofRuns = items.filter(({ label }) => label === `run:${name}`);
    expect(ofRuns).toHaveLength(2);
    for (const { documentation } of ofRuns) expectText((documentation as MarkupContent | undefined)?.value);
  });

  test('is in no hint', () => {
    const { document } = openAt(layers('"*": { "rate": 0.9 }|'));
    for (const { label, tooltip } of inlayHints(document, everywhere, around({ model: modelWith(name) })))
      expect(`${String(label)} ${String(tooltip)}`).not.toContain('evil');
  });
});
