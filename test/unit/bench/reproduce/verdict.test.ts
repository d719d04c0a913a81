import { describe, expect, test } from 'vitest';
import { Outcomes } from '../../../bench/reproduce/outcomes.ts';
import { leadingAreLarger, leadingSeries } from '../../../bench/reproduce/leadingValues.ts';
import { finalsOf } from '../../../bench/reproduce/study.ts';
import { asGood, better, each, reaches } from '../../../bench/reproduce/verdict.ts';
import type { RunEvent } from '../../../../server/protocol/run/events.ts';
import { among, recordOf, smallCase } from './recorded.ts';

const work = smallCase({ tries: [[]] });
const [ours, theirs] = work.rivals.map(({ name }) => ({ case: work.name, rival: name }));

/** Outcomes with these metrics of the seeds 1, 2, … of both rivals. */
function outcomes(metrics: readonly (readonly number[])[], metric = 'accuracy'): Outcomes {
  const records = work.rivals.flatMap((rival, index) =>
    finalsOf(work, rival, [], metrics[index].length).map((training, seed) =>
      recordOf(training, { test: metrics[index][seed], metric }),
    ),
  );
  return new Outcomes([work], 5, among(records));
}

describe('by the rules', () => {
  // Pairs differ by 0.3, 0.4 and 0.5 points: 0.4 ± 0.25.
  const clearly = outcomes([
    [0.983, 0.985, 0.987],
    [0.98, 0.981, 0.982],
  ]);
  // By -0.1, 0 and 0.1 points: 0 ± 0.25.
  const hardly = outcomes([
    [0.98, 0.982, 0.984],
    [0.981, 0.982, 0.983],
  ]);

  test('one side is better where the whole interval of the paired difference is on that side', () => {
    expect(better(ours, theirs)(clearly)).toEqual({
      verdict: 'seen',
      value: '98.50 ± 0.50% beside 98.10 ± 0.25%: +0.40 ± 0.25 points',
    });
    expect(better(theirs, ours)(clearly).verdict).toBe('not seen');
    expect(better(ours, theirs)(hardly).verdict).toBe('not seen');
  });

  test('one side is as good where the whole interval is at most 0.1 points worse', () => {
    expect(asGood(ours, theirs)(clearly).verdict).toBe('seen');
    expect(asGood(theirs, ours)(clearly).verdict).toBe('not seen');
    expect(asGood(ours, theirs)(hardly).verdict).toBe('not seen');
    const steadily = outcomes([
      [0.98, 0.9811, 0.982],
      [0.9801, 0.981, 0.982],
    ]);
    expect(asGood(ours, theirs)(steadily).verdict).toBe('seen');
  });

  test('a lower perplexity is the better one, and 1% of it is no difference', () => {
    const perplexities = outcomes(
      [
        [100, 101, 102],
        [110, 111.2, 112],
      ],
      'perplexity',
    );
    expect(better(ours, theirs)(perplexities).verdict).toBe('seen');
    expect(better(theirs, ours)(perplexities).verdict).toBe('not seen');
    expect(asGood(theirs, ours)(perplexities).verdict).toBe('not seen');
  });

  test('a published figure is reached by the whole interval, but for the same margins', () => {
    expect(reaches(ours, 0.981)(clearly)).toEqual({ verdict: 'seen', value: '98.50 ± 0.50% at 10.0x' });
    expect(reaches(ours, 0.982)(clearly).verdict).toBe('not seen');
  });

  test('two seeds are too few, whatever they say', () => {
    const few = outcomes([
      [0.99, 0.99],
      [0.5, 0.5],
    ]);
    expect(better(ours, theirs)(few)).toEqual({ verdict: 'not tested', value: '2 of at least 3 seeds so far' });
    expect(reaches(ours, 0.5)(few).verdict).toBe('not tested');
    expect(better(ours, theirs)(outcomes([[], []])).value).toBe('not trained yet');
  });

  test('several are seen where each is; one that is not seen decides, and so does one that was not tested', () => {
    const seen = better(ours, theirs);
    const notSeen = better(theirs, ours);
    expect(each({ a: seen, b: seen })(clearly).verdict).toBe('seen');
    expect(each({ a: seen, b: notSeen })(clearly).verdict).toBe('not seen');
    expect(each({ a: seen, b: seen })(outcomes([[], []]))).toEqual({ verdict: 'not tested', value: 'not trained yet' });
  });
});

describe('the singular values before the rank', () => {
  /** Outcomes of three seeds with the mean singular values of two weights. */
  const withLeading = (ours: readonly number[], control: readonly number[]) => {
    const sides = [ours, control];
    const records = work.rivals.flatMap((rival, side) =>
      finalsOf(work, rival, [], 3).map((training, seed) =>
        recordOf(training, { test: 0.9, series: { leading: [sides[side][seed] - 0.5, sides[side][seed] + 0.5] } }),
      ),
    );
    return new Outcomes([work], 3, among(records));
  };

  test('are larger where they are in each pair, by more than noise', () => {
    const larger = withLeading([5.2, 5.3, 5.4], [5, 5.1, 5.25]);
    expect(leadingAreLarger(ours, theirs)(larger)).toMatchObject({
      verdict: 'seen',
      value: expect.stringContaining('a mean of 5.30 at the end, beside 5.12 after') as string,
    });
    expect(leadingAreLarger(theirs, ours)(larger).verdict).toBe('not seen');
    expect(leadingAreLarger(ours, theirs)(withLeading([5, 5.2, 5.1], [5.1, 5.1, 5.1])).verdict).toBe('not seen');
  });

  test('are those that a run has before its last distortion, as many as the rank', () => {
    const spectrum = (step: number, singularValues: number[]): RunEvent => ({
      type: 'spectrum',
      step,
      time: 0,
      weights: [{ name: 'lstm1/kernel', singularValues }],
    });
    expect(leadingSeries(2)([spectrum(20, [9, 8, 7]), spectrum(40, [6, 4, 1])])).toEqual({ leading: [5] });
  });
});
