import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { pause } from '../../until.ts';
import { LanguageSession } from './languageSession.ts';
import { lenet, prepareFolder } from './lenet.ts';

let session: LanguageSession;
let fresh: LanguageSession;
let opened = 0;

beforeAll(async () => {
  session = await LanguageSession.open();
  fresh = await LanguageSession.open(undefined, session.folder);
  await prepareFolder(session.folder);
});

afterAll(async () => {
  await fresh.dispose();
  await session.dispose();
});

/** What a person or a program may put anywhere: pieces of experiment files, whole and broken, and any characters. */
const inserted = fc.oneof(
  fc.constantFrom('"', '{', '}', '[', ']', ',', ':', '//', '/*', '*/', '\n', '\r\n', '-', '1e', 'null', '\u0000', '😀'),
  fc.constantFrom('"fc3": { "rate": 0.5 },', '"rank": 500', '"method": "low-rank"', '"start": "run:base",', '"fc*"'),
  fc.string({ unit: 'binary', maxLength: 5 }),
);

/** Replaces up to 60 characters from a place, both as fractions of what is there. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat(60),
  inserted,
  /** True where the server may look before the next edit comes. */
  waits: fc.boolean(),
});

it('random edits never crash the server, and what it says last is what a fresh server says of the final text', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 12 }), async (edits) => {
      const name = `edited-${++opened}.deeptwist.jsonc`;
      const uri = await session.openText(lenet, name);
      let version = 1;
      const document = TextDocument.create(uri, 'deeptwist', version, lenet);
      for (const { at, removed, inserted: text, waits } of edits) {
        const start = Math.floor(at * document.getText().length);
        const range = { start: document.positionAt(start), end: document.positionAt(start + removed) };
        await session.change(uri, ++version, [{ range, text }]);
        TextDocument.update(document, [{ range, text }], version);
        if (waits) await pause(15);
      }
      const last = await session.diagnostics(uri, version);
      const freshUri = await fresh.openText(document.getText(), name);
      expect(last).toEqual(await fresh.diagnostics(freshUri));
      await session.close(uri);
      await fresh.close(freshUri);
    }),
    { numRuns: 150 },
  );
});
