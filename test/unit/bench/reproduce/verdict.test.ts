import { describe, expect, test } from 'vitest';
import { Outcomes } from '../../../bench/reproduce/outcomes.ts';
import { finalsOf } from '../../../bench/reproduce/study.ts';
import { asGood, better, each, reaches } from '../../../bench/reproduce/verdict.ts';
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
