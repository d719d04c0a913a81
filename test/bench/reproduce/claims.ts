/** @file The claims of the papers, each with the test that judges it: from the records of the studies as far as these go. */
import { riseFalls } from './dropSeries.ts';
import { sideAt } from './distortionStep.ts';
import { DEEPTWIST, lenet300At62, lenet5At108, MASKS } from './mnistPruning.ts';
import { leadingAreLarger } from './leadingValues.ts';
import { FIFTH, FULL, type Scale } from './pennTreebank.ts';
import { furtherSide, pretrainedSide, prunedSide, pruningPage } from './pennTreebankPruning.ts';
import {
  ALTERNATING,
  EVERY_STEP,
  furtherFullPrecisionSide,
  GREEDY,
  quantizationPage,
  quantizedSide,
} from './pennTreebankQuantization.ts';
import { furtherRankSide, PLAIN, rankSide, ranksPage, SHARED, SVD, uncutSide } from './pennTreebankRanks.ts';
import { bestLearningRates, courseFalls } from './retrainingTests.ts';
import { asGood, better, each, reaches, stated, type Test } from './verdict.ts';

export interface Claim {
  readonly paper: 'deeptwist' | 'compression-aware' | 'distillation';
  readonly text: string;
  /** Place in the paper. */
  readonly where: string;
  readonly published?: string;
  /** Name of the study whose page has the runs. */
  readonly study?: string;
  /** The benchmark that has the figures, and the place of its results. */
  readonly elsewhere?: { readonly command: string; readonly page: string };
  readonly test: Test;
  /** The same of a smaller model and corpus, and the page of those runs. */
  readonly fifth?: { readonly study: string; readonly test: Test };
}

/** What a claim about the Penn Treebank is judged by, at both scales. */
const atBothScales = (
  pageOf: (scale: Scale) => string,
  testOf: (scale: Scale) => Test,
): Required<Pick<Claim, 'study' | 'test' | 'fifth'>> => ({
  study: pageOf(FULL),
  test: testOf(FULL),
  fifth: { study: pageOf(FIFTH), test: testOf(FIFTH) },
});

const deeptwist = (name: string) => ({ case: name, rival: DEEPTWIST.name });
const lenet300 = deeptwist(lenet300At62.name);
const lenet5 = deeptwist(lenet5At108.name);

/** The same test for each of several values. */
const forEach = <T extends number>(values: readonly T[], name: (value: T) => string, test: (value: T) => Test) =>
  each(Object.fromEntries(values.map((value) => [name(value), test(value)])));

/** The rates at which the paper says that pruning makes a model better. */
const lowRates = ({ pruningRates }: Scale) => pruningRates.filter((rate) => rate <= 0.85);
const percent = (rate: number) => `${100 * rate}%`;
const rank = (value: number) => `rank ${value}`;
const bits = (value: number) => `${value} ${value === 1 ? 'bit' : 'bits'}`;

const compressionAware = {
  command: 'npm run bench -- compression-aware',
  page: '../results.md#compression-aware-training',
};
const distillation = {
  command: 'npm run bench -- quantized-distillation',
  page: '../results.md#quantized-distillation-on-cifar-10-beside-deeptwist',
};

export const claims: readonly Claim[] = [
  {
    paper: 'deeptwist',
    text: 'LeNet-300-100: a higher ratio than Dynamic Network Surgery, as accurate',
    where: 'Table 1',
    published: 'surgery: 98.01% at 56x',
    study: 'mnist-pruning',
    test: reaches(lenet300, 0.9801),
  },
  {
    paper: 'deeptwist',
    text: 'LeNet-5: at least the ratio of Dynamic Network Surgery, as accurate',
    where: 'Table 1',
    published: 'surgery: 99.09% at 108x',
    study: 'mnist-pruning',
    test: reaches(lenet5, 0.9909),
  },
  {
    paper: 'deeptwist',
    text: 'LeNet-300-100: about the ratio of sparse variational dropout, as accurate',
    where: 'Table 1',
    published: 'variational dropout: 98.08% at 68x',
    study: 'highest-ratio',
    test: reaches(deeptwist('LeNet-300-100 at 80x'), 0.9808),
  },
  {
    paper: 'deeptwist',
    text: 'LeNet-5: about the ratio of sparse variational dropout, as accurate',
    where: 'Table 1',
    published: 'variational dropout: 99.25% at 280x',
    study: 'highest-ratio',
    test: reaches(deeptwist('LeNet-5 at 281x'), 0.9925),
  },
  {
    paper: 'deeptwist',
    text: 'The accuracy hardly depends on the distortion step up to 100: as good as with 10',
    where: 'Table 2',
    published: '99.00 to 99.11%; 98.98% at 100',
    study: 'distortion-step',
    test: forEach(
      [1, 2, 5, 50, 100],
      (every) => `S_D ${every}`,
      (every) => asGood(sideAt(every), sideAt(10)),
    ),
  },
  {
    paper: 'deeptwist',
    text: 'A distortion step of 500 is too large: worse than 10',
    where: 'Table 2',
    published: '96.52% beside about 99.1%',
    study: 'distortion-step',
    test: better(sideAt(10), sideAt(500)),
  },
  {
    paper: 'deeptwist',
    text: 'One extra hyper-parameter, and training as it is without compression',
    where: 'section 1',
    test: stated(
      'not seen',
      "no measurement: besides the distortion step there are a rate for each layer and four numbers of the schedule, and the accuracies here are with a learning rate and an epsilon of Adam's that were searched",
    ),
  },
  {
    paper: 'deeptwist',
    text: 'The loss rises less and less at distortions while the model trains',
    where: 'section 3',
    study: 'mnist-pruning',
    test: each({
      'LeNet-300-100': riseFalls(lenet300, 14_000),
      'LeNet-5': riseFalls(lenet5, 13_000),
    }),
  },
  {
    paper: 'deeptwist',
    text: 'Weights end in a flat minimum',
    where: 'section 3',
    test: stated('not tested', 'no study measures the curvature'),
  },
  {
    paper: 'deeptwist',
    text: 'Distortions cost little time',
    where: 'section 1',
    elsewhere: { command: 'npm run bench -- distortion-share', page: '../results.md#lstm-language-models-speed' },
    test: stated(
      'seen',
      '0.62% of the training time for rank 256 of 2 x 650 units at a distortion step of 100, 0.06 to 0.24% for 1 to 3 bits at 2000; 3.3% for LeNet-300-100 at 5, whose steps take half a millisecond',
    ),
  },
  {
    paper: 'deeptwist',
    text: 'Pruned language models: better than with gradual masks at all rates',
    where: 'Table 3',
    ...atBothScales(pruningPage, (scale) =>
      forEach(scale.pruningRates, percent, (rate) =>
        better(prunedSide(scale, rate, DEEPTWIST.name), prunedSide(scale, rate, MASKS.name)),
      ),
    ),
  },
  {
    paper: 'deeptwist',
    text: 'Better than the pre-trained model at 80 and 85%',
    where: 'section 4.1',
    ...atBothScales(pruningPage, (scale) =>
      forEach(lowRates(scale), percent, (rate) =>
        better(prunedSide(scale, rate, DEEPTWIST.name), pretrainedSide(scale)),
      ),
    ),
  },
  {
    paper: 'deeptwist',
    text: 'Because of regularization: better than the same further training without compression',
    where: 'section 4.1',
    ...atBothScales(pruningPage, (scale) =>
      forEach(lowRates(scale), percent, (rate) => better(prunedSide(scale, rate, DEEPTWIST.name), furtherSide(scale))),
    ),
  },
  {
    paper: 'deeptwist',
    text: 'Fewer weights near zero than with masks',
    where: 'Figure 4',
    test: stated(
      'not tested',
      'a run that ends with a distortion keeps the largest weights by construction; a measure that is not by construction, the survivors near the threshold before it, has no study yet',
    ),
  },
  {
    paper: 'deeptwist',
    text: 'Codes of 1 to 3 bits: as good as alternating quantization at every step',
    where: 'Table 4',
    published: 'alternating at every step: 95.8 with 2 bits, 87.9 with 3 (as remembered)',
    ...atBothScales(quantizationPage, (scale) =>
      forEach(scale.bits, bits, (count) =>
        asGood(quantizedSide(scale, count, ALTERNATING), quantizedSide(scale, count, EVERY_STEP)),
      ),
    ),
  },
  {
    paper: 'deeptwist',
    text: 'The greedy algorithm is enough: as good as alternating ones in DeepTwist',
    where: 'section 4.2',
    ...atBothScales(quantizationPage, (scale) =>
      forEach([2, 3], bits, (count) =>
        asGood(quantizedSide(scale, count, GREEDY), quantizedSide(scale, count, ALTERNATING)),
      ),
    ),
  },
  {
    paper: 'deeptwist',
    text: 'With 3 bits as good as the same further training in full precision',
    where: 'Table 4',
    ...atBothScales(quantizationPage, (scale) =>
      asGood(quantizedSide(scale, 3, ALTERNATING), furtherFullPrecisionSide(scale)),
    ),
  },
  {
    paper: 'deeptwist',
    text: 'Weights need no clipping',
    where: 'section 4.2',
    test: stated('not tested', 'no study has a side with clipped weights; none of the runs here clips them'),
  },
  {
    paper: 'deeptwist',
    text: 'Low rank: better than conventional SVD at every rank',
    where: 'Figure 2a',
    ...atBothScales(ranksPage, (scale) =>
      forEach(scale.ranks, rank, (value) => better(rankSide(scale, value, PLAIN), rankSide(scale, value, SVD))),
    ),
  },
  {
    paper: 'deeptwist',
    text: 'Better than the pre-trained model at a much smaller rank',
    where: 'Figure 2a',
    published: '82.02 at rank 96 of 650 beside 83.78',
    ...atBothScales(ranksPage, (scale) => better(rankSide(scale, scale.lowRank, PLAIN), pretrainedSide(scale))),
  },
  {
    paper: 'deeptwist',
    text: 'Because of regularization: better than the same further training without compression',
    where: 'section 4.3',
    ...atBothScales(ranksPage, (scale) => better(rankSide(scale, scale.lowRank, PLAIN), furtherRankSide(scale))),
  },
  {
    paper: 'deeptwist',
    text: 'A shared projection costs little',
    where: 'Figure 2a',
    published: '82.65 beside 82.02 at rank 96',
    ...atBothScales(ranksPage, (scale) =>
      forEach(scale.ranks, rank, (value) => asGood(rankSide(scale, value, SHARED), rankSide(scale, value, PLAIN))),
    ),
  },
  {
    paper: 'deeptwist',
    text: 'The higher the rank, the lower the best learning rate of retraining; rates above that of pre-training (1) are preferred',
    where: 'section 4.3',
    published: 'best of 1.8, 2.0 and 2.2 at ranks 512, 256 and 128',
    ...atBothScales(ranksPage, (scale) => bestLearningRates(scale)),
  },
  {
    paper: 'deeptwist',
    text: 'The perplexity after distortions falls from the first to the last epoch of retraining',
    where: 'Figure 2b',
    ...atBothScales(ranksPage, (scale) =>
      forEach(scale.ranks, rank, (value) => courseFalls(rankSide(scale, value, PLAIN))),
    ),
  },
  {
    paper: 'deeptwist',
    text: 'Singular values before the rank grow, those behind it shrink',
    where: 'Figure 3',
    ...atBothScales(ranksPage, (scale) => leadingAreLarger(rankSide(scale, scale.lowRank, PLAIN), uncutSide(scale))),
  },
  {
    paper: 'deeptwist',
    text: 'The medium and the large model (2 x 650 and 2 x 1500 units)',
    where: 'Table 3, Figure 2, Table 5',
    published: 'large, rank 128: 77.611 beside 93.722 of SVD',
    test: stated('not tested', 'a training takes days on the processors here; the studies have the small model'),
  },
  {
    paper: 'compression-aware',
    text: 'At an equal energy, a penalty on the ranks leaves fewer parameters, as accurate',
    where: 'experiments',
    elsewhere: compressionAware,
    test: stated(
      'seen',
      'LeNet-5, tau 20, energy 1: 55,047 of 431,080 parameters, 99.18% beside 99.27%; in 6 of 9 combinations of strength and energy, three seeds, by the 0.1 points of that page',
    ),
  },
  {
    paper: 'compression-aware',
    text: 'Groups and ranks together leave fewer parameters than groups alone, as accurate',
    where: 'experiments',
    elsewhere: compressionAware,
    test: stated(
      'seen',
      'LeNet-5, tau 10, energy 1: 103,645 beside 431,080 parameters, 99.20% beside 99.26%; but in 3 of 9 combinations only',
    ),
  },
  {
    paper: 'compression-aware',
    text: 'Training is shorter when units are removed while it goes on',
    where: 'experiments',
    test: stated('not tested', 'the product does it (`thin`); no benchmark times it'),
  },
  {
    paper: 'compression-aware',
    text: 'More compact than the best other methods, as accurate, with the networks and the data of the paper',
    where: 'abstract',
    test: stated('not tested', 'its data (ImageNet, ICDAR) and its networks of 1-D kernels are not here'),
  },
  {
    paper: 'distillation',
    text: 'In full precision, a distilled student is at least as good as one that learns from labels alone',
    where: 'experiments',
    elsewhere: distillation,
    test: stated('seen', '52.57 beside 47.74%, three seeds, a small student and part of the images'),
  },
  {
    paper: 'distillation',
    text: 'With 2 bits, quantizing after training is near chance, and both methods of the paper near full precision',
    where: 'experiments',
    elsewhere: distillation,
    test: stated(
      'not seen',
      '41.70% after training, far from chance; quantized distillation 51.96%, differentiable quantization 48.84%, full precision 53.58%',
    ),
  },
  {
    paper: 'distillation',
    text: 'With 4 bits, buckets are far better than none after training, and both methods as good as full precision',
    where: 'experiments',
    elsewhere: distillation,
    test: stated(
      'not seen',
      '51.97 beside 51.68%: buckets hardly matter on so small a network; the methods have 53.33 and 52.62% of 53.58%',
    ),
  },
  {
    paper: 'distillation',
    text: 'With 8 bits nothing matters',
    where: 'experiments',
    elsewhere: distillation,
    test: stated('seen', '52.54 to 53.63%, by the 1 point of that page'),
  },
  {
    paper: 'distillation',
    text: 'With 2 bits, quantized distillation is at least as good as differentiable quantization',
    where: 'experiments',
    elsewhere: distillation,
    test: stated('seen', '51.96 beside 48.84%'),
  },
  {
    paper: 'distillation',
    text: 'The teacher helps: quantized distillation is at least as good as the same quantization with labels alone',
    where: 'experiments',
    elsewhere: distillation,
    test: stated('seen', '51.96 beside 51.10% with 2 bits, 53.33 beside 52.91% with 4'),
  },
  {
    paper: 'distillation',
    text: 'Quantized shallow students are about as accurate as their teachers in full precision',
    where: 'abstract',
    test: stated(
      'not tested',
      "the students here learn from a fifth of the images of CIFAR-10 for ten epochs, as long as a processor allows; 53.63% of the teacher's 62.8% says nothing of the paper",
    ),
  },
  {
    paper: 'distillation',
    text: 'Inference is faster in proportion to the depth that the student saves',
    where: 'abstract',
    test: stated('not tested', 'no benchmark has students of several depths'),
  },
];
