import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LanguageSession } from './languageSession.ts';
import { lenet, prepareFolder } from './lenet.ts';
import { rows } from './problemRows.ts';

const severities = {
  [DiagnosticSeverity.Error]: 'error',
  [DiagnosticSeverity.Warning]: 'warning',
  [DiagnosticSeverity.Information]: 'information',
  [DiagnosticSeverity.Hint]: 'hint',
};

describe('of an experiment file with', () => {
  let session: LanguageSession;

  beforeAll(async () => {
    session = await LanguageSession.open();
    await prepareFolder(
      session.folder,
      rows.map(({ text }) => text),
    );
  });

  afterAll(() => session.dispose());

  it.each(rows.map((row, index) => ({ ...row, index })))('$what', async ({ text, problems, index }) => {
    const uri = await session.openText(text, `row-${index}.deeptwist.jsonc`);
    const document = TextDocument.create(uri, 'deeptwist', 1, text);
    const found = (await session.diagnostics(uri)).map(({ severity = 1, code, range, message }) => {
      const marked = document.getText(range).replace(/\s+/g, ' ');
      const shown = marked.length > 40 ? `${marked.slice(0, 39)}…` : marked;
      return `${severities[severity]} ${code} «${shown}» ${message}`;
    });
    expect(found).toEqual(problems);
  });

  it('no problem nothing is said', async () => {
    expect(await session.diagnostics(await session.openText(lenet, 'none.deeptwist.jsonc'))).toEqual([]);
  });
});
