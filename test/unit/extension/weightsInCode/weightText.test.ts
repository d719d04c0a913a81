import { describe, expect, test } from 'vitest';
import { distortionFacts, lensLines } from '../../../../extension/weightsInCode/weightText.ts';
import type { MeasuredWeight } from '../../../../extension/weightsInCode/measures.ts';
import { l10n, measuredWeight } from './editorFixture.ts';

const call = { kind: 'dense', start: 0, end: 10 };
const textsOf = (weights: readonly MeasuredWeight[], several = false) =>
  lensLines(l10n, { call, weights, several }).map(({ text }) => text);

const size = (weightsKept: number, bytesKept: number) => ({ size: { weightsKept, bytesKept } });

/** What training has left of structures, beside what was recorded of any distortion. */
function withStructure(weight: MeasuredWeight): MeasuredWeight {
  const nuclearNorm = { before: 20, after: 12, rank: 4, largest: 5, threshold: 0.4 };
  return { ...weight, last: { ...weight.last!, nuclearNorm, units: { left: 15, all: 20 } } };
}

describe('the line above a layer', () => {
  test.each<[string, MeasuredWeight, string]>([
    ['that nobody compresses', measuredWeight('fc1/kernel', [], { compressed: false }), '[10, 20] · not compressed'],
    ['before the first distortion', measuredWeight('fc1/kernel'), '[10, 20] · no distortion yet'],
    [
      'whose rate rises',
      measuredWeight(
        'fc1/kernel',
        [
          { step: 10, setting: { rate: 0.4 }, zeros: 80 },
          { step: 20, setting: { rate: 0.75432 }, zeros: 150 },
        ],
        size(50, 225),
      ),
      '[10, 20] · 25% kept · would be 3.56x smaller · rate 0.754 ▲',
    ],
    [
      'whose rate has come to its end',
      measuredWeight(
        'fc1/kernel',
        [
          { step: 10, setting: { rate: 0.98 }, zeros: 196, error: 0.2 },
          { step: 20, setting: { rate: 0.98 }, zeros: 196, error: 0.1234 },
        ],
        size(4, 20),
      ),
      '[10, 20] · 2% kept · would be 40.0x smaller · rate 0.98 · error 12% ▼',
    ],
    [
      'whose run has written its file',
      measuredWeight('fc1/kernel', [{ step: 20, setting: { rate: 0.98 }, zeros: 196, error: 0.1234 }], {
        ...size(4, 20),
        isInFile: true,
      }),
      '[10, 20] · 2% kept · 40.0x smaller · rate 0.98 · error 12%',
    ],
    [
      'in a log of an earlier version, which does not say what is left',
      measuredWeight('fc1/kernel', [{ step: 20, setting: { rate: 0.98 }, zeros: 196 }]),
      '[10, 20] · rate 0.98 · error 10%',
    ],
    [
      'that is quantized',
      measuredWeight(
        'fc1/kernel',
        [
          { step: 10, setting: { bits: 2 }, error: 0.3 },
          { step: 20, setting: { bits: 2 }, error: 0.31 },
        ],
        size(200, 210),
      ),
      '[10, 20] · would be 3.81x smaller · 2 bits · error 31% ▲',
    ],
    [
      'whose rank and units training finds',
      withStructure(measuredWeight('fc1/kernel', [{ step: 10, setting: { tau: 5 }, error: 0.05 }], size(120, 480))),
      '[10, 20] · would be 1.67x smaller · rank 4 · 15 of 20 units · tau 5 · error 5%',
    ],
    [
      'of low rank',
      measuredWeight('fc1/kernel', [{ step: 10, setting: { rank: 2 }, error: 0.05 }], size(60, 240)),
      '[10, 20] · would be 3.33x smaller · rank 2 · error 5%',
    ],
    [
      'whose rank is above break-even: the dense matrix is kept',
      measuredWeight('fc1/kernel', [{ step: 10, setting: { rank: 9 }, error: 0 }], size(200, 800)),
      '[10, 20] · would be 1.00x smaller · rank 9 · error 0%',
    ],
    [
      'with a distortion of the user',
      measuredWeight('fc1/kernel', [{ step: 10, setting: {}, zeros: 100 }], size(100, 400)),
      '[10, 20] · 50% kept · would be 2.00x smaller · error 10%',
    ],
    [
      'that has diverged',
      measuredWeight('fc1/kernel', [{ step: 10, setting: { bits: 1 }, error: NaN }]),
      '[10, 20] · 1 bit · error –',
    ],
  ])('%s', (_, weight, text) => {
    expect(textsOf([weight])).toEqual([text]);
  });

  test('names the weights where there are several, and layers where one call makes several', () => {
    const weights = ['lstm1/kernel', 'lstm1/recurrent_kernel'].map((name) => measuredWeight(name));
    expect(textsOf(weights)).toEqual([
      'kernel · [10, 20] · no distortion yet',
      'recurrent_kernel · [10, 20] · no distortion yet',
    ]);
    expect(textsOf([measuredWeight('lstm1/kernel'), measuredWeight('lstm2/kernel')], true)[1]).toBe(
      'lstm2/kernel · [10, 20] · no distortion yet',
    );
  });

  test('counts the weights that are too many for lines of their own', () => {
    const weights = Array.from({ length: 7 }, (_, i) => measuredWeight(`lstm${i}/kernel`));
    const lines = lensLines(l10n, { call, weights, several: true });
    expect(lines.map(({ text }) => text).slice(3)).toEqual([
      'lstm3/kernel · [10, 20] · no distortion yet',
      '3 more weights',
    ]);
    expect(lines[4].weight.name).toBe('lstm4/kernel');
  });
});

test('what the last distortion did: near-zeros, zeros, setting and error', () => {
  const weight = measuredWeight('fc1/kernel', [{ step: 20, setting: { rate: 0.75 }, zeros: 150 }]);
  expect(distortionFacts(l10n, weight)).toEqual([
    'near zero 7 → 0',
    'zeros 0 → 150 (75%)',
    'rate 0.75',
    'relative error 10%',
  ]);
});
