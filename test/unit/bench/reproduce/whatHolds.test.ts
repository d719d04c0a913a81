import { describe, expect, test } from 'vitest';
import { DEEPTWIST, MASKS } from '../../../bench/reproduce/mnistPruning.ts';
import { studies } from '../../../bench/reproduce/index.ts';
import { Outcomes } from '../../../bench/reproduce/outcomes.ts';
import { FIFTH, FULL } from '../../../bench/reproduce/pennTreebank.ts';
import { prunedSide, pruningPage } from '../../../bench/reproduce/pennTreebankPruning.ts';
import { finalsOf, settingsOf, triesOf, type Rival } from '../../../bench/reproduce/study.ts';
import { claimsOfStudy, whatHolds } from '../../../bench/reproduce/whatHolds.ts';
import { among, recordOf } from './recorded.ts';

const cases = studies.flatMap((study) => study.cases);

/** Records of the tries and of three seeds of a rival, at all pruning rates of a scale. */
function recordsOf(scale: typeof FULL, rival: Rival, perplexity: number) {
  return scale.pruningRates.flatMap((rate) => {
    const work = cases.find(({ name }) => name === prunedSide(scale, rate, rival.name).case)!;
    const [chosen] = settingsOf(work, rival);
    return [...triesOf(work, rival), ...finalsOf(work, rival, chosen, 3)].map((training) => {
      const test = perplexity + training.seed / 10;
      return recordOf(training, { metric: 'perplexity', test, validation: test });
    });
  });
}

const outcomesOf = (records: ReturnType<typeof recordsOf>) => new Outcomes(cases, 5, among(records));
const row = (lines: readonly string[]) => lines.find((line) => line.includes('better than with gradual masks'));

const atAFifth = [...recordsOf(FIFTH, DEEPTWIST, 65), ...recordsOf(FIFTH, MASKS, 70)];

describe('a claim that was tested at a fifth of the size alone', () => {
  test('is not tested, and says what was seen there, with the page of those runs', () => {
    const page = whatHolds(outcomesOf(atAFifth));
    const cells = row(page.split('\n'))!.split(' | ');
    expect(cells.at(-3)).toBe('at a fifth of the size: 65.20 ± 0.25 beside 70.20 ± 0.25: -5.00 ± 0.00');
    expect(cells.at(-2)).toBe('**not tested**; at a fifth of the size **seen**');
    expect(cells.at(-1)).toContain('[ptb-fifth-pruning](ptb-fifth-pruning.md)');
    expect(page).toMatch(/at a fifth of the size \(.*\): 1 seen\./);
  });

  test('is seen on the page of those runs, and not tested on that of the full size', () => {
    const outcomes = outcomesOf(atAFifth);
    expect(row(claimsOfStudy(pruningPage(FIFTH), outcomes))).toContain('| **seen** |');
    expect(row(claimsOfStudy(pruningPage(FULL), outcomes))).toContain('| not trained yet | **not tested** |');
  });
});

test('the full size decides where it was trained', () => {
  const full = [...recordsOf(FULL, DEEPTWIST, 120), ...recordsOf(FULL, MASKS, 110)];
  const page = whatHolds(outcomesOf([...atAFifth, ...full]));
  const cells = row(page.split('\n'))!.split(' | ');
  expect(cells.at(-2)).toBe('**not seen**');
  expect(cells.at(-1)).toContain('[ptb-pruning](ptb-pruning.md)');
  expect(page).not.toContain('at a fifth of the size');
});
