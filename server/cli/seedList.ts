/** @file `--seeds 1..5` and `--seeds 1,3,7`. */
import type { UserError } from '../protocol/userError.ts';
import { wrongUsage } from './wrongUsage.ts';

/** More than anybody trains. */
const MOST_SEEDS = 100_000;

/**
 * Seeds in the order in which they are given.
 * @param text integers and ranges `FROM..TO`, both ends included, with commas between them
 * @throws UserError for anything else, for a seed that is there twice, and for too many
 */
export function parseSeeds(text: string): number[] {
  const seeds = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last] = /^\s*(\d+)(?:\s*\.\.\s*(\d+))?\s*$/.exec(part) ?? [];
    if (first === undefined) throw wrong(`expected integers and ranges, such as 1..5 or 1,3,7, got '${text}'`);
    const [from, to] = [Number(first), Number(last ?? first)];
    if (!Number.isSafeInteger(to) || !Number.isSafeInteger(from)) throw wrong(`${part.trim()} is too large`);
    if (to < from) throw wrong(`the range ${part.trim()} has its ends in the wrong order`);
    if (to - from >= MOST_SEEDS - seeds.size)
      throw wrong(`at most ${MOST_SEEDS.toLocaleString('en')} seeds can be given`);
    for (let seed = from; seed <= to; seed++) {
      if (seeds.has(seed)) throw wrong(`the seed ${seed} is there twice`);
      seeds.add(seed);
    }
  }
  return [...seeds];
}

function wrong(message: string): UserError {
  return wrongUsage('run', `--seeds: ${message}`, 'Give for example --seeds 1..5, or --seeds 1,3,7.');
}
