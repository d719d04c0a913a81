/** @file Table 2 of the DeepTwist paper: the test accuracy of LeNet-5 over the distortion step S_D, all else equal. */
import { DEEPTWIST, lenet5, lenet5At108, prunedCase, RATES_OF_LENET5 } from './mnistPruning.ts';
import { curve, placeOf } from './pictures.ts';
import type { Rival, Study } from './study.ts';

/** The paper's choice for LeNet-5, which the experiment file has; the others are compared with it. */
const REFERENCE = 10;
const OTHERS = [1, 2, 5, 50, 100, 200, 500];
const rivalAt = (every: number): Rival => ({
  name: `S_D ${every}`,
  overrides: every === REFERENCE ? [] : [`compression.distortEvery=${every}`],
});

const work = {
  ...prunedCase(lenet5, '108x', RATES_OF_LENET5, {
    rivals: [REFERENCE, ...OTHERS].map(rivalAt),
    tries: { of: lenet5At108, rival: DEEPTWIST.name },
  }),
  name: 'LeNet-5 at 108x over S_D',
  published: [
    'Published (means of ten runs): 99.00, 99.06, 99.06, 99.11 and 99.05% at five smaller `S_D` that are not known to us, 98.98% at 100, 98.72% at 200, 96.52% at 500.',
  ],
};

export const sideAt = (every: number) => ({ case: work.name, rival: rivalAt(every).name });

export const distortionStep: Study = {
  name: 'distortion-step',
  title: 'Accuracy over the distortion step',
  introduction: [
    "Table 2 of the DeepTwist paper: LeNet-5 with 1 weight in 108, pruned every `S_D` steps, everything else equal. The learning rate and Adam's epsilon are those that " +
      '[mnist-pruning](mnist-pruning.md) chose for DeepTwist, so that only `S_D` differs; nothing is tried here.',
  ],
  cases: [work],
  figures: [
    {
      name: 'distortion-step',
      title: 'LeNet-5 at 108x: test accuracy over the distortion step',
      content: (outcomes) => {
        const places = [REFERENCE, ...OTHERS]
          .toSorted((a, b) => a - b)
          .flatMap((every) => placeOf(outcomes.of(work.name, rivalAt(every).name), every));
        if (places.length < 2) return undefined;
        return {
          x: { label: 'S_D (steps)', scale: 'log' },
          y: { label: 'test accuracy (%), mean and 95% interval' },
          series: [
            ...curve('here', 0, places),
            ...curve('paper', 1, [
              { x: 100, mean: 98.98 },
              { x: 200, mean: 98.72 },
              { x: 500, mean: 96.52 },
            ]),
          ],
        };
      },
    },
  ],
};
