import { describe, expect, it } from 'vitest';
import { eventSchema } from '../../../../server/protocol/run/events.ts';
import { restoreMeasured } from '../../../../server/protocol/run/restoreMeasured.ts';
import type { EventOf } from '../../../../server/protocol/run/events.ts';

const metrics: EventOf<'metrics'> = {
  type: 'metrics',
  step: 10,
  time: 1,
  loss: 0.5,
  learningRate: 0.1,
  stepsPerSecond: 100,
  epoch: 0.1,
};

describe('run events', () => {
  it('survive JSON', () => {
    expect(eventSchema.parse(JSON.parse(JSON.stringify(metrics)))).toEqual(metrics);
  });

  it.each([NaN, Infinity])('keep a loss that diverged to %s as NaN: JSON has neither', (loss) => {
    expect(eventSchema.parse(JSON.parse(JSON.stringify({ ...metrics, loss })))).toEqual({ ...metrics, loss: NaN });
  });

  it('keep the parts of a loss, also one that diverged', () => {
    const event = { ...metrics, losses: { data: NaN, regularization: 0.25 } };
    expect(eventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
    expect(restoreMeasured(JSON.parse(JSON.stringify(event)) as typeof metrics)).toEqual(event);
  });

  it('may carry keys of a later version, and may not lack one of this version', () => {
    expect(eventSchema.parse({ ...metrics, gradientNorm: 3 })).toEqual(metrics);
    expect(eventSchema.safeParse({ ...metrics, loss: undefined }).success).toBe(false);
  });

  it('have the parameters of each weight by name, whatever the method, and only as numbers', () => {
    const histogram = { minimum: 0, maximum: 1, before: [1], after: [1] };
    const counts = { zerosBefore: 0, zerosAfter: 0, nearZerosBefore: 0, nearZerosAfter: 0 };
    const distortion = (setting: unknown) => ({
      type: 'distortion',
      step: 1,
      time: 0,
      weights: [{ name: 'fc1/kernel', setting, histogram: { ...histogram, ...counts }, relativeError: 0 }],
    });
    for (const setting of [{ rate: 0.5 }, { bits: 2 }, { rank: 20 }, {}, { threshold: 0.1 }])
      expect(eventSchema.parse(distortion(setting))).toMatchObject({ weights: [{ setting }] });
    expect(eventSchema.safeParse(distortion({ rate: '0.5' })).success).toBe(false);
  });
});
