import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PADDING, type Batch, type Dataset, type Split } from '../../../../server/data/dataset.ts';
import { openTextCorpus, type TextConfig } from '../../../../server/data/text/textCorpus.ts';
import { Random } from '../../../../server/formats/random.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';

const text: Pick<TextConfig, 'type' | 'vocabulary'> = { type: 'text', vocabulary: {} };

/** A folder of files. */
async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

const mikolov = (train: string, valid = 'a b\n', test = 'a b\n') =>
  folderOf({ 'x.train.txt': train, 'x.valid.txt': valid, 'x.test.txt': test });

async function open(folder: string, timeSteps: number, changes: Partial<TextConfig> = {}, budget?: number) {
  return openTextCorpus({ ...text, path: '.', timeSteps, ...changes }, folder, { budget });
}

/** Numbers 0, 1, 2, … as words, a line for every ten: word n has the number n if all are equally frequent. */
function numbered(count: number): string {
  return Array.from({ length: count }, (_, i) => `${i}${i % 10 === 9 ? '\n' : ' '}`).join('');
}

const wordsOf = ({ vocabulary }: Dataset, numbers: ArrayLike<number>) =>
  Array.from(numbers, (number) => vocabulary?.words[number] ?? '-').join(' ');

async function batchesOf(split: Split, batchSize: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of split.batches(batchSize))
    batches.push({
      ...batch,
      inputs: batch.inputs.map((x) => x.slice()),
      targets: batch.targets.map((x) => x.slice()),
    });
  return batches;
}

it.each([
  ['a folder', { path: '.' }],
  ['files', { path: undefined, files: { train: 'x.train.txt', test: 'x.test.txt' } }],
])('the validation may be the last lines of the training text of %s', async (_, place) => {
  const folder = await mikolov('a b\nc d\ne f\ng h\n', '', 'a b c\n');
  await rm(join(folder, 'x.valid.txt'));
  const data = await open(folder, 2, { ...place, split: { validation: 0.4 } });
  expect(data.description).toMatch(/^Text: 9 training, 4 test, 3 validation words/);
  const error = await userErrorOf(async () =>
    open(await onlyTraining('a b c'), 2, { ...place, split: { validation: 0.4 } }),
  );
  expect(error.message).toMatch(/^data\.split\.validation: .* has no line end where the validation split would begin/);
});

const onlyTraining = (train: string) => folderOf({ 'x.train.txt': train, 'x.test.txt': 'a b\n' });

describe('a vocabulary', () => {
  it('has the words by falling frequency, then by their code points, and <unk> last where the text lacks it', async () => {
    const { vocabulary } = await open(await mikolov('b a b\nc a b\nä B\n'), 2);
    expect(vocabulary?.words).toEqual(['<eos>', 'b', 'a', 'B', 'c', 'ä', '<unk>']);
  });

  it('keeps the most frequent where its size is limited, and what is rarer becomes <unk>', async () => {
    const folder = await mikolov('b a b\nc a b\nd B\n', 'b c d\n');
    const data = await open(folder, 3, { vocabulary: { size: 4 } });
    expect(data.vocabulary?.words).toEqual(['<eos>', 'b', 'a', '<unk>']);
    const [{ inputs, targets }] = await batchesOf(data.validation!, 1);
    expect(wordsOf(data, inputs[0])).toBe('b <unk> <unk>');
    expect(wordsOf(data, targets[0])).toBe('<unk> <unk> <eos>');
  });

  it('counts the <unk> of a text that has been cut already, as the Penn Treebank of Mikolov', async () => {
    const { vocabulary } = await open(await mikolov('<unk> a <unk>\n<unk> b\n'), 2);
    expect(vocabulary?.words).toEqual(['<unk>', '<eos>', 'a', 'b']);
  });

  it('is read from a file', async () => {
    const folder = await mikolov('b a b\n');
    await writeFile(join(folder, 'words.txt'), '<unk>\nb\n<eos>\n');
    const data = await open(folder, 3, { vocabulary: { file: 'words.txt' } });
    const [{ inputs }] = await batchesOf(data.train, 1);
    expect(wordsOf(data, inputs[0])).toBe('b <unk> b');
  });

  it.each([
    ['a byte order mark', '\uFEFFb\n<eos>\n<unk>\n'],
    ['line ends of Windows and empty lines at the end', 'b\r\n<eos>\r\n<unk>\r\n\r\n\n'],
    ['UTF-16 with its mark', Buffer.from('\uFEFFb\n<eos>\n<unk>\n', 'utf16le')],
  ])('is read from a file with %s', async (_, content) => {
    const folder = await mikolov('b a b\n');
    await writeFile(join(folder, 'words.txt'), content);
    const data = await open(folder, 3, { vocabulary: { file: 'words.txt' } });
    expect(data.vocabulary?.words).toEqual(['b', '<eos>', '<unk>']);
  });

  it('is refused when it is not UTF-8', async () => {
    const folder = await mikolov('b a b\n');
    await writeFile(join(folder, 'words.txt'), Buffer.from('caf\xe9\n<eos>\n<unk>\n', 'latin1'));
    const error = await userErrorOf(() => open(folder, 3, { vocabulary: { file: 'words.txt' } }));
    expect(error.message).toMatch(
      /^data\.vocabulary\.file: .*words\.txt is not usable: it is not UTF-8: byte 3 is 0xE9\.$/,
    );
    expect(error.remedy).toContain('iconv');
  });

  it.each([
    ['b\nb\n<unk>\n', "has 'b' twice"],
    ['b\n<eos>\n', 'does not have <unk>'],
    ['b\n<unk>\n', 'does not have <eos>'],
    ['b\n\n<unk>\n<eos>\n', 'has no word in line 2'],
  ])('is refused when the file is none: %j', async (content, message) => {
    const folder = await mikolov('b a b\n');
    await writeFile(join(folder, 'words.txt'), content);
    const error = await userErrorOf(() => open(folder, 3, { vocabulary: { file: 'words.txt' } }));
    expect(error.message).toBe(`data.vocabulary.file: ${join(folder, 'words.txt')} ${message}.`);
  });
});

describe('the words of a text', () => {
  it('are separated by any white space; every line ends with <eos>, also an empty one and the last', async () => {
    const data = await open(await mikolov('\uFEFFa\tb  a\r\n\n c'), 6);
    const [{ inputs, targets }] = await batchesOf(data.train, 1);
    expect(wordsOf(data, inputs[0])).toBe('a b a <eos> <eos> c');
    expect(wordsOf(data, targets[0])).toBe('b a <eos> <eos> c <eos>');
  });

  it.each([
    ['no-break and ideographic spaces', 'a\u00a0b\u3000c\u2028d\u0085e\n', 'a b c d e <eos>'],
    ['byte order marks of files that were put together', '\uFEFFa b\n\uFEFFa c\uFEFF\n', 'a b <eos> a c <eos>'],
    ['line ends of old Macs', 'a b\rc\r\rd\r', 'a b <eos> c <eos> <eos> d <eos>'],
    ['every kind of line end', 'a\r\nb\nc\rd', 'a <eos> b <eos> c <eos> d <eos>'],
  ])('with %s', async (_, train, expected) => {
    const data = await open(await mikolov(train), 1);
    const words = (await batchesOf(data.train, 1)).map(({ inputs, targets }) => [
      wordsOf(data, inputs[0]),
      wordsOf(data, targets[0]),
    ]);
    expect([words[0][0], ...words.map(([, target]) => target)].join(' ')).toBe(expected);
  });

  it.each([0, 1, 2, 3, 4, 5])('with CR LF at the border of two pieces, at byte %i of a line', async (shift) => {
    const text = 'x'.repeat(shift) + ' ' + 'abcd\r\n'.repeat(30_000);
    const { description } = await open(await mikolov(text), 3);
    expect(description).toMatch(/^Text: 6000[01] training/);
  });

  it('are those of whole lines where a divided file has line ends of old Macs', async () => {
    const lines = (end: string) => folderOf({ 'book.txt': numbered(100).replaceAll('\n', end) });
    const split = { validation: 0.1, test: 0.25 };
    const [lf, cr, crlf] = await Promise.all(
      ['\n', '\r', '\r\n'].map(async (end) => open(await lines(end), 10, { path: 'book.txt', split })),
    );
    expect(cr.description).toBe(lf.description);
    expect(crlf.description).toBe(lf.description);
  });

  it('are those of whole lines where one file is divided', async () => {
    const folder = await folderOf({ 'book.txt': numbered(100) });
    const data = await open(folder, 10, { path: 'book.txt', split: { validation: 0.1, test: 0.25 } });
    const first = async (split: Split) => wordsOf(data, [(await batchesOf(split, 1))[0].inputs[0][0]]);
    expect(await first(data.train)).toBe('0');
    expect(data.description).toBe('Text: 77 training, 22 test, 11 validation words, a vocabulary of 72');
    const parts = [data.train, data.validation!, data.test].map(({ samples }) => samples);
    expect(parts).toEqual([8, 1, 3]);
  });

  it.each(['\n', '\r', '\r\n'])(
    'are those of the first lines of each split where they are limited, which end with %j',
    async (end) => {
      const [train, valid, test] = ['a b\n\nc\nd e\n', 'a b c\nc c\n', 'a b\nb a\n'];
      const folder = await mikolov(...([train, valid, test].map((lines) => lines.replaceAll('\n', end)) as [string]));
      const limited = await open(folder, 1, { limit: { train: 3, validation: 1 } });
      expect(limited.description).toBe('Text: 6 training, 6 test, 4 validation words, a vocabulary of 5');
      const words = (await batchesOf(limited.train, 1)).map(({ targets }) => wordsOf(limited, targets[0]));
      expect(words.join(' ')).toBe('b <eos> <eos> c <eos>');
      expect((await open(folder, 1, { limit: { train: 9 } })).description).toMatch(/^Text: 9 training/);
    },
  );

  it('are those of the first lines of the parts of one file', async () => {
    const folder = await folderOf({ 'book.txt': numbered(100) });
    const data = await open(folder, 10, {
      path: 'book.txt',
      split: { validation: 0.1, test: 0.25 },
      limit: { train: 2, test: 1 },
    });
    expect(data.description).toBe('Text: 22 training, 11 test, 11 validation words, a vocabulary of 22');
  });

  it('are those of the files that are named', async () => {
    const folder = await folderOf({ one: 'a b c\n', two: 'c b\n' });
    const data = await open(folder, 2, { path: undefined, files: { train: 'one', test: 'two' } });
    expect(data.validation).toBeUndefined();
    expect(wordsOf(data, (await batchesOf(data.test, 1))[0].inputs[0])).toBe('c b');
  });
});

describe('training', () => {
  it('goes on in each row where the row of the batch before stopped, and starts each epoch anew', async () => {
    // 33 words in 3 streams of 11: two batches of 5 time steps, and one word to predict.
    const data = await open(await mikolov(numbered(30)), 5);
    expect(data.stepsPerEpoch(3)).toBe(2);
    const stream = await data.openTraining({ batchSize: 3, seed: 1, step: 0 });
    const seen = [];
    for (let step = 0; step < 3; step++) {
      const { inputs, targets, counted } = await stream.next();
      seen.push(wordsOf(data, inputs[0]));
      expect(wordsOf(data, targets[0].subarray(0, 4))).toBe(wordsOf(data, inputs[0].subarray(1, 5)));
      expect(counted).toBeUndefined();
    }
    expect(seen).toEqual([
      '0 1 2 3 4 10 11 12 13 14 20 21 22 23 24',
      '5 6 7 8 9 15 16 17 18 19 25 26 27 28 29',
      '0 1 2 3 4 10 11 12 13 14 20 21 22 23 24',
    ]);
  });

  it('begins at any step as if the ones before had been taken', async () => {
    const data = await open(await mikolov(numbered(100)), 3);
    const whole = await data.openTraining({ batchSize: 4, seed: 1, step: 0 });
    for (let step = 0; step < 20; step++) {
      const expected = (await whole.next()).inputs[0].slice();
      const resumed = await data.openTraining({ batchSize: 4, seed: 1, step });
      expect((await resumed.next()).inputs[0]).toEqual(expected);
    }
  });
});

describe('an evaluation', () => {
  it.each([1, 2, 3, 7, 50])('predicts every word but the first once, in %i streams', async (batchSize) => {
    const timeSteps = 4;
    const data = await open(await mikolov(numbered(30), 'a b\n', numbered(30)), timeSteps);
    const batches = await batchesOf(data.test, batchSize);
    const row = (values: ArrayLike<number>, index: number) =>
      Array.from(values).slice(index * timeSteps, (index + 1) * timeSteps);
    const rows = Array.from({ length: batchSize }, (_, index) =>
      batches.flatMap(({ targets }) => row(targets[0], index)),
    );
    const labels = rows.flat().filter((label) => label !== PADDING);
    const words = numbered(30).replaceAll('\n', ' <eos> ').trim().split(' ');
    expect(wordsOf(data, labels)).toBe(words.slice(1).join(' '));
    expect(batches.reduce((sum, { counted = 0 }) => sum + counted, 0)).toBe(labels.length);
    // All batches are full, and padding is behind the words of a row.
    expect(batches.map(({ size }) => size)).toEqual(batches.map(() => batchSize));
    expect(
      rows.every((list) =>
        list.slice(list.indexOf(PADDING)).every((label) => label === PADDING || !list.includes(PADDING)),
      ),
    ).toBe(true);
  });
});

describe('a text that is larger than the memory for it', () => {
  it('gives the same batches from the file', async () => {
    const random = new Random(1, 0);
    // Several pieces of 64 KiB, words of several bytes across their borders.
    const line = () => Array.from({ length: 12 }, () => `wörd${random.below(500)}`).join(' ');
    const folder = await mikolov(Array.from({ length: 3000 }, line).join('\n'), `${line()}\n`, `${line()}\n`);
    const inMemory = await open(folder, 7);
    const fromFile = await open(folder, 7, {}, 1000);
    expect(fromFile.description).toBe(inMemory.description);
    for (const step of [0, 1, 500]) {
      const order = { batchSize: 5, seed: 1, step };
      const [a, b] = [await inMemory.openTraining(order), await fromFile.openTraining(order)];
      for (let i = 0; i < 50; i++) {
        const [expected, found] = [await a.next(), await b.next()];
        expect(found.inputs).toEqual(expected.inputs);
        expect(found.targets).toEqual(expected.targets);
      }
    }
    await fromFile.close();
  });

  it('must not change while it is used', async () => {
    const folder = await mikolov(numbered(20_000));
    const data = await open(folder, 7, {}, 100);
    await writeFile(join(folder, 'x.train.txt'), numbered(20_000).replaceAll(' 7', 'x7'));
    const stream = await data.openTraining({ batchSize: 2, seed: 1, step: 0 });
    const error = await userErrorOf(() => Promise.resolve().then(() => stream.next()));
    expect(error.message).toContain('x.train.txt has changed since training began');
    await data.close();
  });
});

describe('what cannot be used is refused with the file and the remedy', () => {
  it.each([
    ['an empty split', { 'x.test.txt': '' }, /^data: the test split, .*x\.test\.txt, is empty\.$/],
    ['a file of one word', { 'x.valid.txt': '\n' }, /^data: the validation split, .*x\.valid\.txt, has a single word/],
    [
      'Latin-1',
      { 'x.train.txt': Buffer.concat([Buffer.from('grün ist \uFFFD gr'), Buffer.from([0xfc]), Buffer.from('n\n')]) },
      /^data: .*x\.train\.txt is not UTF-8: byte 16 is 0xFC\.$/,
    ],
    [
      'UTF-16',
      { 'x.train.txt': Buffer.from('\uFEFFab\n', 'utf16le') },
      /^data: .*x\.train\.txt is not UTF-8: byte 0 is 0xFF, as of UTF-16\.$/,
    ],
    [
      'UTF-16 without its mark',
      { 'x.train.txt': Buffer.from('ab\n', 'utf16le') },
      /^data: .*x\.train\.txt is not a text in UTF-8: byte 1 is 0, as in UTF-16 without its mark\.$/,
    ],
    [
      'a text without spaces',
      { 'x.train.txt': 'a'.repeat(70_000) },
      /^data: .* has no space and no line end in the 65536 bytes from byte 0 on\.$/,
    ],
    ['two texts', { 'y.test.txt': 'a b\n' }, /^data\.path: .* has x\.test\.txt and y\.test\.txt; which is meant/],
  ])('%s', async (_, files, message) => {
    const folder = await folderOf({ 'x.train.txt': 'a b\n', 'x.valid.txt': 'a b\n', 'x.test.txt': 'a b\n', ...files });
    const error = await userErrorOf(() => open(folder, 2));
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeTruthy();
  });

  it('a byte far into a large file', async () => {
    const start = numbered(30_000);
    const folder = await mikolov('');
    await writeFile(join(folder, 'x.train.txt'), Buffer.concat([Buffer.from(start), Buffer.from([0xc3, 0x20])]));
    expect((await userErrorOf(() => open(folder, 2))).message).toContain(`byte ${start.length} is 0xC3`);
  });

  it.each([
    [{ path: 'nowhere' }, /^data\.path: .*nowhere does not exist$/],
    [{ path: 'x.train.txt' }, /is one file; how much of it is for validation and test is not said$/],
    [{ path: 'x.train.txt', split: { validation: 0.6, test: 0.5 } }, /^data\.split: .* nothing is left to train on$/],
    [{ split: { validation: 0.1, test: 0.1 } }, /^data\.split\.test: divides one file, but .* is a folder$/],
    [{ split: { validation: 0.1 } }, /^data\.split\.validation: .*x\.valid\.txt is the validation split$/],
    [{ path: 'x.train.txt/x' }, /^data\.path: .*x does not exist$/],
    [
      { path: 'x.train.txt', split: { validation: 0, test: 0.5 } },
      /^data\.split: .* has no line end where the test split would begin and end: a split takes whole lines$/,
    ],
    [{ vocabulary: { file: 'nowhere' } }, /^data\.vocabulary\.file: .*nowhere does not exist\.$/],
    [{ path: undefined, files: { train: 'x.train.txt', test: 'nowhere' } }, /^data: .*nowhere cannot be read/],
  ])('settings: %j', async (changes, message) => {
    const folder = await mikolov('a b\n');
    expect((await userErrorOf(() => open(folder, 2, changes))).message).toMatch(message);
  });

  it.runIf(process.platform !== 'win32')('a pipe, which is not waited for', async () => {
    const folder = await mikolov('a b\n');
    await rm(join(folder, 'x.test.txt'));
    execFileSync('mkfifo', [join(folder, 'x.test.txt')]);
    expect((await userErrorOf(() => open(folder, 2))).message).toMatch(
      /x\.test\.txt cannot be read: it is no regular file/,
    );
  });

  it('a folder without a training text', async () => {
    const folder = await folderOf({ 'x.test.txt': 'a b\n' });
    expect((await userErrorOf(() => open(folder, 2))).message).toMatch(/has no file \*\.train\.txt$/);
  });
});
