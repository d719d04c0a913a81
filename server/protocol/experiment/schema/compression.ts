/** @file `compression` of an experiment file, by method. */
import * as z from 'zod';
import { N_OF_M, nOfM, PATTERN_WORDS, rateOfPattern } from '../pruningPattern.ts';
import { pointsByGradient, quantizationParameters, straightThrough } from './quantization.ts';
import { fraction, path, positiveInteger } from './values.ts';

/** The policy of an experiment that names none. */
export const DEFAULT_POLICY = 'deeptwist';

const policy = z
  .enum([
    'deeptwist',
    'gradual-mask',
    'dynamic-surgery',
    'rigl',
    'variational-dropout',
    'one-shot',
    'factors',
    'straight-through',
    'points',
    'alternating-points',
  ])
  .default(DEFAULT_POLICY)
  .describe(
    'When weights are compressed, and what becomes of the full-precision weight: DeepTwist, or a baseline to compare it with.',
  )
  .meta({
    enumDescriptions: [
      'Every distortEvery steps the weights are replaced by their compressed form, and train on in full precision.',
      'Prune only: at the same steps a mask is chosen, and masked weights are not updated (Zhu & Gupta 2017).',
      'Prune only: a mask is chosen ever more rarely, and masked weights are updated, so that they can return (Guo et al. 2016).',
      'Prune only: at the same steps the mask drops the least weights and grows as many by their gradients (Evci et al. 2020).',
      'Prune only: weights have a variance that is trained, and those that are little more than noise become zero at the end; the layers have no rate ' +
        '(Molchanov et al. 2017).',
      'Once, after training.',
      'Low rank only: truncated once, then the two factors are trained (Sainath et al. 2013).',
      'At every step, computed with in place of a full-precision shadow that is trained.',
      'Quantize to points only: the points are fitted once and then trained in the place of the weights, which stay what they were ' +
        '(differentiable quantization, Polino et al. 2018; the shared weights of Deep Compression).',
      'Quantize to points only: straight-through with levels equally far apart for distortEvery, then the points for as long, and so on; what ' +
        'the points leave is what the weights go on from (Polino et al. 2018 mix the two by epochs).',
    ],
  });

const distortEvery = positiveInteger
  .describe(
    'Distortion step S_D: training steps (epochs where unit says so) between two distortions, which replace the weights by their compressed form. ' +
      'In between they train in full precision and recover. DeepTwist paper: 5 (LeNet-300-100) and 10 (LeNet-5); 100 (pruning and low rank of an ' +
      'LSTM), 2000 (quantizing it). Accuracy depends little on it, up to about 100 for LeNet-5: 98.7% at 200, 96.5% at 500 (Table 2).',
  )
  .meta({ examples: [10] });
const from = z
  .int()
  .min(0)
  .default(0)
  .describe(
    'First step (t_i) from which distortions happen. DeepTwist paper: 8000 (LeNet), 0 for a model that was pre-trained.',
  );
const timeUnit = z
  .enum(['steps', 'epochs'])
  .optional()
  .meta({ enumDescriptions: ['Training steps.', 'Passes over the training data.'] });
const unit = timeUnit.describe('The unit of `distortEvery`, and of a schedule that names none; default: steps.');
const scheduleUnit = timeUnit.describe('The unit of the times in this schedule; default: that of the compression.');
const start = z.strictObject({ from, unit: scheduleUnit }).optional().describe('When distortions begin.');
const layerKeys =
  'Names of layers (`fc1`: all its matrices) or weights (`lstm/kernel`), or globs of either (`fc*`, `layer1.*`), with their parameters. A ' +
  "weight's own name wins over its layer's, and that over a glob. Biases and other vectors are never compressed.";

const layersWith = <Parameters extends z.ZodRawShape>(parameters: Parameters) =>
  z.record(z.string(), z.strictObject(parameters)).describe(layerKeys);

const pruningPattern = z
  .union([
    z.enum(PATTERN_WORDS).meta({
      enumDescriptions: [
        'Single weights, wherever they are.',
        'Blocks of `block` rows and columns of the matrix, those of the least root mean square first.',
        'Whole units: all weights into a neuron, a filter, or a unit of a recurrent layer with all its gates. Their biases stay.',
      ],
    }),
    z
      .string()
      .regex(N_OF_M)
      .meta({
        title: "N:M as in '2:4'",
        description:
          'At most N of each M weights side by side along the inputs of an output stay (Mishra et al. 2021).',
        examples: ['2:4', '1:4'],
      }),
  ])
  .default('element')
  .describe(
    'What becomes zero together. A pattern N:M has the rate 1 - N/M, from the first distortion on; with the others the rate rises by ' +
      'the schedule.',
  );

export const surgerySettings = z
  .strictObject({
    gamma: z
      .number()
      .min(0)
      .default(1e-4)
      .describe('How fast the chance falls; 0 for a new mask at each step.')
      .meta({ examples: [1e-4] }),
    power: z.number().min(0).default(1).describe('The power by which it falls.'),
  })
  .describe(
    'Policy `dynamic-surgery`: the chance of a new mask at step t from t_i to t_f is (1 + gamma (t - t_i))^-power. The authors: 1e-4 and 1.',
  );

export const regrowthSettings = z
  .strictObject({
    fraction: fraction
      .default(0.3)
      .describe('The fraction of the weights that are kept, at first.')
      .meta({ examples: [0.3] }),
  })
  .describe(
    'Policy `rigl`: how much of the mask changes at a distortion. It falls from `fraction` at t_i to 0 at t_f, as a cosine. The authors: 0.3, ' +
      'until three quarters of the training.',
  );

export const variationalSettings = z
  .strictObject({
    logVariance: z
      .number()
      .min(-20)
      .max(0)
      .default(-10)
      .describe('Natural logarithm of the variance of each weight at first. The authors: -10.')
      .meta({ examples: [-8] }),
    threshold: z
      .number()
      .min(-8)
      .max(8)
      .default(3)
      .describe(
        'Weights become zero where log alpha, of the variance over the square of the mean, is above this. The authors: 3, where 20 times as much is noise as not.',
      )
      .meta({ examples: [3] }),
  })
  .describe(
    'Policy `variational-dropout`: how weights begin, and which become zero. The schedule says how the weight of the divergence rises: from ' +
      'initialRate at t_i to 1 at t_f, as a pruning rate would.',
  );

export const prunedLayer = z
  .strictObject({
    rate: fraction
      .optional()
      .describe(
        'Target pruning rate p_f: the fraction of weights that become zero, 0 to 1. DeepTwist paper: with 0.8 and ' +
          '0.85 the perplexity of an LSTM language model is below that of the model before. The examples go up to 0.99 for layers of the LeNets. A ' +
          'pattern N:M has its own rate, and the policy `variational-dropout` finds one.',
      )
      .meta({ examples: [0.9] }),
    pattern: pruningPattern,
    block: z
      .tuple([positiveInteger, positiveInteger])
      .optional()
      .describe(
        'Rows (outputs) and columns (inputs) of a block, for the pattern `block`. Those at the edges may be smaller.',
      )
      .meta({ examples: [[4, 4]] }),
  })
  .check(({ value: { rate, pattern, block }, issues }) => {
    const problem = (setting: string, message: string, params: SettingIssue) =>
      issues.push({ code: 'custom', input: undefined, path: [setting], message, params: { ...params } });
    const numbers = nOfM(pattern);
    if (numbers && numbers.kept >= numbers.of)
      problem('pattern', `expected N below M in N:M, got "${pattern}"`, { kind: 'wrong-value', at: 'value' });
    else if (numbers && rate !== undefined)
      problem('rate', `the pattern "${pattern}" has the rate ${rateOfPattern(pattern)}; leave it out`, {
        kind: 'combination',
        at: 'key',
      });
    if (pattern === 'block' && !block)
      problem('block', 'missing: expected [rows, columns] of a block, for example [4, 4]', {
        kind: 'missing-setting',
        at: 'value',
      });
    if (pattern !== 'block' && block)
      problem('block', 'only the pattern "block" has blocks; leave it out', { kind: 'combination', at: 'key' });
  });

/** What a check of settings that belong together says of a problem, besides its message. */
export interface SettingIssue {
  readonly kind: 'wrong-value' | 'missing-setting' | 'combination';
  readonly at: 'key' | 'value';
}

const pruning = z
  .strictObject({
    method: z.literal('prune'),
    policy,
    distortEvery,
    unit,
    scope: z
      .enum(['layer', 'model'])
      .default('layer')
      .describe('Among which weights the least are chosen.')
      .meta({
        enumDescriptions: [
          'Each weight has its own threshold, so that it has its rate.',
          'All named layers have one threshold, so that together they have the rate, which is the same in all of them.',
        ],
      }),
    criterion: z
      .enum(['magnitude', 'movement', 'taylor'])
      .default('magnitude')
      .describe('By which number the least weights are chosen.')
      .meta({
        enumDescriptions: [
          '|w|.',
          'The sum of -w dL/dw over all steps: weights that move towards zero go (Sanh et al. 2020), for pre-trained models.',
          'The mean of |w dL/dw| over about the last 100 steps: what the loss would change by (Molchanov et al. 2017).',
        ],
      }),
    surgery: surgerySettings.optional(),
    regrowth: regrowthSettings.optional(),
    variationalDropout: variationalSettings.optional(),
    layers: z.record(z.string(), prunedLayer).describe(layerKeys),
    schedule: z
      .strictObject({
        initialRate: fraction
          .default(0)
          .describe('Pruning rate p_i that the schedule begins with, 0 to 1. DeepTwist paper: 0.25 (LeNet), 0 (LSTM).'),
        from,
        to: z
          .int()
          .positive()
          .describe(
            'Step t_f at which the target rate is reached; it is kept after that. DeepTwist paper: 13,000 (LeNet-300-100) and 12,000 ' +
              '(LeNet-5) of 20,000 steps; the 3rd (medium) and the 5th epoch (large) for LSTM language models.',
          )
          .meta({ examples: [12000] }),
        unit: scheduleUnit,
        exponent: z
          .number()
          .positive()
          .default(3)
          .describe(
            'E: how much faster the rate rises at first than towards the end; 1 is a straight line. DeepTwist paper: 7 (LeNet), 3 (LSTM).',
          ),
      })
      .describe(
        'How the pruning rate rises. Equation (1): p_t = p_f + (p_i - p_f) (1 - (t - t_i)/(t_f - t_i))^E. Without a schedule the ' +
          'target rate holds from the first distortion on.',
      )
      .meta({ examples: [{ from: 8000, to: 12000 }] })
      .optional(),
  })
  .describe(
    'The smallest weights become zero at each distortion; no mask holds them there (algorithm 1). Single ones, N of each M, blocks or ' +
      'whole units; by magnitude or by their gradients.',
  );

const quantization = z
  .strictObject({
    method: z.literal('quantize'),
    policy,
    distortEvery,
    unit,
    layers: z.record(z.string(), quantizationParameters).describe(layerKeys),
    straightThrough,
    pointsByGradient,
    schedule: start,
  })
  .describe(
    'Weights become codes of a few bits at each distortion: binary codes (algorithm 2), or `levels` of another kind.',
  );

const lowRank = z
  .strictObject({
    method: z.literal('low-rank'),
    policy,
    distortEvery,
    unit,
    layers: layersWith({
      rank: positiveInteger
        .describe(
          "Rank r: W becomes U_r S_r V_r'. An m x n matrix then takes r (m + n) numbers in place of m n. DeepTwist paper: 64 to 512 " +
            'for an LSTM of 650 units, 32 to 600 for one of 1500 (Table 5).',
        )
        .meta({ examples: [64] }),
      sharedProjection: z
        .boolean()
        .default(false)
        .describe(
          "The recurrent kernel of a layer, W_h, and the kernel of the next, W_x, which multiply the same layer's output, share " +
            'the projection V_h (equation (5)). Both need the same rank.',
        ),
    }),
    schedule: start,
  })
  .describe('Weights become their nearest matrix of low rank at each distortion (algorithm 3).');

/** Proximal steps follow a pass over the data; the others are given in steps unless their unit says otherwise. */
const onceAnEpoch = {
  distortEvery: positiveInteger
    .default(1)
    .describe('Epochs, or steps where unit says so, between two proximal steps. Alvarez & Salzmann 2017: 1 epoch.')
    .meta({ examples: [1] }),
  unit: timeUnit
    .default('epochs')
    .describe('The unit of `distortEvery`, and of a schedule that names none; default: epochs.'),
};

const nuclearNorm = z
  .strictObject({
    method: z.literal('nuclear-norm'),
    policy,
    ...onceAnEpoch,
    threshold: z
      .enum(['lr*tau', 'tau'])
      .default('lr*tau')
      .describe('What is taken off each singular value.')
      .meta({
        enumDescriptions: [
          'The learning rate in force times tau: the proximal step of gradient descent on loss + tau ||W||_*. It gets weaker with the learning rate.',
          'tau itself, whatever the learning rate is.',
        ],
      }),
    energy: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe(
        'Part e of the sum of the singular values that the factors keep at the end: the least rank r with s_1 + … + s_r >= e (s_1 + … + ' +
          's_n), where factors of that rank are fewer numbers than the weight. 1 keeps all that are not 0.',
      )
      .meta({ examples: [0.9] }),
    energyOf: z
      .enum(['values', 'squares'])
      .default('values')
      .describe('What `energy` is a part of.')
      .meta({
        enumDescriptions: [
          'The sum of the singular values (Alvarez & Salzmann 2017).',
          'The sum of their squares (Wen et al. 2017): fewer are kept at the same number.',
        ],
      }),
    layers: layersWith({
      tau: z
        .number()
        .min(0)
        .describe(
          'Strength: each proximal step makes every singular value s max(s - learning rate x tau, 0). A larger one leaves a lower rank. ' +
            'To begin with: learning rate x tau of 1 to 5% of the largest singular value.',
        )
        .meta({ examples: [5] }),
    }),
    schedule: start,
  })
  .describe(
    'Compression-aware training (Alvarez & Salzmann 2017): after each epoch all singular values of a weight are soft-thresholded, the ' +
      'proximal step of tau ||W||_*, so that training itself finds a low rank.',
  );

const groupLasso = z
  .strictObject({
    method: z.literal('group-lasso'),
    policy,
    ...onceAnEpoch,
    threshold: z
      .enum(['lr*lambda', 'lambda'])
      .default('lr*lambda')
      .describe('What the norms of units are shrunk by, times the root of the numbers P of a unit.')
      .meta({
        enumDescriptions: [
          'The learning rate in force times lambda: the proximal step of gradient descent on loss + penalty. It gets weaker with the learning rate.',
          'lambda itself, whatever the learning rate is.',
        ],
      }),
    layers: layersWith({
      lambda: z
        .number()
        .min(0)
        .describe(
          'Strength: each proximal step makes the numbers w of a unit, its bias among them, max(1 - learning rate x (1 - alpha) lambda ' +
            'sqrt(P) / ||w||, 0) w. A larger one leaves fewer units.',
        )
        .meta({ examples: [0.2] }),
      alpha: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe(
          'Sparse group lasso: the part of lambda that is taken off the magnitude of each number first; the rest shrinks units. 0: only ' +
            'units, 1: only single numbers.',
        )
        .meta({ examples: [0.2] }),
    }),
    schedule: start,
  })
  .describe(
    'The number of neurons and filters is learned (Alvarez & Salzmann 2016, 2017): after each epoch the numbers of each output unit are shrunk ' +
      'together, the proximal step of the sparse group lasso, so that many units become 0.',
  );

const custom = z
  .strictObject({
    method: z.literal('custom'),
    policy,
    distortEvery,
    unit,
    module: path.describe('Module exporting `distort(weights, shape, context)`; it changes `weights` in place.'),
    layers: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .describe(`${layerKeys} The parameters are handed to the module as they are.`),
    schedule: start,
  })
  .describe('Weights are changed by a function of yours at each distortion.');

export const oneCompression = z.discriminatedUnion('method', [
  pruning,
  quantization,
  lowRank,
  nuclearNorm,
  groupLasso,
  custom,
]);

export const compression = z
  .union([
    oneCompression,
    z
      .array(oneCompression)
      .min(1)
      .describe(
        'Several compressions, applied in their order: to different layers, or one after the other to the same. Each has its own ' +
          'distortEvery, schedule and policy.',
      ),
  ])
  .describe('How weights are made smaller while they train. Leave it out for a plain training run (pre-training).');

/** The methods apart: for a file of which only parts can be read yet. */
export const compressionSchemas = {
  prune: pruning,
  quantize: quantization,
  'low-rank': lowRank,
  'nuclear-norm': nuclearNorm,
  'group-lasso': groupLasso,
  custom,
} as const;

export type PruningCriterion = z.output<typeof pruning>['criterion'];
export type PruningParameters = z.output<typeof prunedLayer>;
export type PruningSchedule = NonNullable<z.output<typeof pruning>['schedule']>;
export type LowRankParameters = z.output<typeof lowRank>['layers'][string];
