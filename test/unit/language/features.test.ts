import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import {
  CodeActionKind,
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  DefinitionRequest,
  DidOpenTextDocumentNotification,
  DocumentFormattingRequest,
  DocumentRangeFormattingRequest,
  DocumentSymbolRequest,
  FoldingRangeRequest,
  HoverRequest,
  InlayHintRequest,
  PrepareRenameRequest,
  RenameRequest,
  ShowMessageNotification,
  type CompletionItem,
  type LocationLink,
  type Position,
} from 'vscode-languageserver/node';
import { LanguageSession } from './languageSession.ts';
import { describeModelOf, lenet, lenetWeights, prepareFolder, writeRun } from './lenet.ts';

const model = `import * as tf from '@tensorflow/tfjs';
export const createModel = () => tf.sequential({ layers: [
  tf.layers.dense({ name: 'fc1', units: 300, inputShape: [784] }),
  tf.layers.dense({ name: 'fc2', units: 100 }),
  tf.layers.dense({ name: 'fc3', units: 10 }),
] });
`;
const text = lenet.replace('builtin:lenet-300-100', './model.ts');
const other = text.replace('"fc2": { "rate": 0.9 }', '"fc*": { "rate": 0.9 }');

/** Start of the text after the mark. */
function at(mark: string): Position {
  const lines = text.slice(0, text.indexOf(mark)).split('\n');
  return { line: lines.length - 1, character: lines.at(-1)!.length };
}

describe('over LSP, an experiment file', () => {
  let session: LanguageSession;
  let uri: string;
  const ask = (position: Position) => ({ textDocument: { uri }, position });
  const whole = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };

  beforeAll(async () => {
    session = await LanguageSession.open();
    await prepareFolder(session.folder);
    const path = await session.write('model.ts', model);
    const experiment = await session.write('lenet.deeptwist.jsonc', text);
    const sha256 = createHash('sha256').update(model).digest('hex');
    await describeModelOf(experiment, text, lenetWeights, [{ path, sha256 }]);
    await writeRun(experiment, new Date(2026, 1, 1), 'stopped', lenetWeights);
    await session.openText(other, 'other.deeptwist.jsonc');
    uri = await session.openText(text);
    expect(await session.diagnostics(uri)).toEqual([]);
  });

  afterAll(() => session.dispose());

  it('is completed with the layers of its model', async () => {
    const answer = await session.connection.sendRequest(CompletionRequest.type, ask(at('"fc2": {')));
    const items = Array.isArray(answer) ? answer : (answer?.items ?? []);
    const labels = items.map(({ label }: CompletionItem) => label);
    expect(labels).toContain('fc3');
    expect(labels).not.toContain('fc1');
  });

  it('is explained', async () => {
    const hover = await session.connection.sendRequest(HoverRequest.type, ask(at('distortEvery')));
    expect(JSON.stringify(hover?.contents)).toContain('S_D');
    const schedule = await session.connection.sendRequest(HoverRequest.type, ask(at('schedule')));
    expect(JSON.stringify(schedule?.contents)).toContain('data:image/svg+xml');
  });

  it('has hints of what its values mean', async () => {
    const hints = await session.connection.sendRequest(InlayHintRequest.type, { textDocument: { uri }, range: whole });
    // floor(0.98 * 784 * 300) = 230,496 become zero.
    expect(JSON.stringify(hints)).toContain('4,704 of 235,200');
  });

  it('has lenses that run it', async () => {
    const lenses = await session.connection.sendRequest(CodeLensRequest.type, { textDocument: { uri } });
    expect(lenses?.map(({ command }) => command?.title)).toEqual([
      '$(play) Run',
      '$(debug-rerun) Rerun',
      'last: stopped',
    ]);
    expect(lenses?.[0].command).toMatchObject({ command: 'deeptwist.runExperiment', arguments: [uri] });
  });

  it('can be rewritten to another method', async () => {
    const range = { start: at('"method"'), end: at('"method"') };
    const context = { diagnostics: [], only: [CodeActionKind.Refactor] };
    const actions = await session.connection.sendRequest(CodeActionRequest.type, {
      textDocument: { uri },
      range,
      context,
    });
    expect(actions?.every((action) => 'edit' in action && action.kind === CodeActionKind.RefactorRewrite)).toBe(true);
    expect(actions?.map(({ title }) => title).join()).toMatch(/quantiz/i);
  });

  it('has an outline and folds', async () => {
    const textDocument = { uri };
    const outline = await session.connection.sendRequest(DocumentSymbolRequest.type, { textDocument });
    expect(outline?.map(({ name }) => name)).toEqual(['model', 'data', 'training', 'compression']);
    const folds = await session.connection.sendRequest(FoldingRangeRequest.type, { textDocument });
    expect(folds).toContainEqual(expect.objectContaining({ startLine: at('"training"').line }));
  });

  it('leads from a layer to its line in the model', async () => {
    const [link] = (await session.connection.sendRequest(DefinitionRequest.type, ask(at('fc2')))) as LocationLink[];
    expect(link.targetUri).toBe(session.uriOf('model.ts'));
    expect(link.targetRange.start.line).toBe(3);
  });

  it('renames a layer in itself, in the model, and where else it is named; it says which globs stay', async () => {
    const prepared = await session.connection.sendRequest(PrepareRenameRequest.type, ask(at('fc1')));
    expect(prepared).toMatchObject({ placeholder: 'fc1' });
    const warning = new Promise((resolve) =>
      session.connection.onNotification(ShowMessageNotification.type, ({ message }) => resolve(message)),
    );
    const edit = await session.connection.sendRequest(RenameRequest.type, { ...ask(at('fc1')), newName: 'hidden' });
    const names = ['lenet.deeptwist.jsonc', 'model.ts', 'other.deeptwist.jsonc'].map((name) => session.uriOf(name));
    expect(Object.keys(edit?.changes ?? {}).sort()).toEqual(names);
    expect(await warning).toContain('"fc*"');
  });

  it('gets the reason for a name that cannot be', async () => {
    const params = { ...ask(at('fc1')), newName: 'fc2' };
    const renaming = session.connection.sendRequest(RenameRequest.type, params);
    await expect(renaming).rejects.toThrow('The model has a layer fc2 already. Choose another name.');
  });

  it('is formatted, as a whole and in part', async () => {
    const ragged = session.uriOf('ragged.deeptwist.jsonc');
    const textDocument = { uri: ragged, languageId: 'deeptwist', version: 1, text: '{\n"a":1,\n"b":2\n}\n' };
    const document = TextDocument.create(ragged, 'deeptwist', 1, textDocument.text);
    await session.connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
    const options = { tabSize: 2, insertSpaces: true };
    const format = { textDocument: { uri: ragged }, options };
    const all = await session.connection.sendRequest(DocumentFormattingRequest.type, format);
    const range = { start: { line: 1, character: 0 }, end: { line: 1, character: 6 } };
    const part = await session.connection.sendRequest(DocumentRangeFormattingRequest.type, { ...format, range });
    expect(TextDocument.applyEdits(document, all ?? [])).toBe('{\n  "a": 1,\n  "b": 2\n}\n');
    expect(TextDocument.applyEdits(document, part ?? [])).toBe('{\n"a": 1,\n"b":2\n}\n');
  });
});
