/** @file A text whose entropy is known. */
import { Random } from '../../../server/formats/random.ts';
import type { Workspace } from './workspace.ts';

/** Sentences `x m x` with x one of four words: a model that remembers x has a perplexity of 1.41, one by frequencies alone 5.66. */
export function sentences(count: number, seed: number): string {
  const random = new Random(seed, 0);
  return Array.from({ length: count }, () => {
    const word = 'abcd'[random.below(4)];
    return `${word} m ${word}\n`;
  }).join('');
}

/** Writes the three splits of a text, the first of 1600 words. */
export async function writeSentences({ write }: Workspace): Promise<void> {
  await write('small.train.txt', sentences(400, 1));
  await write('small.valid.txt', sentences(60, 2));
  await write('small.test.txt', sentences(60, 3));
}
