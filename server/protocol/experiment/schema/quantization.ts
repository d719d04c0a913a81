/** @file The parameters of a layer that is quantized, by what its levels are: a member of the union for each kind. */
import * as z from 'zod';
import { positiveInteger } from './values.ts';

const bits = (least: number, meaning: string) =>
  z
    .int()
    .min(least)
    .max(8)
    .describe(meaning)
    .meta({ examples: [4] });

const points = z
  .int()
  .min(2)
  .max(256)
  .optional()
  .describe('Number of levels where it is less than 2^bits: 3 with 2 bits make weights ternary.')
  .meta({ examples: [3] });

const wholeBuckets = ['row', 'tensor'] as const;
const wholeBucketMeanings: readonly string[] = [
  'A row of the matrix, that is an output unit.',
  'The whole weight: the least to store, the least exact.',
];
const bucketMeaning =
  'Numbers that are scaled together: so many that follow one another in the tensor, a row of the matrix, or the whole weight. A weight ' +
  'with fewer is one bucket. Each bucket needs two numbers more. Polino et al. 2018: 256.';
const DEFAULT_BUCKET = 256;

const rounding = z
  .enum(['nearest', 'stochastic'])
  .default('nearest')
  .describe('The one of the two levels around a weight that it becomes.')
  .meta({
    enumDescriptions: [
      'The nearer one.',
      'One of them at random, the nearer more often, so that it stays what it was on average. The seed of the run and the step tell which.',
    ],
  });

const binary = z
  .strictObject({
    levels: z.literal('binary').optional().default('binary'),
    bits: z
      .int()
      .min(1)
      .max(8)
      .describe('Bits per weight (k): w ~ sum of k scales times codes of -1 and +1. DeepTwist paper: 1 to 3.')
      .meta({ examples: [2] }),
    algorithm: z
      .enum(['greedy', 'refined', 'alternating'])
      .default('alternating')
      .describe('How codes and scales are found.')
      .meta({
        enumDescriptions: [
          'One bit after the other, each the best for what is left (equation (4)): quick, the least exact.',
          'As greedy, with all scales fitted anew by least squares after each bit (Guo et al. 2017).',
          'From greedy, codes and scales fitted in turns (Xu et al. 2018): the most exact.',
        ],
      }),
    scales: z
      .enum(['row', 'matrix'])
      .default('row')
      .describe('One set of scales per row (output unit) or per matrix.')
      .meta({
        enumDescriptions: [
          'A set of scales for each output unit: more exact.',
          'One set for the whole weight: smaller.',
        ],
      }),
    iterations: positiveInteger
      .default(2)
      .describe('Alternating: rounds of re-coding and refitting (T of Xu et al. 2018).'),
  })
  .describe('Sums of as many scales as there are bits, each with + or -: w ~ a_1 b_1 + … + a_k b_k, b in {-1, +1}.');

const uniform = z
  .strictObject({
    levels: z.literal('uniform'),
    bits: bits(1, 'Bits of a code: 2^bits levels (Polino et al. 2018: 2, 4 and 8).'),
    points,
    bucket: z
      .union([positiveInteger, z.enum(wholeBuckets).meta({ enumDescriptions: wholeBucketMeanings })])
      .default(DEFAULT_BUCKET)
      .describe(bucketMeaning),
    symmetric: z
      .boolean()
      .default(false)
      .describe(
        'Levels from minus to plus the greatest magnitude of a bucket, with 0 among them, and one level less; else from its smallest ' +
          'to its greatest number.',
      ),
    rounding,
  })
  .describe(
    'Equally far apart from the smallest to the greatest number of each bucket: b + a k / (2^bits - 1), k = 0, 1, … (Polino et al. 2018, ' +
      'quantized distillation).',
  );

const fittedPoints = z
  .strictObject({
    levels: z.literal('points'),
    bits: bits(
      1,
      'Bits of a code: 2^bits points (Polino et al. 2018: 2 and 4; Deep Compression: 5 for dense layers, 8 for convolutions).',
    ),
    points,
    bucket: z
      .union([
        positiveInteger,
        z.enum([...wholeBuckets, 'none']).meta({
          enumDescriptions: [
            ...wholeBucketMeanings,
            'Nothing is scaled: points are weights, as the centroids of Deep Compression (Han et al. 2016).',
          ],
        }),
      ])
      .default(DEFAULT_BUCKET)
      .describe(
        `${bucketMeaning} All buckets of a weight have the same points, which are places between the ends of each.`,
      ),
    start: z
      .enum(['quantiles', 'uniform', 'random'])
      .default('uniform')
      .describe('The places of the points at first.')
      .meta({
        enumDescriptions: [
          'As many weights between each two: the paper of differentiable quantization; "density-based" in Deep Compression.',
          'Equally far apart: "linear" in Deep Compression, which found it the best of its three.',
          'At weights drawn at random: "Forgy" in Deep Compression.',
        ],
      }),
    iterations: z
      .int()
      .min(0)
      .default(30)
      .describe(
        'Rounds of Lloyd and Max, or of k-means, which move each point to the mean of its weights; they end when nothing changes. 0 leaves ' +
          'the points where they start, as the paper of differentiable quantization does.',
      ),
  })
  .describe(
    'Fitted to the weights, anywhere (Lloyd-Max, k-means; the centroids of Deep Compression). With the policy "points" they are trained ' +
      '(differentiable quantization).',
  );

const fixedPoint = z
  .strictObject({
    levels: z.literal('fixed-point'),
    bits: bits(2, "All bits of a number in two's complement: sign, integer and fraction."),
    fractionBits: z
      .int()
      .min(-64)
      .max(64)
      .optional()
      .describe(
        'Bits f of the fraction: weights are multiples of 2^-f, the others bits are sign and integer. Default: those of least squared error, ' +
          'chosen for each weight at each distortion.',
      )
      .meta({ examples: [4] }),
    rounding,
  })
  .describe(
    "Fixed-point numbers, k 2^-f with integers k in two's complement (Gupta et al. 2015), which processors without floats multiply.",
  );

const powerOfTwo = z
  .strictObject({
    levels: z.literal('power-of-two'),
    bits: bits(2, 'Bits of a code: 0, and 2^(bits - 1) - 1 powers of two with both signs.'),
  })
  .describe(
    '0 and powers of two, so that a product is a shift (Zhou et al. 2017). The greatest is the one of least squared error.',
  );

/** A layer without `levels` has binary codes. */
export const quantizationParameters = z.discriminatedUnion('levels', [
  binary,
  uniform,
  fittedPoints,
  fixedPoint,
  powerOfTwo,
]);

export type QuantizationParameters = z.output<typeof quantizationParameters>;
export type LevelsKind = QuantizationParameters['levels'];
export type ParametersOfLevels<L extends LevelsKind> = Extract<QuantizationParameters, { levels: L }>;

export const pointsByGradient = z
  .strictObject({
    steps: positiveInteger
      .default(5)
      .describe(
        'Training steps whose gradients are added up, from t_i on and with the weights as they are then; the points are fitted after ' +
          'them. The authors: 5.',
      ),
  })
  .optional()
  .describe(
    'Policy `points`: weights with a greater gradient get more points, the others less, all together as many as the layers say (Polino et al. 2018).',
  )
  .meta({ examples: [{}] });

export const straightThrough = z
  .strictObject({
    every: positiveInteger
      .default(1)
      .describe(
        'Steps from one that computes with quantized weights to the next; those between compute in full precision.',
      ),
    gradient: z
      .enum(['plain', 'exact-scale'])
      .default('plain')
      .describe('What the gradient at the quantized weights becomes for those in full precision.')
      .meta({
        enumDescriptions: [
          'It is taken as it is.',
          'Uniform levels only: the greatest and the smallest weight of a bucket also get what they do to its scale.',
        ],
      }),
  })
  .optional()
  .describe('How the policy "straight-through" trains (Polino et al. 2018, quantized distillation).');
