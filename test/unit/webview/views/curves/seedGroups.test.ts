import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkExperiment } from '../../../../../server/protocol/experiment/parseExperiment.ts';
import type { RunEvent } from '../../../../../server/protocol/run/events.ts';
import type { ShownRun } from '../../../../../webview/state.ts';
import { groupResult } from '../../../../../webview/views/compare/results.ts';
import {
  firstSettings as settings,
  loadedRuns,
  lossContent,
  metricContent,
} from '../../../../../webview/views/curves/contents.ts';
import { meanLine, seedGroupsOf } from '../../../../../webview/views/curves/seedGroups.ts';
import { lenet } from '../../../language/lenet.ts';
import { metricsEvent, snapshotOf } from '../../runFixture.ts';

/** A run whose loss is the seed at each of some steps, and so is its accuracy. */
function run(seed: number, { batchSize = 50, steps = [1, 2, 3], others = [] as string[] } = {}): ShownRun {
  const { experiment } = checkExperiment(lenet, [
    `training.seed=${seed}`,
    `training.batchSize=${batchSize}`,
    ...others,
  ]);
  const events = [
    { type: 'started', step: 0, time: 0, run: 'r', config: experiment, layers: [], device: 'd', executor: 'e' },
    ...steps.map((step) => metricsEvent(step, seed)),
    ...steps.map((step) => ({ type: 'evaluation', step, time: step, split: 'test', metric: 'accuracy', value: seed, loss: 1, moment: 'training' })), // prettier-ignore
  ] as RunEvent[];
  const key = `${batchSize}.${seed}`;
  return { key, label: `batchSize=${batchSize}, seed=${seed}`, color: seed, snapshot: snapshotOf(events) };
}
const numbers = (values: ArrayLike<number> | undefined) => Array.from(values ?? []);

describe('runs that differ in their seed alone', () => {
  it('are a group, whose label has no seed', () => {
    const groups = seedGroupsOf([run(1), run(1, { batchSize: 20 }), run(2)]);
    expect(groups.map(({ label, runs }) => [label, runs.map(({ key }) => key)])).toEqual([
      ['batchSize=50 · 2 seeds', ['50.1', '50.2']],
      ['batchSize=20, seed=1', ['20.1']],
    ]);
    expect(seedGroupsOf([run(1), run(2)])[0].label).toBe('2 seeds');
  });

  it('are a group where one of them is logged elsewhere too, which changes no result', () => {
    const logged = run(2, { others: ['logging.tensorBoard=true'] });
    expect(seedGroupsOf([run(1), logged])).toHaveLength(1);
    expect(seedGroupsOf([run(2), logged])).toHaveLength(2);
  });

  it('are none where a seed is there twice, or nothing is recorded', () => {
    expect(seedGroupsOf([run(1), run(1)]).length).toBe(2);
    const empty = { key: 'x', label: 'x', color: 0 };
    expect(seedGroupsOf([empty, { ...empty, key: 'y' }]).length).toBe(2);
  });

  it('are one line of the mean with a band, at the steps that all have', () => {
    const runs = loadedRuns([run(1, { steps: [1, 2, 4] }), run(4, { steps: [2, 3, 4, 5] })]);
    for (const content of [lossContent(runs, settings), metricContent('accuracy', runs, settings)]) {
      const [mean, band] = content.series;
      expect(content.series.length).toBe(2);
      expect([numbers(mean.x), numbers(mean.y)]).toEqual([
        [2, 4],
        [2.5, 2.5],
      ]);
      expect(band.mark).toBe('band');
      expect([numbers(band.from), numbers(band.y)]).toEqual([
        [1, 1],
        [4, 4],
      ]);
      expect(band.label).toContain('least to greatest');
    }
  });

  it('have a line each where they are wanted apart', () => {
    const runs = loadedRuns([run(1), run(4)]);
    const { series } = lossContent(runs, { ...settings, seedsApart: true });
    expect(series.map(({ label }) => label)).toEqual(['batchSize=50, seed=1', 'batchSize=50, seed=4']);
  });

  it('have the mean of what they came to, with its interval', () => {
    const result = { metric: 'accuracy', final: true, steps: 10, bytes: 100 };
    const { margins, ...means } = groupResult([
      { ...result, value: 0.9 },
      { ...result, value: 0.92, seconds: 3 },
    ]);
    expect(means).toEqual({ metric: 'accuracy', final: true, steps: 10, bytes: 100, value: expect.closeTo(0.91, 12) });
    // t of one degree of freedom at 95%.
    expect(margins).toEqual({ value: expect.closeTo(12.7062 * 0.01, 5) });
    expect(groupResult([{ ...result, value: 0.9, metric: 'loss' }, result]).value).toBeUndefined();
  });
});

it('the mean is that of each step which all lines have, whatever steps they have', () => {
  const steps = fc.uniqueArray(fc.integer({ min: 0, max: 12 })).map((all) => all.sort((a, b) => a - b));
  fc.assert(
    fc.property(fc.array(steps, { minLength: 1, maxLength: 4 }), (all) => {
      const lines = all.map((step, i) => ({ step, x: step, y: step.map((at) => at * (i + 1)) }));
      const common = all[0].filter((step) => all.every((other) => other.includes(step)));
      const { x, mean, least, greatest } = meanLine(lines);
      expect([...x].map(Math.round)).toEqual(common);
      expect([...mean]).toEqual(common.map((step) => expect.closeTo((step * (all.length + 1)) / 2, 9)));
      expect([...least]).toEqual(common);
      expect([...greatest]).toEqual(common.map((step) => step * all.length));
    }),
  );
});
