/** @file Tokenizers of Hugging Face, held to what its own library makes of texts (`fixtures/makeTokenizers.py`). */
import { appendFileSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Batch, Decoded, Split } from '../../../../server/data/dataset.ts';
import { openTextCorpus, type TextConfig } from '../../../../server/data/text/textCorpus.ts';
import { linesOf } from '../../../../server/data/text/textLines.ts';
import { readTokenizer, TextTokenizer } from '../../../../server/data/text/tokenizer.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';

interface Expected {
  readonly size: number;
  readonly texts: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly tokens: readonly string[];
  }[];
}

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
const expected = JSON.parse(fixture('tokenizers.json')) as Record<string, Expected>;
const tokenizerOf = (name: string) => new TextTokenizer(fixture(`${name}.tokenizer.json`));
const names = Object.keys(expected);
/** What stands for what is unknown; the oracle gives the text in its place. */
const UNKNOWN = ['<unk>', '[UNK]'];

describe.each(names)('a tokenizer of the kind %s', (name) => {
  const tokenizer = tokenizerOf(name);

  test('has as many tokens as in the library of Hugging Face', () => {
    expect(tokenizer.words).toHaveLength(expected[name].size);
  });

  test.each(expected[name].texts)('makes the same tokens of $text', ({ text, ids, tokens }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    const told = ids.map((id, i) => (UNKNOWN.includes(tokenizer.words[id]) ? tokens[i] : tokenizer.words[id]));
    expect(told).toEqual(tokens);
  });
});

describe('a file that is no tokenizer that can be used is refused', () => {
  const bpe = JSON.parse(fixture('bpe.tokenizer.json')) as Record<string, Record<string, unknown>>;
  test.each<[string, unknown, RegExp]>([
    ['no JSON', 'no', /it is no JSON/],
    ['no tokenizer', {}, /it is no tokenizer: it has no "model"/],
    [
      'a model of another kind',
      { ...bpe, model: { ...bpe.model, type: 'WordLevel' } },
      /its model is of the kind WordLevel; BPE, WordPiece, Unigram are known/,
    ],
    ['no vocabulary', { ...bpe, model: { type: 'BPE' } }, /its model has no vocabulary/],
    [
      'an unknown pre-tokenizer',
      { ...bpe, pre_tokenizer: { type: 'Clairvoyant' } },
      /Unknown PreTokenizer type: Clairvoyant/,
    ],
    ['an unknown normalizer', { ...bpe, normalizer: { type: 'Nice' } }, /Unknown Normalizer type: Nice/],
    [
      'an unknown pattern',
      { ...bpe, pre_tokenizer: { type: 'Split', pattern: { Glob: '*' } } },
      /its Split has the pattern \{"Glob":"\*"\}, which is none/,
    ],
    [
      'a number that is none',
      { ...bpe, model: { ...bpe.model, vocab: { a: 1e12 } } },
      /its token a has the number 1000000000000/,
    ],
  ])('%s', async (_, content, message) => {
    const path = join(await temporaryFolder(), 'tokenizer.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    const error = await userErrorOf(() => readTokenizer(path, 'data.tokenizer'));
    expect(error.message).toMatch(message);
    expect(error.message).toContain(path);
    expect(error.remedy).toBeTruthy();
  });

  test('one that is not there, with the setting', async () => {
    const error = await userErrorOf(() => readTokenizer('/nowhere/tokenizer.json', 'data.tokenizer'));
    expect(error.message).toMatch(/does not exist/);
    expect(error.remedy).toContain('data.tokenizer');
  });

  test('a text with what is unknown, where there is no token for that', async () => {
    const content = JSON.parse(fixture('word-piece.tokenizer.json')) as typeof bpe;
    const own = { ...content, added_tokens: [], model: { ...content.model, vocab: { a: 0 } } };
    const error = await userErrorOf(() => new TextTokenizer(JSON.stringify(own)).encode('a b'));
    expect(error.message).toBe("data.tokenizer: it has no token for '[UNK]', and none for what is unknown.");
  });
});

describe('lines of a text', () => {
  const of = (path: string) => [...linesOf(path, 0, statSync(path).size)];

  test('are the text again, each with its end, whatever the pieces are that are read', async () => {
    const path = join(await temporaryFolder(), 'text.txt');
    const line = fc.string({ unit: fc.constantFrom('a', 'ü', '日', '😀', ' ', '\r'), maxLength: 30 });
    const line64 = fc.integer({ min: 60_000, max: 140_000 }).map((length) => 'wörd '.repeat(length / 5));
    fc.assert(
      fc.property(fc.array(fc.oneof({ arbitrary: line, weight: 9 }, line64), { maxLength: 12 }), (lines) => {
        const text = lines.join('\n');
        writeFileSync(path, text);
        const read = of(path);
        expect(read.map((one) => one.text).join('')).toBe(text);
        expect(read.at(-1)?.end ?? 0).toBe(Buffer.byteLength(text));
        for (const one of read.slice(0, -1)) expect(one.text.endsWith('\n') || one.text.length > 40_000).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('that are longer than any are cut before a space, or between characters', async () => {
    const path = join(await temporaryFolder(), 'text.txt');
    writeFileSync(path, `${'日'.repeat(50_000)} ${'word '.repeat(20_000)}`);
    const read = of(path);
    expect(read.map(({ text }) => text).join('')).toBe(readFileSync(path, 'utf8'));
    expect(read.length).toBeGreaterThan(3);
    expect(read.every(({ text }) => !text.includes('\uFFFD'))).toBe(true);
  });
});

describe('a text with a tokenizer', () => {
  const lines = expected['byte-level-bpe'].texts.map(({ text }) => `${text.replaceAll(/[\r\n]/g, '')}\n`);
  const text = lines.join('').repeat(20);
  const place = async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'tokenizer.json'), fixture('byte-level-bpe.tokenizer.json'));
    await writeFile(join(folder, 'text.txt'), text);
    return folder;
  };
  const open = (
    folder: string,
    changes: Partial<TextConfig> = {},
    options: Parameters<typeof openTextCorpus>[2] = {},
  ) =>
    openTextCorpus(
      {
        type: 'text',
        path: 'text.txt',
        split: { validation: 0, test: 0.25 },
        vocabulary: {},
        tokenizer: 'tokenizer.json',
        timeSteps: 8,
        ...changes,
      },
      folder,
      options,
    );
  const batchesOf = async (split: Split): Promise<Batch[]> => {
    const batches: Batch[] = [];
    for await (const { size, inputs, targets } of split.batches(3))
      batches.push({
        size,
        inputs: inputs.map((values) => values.slice()),
        targets: targets.map((values) => values.slice()),
      });
    return batches;
  };
  const cached = (folder: string) => readdirSync(join(folder, '.deeptwist', 'cache', 'text'));

  test('has the tokens of its lines, one after the other', async () => {
    const folder = await place();
    const data = await open(folder);
    const tokenizer = tokenizerOf('byte-level-bpe');
    const all = text.match(/[^\n]*\n/g)!.flatMap((line) => tokenizer.encode(line));
    const read: number[] = [];
    for (const split of [data.train, data.test]) {
      for await (const { inputs, targets } of split.batches(1)) {
        read.push(...[...inputs[0]].slice(0, [...targets[0]].filter((label) => label >= 0).length));
      }
      read.push(NaN); // The last token is a target alone.
    }
    const joined = read.map((id, i) => (Number.isNaN(id) ? all[i] : id));
    expect(joined).toEqual(all);
    expect(data.vocabulary?.words).toHaveLength(420);
    expect(data.description).toMatch(/^Text: \d+ training, \d+ test tokens, a vocabulary of 420$/);
    await data.close();
  });

  test('is tokenized once, and again where text, tokenizer or cache change', async () => {
    const folder = await place();
    const told: Decoded[] = [];
    const first = await open(folder, {}, { onDecoded: (decoded) => told.push(decoded) });
    const expectedBatches = await batchesOf(first.test);
    const files = cached(folder);
    expect(files).toHaveLength(2);
    const written = files.map((name) => statSync(join(folder, '.deeptwist', 'cache', 'text', name)).ino);
    const again = await open(folder);
    expect(await batchesOf(again.test)).toEqual(expectedBatches);
    expect(files.map((name) => statSync(join(folder, '.deeptwist', 'cache', 'text', name)).ino)).toEqual(written);

    for (const name of files) appendFileSync(join(folder, '.deeptwist', 'cache', 'text', name), 'damage');
    expect(await batchesOf((await open(folder)).test)).toEqual(expectedBatches);
    utimesSync(join(folder, 'text.txt'), 1, 1);
    expect(await batchesOf((await open(folder)).test)).toEqual(expectedBatches);
    expect(cached(folder)).toHaveLength(4);
  });

  test('that does not fit into memory is read from the cache, with the same batches', async () => {
    const folder = await place();
    const [whole, streamed] = [await open(folder), await open(folder, {}, { budget: 100 })];
    for (const split of ['train', 'test'] as const)
      expect(await batchesOf(streamed[split])).toEqual(await batchesOf(whole[split]));
    const order = { batchSize: 4, seed: 1, step: 3 };
    const [a, b] = [await whole.openTraining(order), await streamed.openTraining(order)];
    for (let step = 0; step < 50; step++) expect((await b.next()).inputs).toEqual((await a.next()).inputs);
    await streamed.close();
  });

  test('tells how far it is, and ends where it is told to', async () => {
    const folder = await place();
    await writeFile(join(folder, 'text.txt'), text.repeat(40));
    const abort = new AbortController();
    const told: Decoded[] = [];
    const opening = open(
      folder,
      {},
      {
        signal: abort.signal,
        onDecoded(decoded) {
          told.push(decoded);
          abort.abort();
        },
      },
    );
    await expect(opening).rejects.toThrow(/abort/i);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ what: 'text' });
    expect(cached(folder)).toEqual([]);
  });

  test('names the folder where its tokens cannot be kept', async () => {
    const folder = await place();
    await mkdir(join(folder, '.deeptwist', 'cache'), { recursive: true });
    await writeFile(join(folder, '.deeptwist', 'cache', 'text'), 'a file');
    const error = await userErrorOf(() => open(folder));
    expect(error.message).toMatch(/The tokens of .*text\.txt cannot be kept in .*cache.text/);
  });

  test('names the byte that is no UTF-8', async () => {
    const folder = await place();
    await writeFile(
      join(folder, 'text.txt'),
      Buffer.concat([Buffer.from(text), Buffer.from([0xff]), Buffer.from(text)]),
    );
    const error = await userErrorOf(() => open(folder));
    expect(error.message).toMatch(/text\.txt .*byte/);
  });
});
