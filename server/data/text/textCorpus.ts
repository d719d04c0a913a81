/** @file A text as a data set for language models: words in, the next word out. */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DataConfig } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { UserError } from '../../protocol/userError.ts';
import type { Dataset, OpenOptions } from '../dataset.ts';
import { TextFile, type TextPart } from './textFile.ts';
import { stepsPerEpoch, TokenTraining, tokenSplit } from './tokenStreams.ts';
import { openTokens, TOKEN_BUDGET, type TokenSource } from './tokenSource.ts';
import { openTokenized } from './tokenizedText.ts';
import type { TextTokenizer } from './tokenizer.ts';
import { countWords, readVocabulary, Vocabulary } from './vocabulary.ts';

export type TextConfig = Extract<DataConfig, { type: 'text' }>;

interface Parts {
  train: TextPart;
  validation?: TextPart;
  test: TextPart;
}

/** Ends of the names of Mikolov's files. */
const suffixes = { train: '.train.txt', validation: '.valid.txt', test: '.test.txt' } as const;

/**
 * @param baseDirectory folder of the experiment file, which relative paths start from
 * @param options.budget tokens whose numbers may be kept in memory; a larger text is read as it is needed
 * @throws UserError naming the file when a split is missing, empty, a single word or not UTF-8
 */
export async function openTextCorpus(
  config: TextConfig,
  baseDirectory: string,
  { budget = TOKEN_BUDGET, ...options }: OpenOptions & { readonly budget?: number } = {},
): Promise<Dataset> {
  const parts = findParts(config, baseDirectory);
  const vocabulary = await chooseVocabulary(config, parts.train, baseDirectory);
  const opened: TokenSource[] = [];
  const close = () => opened.splice(0).forEach((source) => source.close());
  try {
    const open = async (part: TextPart, split: keyof Parts): Promise<TokenSource> => {
      const left = opened.reduce((rest, { length }) => rest - length, budget);
      const source =
        vocabulary instanceof Vocabulary
          ? openTokens(part, vocabulary, left)
          : await openTokenized(part, vocabulary, { ...options, baseDirectory, budget: left });
      opened.push(source);
      checkLength(source, split);
      return source;
    };
    const train = await open(parts.train, 'train');
    const validation = parts.validation && (await open(parts.validation, 'validation'));
    const test = await open(parts.test, 'test');
    const { timeSteps } = config;
    const words = { shape: [timeSteps], dtype: 'int32' } as const;
    const counts = [`${train.length} training`, `${test.length} test`];
    if (validation) counts.push(`${validation.length} validation`);
    return {
      inputs: [words],
      targets: [words],
      stepsPerEpoch: (batchSize) => stepsPerEpoch(train.length, batchSize, timeSteps),
      openTraining(order) {
        if (stepsPerEpoch(train.length, order.batchSize, timeSteps) === 0)
          throw tooShort(train, order.batchSize, timeSteps);
        return new TokenTraining(train, timeSteps, order);
      },
      train: tokenSplit(train, timeSteps),
      test: tokenSplit(test, timeSteps),
      ...(validation && { validation: tokenSplit(validation, timeSteps) }),
      vocabulary,
      description: `Text: ${counts.join(', ')} ${vocabulary instanceof Vocabulary ? 'words' : 'tokens'}, a vocabulary of ${vocabulary.words.length}`,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function chooseVocabulary(
  { vocabulary, tokenizer }: TextConfig,
  train: TextPart,
  baseDirectory: string,
): Promise<Vocabulary | TextTokenizer> {
  if (tokenizer !== undefined) {
    // The library is loaded for those that use it.
    const { readTokenizer } = await import('./tokenizer.ts');
    return readTokenizer(resolve(baseDirectory, tokenizer), 'data.tokenizer');
  }
  if (vocabulary.file !== undefined)
    return readVocabulary(resolve(baseDirectory, vocabulary.file), 'data.vocabulary.file');
  const file = new TextFile(train);
  try {
    return countWords(file, vocabulary.size);
  } finally {
    file.close();
  }
}

function findParts(config: TextConfig, baseDirectory: string): Parts {
  const { limit = {} } = config;
  const { train, validation, test } = partsWithValidation(config, baseDirectory);
  return {
    train: firstLines(train, limit.train),
    test: firstLines(test, limit.test),
    ...(validation && { validation: firstLines(validation, limit.validation) }),
  };
}

/** @param count of the lines that are left; undefined for all */
function firstLines(part: TextPart, count: number | undefined): TextPart {
  if (count === undefined) return part;
  const file = new TextFile(part);
  try {
    return { path: part.path, begin: file.begin, end: file.lineBehind(file.begin, count) };
  } finally {
    file.close();
  }
}

function partsWithValidation(config: TextConfig, baseDirectory: string): Parts {
  const parts = dividedParts(config, baseDirectory);
  const { validation = 0 } = config.split ?? {};
  if (parts.validation || validation === 0) return parts;
  return { ...parts, ...withValidation(parts.train, validation) };
}

function dividedParts({ path, files, split }: TextConfig, baseDirectory: string): Parts {
  const part = (file: string): TextPart => ({ path: resolve(baseDirectory, file) });
  if (files)
    return {
      train: part(files.train),
      test: part(files.test),
      ...(files.validation !== undefined && { validation: part(files.validation) }),
    };
  const place = resolve(baseDirectory, path ?? '');
  const status = attempt(() => statSync(place), place);
  if (status.isDirectory()) {
    if (split?.test !== undefined)
      throw new SettingError(['data', 'split', 'test'], `divides one file, but ${place} is a folder`, { at: 'key' });
    const parts = partsOfFolder(place);
    if (parts.validation && split)
      throw new SettingError(['data', 'split', 'validation'], `${parts.validation.path} is the validation split`, {
        remedy: 'Leave it out.',
      });
    return parts;
  }
  if (split?.test === undefined)
    throw new SettingError(
      ['data', 'path'],
      `${place} is one file; how much of it is for validation and test is not said`,
      {
        remedy: 'Add "split": { "validation": 0.1, "test": 0.1 }, or name a file for each split in "files".',
      },
    );
  return divide(place, { ...split, test: split.test });
}

function partsOfFolder(folder: string): Parts {
  const names = attempt(() => readdirSync(folder), folder);
  const find = (split: keyof Parts): TextPart | undefined => {
    const found = names.filter((name) => name.endsWith(suffixes[split]));
    if (found.length > 1)
      throw new SettingError(
        ['data', 'path'],
        `${folder} has ${found.sort().join(' and ')}; which is meant is not clear`,
        {
          remedy: 'Keep one text in a folder, or name the files in "files".',
        },
      );
    return found.length === 1 ? { path: join(folder, found[0]) } : undefined;
  };
  const [train, validation, test] = [find('train'), find('validation'), find('test')];
  if (train && test) return { train, test, ...(validation && { validation }) };
  throw new SettingError(['data', 'path'], `${folder} has no file *${train ? suffixes.test : suffixes.train}`, {
    remedy: `A text is NAME${suffixes.train}, NAME${suffixes.validation} and NAME${suffixes.test}; "files" takes other names.`,
  });
}

/** @throws SettingError when the system refuses to look at the path */
function attempt<T>(look: () => T, path: string): T {
  try {
    return look();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    throw new SettingError(
      ['data', 'path'],
      isMissing ? `${path} does not exist` : `${path} cannot be read: ${message}`,
      {
        remedy: 'Correct the path; it is relative to the experiment file. The examples say how to get their data.',
        cause: error,
      },
    );
  }
}

/** Training at the start of the file, then validation, then test, whole lines each. */
function divide(path: string, { validation, test }: Required<NonNullable<TextConfig['split']>>): Parts {
  if (validation + test >= 1)
    throw new SettingError(
      ['data', 'split'],
      `validation and test are ${validation + test} of the text: nothing is left to train on`,
    );
  const file = new TextFile({ path });
  try {
    const [first, second] = [1 - validation - test, 1 - test].map((end) => file.lineBehind(Math.floor(end * file.end)));
    if (file.end > 0 && ((validation > 0 && first === second) || second === file.end))
      throw new SettingError(
        ['data', 'split'],
        `${path} has no line end where ${second === file.end ? 'the test split' : 'the validation split'} would begin ` +
          'and end: a split takes whole lines',
        { remedy: 'Write each sentence in a line of its own, or name a file for each split in "files".' },
      );
    return {
      train: { path, begin: 0, end: first },
      ...(validation > 0 && { validation: { path, begin: first, end: second } }),
      test: { path, begin: second, end: file.end },
    };
  } finally {
    file.close();
  }
}

/** The last lines of a training text are for validation. @throws SettingError when either is left without a line */
function withValidation(train: TextPart, validation: number): Pick<Parts, 'train' | 'validation'> {
  const file = new TextFile(train);
  try {
    const middle = file.lineBehind(Math.floor(file.begin + (1 - validation) * (file.end - file.begin)));
    if (file.end > file.begin && middle >= file.end)
      throw new SettingError(
        ['data', 'split', 'validation'],
        `${train.path} has no line end where the validation split would begin: a split takes whole lines`,
        { remedy: 'Write each sentence in a line of its own, or choose a larger fraction.' },
      );
    return {
      train: { ...train, begin: file.begin, end: middle },
      validation: { path: train.path, begin: middle, end: file.end },
    };
  } finally {
    file.close();
  }
}

function checkLength({ path, length }: TokenSource, split: keyof Parts): void {
  if (length >= 2) return;
  const what = length === 0 ? 'is empty' : 'has a single word, so that there is none to predict';
  throw new UserError(`data: the ${split} split, ${path}, ${what}.`, {
    remedy: 'Give it text: sentences, a line each.',
  });
}

function tooShort({ path, length }: TokenSource, batchSize: number, timeSteps: number): SettingError {
  return new SettingError(
    ['training', 'batchSize'],
    `${path} has ${length} words, too few for ${batchSize} streams of ${timeSteps} time steps`,
    { remedy: 'Choose a smaller batch size or fewer time steps (data.timeSteps).' },
  );
}
