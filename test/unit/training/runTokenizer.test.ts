/** @file The tokenizer of a text is part of what a run's weights mean. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TextTokenizer } from '../../../server/data/text/tokenizer.ts';
import { Vocabulary } from '../../../server/data/text/vocabulary.ts';
import { checkVocabulary, keepVocabulary } from '../../../server/training/runVocabulary.ts';
import { temporaryRun } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../data/text/fixtures/${name}.tokenizer.json`, import.meta.url), 'utf8');

test('it is kept in the run folder as it is, and a run that goes on must have the same', async () => {
  const run = await temporaryRun();
  const text = fixture('bpe');
  await keepVocabulary(run, new TextTokenizer(text));
  expect(readFileSync(join(run.path, 'tokenizer.json'), 'utf8')).toBe(text);
  await keepVocabulary(run, new TextTokenizer(JSON.stringify(JSON.parse(text), null, 2)));

  const refused = async (other: Parameters<typeof checkVocabulary>[1]) =>
    (await userErrorOf(() => checkVocabulary(run, other, 'this one starts from it'))).message;
  expect(await refused(new TextTokenizer(fixture('unigram')))).toMatch(/125 tokens in place of 231/);
  expect(await refused(new TextTokenizer(text.replace('"the"', '"thé"')))).toMatch(
    /token \d+ is 'thé' in place of 'the'/,
  );
  expect(await refused(new TextTokenizer(text.replace('"NFC"', '"NFKC"')))).toMatch(/it cuts texts by other rules/);
  expect(await refused(new Vocabulary(['<eos>', '<unk>']))).toMatch(
    /it has vocabulary\.txt in place of tokenizer\.json/,
  );
});
