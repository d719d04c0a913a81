import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../../../server/protocol/run/events.ts';
import { firstSettings as settings, loadedRuns } from '../../../../../webview/views/curves/contents.ts';
import { rankContent, unitsContent } from '../../../../../webview/views/curves/structure.ts';
import type { ShownRun } from '../../../../../webview/state.ts';
import { distortion, metricsEvent, snapshotOf } from '../../runFixture.ts';

/** At step n the rank of fc1 is 100 - n, and n of 50 units of fc2 are 0. */
function proximalStep(step: number): RunEvent {
  const event = distortion(step);
  if (event.type !== 'distortion') throw new TypeError();
  const [first, second] = event.weights;
  const nuclearNorm = { before: 200 - 2 * step, after: 198 - 2 * step, rank: 100 - step, largest: 9, threshold: 0.1 };
  return {
    ...event,
    time: 10 * step,
    weights: [
      { ...first, nuclearNorm },
      { ...second, units: { left: 50 - step, all: 50 } },
    ],
  };
}

function shown(key: string, steps: readonly number[], event: (step: number) => RunEvent = proximalStep): ShownRun {
  const events = steps.flatMap((step) => [{ ...metricsEvent(step), time: 10 * step }, event(step)]);
  return { key, label: key, color: key === 'a' ? 0 : 3, snapshot: snapshotOf(events) };
}

const pointsOf = ({ x, y }: { x: ArrayLike<number>; y: ArrayLike<number> }) => [Array.from(x), Array.from(y)];

describe('the structure that training leaves', () => {
  it('is the rank and the units of each weight over the steps', () => {
    const runs = loadedRuns([shown('a', [10, 20, 30])]);
    const ranks = rankContent(runs, settings);
    expect(ranks.series.map(({ label }) => label)).toEqual(['fc1/kernel']);
    expect(pointsOf(ranks.series[0])).toEqual([
      [10, 20, 30],
      [90, 80, 70],
    ]);
    expect(ranks.summary).toBe(
      'Sum of the singular values, as a share of the sum before the first distortion: fc1/kernel 76.7%.',
    );
    const units = unitsContent(runs, settings);
    expect(units.series.map(({ label }) => label)).toEqual(['fc2/kernel']);
    expect(pointsOf(units.series[0])[1]).toEqual([40, 30, 20]);
    expect(units.summary).toBe('Units that are not 0: fc2/kernel 20 of 50.');
  });

  it('is drawn over epochs and over the time of the run, too', () => {
    const runs = loadedRuns([shown('a', [10, 20])]);
    expect(pointsOf(rankContent(runs, { ...settings, axis: 'epoch' }).series[0])[0]).toEqual([0.1, 0.2]);
    expect(pointsOf(rankContent(runs, { ...settings, axis: 'time' }).series[0])[0]).toEqual([0, 0.1]);
  });

  it('has the name of the run where there are several, in its color', () => {
    const { series, summary } = rankContent(loadedRuns([shown('a', [10]), shown('b', [10])]), settings);
    expect(series.map(({ label, color }) => [label, color])).toEqual([
      ['a · fc1/kernel', 0],
      ['b · fc1/kernel', 3],
    ]);
    expect(summary).toBeUndefined();
  });

  it('leaves out what was only looked at, and methods that work on neither', () => {
    const looked = (step: number): RunEvent => ({ ...proximalStep(step), type: 'observation' }) as RunEvent;
    for (const event of [looked, distortion]) {
      const runs = loadedRuns([shown('a', [10, 20], event)]);
      expect(rankContent(runs, settings).series).toEqual([]);
      expect(unitsContent(runs, settings).series).toEqual([]);
    }
  });
});
