import { describe, expect, test } from 'vitest';
import { chosenOf, outcomeOf, Outcomes } from '../../../bench/reproduce/outcomes.ts';
import { commandOf, finalsOf, triesOf } from '../../../bench/reproduce/study.ts';
import { among, recordOf, settings, smallCase } from './recorded.ts';

const work = smallCase();
const [ours, theirs] = work.rivals;
const triedWith = (validations: readonly (number | undefined)[], more = {}) =>
  triesOf(work, ours).map((training, index) =>
    recordOf(training, { validation: validations[index], test: validations[index], ...more }),
  );

describe('the choice of settings', () => {
  test('is that of the best accuracy on the validation split', () => {
    expect(chosenOf(work, ours, among(triedWith([0.97, 0.98])))).toBe(settings[1]);
  });

  test('is that of the lowest perplexity', () => {
    expect(chosenOf(work, ours, among(triedWith([110, 120], { metric: 'perplexity' })))).toBe(settings[0]);
  });

  test('is made when all tries are there, and never for one that diverged', () => {
    expect(chosenOf(work, ours, among(triedWith([0.97, 0.98]).slice(1)))).toBeUndefined();
    expect(chosenOf(work, ours, among(triedWith([undefined, 0.5])))).toBe(settings[1]);
    expect(chosenOf(work, ours, among(triedWith([undefined, undefined])))).toBeUndefined();
  });

  test('is that of the highest ratio among those as good as the best, where a method finds its ratio itself', () => {
    const byRatio = smallCase({ chooses: 'ratio' });
    const [better, smaller] = triesOf(byRatio, ours);
    const records = (validation: number) => [
      recordOf(better, { validation: 0.98, test: 0.98, weightRatio: 20 }),
      recordOf(smaller, { validation, test: validation, weightRatio: 40 }),
    ];
    expect(chosenOf(byRatio, ours, among(records(0.9795)))).toBe(settings[1]);
    expect(chosenOf(byRatio, ours, among(records(0.97)))).toBe(settings[0]);
  });

  test('can be that of another case, by the rival of the same name or of a given one', () => {
    const find = among(triedWith([0.97, 0.98]));
    const later = smallCase({ name: 'later', tries: { of: work } });
    expect(chosenOf(later, ours, find)).toBe(settings[1]);
    expect(chosenOf(later, theirs, find)).toBeUndefined();
    expect(chosenOf({ ...later, tries: { of: work, rival: 'ours' } }, theirs, find)).toBe(settings[1]);
  });
});

test('an outcome tells what is there and what is to come', () => {
  const before = outcomeOf(work, ours, 3, among([]));
  expect(before).toMatchObject({ chosen: undefined, missing: 5, seconds: 0 });

  const tried = triedWith([0.97, 0.98]);
  const chosen = chosenOf(work, ours, among(tried))!;
  const [first, second] = finalsOf(work, ours, chosen, 3);
  const records = [...tried, recordOf(first, { test: 0.9 }), recordOf(second, { test: undefined })];
  const outcome = outcomeOf(work, ours, 3, among(records));
  expect([...outcome.runs.keys()]).toEqual([1]);
  expect(outcome).toMatchObject({ diverged: [2], missing: 1, seconds: 4 });
});

test('two cases of one name are refused', () => {
  expect(() => new Outcomes([work, work], 3, among([]))).toThrow('Two cases have the name small.');
});

test('a command repeats the pre-training that a training starts from', () => {
  const [training] = finalsOf(
    { ...work, start: { name: 'pretrain', file: work.file, overrides: ['data.path=$PTB'] } },
    ours,
    [],
    1,
  );
  expect(commandOf(training)).toBe(
    `npx deeptwist run ${work.file} --set "data.path=$PTB" --set 'training.threads=1' --set 'training.seed=1' --out .cache/runs/pretrain-1 && ` +
      `npx deeptwist run ${work.file} --set 'data.validation=5000' --set 'training.threads=1' --set 'training.seed=1' ` +
      `--set 'start=run:../../.cache/runs/pretrain-1'`,
  );
});
