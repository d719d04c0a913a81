/** @file The words that a language model knows, by number. */
import { decodeText } from '../../formats/text.ts';
import { readUserFile } from '../../modules/readUserFile.ts';
import { UserError } from '../../protocol/userError.ts';
import { END_OF_SENTENCE, type TextFile } from './textFile.ts';

/** Stands for every word that is not in the vocabulary. */
const UNKNOWN = '<unk>';

/** What the tokens of a text are, by number: words, or the tokens of a tokenizer. */
export interface TextVocabulary {
  /** Token i has the number i. */
  readonly words: readonly string[];
  /** Name of the file of a run that has them. */
  readonly file: 'vocabulary.txt' | 'tokenizer.json';
  /** Content of the file. */
  toText(): string;
  /**
   * What is different in another one, in words; undefined when it is the same.
   * @param text content of its file
   */
  differenceFrom(text: string): string | undefined;
}

export class Vocabulary implements TextVocabulary {
  readonly file = 'vocabulary.txt';
  /** Word i has the number i. */
  readonly words: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #unknown: number;

  /** @param words distinct, {@link UNKNOWN} among them */
  constructor(words: readonly string[]) {
    this.words = words;
    this.#numbers = new Map(words.map((word, number) => [word, number]));
    const unknown = this.#numbers.get(UNKNOWN);
    if (unknown === undefined) throw new RangeError(`A vocabulary has ${UNKNOWN}.`);
    this.#unknown = unknown;
  }

  numberOf(word: string): number {
    return this.#numbers.get(word) ?? this.#unknown;
  }

  /** As a file: a word a line. */
  toText(): string {
    return this.words.map((word) => `${word}\n`).join('');
  }

  differenceFrom(text: string): string | undefined {
    const others = wordsOfText(text);
    if (others.length !== this.words.length) return `${this.words.length} words in place of ${others.length}`;
    const first = this.words.findIndex((word, number) => word !== others[number]);
    return first < 0 ? undefined : `word ${first} is '${this.words[first]}' in place of '${others[first]}'`;
  }
}

/**
 * The words of a text by falling frequency, equally frequent ones by their code points; {@link UNKNOWN} is last where the
 * text does not have it.
 * @param size keeps the most frequent, with {@link UNKNOWN} and {@link END_OF_SENTENCE} among as many
 */
export function countWords(text: TextFile, size = Infinity): Vocabulary {
  const counts = new Map<string, number>();
  for (const { words } of text.pieces())
    for (const word of words) {
      const count = counts.get(word);
      // A copy: a part of a string keeps the whole alive.
      if (count === undefined) counts.set(Buffer.from(word).toString(), 1);
      else counts.set(word, count + 1);
    }
  const special = [END_OF_SENTENCE, UNKNOWN].map((word): [string, number] => [word, counts.get(word) ?? 0]);
  const common = [...counts].filter(([word]) => word !== END_OF_SENTENCE && word !== UNKNOWN).sort(byFrequency);
  const kept = [...special, ...common.slice(0, Math.max(0, size - special.length))];
  return new Vocabulary(kept.sort(byFrequency).map(([word]) => word));
}

function byFrequency([a, timesA]: [string, number], [b, timesB]: [string, number]): number {
  return timesB - timesA || (a < b ? -1 : 1);
}

/**
 * @param setting that names the file, for messages
 * @throws UserError when it is missing or not UTF-8, or has a word twice, none, or none for the end of a line or unknown words
 */
export async function readVocabulary(path: string, setting: string): Promise<Vocabulary> {
  const remedy = 'Name a file with a word a line, for example vocabulary.txt of a run folder.';
  const text = await readUserFile(path, decodeText, remedy).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${setting}: ${error.message}`, { remedy: error.remedy, cause: error });
  });
  const words = wordsOfText(text);
  const wrong = whatIsWrong(words);
  if (wrong === undefined) return new Vocabulary(words);
  throw new UserError(`${setting}: ${path} ${wrong}.`, {
    remedy: `A vocabulary has every word once, a word a line, ${END_OF_SENTENCE} for the ends of lines, and ${UNKNOWN} for all other words.`,
  });
}

function wordsOfText(text: string): string[] {
  const words = text.replaceAll('\uFEFF', '').split(/\r\n|\r|\n/);
  while (words.at(-1) === '') words.pop();
  return words;
}

/** The end of a sentence about the file. */
function whatIsWrong(words: readonly string[]): string | undefined {
  const empty = words.indexOf('');
  if (empty >= 0) return `has no word in line ${empty + 1}`;
  const distinct = new Set(words);
  const twice = words.find((word) => !distinct.delete(word));
  if (twice !== undefined) return `has '${twice}' twice`;
  const missing = [UNKNOWN, END_OF_SENTENCE].find((word) => !words.includes(word));
  return missing && `does not have ${missing}`;
}
