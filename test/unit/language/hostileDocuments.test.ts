/** Documents that were made to take long: whoever opens one is answered, and the next file too. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  DefinitionRequest,
  DocumentFormattingRequest,
  DocumentSymbolRequest,
  FoldingRangeRequest,
  HoverRequest,
  InlayHintRequest,
} from 'vscode-languageserver/node';
import type { DescribedWeight } from '../../../server/protocol/model/modelDescription.ts';
import { LanguageSession } from './languageSession.ts';
import { describeModelOf, lenet } from './lenet.ts';

/** Milliseconds of the processor for everything about one document: other work on the machine does not count. */
const MOST_WORK = 30_000;
const PATIENCE = 300_000;

let session: LanguageSession;
beforeEach(async () => (session = await LanguageSession.open()));
afterEach(() => session.dispose());

const MEGABYTE = 1024 * 1024;
const fill = (part: (i: number) => string, characters = MEGABYTE) => {
  const parts: string[] = [];
  for (let i = 0, length = 0; length < characters; i++) length += parts[parts.push(part(i)) - 1].length;
  return parts.join('');
};
const head = `"model": "./model.ts", "data": { "type": "mnist", "path": "./mnist" }`;
const training = `"training": { "optimizer": { "type": "adam" }, "batchSize": 50, "steps": 100 }`;
const compressed = (method: string, layers: string) =>
  `{ ${head}, ${training}, "compression": { "method": "${method}", "distortEvery": 10, "layers": { ${layers} } } }`;

const documents: Readonly<Record<string, string>> = {
  'unknown settings': `{ ${fill((i) => `"u${i}": 1, `)} "v": 1 }`,
  'keys that are there twice': `{ ${fill(() => '"a": 1, ')} "b": 1 }`,
  'keys that name no layer': compressed(
    'prune',
    `${fill((i) => `"fd${i}": { "rate": 0.9 }, `)} "fc1": { "rate": 0.9 }`,
  ),
  'patterns of many stars': compressed(
    'prune',
    `${fill((i) => `"${'*a'.repeat(40)}${i}": { "rate": 0.9 }, `)} "*": { "rate": 2 }`,
  ),
  'ranks that are too high': compressed(
    'low-rank',
    `${fill((i) => `"l${i}": { "rank": 99999, "sharedProjection": true }, `)} "*": { "rank": 1 }`,
  ),
  'lines that are no JSON': fill(() => 'x\n'),
  'commas that are missing': `{ ${fill((i) => `"a${i}": 1\n`)} }`,
  blanks: `{ "modle": 1,${' '.repeat(MEGABYTE)}\n "data": 1 }`,
  'blanks before a setting': `{${' '.repeat(MEGABYTE)} "modle": 1,\n "data": 1 }`,
  'a string that is not closed': `{ "model": "${'\\"'.repeat(MEGABYTE / 2)}`,
  'a name that is like a built-in one': `{ "model": "builtin:${'lenet-300-100'.repeat(MEGABYTE / 13)}", "start": "run:${'x'.repeat(1000)}" }`,
  comments: fill(() => '// x\n/* y */ '),
  'more than is worked on': `{ ${fill((i) => `"u${i}": 1, `, 3 * MEGABYTE)} "v": 1 }`,
};

/** The description in a folder that somebody else made: as many layers as a description may have, in which every name is like every other. */
const weights: DescribedWeight[] = Array.from({ length: 2000 }, (_, i) => ({
  name: `${'a'.repeat(80)}${i}/recurrent_kernel`,
  layer: `${'a'.repeat(80)}${i}`,
  weight: 'recurrent_kernel',
  layerClass: 'LSTM',
  inputLayer: `${'a'.repeat(80)}0`,
  shape: [30, 20],
  trainable: true,
}));

describe.each(Object.entries(documents))('%s', (_, text) => {
  it('are answered in every way, in bounded time', { timeout: PATIENCE }, async () => {
    for (const document of [text, lenet])
      await describeModelOf(join(session.folder, 'lenet.deeptwist.jsonc'), withModel(document), weights);
    writeFileSync(join(session.folder, 'model.ts'), 'tf.layers.dense({ name: "a" });');
    const before = process.cpuUsage();
    const uri = await session.openText(text);
    const textDocument = { uri };
    const position = { line: 0, character: 5 };
    const range = { start: position, end: { line: 0, character: 20 } };
    const place = { textDocument, position };
    const options = { tabSize: 2, insertSpaces: true };
    const ask = session.connection;
    await ask.sendRequest(HoverRequest.type, place);
    await ask.sendRequest(CompletionRequest.type, place);
    await ask.sendRequest(DefinitionRequest.type, place);
    await ask.sendRequest(CodeActionRequest.type, { textDocument, range, context: { diagnostics: [] } });
    await ask.sendRequest(CodeLensRequest.type, { textDocument });
    await ask.sendRequest(InlayHintRequest.type, { textDocument, range });
    await ask.sendRequest(DocumentSymbolRequest.type, { textDocument });
    await ask.sendRequest(FoldingRangeRequest.type, { textDocument });
    await ask.sendRequest(DocumentFormattingRequest.type, { textDocument, options });
    if (text.length < 2 * MEGABYTE) {
      const found = await session.diagnostics(uri, 1);
      expect(found.length).toBeLessThanOrEqual(500);
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(MOST_WORK);
    expect(await session.diagnostics(await session.openText(lenet, 'other.deeptwist.jsonc'))).not.toEqual([]);
  });
});

/** The description is of the model and the data that a text names; of a text without them, of those of another. */
function withModel(text: string): string {
  return text.includes(head) ? `{ ${head} }` : lenet;
}
