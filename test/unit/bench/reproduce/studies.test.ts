import { describe, expect, test } from 'vitest';
import { claims } from '../../../bench/reproduce/claims.ts';
import { studies } from '../../../bench/reproduce/index.ts';
import { Outcomes } from '../../../bench/reproduce/outcomes.ts';
import { chooserOf, finalsOf, settingsOf, triesOf } from '../../../bench/reproduce/study.ts';
import { loadExperiment } from '../../../../server/runs/loadExperiment.ts';

const cases = studies.flatMap((study) => study.cases);

describe('every training of a study is a valid experiment', () => {
  test.each(cases.map((work) => ({ name: work.name, work })))('$name', async ({ work }) => {
    for (const rival of work.rivals) {
      const chooser = chooserOf(work, rival);
      const finals = settingsOf(chooser.work, chooser.rival).flatMap((chosen) => finalsOf(work, rival, chosen, 1));
      expect(finals).not.toHaveLength(0);
      for (const { file, overrides, start } of [...triesOf(work, rival), ...finals]) {
        await expect(
          loadExperiment(file, [...overrides, ...(start ? ['start=run:pretrained'] : [])]),
        ).resolves.toBeDefined();
        if (start) await expect(loadExperiment(start.file, start.overrides)).resolves.toBeDefined();
      }
    }
  });
});

test('rivals of a case have the same number of tries, but for those that are not trained', () => {
  for (const work of cases) {
    const numbers = work.rivals
      .filter(({ overrides }) => !overrides.includes('training.steps=1'))
      .map((rival) => triesOf(work, rival).length);
    expect(new Set(numbers).size, work.name).toBe(1);
  }
});

test('every claim names sides and a study that exist, and nothing is seen that was not measured', () => {
  const outcomes = new Outcomes(cases, 5, () => undefined);
  const names = studies.map(({ name }) => name);
  for (const { text, study, elsewhere, test: judge } of claims) {
    const { verdict } = judge(outcomes);
    if (study === undefined) continue;
    expect(names, text).toContain(study);
    expect(elsewhere, text).toBeUndefined();
    expect(verdict, text).toBe('not tested');
  }
});
