/** What comes with a folder that somebody else made: it must not hang the language server, nor lead it out of the folder. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CodeLensRequest, CompletionRequest, HoverRequest, type Diagnostic } from 'vscode-languageserver/node';
import { createRun } from '../../../server/runs/createRun.ts';
import { modelsFolder } from '../../../server/runs/storedDescriptions.ts';
import { LanguageSession } from './languageSession.ts';
import { describeModelOf, dense, lenet, lenetWeights, prepareFolder, writeRun } from './lenet.ts';

const sessions: LanguageSession[] = [];
const folders: string[] = [];

async function openSession(workspace: readonly string[] = []): Promise<LanguageSession> {
  const session = await LanguageSession.open(undefined, undefined, workspace);
  sessions.push(session);
  await prepareFolder(session.folder);
  return session;
}

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.dispose();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const codes = (diagnostics: readonly Diagnostic[]) => diagnostics.map(({ code }) => code);
const ownModel = lenet.replace('builtin:lenet-300-100', './model.ts').replace('"fc1"', '"fcc1"');
/** Place of the first character of a word. */
function positionOf(text: string, word: string) {
  const before = text.slice(0, text.indexOf(word)).split('\n');
  return { line: before.length - 1, character: before.at(-1)!.length };
}
const sha256 = createHash('sha256').update('').digest('hex');

describe.runIf(process.platform !== 'win32')("a model's description", () => {
  const traps = {
    'a device that never ends': () => '/dev/zero',
    'a pipe in the folder': (folder: string) => {
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      return join(folder, 'pipe');
    },
    'a link to a device': (folder: string) => {
      symlinkSync('/dev/zero', join(folder, 'link.ts'));
      return join(folder, 'link.ts');
    },
    'a relative path': () => 'model.ts',
  };

  it.each(Object.entries(traps))('that names %s does not hold', async (_, make) => {
    const session = await openSession();
    const file = join(session.folder, 'lenet.deeptwist.jsonc');
    const files = [{ path: make(session.folder), sha256 }];
    await describeModelOf(file, ownModel, lenetWeights, files);
    expect(codes(await session.diagnostics(await session.openText(ownModel)))).toEqual([]);
  });

  it('that names a file elsewhere holds only where that is in the workspace, too', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'deeptwist-elsewhere-'));
    folders.push(elsewhere);
    writeFileSync(join(elsewhere, 'shared.ts'), '');
    const files = [{ path: join(elsewhere, 'shared.ts'), sha256 }];
    for (const [workspace, expected] of [
      [[], []],
      [[elsewhere], ['matches-nothing']],
    ] as const) {
      const session = await openSession(workspace);
      await describeModelOf(join(session.folder, 'lenet.deeptwist.jsonc'), ownModel, lenetWeights, files);
      expect(codes(await session.diagnostics(await session.openText(ownModel)))).toEqual(expected);
    }
  });

  it('that is a device itself is none', async () => {
    const session = await openSession();
    const models = modelsFolder(join(session.folder, 'lenet.deeptwist.jsonc'));
    const text = lenet.replace('"fc1"', '"fcc1"');
    expect(codes(await session.diagnostics(await session.openText(text)))).toEqual(['matches-nothing']);
    for (const name of readdirSync(models)) {
      rmSync(join(models, name));
      symlinkSync('/dev/zero', join(models, name));
    }
    const other = await session.openText(text, 'other.deeptwist.jsonc');
    expect(codes(await session.diagnostics(other))).toEqual([]);
  });
});

describe.runIf(process.platform !== 'win32')('files of runs', () => {
  it('that never end or never begin are passed over, and the editor is answered', async () => {
    const session = await openSession();
    const experiment = join(session.folder, 'lenet.deeptwist.jsonc');
    const run = await createRun({ experiment, text: lenet });
    await run.update({ state: 'finished' });
    rmSync(run.experimentFile);
    execFileSync('mkfifo', [run.experimentFile, run.eventsFile]);
    const broken = await createRun({ experiment, text: lenet });
    rmSync(join(broken.path, 'run.json'));
    symlinkSync('/dev/zero', join(broken.path, 'run.json'));
    const text = lenet.replace('"data"', `"start": "run:${run.id}", "data"`);
    const uri = await session.openText(text);
    expect(codes(await session.diagnostics(uri))).toEqual([]);
    const lenses = await session.connection.sendRequest(CodeLensRequest.type, { textDocument: { uri } });
    expect(lenses?.at(-1)?.command?.title).toBe('last: finished');
  });

  it('that name an experiment elsewhere do not lead there', async () => {
    const session = await openSession();
    const id = await writeRun(join(session.folder, 'lenet.deeptwist.jsonc'), new Date(2026, 1, 1), 'finished');
    const run = join(session.folder, '.deeptwist', 'runs', id);
    const elsewhere = mkdtempSync(join(tmpdir(), 'deeptwist-elsewhere-'));
    folders.push(elsewhere);
    mkdirSync(join(elsewhere, 'only-there'));
    const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as object;
    const experiment = join(elsewhere, 'lenet.deeptwist.jsonc');
    writeFileSync(join(run, 'run.json'), JSON.stringify({ ...record, experiment }));
    const text = lenet.replace('./mnist', './only-there');
    const uri = await session.openText(text, `.deeptwist/runs/${id}/experiment.deeptwist.jsonc`);
    // Seen from there, the data would be found.
    expect(codes(await session.diagnostics(uri))).toContain('no-such-file');
  });
});

it.runIf(process.platform !== 'win32')('a module that never ends is not read for its layers', async () => {
  const session = await openSession();
  rmSync(join(session.folder, 'model.ts'));
  symlinkSync('/dev/zero', join(session.folder, 'model.ts'));
  await describeModelOf(join(session.folder, 'lenet.deeptwist.jsonc'), ownModel, [...dense('fc1', 784, 10)]);
  const uri = await session.openText(ownModel);
  expect(codes(await session.diagnostics(uri))).toContain('matches-nothing');
  const place = { textDocument: { uri }, position: positionOf(ownModel, 'model') };
  expect(await session.connection.sendRequest(HoverRequest.type, place)).toMatchObject({ contents: {} });
});

it('a folder with very many files is offered in part', async () => {
  const session = await openSession();
  const many = join(session.folder, 'many');
  mkdirSync(many);
  for (let i = 0; i < 2100; i++) writeFileSync(join(many, `${i}.ts`), '');
  const text = '{ "model": "./many/" }';
  const uri = await session.openText(text);
  const answer = await session.connection.sendRequest(CompletionRequest.type, {
    textDocument: { uri },
    position: { line: 0, character: text.indexOf('many/') + 5 },
  });
  const items = Array.isArray(answer) ? answer : (answer?.items ?? []);
  expect(items.filter(({ label }) => label.startsWith('./many/'))).toHaveLength(2000);
});
