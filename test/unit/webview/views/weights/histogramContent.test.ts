import { describe, expect, it } from 'vitest';
import type { WeightDistortion, RunSnapshot } from '../../../../../server/protocol/run/runHistory.ts';
import { createRunHistory } from '../../../../../server/protocol/run/runHistory.ts';
import { histogramContent } from '../../../../../webview/views/weights/histogramContent.ts';
import { whyNoDistortions } from '../../../../../webview/views/weights/noDistortions.ts';

const settings = { scale: 'linear', withZeros: true } as const;
const seen = (rest: Partial<WeightDistortion> = {}) => ({ distortion: distortion(rest), color: 0, label: 'a run' });

describe('the histogram of a distortion', () => {
  it('shows before and after on the same bins', () => {
    const { series } = histogramContent(seen(), settings);
    expect(series.map(({ id, y }) => [id, ...Array.from(y)])).toEqual([
      ['after', 2, 7, 2],
      ['before', 1, 8, 2],
    ]);
    expect(series[0].x).toBe(series[1].x);
    expect(Array.from(series[0].x)).toHaveLength(4);
  });

  it('keeps its axis over the distortions of a run', () => {
    const { x } = histogramContent(seen(), settings, { range: { minimum: -5, maximum: 0.5 } });
    expect(x).toMatchObject({ minimum: -5, maximum: 1 });
  });

  it('leaves exact zeros out on demand', () => {
    const { series } = histogramContent(seen(), { scale: 'linear', withZeros: false });
    expect(Array.from(series[0].y)).toEqual([2, 2, 2]);
  });

  it('lays a second run over it on bins that span both, without losing a weight', () => {
    const other = {
      ...seen({ minimum: -3, maximum: 0, step: 20, after: Uint32Array.of(1, 2, 8) }),
      label: 'another',
      color: 3,
    };
    const { series, x } = histogramContent(seen(), settings, { other });
    expect(x).toMatchObject({ minimum: -3, maximum: 1 });
    expect(series[2].label).toBe('after · another, step 20');
    for (const { y } of series) expect(Array.from(y).reduce((a, b) => a + b, 0)).toBeCloseTo(11);
  });

  it('draws quantization levels with their values', () => {
    const { references, summary } = histogramContent(seen({ levels: [-0.1234, 0.1234] }), settings, {
      quantized: true,
    });
    expect(references).toEqual([
      { axis: 'x', value: -0.1234, label: '−0.12' },
      { axis: 'x', value: 0.1234, label: '0.12' },
    ]);
    expect(summary).toMatch(/\. 2 levels$/);
  });

  it('says when levels are not drawn: of rows with scales of their own, and when there are very many', () => {
    expect(histogramContent(seen(), settings, { quantized: true }).summary).toMatch(/Levels are not drawn: each row/);
    const inBuckets = seen({ scaledLevels: { levels: [0.2, 0.8], counts: Uint32Array.of(3, 4) } });
    expect(histogramContent(inBuckets, settings, { quantized: true }).summary).toMatch(/see below$/);
    const many = seen({ levels: Array.from({ length: 256 }, (_, i) => i / 256) });
    const { references, summary } = histogramContent(many, settings, { quantized: true });
    expect(references).toEqual([]);
    expect(summary).toMatch(/256 levels, too many to draw/);
  });
});

describe('a run without a distortion', () => {
  const config = {
    training: { steps: 100 },
    compression: { policy: 'deeptwist', distortEvery: 30, schedule: { from: 40 } },
  };
  const run = (experiment: object, rest: object = {}): RunSnapshot =>
    ({ ...createRunHistory().snapshot(), started: { config: experiment }, ...rest }) as unknown as RunSnapshot;

  it('says when the first comes', () => {
    expect(whyNoDistortions(run(config))).toMatch(/the first comes at step 60/);
    const late = { ...config, compression: { ...config.compression, distortEvery: 70, schedule: { from: 80 } } };
    expect(whyNoDistortions(run(late))).toMatch(/step 100/);
    const computed = { ...config, compression: { ...config.compression, policy: 'straight-through' } };
    expect(whyNoDistortions(run(computed))).toMatch(/step 40/);
    const once = { ...config, compression: { ...config.compression, policy: 'one-shot' } };
    expect(whyNoDistortions(run(once))).toMatch(/step 100/);
  });

  it('says why none comes', () => {
    expect(whyNoDistortions(createRunHistory().snapshot())).toMatch(/not begun/);
    expect(whyNoDistortions(run({ training: config.training }))).toMatch(/no "compression" section/);
    expect(whyNoDistortions(run(config, { end: { type: 'stopped' } }))).toMatch(/ended before/);
  });
});

function distortion(rest: Partial<WeightDistortion>): WeightDistortion {
  return {
    step: 10,
    index: 0,
    setting: { rate: 0.5 },
    minimum: -1,
    maximum: 1,
    before: Uint32Array.of(1, 8, 2),
    after: Uint32Array.of(2, 7, 2),
    zerosBefore: 0,
    zerosAfter: 5,
    nearZerosBefore: 3,
    nearZerosAfter: 0,
    relativeError: 0.1,
    ...rest,
  };
}
