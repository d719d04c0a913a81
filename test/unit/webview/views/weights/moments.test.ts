import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bareSetting, describeSetting } from '../../../../../webview/views/setting.ts';
import { describeDistortion, indexAt } from '../../../../../webview/views/weights/moments.ts';

describe('the slider through distortions', () => {
  it('stands at the nearest recorded step', () => {
    const steps = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 50 }).map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(steps, fc.nat(1200), (recorded, moment) => {
        const index = indexAt(
          recorded.map((step) => ({ step })),
          moment,
        );
        const distance = Math.min(...recorded.map((step) => Math.abs(step - moment)));
        expect(Math.abs(recorded[index] - moment)).toBe(distance);
      }),
    );
  });

  it('follows the newest when it is told to, and is nowhere in an empty run', () => {
    expect(indexAt([{ step: 5 }, { step: 9 }], 'latest')).toBe(1);
    expect(indexAt([], 'latest')).toBe(-1);
    expect(indexAt([], 7)).toBe(-1);
  });
});

describe('a distortion in words', () => {
  const distortion = {
    step: 1,
    index: 0,
    setting: { rate: 0.987 },
    minimum: -1,
    maximum: 1,
    before: new Uint32Array(),
    after: new Uint32Array(),
    zerosBefore: 0,
    zerosAfter: 259308,
    nearZerosBefore: 41300,
    nearZerosAfter: 212,
    relativeError: 0.3123,
  };

  it('says what a proximal step cut, and what it left of singular values and units', () => {
    const nuclearNorm = { before: 20, after: 12, rank: 32, largest: 3, threshold: 0.4 };
    const words = describeDistortion({ ...distortion, setting: {}, nuclearNorm, units: { left: 112, all: 1300 } });
    expect(words).toContain(
      ' · rank 32, 0.4 cut from each singular value, 60% of their sum left · 112 of 1,300 units · ',
    );
    const nothing = { ...nuclearNorm, before: 0, after: 0, rank: 0 };
    expect(describeDistortion({ ...distortion, nuclearNorm: nothing })).toContain('100% of their sum left');
  });

  it('says near-zeros and zeros before and after, the setting and the error', () => {
    const words = describeDistortion(distortion);
    expect(words).toBe('near zero 41,300 → 212 · zeros 0 → 259,308 · pruning rate 98.7% · relative error 31.2%');
  });

  it.each([
    [{ rate: 0.987 }, 'pruning rate 98.7%', '98.7%'],
    [{ bits: 1 }, '1 bit', '1'],
    [{ bits: 3 }, '3 bits', '3'],
    [{ rank: 20 }, 'rank 20', '20'],
    [{}, '', ''],
  ])('says a setting %o as "%s", and "%s" where the words stand already', (setting, words, bare) => {
    expect([describeSetting(setting), bareSetting(setting)]).toEqual([words, bare]);
  });
});
