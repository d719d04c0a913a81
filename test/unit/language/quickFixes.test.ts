import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CodeAction, type Diagnostic } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { JsonText } from '../../../server/protocol/experiment/jsonText.ts';
import { LanguageSession } from './languageSession.ts';
import { lenet, prepareFolder } from './lenet.ts';
import { rows } from './problemRows.ts';

let session: LanguageSession;
let opened = 0;

beforeAll(async () => {
  session = await LanguageSession.open();
  await prepareFolder(
    session.folder,
    rows.map(({ text }) => text),
  );
});

afterAll(() => session.dispose());

async function problemsOf(text: string): Promise<{ uri: string; problems: Diagnostic[] }> {
  const uri = await session.openText(text, `text-${++opened}.deeptwist.jsonc`);
  return { uri, problems: await session.diagnostics(uri) };
}

function applied(text: string, { edit }: CodeAction): string {
  const [change] = edit?.documentChanges ?? [];
  if (!('edits' in change)) throw new Error('The action changes no text.');
  const document = TextDocument.create('', '', 1, text);
  return TextDocument.applyEdits(document, change.edits as Parameters<typeof TextDocument.applyEdits>[1]);
}

/** The text after each quick fix, by its title. */
async function fixesOf(text: string): Promise<Map<string, string>> {
  const { uri, problems } = await problemsOf(text);
  const fixes = await Promise.all(problems.map((problem) => session.quickFixes(uri, problem)));
  return new Map(fixes.flat().map((fix) => [fix.title, applied(text, fix)]));
}

describe('a quick fix', () => {
  it.each([
    ['"batchsise"', 'Change to "batchSize"', '"batchSize"', ['"batchSize"', '"batchsise"']],
    ['"prnue"', 'Change to "prune"', '"prune"', ['"prune"', '"prnue"']],
    ['"fk2"', 'Change to "fc2"', '"fc2"', ['"fc2"', '"fk2"']],
    ['0.98 },', 'Change to 0.98', '0.98 },', ['0.98 },', '98 },']],
    ['"batchSize": 50', 'Change to 50', '"batchSize": 50', ['"batchSize": 50', '"batchSize": "50"']],
    ['1e-3', 'Change to 0.001', '0.001', ['1e-3', '0.5']],
    ['"steps": 20000', 'Change to 20000', '"steps": 20000', ['"steps": 20000', '"steps": 20001']],
    ['"distortEvery": 10,', 'Change to 500', '"distortEvery": 500,', ['"distortEvery": 10,', '"distortEvery": 1000,']],
    ['50,', 'Insert the comma', '50,', ['50,', '50']],
    ['50,', 'Remove this "batchSize"', '50,', ['50,', '50, "batchSize": 60,']],
    ['50,', 'Remove "seeds"', '50,', ['50,', '50,\n    "seeds": [],']],
    ['20000', 'Remove "seeds"', '20000', ['20000', '20000, "seeds": []']],
    ['20000', 'Remove "epochs"', '20000', ['20000', '20000,\n    "epochs": 2 // not both']],
  ])('of a file in which %s is otherwise: %s', async (original, title, mended, [search, broken]) => {
    const fixes = await fixesOf(lenet.replace(search, broken));
    const text = fixes.get(title)?.replace(' // not both', '');
    expect(text, [...fixes.keys()].join()).toBe(lenet.replace(original, mended));
  });

  it('gives no name that is there already', async () => {
    expect([...(await fixesOf(lenet.replace('"fc2"', '"fc11"'))).keys()]).toEqual([]);
    const twice = lenet.replace('"batchSize": 50', '"batchSize": 50, "batchsize": 50');
    expect([...(await fixesOf(twice)).keys()]).toEqual(['Remove "batchsize"']);
  });

  it.each([
    ['prune', '"rate": 0.9', 'mnist', 10],
    ['quantize', '"bits": 2', 'mnist', 100],
    ['prune', '"rate": 0.9', 'text', 100],
  ])(
    'of a missing distortEvery gives %s the step of a new experiment',
    async (method, parameters, data, distortEvery) => {
      const compression = `"compression": { "method": "${method}", "layers": { "fc1": { ${parameters} } } }`;
      const text = lenet.replace(/"compression"[^]*/, `${compression}\n}\n`).replace('"mnist"', `"${data}"`);
      expect([...(await fixesOf(text)).values()].join()).toContain(`"distortEvery": ${distortEvery}`);
    },
  );

  it('gives no number of steps to distortions in epochs', async () => {
    const inEpochs = '"method": "prune", "unit": "epochs", "layers": { "fc1": { "rate": 0.9 } }';
    const missing = lenet.replace(/"compression"[^]*/, `"compression": { ${inEpochs} }\n}\n`);
    expect([...(await fixesOf(missing)).values()].join()).toContain('"distortEvery": 1');
    const row = rows.find(({ what }) => what === 'a schedule of few distortions that are given in epochs')!;
    expect([...(await fixesOf(row.text)).keys()]).toEqual([]);
  });

  it('of a rank proposes the highest that makes the weight smaller', async () => {
    const row = rows.find(({ what }) => what === 'a rank above break-even that is a whole number')!;
    expect([...(await fixesOf(row.text)).keys()]).toContain('Change to 74');
  });

  it('keeps the comment of the line before what it removes', async () => {
    const broken = lenet.replace('"steps": 20000', '"steps": 20000, // the whole training\n    "seeds": []');
    const text = (await fixesOf(broken)).get('Remove "seeds"');
    expect(text).toBe(lenet.replace('"steps": 20000', '"steps": 20000 // the whole training'));
  });

  it('leaves JSON where it removes a setting with a comment before its comma', async () => {
    const broken = lenet.replace('"batchSize"', '"seeds": [] /* two */, "batchSize"');
    expect((await fixesOf(broken)).get('Remove "seeds"')).toBe(lenet);
  });

  it('removes no setting without which another is wrong', async () => {
    const row = rows.find(({ what }) => what === 'a mean with a number too few')!;
    expect([...(await fixesOf(row.text)).keys()]).toEqual([]);
  });

  it('adds a setting that is missing', async () => {
    const fixes = await fixesOf(lenet.replace('    "distortEvery": 10,\n', ''));
    const text = fixes.get('Add "distortEvery": 10');
    expect(new JsonText(text!).value()).toEqual(new JsonText(lenet).value());
  });

  it.each(rows)('of $what mends what it is for, and breaks nothing', async ({ text }) => {
    const { uri, problems } = await problemsOf(text);
    for (const problem of problems)
      for (const fix of await session.quickFixes(uri, problem)) {
        const [about] = fix.diagnostics ?? [];
        const after = await problemsOf(applied(text, fix));
        const key = ({ code, message }: Diagnostic) => `${code} ${message}`;
        expect(after.problems.map(key), fix.title).not.toContain(key(about));
        if (about.code !== 'syntax') expect(after.problems.filter(({ code }) => code === 'syntax')).toEqual([]);
        expect(after.problems.length, fix.title).toBeLessThanOrEqual(problems.length);
      }
  });
});
