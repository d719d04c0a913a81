/** @file Tests of what the DeepTwist paper says of retraining at a low rank: which learning rates are best, and the course of the perplexity. */
import type { Scale } from './pennTreebank.ts';
import { PLAIN, rankSide } from './pennTreebankRanks.ts';
import { falls, type Side, type Test } from './verdict.ts';

const LEARNING_RATE_OF_PRETRAINING = 1;

/** Seen where no lower rank has a lower best rate, some has a higher one, and at least one is above that of pre-training. */
export const bestLearningRates =
  (scale: Scale): Test =>
  (outcomes) => {
    const descending = scale.ranks.toSorted((a, b) => b - a);
    const found = descending.flatMap((rank) => {
      const { chosen } = outcomes.of(rankSide(scale, rank, PLAIN).case, PLAIN.name);
      return chosen ? [{ rank, rate: Number(chosen[0].split('=')[1]) }] : [];
    });
    if (found.length < descending.length)
      return { verdict: 'not tested', value: `the best rates of ${found.length} of ${descending.length} ranks so far` };
    const rates = found.map(({ rate }) => rate);
    const rises = rates.every((rate, index) => index === 0 || rate >= rates[index - 1]) && rates.at(-1)! > rates[0];
    return {
      verdict: rises && rates.some((rate) => rate > LEARNING_RATE_OF_PRETRAINING) ? 'seen' : 'not seen',
      value: found.map(({ rank, rate }) => `rank ${rank}: ${rate}`).join(', '),
    };
  };

/** The validation metric after the last epoch is lower than after the first, by more than noise. */
export function courseFalls(side: Side): Test {
  return falls(
    side,
    [({ series }) => series?.course.at(0), ({ series }) => series?.course.at(-1)],
    (first, last) => `from ${first.toFixed(2)} to ${last.toFixed(2)}`,
  );
}
