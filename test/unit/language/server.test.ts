import { createHash } from 'node:crypto';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  CancellationTokenSource,
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  DefinitionRequest,
  DocumentFormattingRequest,
  DocumentSymbolRequest,
  FoldingRangeRequest,
  HoverRequest,
  InlayHintRequest,
  PrepareRenameRequest,
  DidChangeConfigurationNotification,
  LSPErrorCodes,
  type Diagnostic,
} from 'vscode-languageserver/node';
import type { DescribeModelResult } from '../../../server/protocol/wire/describeModel.ts';
import { modelsFolder } from '../../../server/runs/storedDescriptions.ts';
import { untilAsserted } from '../../until.ts';
import { LanguageSession } from './languageSession.ts';
import { dense, describeModelOf, lenet, lenetWeights, prepareFolder, writeRun } from './lenet.ts';

const sessions: LanguageSession[] = [];

async function openSession(...args: Parameters<typeof LanguageSession.open>): Promise<LanguageSession> {
  const session = await LanguageSession.open(...args);
  sessions.push(session);
  return session;
}

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.dispose();
});

const codes = (diagnostics: readonly Diagnostic[]) => diagnostics.map(({ code }) => code);
const misspelt = lenet.replace('"fc1"', '"fcc1"');

describe('the language server', () => {
  it('offers quick fixes, and is told of changes piece by piece', async () => {
    const { initialized } = await openSession();
    expect(initialized.capabilities).toMatchObject({
      textDocumentSync: { openClose: true, change: 2 },
      codeActionProvider: { codeActionKinds: expect.arrayContaining(['quickfix']) as string[] },
    });
  });

  it('takes its diagnostics back when the file is closed', async () => {
    const session = await openSession();
    const uri = await session.openText('{');
    expect(codes(await session.diagnostics(uri))).toEqual(['syntax']);
    await session.close(uri);
    expect(await session.diagnostics(uri, 0)).toEqual([]);
  });

  it('answers of no file but those of its language', async () => {
    const session = await openSession();
    const uri = await session.openText('{', 'other.json', 'json');
    await session.diagnostics(await session.openText(lenet)); // The server has looked at what is open.
    expect(session.hasDiagnostics(uri)).toBe(false);
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
    expect(await session.quickFixes(uri, { range })).toEqual([]);
  });

  it('answers every request about a text whose brackets are nested too deep', async () => {
    const session = await openSession();
    const uri = await session.openText(`{\n  "model": ${'['.repeat(20_000)}${']'.repeat(20_000)}\n}`);
    const diagnostics = await session.diagnostics(uri);
    expect(codes(diagnostics)).toEqual(['syntax']);
    expect(diagnostics[0].range.start).toEqual({ line: 1, character: 11 + 99 });
    const textDocument = { uri };
    const at = { textDocument, position: { line: 1, character: 500 } };
    const range = { start: { line: 0, character: 0 }, end: { line: 2, character: 1 } };
    await session.connection.sendRequest(CompletionRequest.type, at);
    await session.connection.sendRequest(HoverRequest.type, at);
    await session.connection.sendRequest(PrepareRenameRequest.type, at);
    await session.connection.sendRequest(DefinitionRequest.type, at);
    await session.connection.sendRequest(DocumentSymbolRequest.type, { textDocument });
    await session.connection.sendRequest(FoldingRangeRequest.type, { textDocument });
    await session.connection.sendRequest(CodeLensRequest.type, { textDocument });
    await session.connection.sendRequest(InlayHintRequest.type, { textDocument, range });
    await session.connection.sendRequest(DocumentFormattingRequest.type, {
      textDocument,
      options: { tabSize: 2, insertSpaces: true },
    });
    await session.quickFixes(uri, diagnostics[0]);
  });

  it('says of a text that is not saved anywhere what needs no files', async () => {
    const session = await openSession();
    const uri = 'untitled:Untitled-1';
    const textDocument = { uri, languageId: 'deeptwist', version: 1, text: lenet.replace('50', '"50"') };
    await session.connection.sendNotification('textDocument/didOpen', { textDocument });
    expect(codes(await session.diagnostics(uri))).toEqual(['wrong-value']);
  });

  it('does not answer a request that is cancelled', async () => {
    const session = await openSession();
    const uri = await session.openText('{');
    const source = new CancellationTokenSource();
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
    const params = { textDocument: { uri }, range, context: { diagnostics: [] } };
    const answer = session.connection.sendRequest(CodeActionRequest.type, params, source.token);
    source.cancel();
    await expect(answer).rejects.toMatchObject({ code: LSPErrorCodes.RequestCancelled });
  });
});

describe('what is around an experiment file', () => {
  it('is looked at again when a run comes, ends and goes', async () => {
    const session = await openSession();
    await prepareFolder(session.folder);
    const uri = await session.openText(lenet.replace('"data"', '"start": "run:late", "data"'));
    expect(codes(await session.diagnostics(uri))).toEqual(['no-such-run']);
    const experiment = join(session.folder, 'late.deeptwist.jsonc');
    const id = await writeRun(experiment, new Date(2026, 1, 1), 'finished', lenetWeights);
    const run = join(session.folder, '.deeptwist', 'runs', id);
    await session.fileChanged(join(run, 'run.json'));
    expect(await session.diagnostics(uri)).toEqual([]);
    rmSync(run, { recursive: true });
    await session.fileChanged(join(run, 'run.json'));
    expect(codes(await session.diagnostics(uri))).toEqual(['no-such-run']);
  });

  it('is shown again every two seconds while a run trains, since a lens tells its step', async () => {
    const session = await openSession();
    const experiment = join(session.folder, 'lenet.deeptwist.jsonc');
    const id = await writeRun(experiment, new Date(2026, 1, 1), 'running', lenetWeights);
    const metrics = { type: 'metrics', step: 1200, loss: 1, learningRate: 1, stepsPerSecond: 1, epoch: 0, time: 0 };
    const events = join(session.folder, '.deeptwist', 'runs', id, 'events.jsonl');
    appendFileSync(events, `${JSON.stringify(metrics)}\n`);
    const textDocument = { uri: await session.openText(lenet) };
    const refreshed = new Promise<void>((resolve) => (session.onLensRefresh = resolve));
    const lenses = () => session.connection.sendRequest(CodeLensRequest.type, { textDocument });
    expect((await lenses())?.at(-1)?.command?.title).toBe('running: step 1,200');
    await refreshed;
  });

  it("checks layers while the model's description holds, and not otherwise", async () => {
    const session = await openSession();
    await prepareFolder(session.folder);
    const text = misspelt.replace('builtin:lenet-300-100', './model.ts');
    const uri = await session.openText(text);
    expect(await session.diagnostics(uri)).toEqual([]);
    const file = join(session.folder, 'lenet.deeptwist.jsonc');
    const model = join(session.folder, 'model.ts');
    const sha256 = createHash('sha256').update('').digest('hex');
    await describeModelOf(file, text, [...dense('fc1', 784, 300), ...dense('fc2', 300, 10)], [{ path: model, sha256 }]);
    await session.fileChanged(join(modelsFolder(file), 'x.json'));
    expect(codes(await session.diagnostics(uri))).toEqual(['matches-nothing']);
    writeFileSync(model, '// changed');
    await session.fileChanged(model);
    expect(await session.diagnostics(uri)).toEqual([]);
  });
});

it("of a run's copy of its experiment the paths start where the experiment is, and no model is asked for", async () => {
  const described = vi.fn(() => Promise.resolve<DescribeModelResult>({ described: false }));
  const session = await openSession(described);
  await prepareFolder(session.folder);
  const experiment = join(session.folder, 'copied.deeptwist.jsonc');
  const id = await writeRun(experiment, new Date(2026, 1, 1), 'finished');
  const text = misspelt.replace('./mnist', './brown');
  const uri = await session.openText(text, `.deeptwist/runs/${id}/experiment.deeptwist.jsonc`);
  expect(await session.diagnostics(uri)).toEqual([]);
  const original = await session.openText(text, 'copied.deeptwist.jsonc');
  await untilAsserted(() => expect(described).toHaveBeenCalled());
  expect(described.mock.calls).toEqual([[{ uri: original }, expect.anything()]]);
});

describe('a model that has not been described', () => {
  it('is asked for when its file is opened, and again when its module changes', async () => {
    const described = vi.fn(async (): Promise<DescribeModelResult> => {
      await describeModelOf(join(session.folder, 'lenet.deeptwist.jsonc'), misspelt, lenetWeights);
      return { described: true };
    });
    const session = await openSession(described);
    await prepareFolder(session.folder);
    rmSync(modelsFolder(join(session.folder, 'lenet.deeptwist.jsonc')), { recursive: true });
    const uri = await session.openText(misspelt);
    await untilAsserted(async () => expect(codes(await session.diagnostics(uri))).toEqual(['matches-nothing']));
    expect(described).toHaveBeenCalledTimes(1);
    // It is known now.
    await session.connection.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
    await session.quickFixes(uri, { range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } } });
    expect(described).toHaveBeenCalledTimes(1);
  });

  it('is told of where it cannot be made, until it can', async () => {
    let problem: DescribeModelResult['problem'];
    const session = await openSession(() => Promise.resolve({ described: false, problem }));
    await prepareFolder(session.folder);
    const experiment = join(session.folder, 'lenet.deeptwist.jsonc');
    rmSync(modelsFolder(experiment), { recursive: true });
    const module = join(session.folder, 'model.ts');
    problem = {
      message: `createModel() of ${module} failed: no units (${module}:6:9)`,
      remedy: 'Fix model.ts, line 6.',
    };
    const uri = await session.openText(lenet);
    await untilAsserted(async () => expect(codes(await session.diagnostics(uri))).toEqual(['model-fails']));
    const [{ relatedInformation }] = await session.diagnostics(uri);
    expect(relatedInformation?.map(({ location }) => location)).toEqual([
      { uri: pathToFileURL(module).href, range: { start: { line: 5, character: 8 }, end: { line: 5, character: 8 } } },
    ]);
    problem = undefined;
    await session.fileChanged(module);
    await untilAsserted(async () => expect(codes(await session.diagnostics(uri))).toEqual([]));
  });

  it('is not asked for where the editor does not offer it, and the rest is served', async () => {
    const session = await openSession();
    const uri = await session.openText(misspelt.replace('50', '"50"'));
    expect(codes(await session.diagnostics(uri))).toEqual(['no-such-file', 'wrong-value']);
  });

  it('is no longer asked for when its file is closed', async () => {
    let cancelled = false;
    let asked = false;
    const session = await openSession(async (_, token) => {
      asked = true;
      await new Promise<void>((resolve) => token.onCancellationRequested(() => resolve()));
      cancelled = true;
      return { described: false };
    });
    const uri = await session.openText(lenet);
    await untilAsserted(() => expect(asked).toBe(true));
    await session.close(uri);
    await untilAsserted(() => expect(cancelled).toBe(true));
  });
});
