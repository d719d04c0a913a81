import {
  CodeActionKind,
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  DefinitionRequest,
  DocumentFormattingRequest,
  DocumentRangeFormattingRequest,
  DocumentSymbolRequest,
  FoldingRangeRequest,
  HoverRequest,
  InlayHintRequest,
  PrepareRenameRequest,
  RenameRequest,
  type CodeAction,
  type ProtocolRequestType,
} from 'vscode-languageserver/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LanguageSession } from './languageSession.ts';

const text = `{
  "model": "builtin:lenet-5", // no file of the user
      "training": {
    "seed": 2
  }
}
`;

let session: LanguageSession;
let uri: string;
beforeAll(async () => {
  session = await LanguageSession.open();
  uri = await session.openText(text);
});
afterAll(() => session.dispose());

/** At the key `seed`. */
const position = { line: 3, character: 6 };
const range = { start: { line: 0, character: 0 }, end: { line: 6, character: 0 } };
const options = { tabSize: 2, insertSpaces: true };

function ask<P, R, PR, RO>(type: ProtocolRequestType<P, R, PR, void, RO>, params: object): Promise<R> {
  return session.connection.sendRequest<R>(type.method, { textDocument: { uri }, ...params });
}

test('the server answers what it says it can, with what the features say', async () => {
  const completions = await ask(CompletionRequest.type, { position: { line: 3, character: 4 } });
  expect(JSON.stringify(completions)).toContain('"label":"batchSize"');
  expect(JSON.stringify(await ask(HoverRequest.type, { position }))).toContain('training.seed');
  expect(await ask(InlayHintRequest.type, { range })).toEqual([]);
  expect(JSON.stringify(await ask(CodeLensRequest.type, {}))).toContain('deeptwist.runExperiment');
  expect((await ask(DocumentSymbolRequest.type, {}))?.map(({ name }) => name)).toEqual(['model', 'training']);
  expect(await ask(FoldingRangeRequest.type, {})).toHaveLength(2);
  expect(await ask(DefinitionRequest.type, { position })).toEqual([]);
  expect(await ask(PrepareRenameRequest.type, { position })).toBeNull();
  await expect(ask(RenameRequest.type, { position, newName: 'x' })).rejects.toThrow(
    'There is no layer of the model here.',
  );
  expect(await ask(DocumentFormattingRequest.type, { options })).toHaveLength(1);
  expect(await ask(DocumentRangeFormattingRequest.type, { options, range })).toHaveLength(1);
});

test('code actions are those of the kind that is asked for', async () => {
  const kinds = async (only?: CodeActionKind[]) => {
    const context = { diagnostics: [], ...(only && { only }) };
    const actions = await ask(CodeActionRequest.type, { range: { start: position, end: position }, context });
    return new Set((actions as CodeAction[]).map(({ kind }) => kind));
  };
  expect(await kinds([CodeActionKind.Refactor])).toEqual(new Set([CodeActionKind.RefactorRewrite]));
  expect(await kinds([CodeActionKind.QuickFix])).not.toContain(CodeActionKind.RefactorRewrite);
  expect(await kinds()).toContain(CodeActionKind.RefactorRewrite);
});
