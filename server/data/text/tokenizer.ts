/**
 * @file Tokenizers of Hugging Face, as `tokenizer.json` has them: BPE, over bytes or characters, WordPiece and Unigram, with their
 * normalizers and pre-tokenizers. Nothing is downloaded: the file has all of it.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { FormatError } from '../../formats/formatError.ts';
import { decodeText } from '../../formats/text.ts';
import { readUserFile } from '../../modules/readUserFile.ts';
import { isRecord } from '../../protocol/record.ts';
import { messageOf } from '../../protocol/thrown.ts';
import { UserError } from '../../protocol/userError.ts';
import type { TextVocabulary } from './vocabulary.ts';

const REMEDY =
  'Name the tokenizer.json that a tokenizer of Hugging Face is saved as: tokenizer.save("tokenizer.json").';
/** Kinds of models that are known. */
const MODELS: readonly unknown[] = ['BPE', 'WordPiece', 'Unigram'];
/** Tokens at most: larger numbers are damage. */
const MOST_TOKENS = 2 ** 22;
/** Characters of a text that a message shows. */
const SHOWN = 40;

export class TextTokenizer implements TextVocabulary {
  readonly file = 'tokenizer.json';
  /** Token i has the number i; one that is not there is empty. */
  readonly words: readonly string[];
  readonly #text: string;
  readonly #tokenizer: Tokenizer;

  /**
   * @param text content of a `tokenizer.json`
   * @throws FormatError when it is none, or of a kind that is not known
   */
  constructor(text: string) {
    this.#text = text;
    const content = parsed(text);
    checkKinds(content);
    this.words = wordsOf(content);
    try {
      this.#tokenizer = new Tokenizer(
        { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...content },
        {},
      );
    } catch (error) {
      throw new FormatError(`the tokenizer cannot be used: ${messageOf(error)}`);
    }
  }

  /**
   * The numbers of the tokens of a text, without those that a tokenizer puts around a sentence.
   * @throws UserError when a part of it is no token, and there is none for what is unknown
   */
  encode(text: string): number[] {
    const { ids, tokens } = this.#tokenizer.encode(text, { add_special_tokens: false });
    const unknown = (ids as (number | undefined)[]).findIndex((id) => id === undefined);
    if (unknown < 0) return ids;
    throw new UserError(
      `data.tokenizer: it has no token for '${tokens[unknown].slice(0, SHOWN)}', and none for what is unknown.`,
      {
        remedy: 'Use a tokenizer with an unknown token, or one over bytes, or take such characters out of the text.',
      },
    );
  }

  toText(): string {
    return this.#text;
  }

  differenceFrom(text: string): string | undefined {
    if (text === this.#text) return undefined;
    const other = new TextTokenizer(text);
    if (other.words.length !== this.words.length)
      return `${this.words.length} tokens in place of ${other.words.length}`;
    const first = this.words.findIndex((word, number) => word !== other.words[number]);
    if (first >= 0) return `token ${first} is '${this.words[first]}' in place of '${other.words[first]}'`;
    return canonical(text) === canonical(this.#text) ? undefined : 'it cuts texts by other rules';
  }
}

/**
 * @param setting that names the file, for messages
 * @throws UserError when it is missing, or no tokenizer that can be used
 */
export async function readTokenizer(path: string, setting: string): Promise<TextTokenizer> {
  return readUserFile(path, (bytes) => new TextTokenizer(decodeText(bytes)), `${REMEDY} The setting is ${setting}.`);
}

function parsed(text: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`it is no JSON: ${messageOf(error)}`);
  }
  if (!isRecord(content) || !isRecord(content.model)) throw new FormatError('it is no tokenizer: it has no "model"');
  return { added_tokens: [], ...content };
}

/** The library takes a model of another kind for one that it knows, and passes over patterns that it does not know. */
function checkKinds({
  model,
  added_tokens: added,
  normalizer,
  pre_tokenizer: preTokenizer,
}: Record<string, unknown>): void {
  const { type, vocab } = model as Record<string, unknown>;
  if (!MODELS.includes(type))
    throw new FormatError(`its model is of the kind ${String(type)}; ${MODELS.join(', ')} are known`, {
      remedy: 'Use a tokenizer of one of these kinds, or data of type "text" with a vocabulary of words.',
    });
  if (!isRecord(vocab) && !Array.isArray(vocab)) throw new FormatError('its model has no vocabulary');
  if (!Array.isArray(added)) throw new FormatError('its "added_tokens" are no list');
  checkPatterns([normalizer, preTokenizer]);
}

function checkPatterns(part: unknown): void {
  if (Array.isArray(part)) return part.forEach(checkPatterns);
  if (!isRecord(part)) return;
  const { pattern } = part;
  if (
    pattern !== undefined &&
    !(isRecord(pattern) && (typeof pattern.Regex === 'string' || typeof pattern.String === 'string'))
  )
    throw new FormatError(
      `its ${String(part.type)} has the pattern ${JSON.stringify(pattern)?.slice(0, SHOWN)}, which is none that is known`,
    );
  Object.values(part).forEach(checkPatterns);
}

/** The tokens of the model and those that are added, by number. */
function wordsOf({ model, added_tokens: added }: Record<string, unknown>): string[] {
  const { vocab } = model as { vocab: Record<string, unknown> | unknown[] };
  const words: string[] = [];
  const set = (word: unknown, number: unknown) => {
    if (
      typeof word !== 'string' ||
      typeof number !== 'number' ||
      !Number.isInteger(number) ||
      number < 0 ||
      number >= MOST_TOKENS
    )
      throw new FormatError(`its token ${String(word).slice(0, SHOWN)} has the number ${String(number)}`);
    words[number] = word;
  };
  // That of Unigram is a list of tokens with their logarithmic probabilities.
  if (Array.isArray(vocab)) vocab.forEach((entry, number) => set(Array.isArray(entry) ? entry[0] : undefined, number));
  else for (const [word, number] of Object.entries(vocab)) set(word, number);
  for (const token of added as unknown[])
    set(isRecord(token) ? token.content : undefined, isRecord(token) ? token.id : undefined);
  if (words.length === 0) throw new FormatError('it has no tokens');
  return Array.from(words, (word: string | undefined) => word ?? '');
}

/** Without spaces between the parts. */
function canonical(text: string): string {
  return JSON.stringify(parsed(text));
}
