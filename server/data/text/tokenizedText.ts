/** @file A text as the numbers of a tokenizer's tokens: tokenized once, line by line, and kept on the disk. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { statSync } from 'node:fs';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { reasonOf } from '../../protocol/systemError.ts';
import { UserError } from '../../protocol/userError.ts';
import type { OpenOptions } from '../dataset.ts';
import { linesOf } from './textLines.ts';
import { TextFile, type TextPart } from './textFile.ts';
import { TokenCache, TokensOnDisk } from './tokenCache.ts';
import type { TextTokenizer } from './tokenizer.ts';
import { TokensInMemory, type TokenSource } from './tokenSource.ts';

/** Bytes of text between two signs of progress: about a tenth of a second. */
const TURN_BYTES = 2 ** 17;

/**
 * @param baseDirectory folder of the experiment file, which has the cache
 * @param budget numbers that may be kept in memory
 * @throws UserError when the text cannot be read, is not UTF-8, or has what the tokenizer does not know
 */
export async function openTokenized(
  part: TextPart,
  tokenizer: TextTokenizer,
  {
    baseDirectory,
    budget,
    signal,
    onDecoded,
  }: OpenOptions & { readonly baseDirectory: string; readonly budget: number },
): Promise<TokenSource> {
  const { path, begin, end } = rangeOf(part);
  const folder = join(baseDirectory, '.deeptwist', 'cache', 'text');
  const cache = new TokenCache(folder);
  const { size, mtimeMs } = statSync(path);
  const ofTokenizer = createHash('sha256').update(tokenizer.toText()).digest('hex');
  const file = cache.path([ofTokenizer, path, size, mtimeMs, begin, end]);
  if (!(await cache.has(file))) {
    const numbers = tokensOf({ path, begin, end }, tokenizer, { signal, onDecoded });
    await cache.write(file, numbers).catch((error: unknown) => {
      if (error instanceof UserError || signal?.aborted) throw error;
      throw new UserError(`The tokens of ${path} cannot be kept in ${folder}: ${reasonOf(error)}.`, {
        remedy: 'Make room, or put the experiment into a folder that can be written.',
        cause: error,
      });
    });
  }
  const onDisk = new TokensOnDisk(path, file);
  if (onDisk.length > budget) return onDisk;
  try {
    const all = new Int32Array(onDisk.length);
    onDisk.reader().read(0, all);
    return new TokensInMemory(path, all);
  } finally {
    onDisk.close();
  }
}

/** Bytes of a part; opened once, so that what is no text file is told as for any text. */
function rangeOf(part: TextPart): Required<TextPart> {
  const file = new TextFile(part);
  file.close();
  return { path: file.path, begin: file.begin, end: file.end };
}

async function* tokensOf(
  { path, begin, end }: Required<TextPart>,
  tokenizer: TextTokenizer,
  { signal, onDecoded }: OpenOptions,
): AsyncGenerator<readonly number[]> {
  let told = begin;
  for (const line of linesOf(path, begin, end)) {
    yield tokenizer.encode(line.text);
    if (line.end - told < TURN_BYTES) continue;
    told = line.end;
    onDecoded?.({ what: 'text', done: line.end - begin, total: end - begin });
    await turnOfEventLoop();
    signal?.throwIfAborted();
  }
}
