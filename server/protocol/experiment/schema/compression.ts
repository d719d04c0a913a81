/** @file `compression` of an experiment file, by method. */
import * as z from 'zod';
import { fraction, path, positiveInteger } from './values.ts';

/** The policy of an experiment that names none. */
export const DEFAULT_POLICY = 'deeptwist';

const policy = z
  .enum(['deeptwist', 'gradual-mask', 'one-shot', 'factors', 'straight-through'])
  .default(DEFAULT_POLICY)
  .describe(
    'When weights are compressed, and what becomes of the full-precision weight: DeepTwist, or a baseline to compare it with.',
  )
  .meta({
    enumDescriptions: [
      'Every distortEvery steps the weights are replaced by their compressed form, and train on in full precision.',
      'Prune only: at the same steps a mask is chosen, and masked weights are not updated (Zhu & Gupta 2017).',
      'Once, after training.',
      'Low rank only: truncated once, then the two factors are trained (Sainath et al. 2013).',
      'At every step, computed with in place of a full-precision shadow that is trained.',
    ],
  });

const distortEvery = positiveInteger
  .describe(
    'Distortion step S_D, in training steps, or epochs where unit says so: every so many the weights are replaced by their compressed form. In between ' +
      'they train in full precision and recover. The paper: 5 (LeNet-300-100) and 10 (LeNet-5); 100 (pruning and low rank of an ' +
      'LSTM), 2000 (quantizing it). Accuracy depends little on it, up to about 100 for LeNet-5: 98.7% at 200, 96.5% at 500 (Table 2).',
  )
  .meta({ examples: [10] });
const from = z
  .int()
  .min(0)
  .default(0)
  .describe(
    'First step (t_i) from which distortions happen. The paper: 8000 (LeNet), 0 for a model that was pre-trained.',
  );
const timeUnit = z
  .enum(['steps', 'epochs'])
  .optional()
  .meta({ enumDescriptions: ['Training steps.', 'Passes over the training data.'] });
const unit = timeUnit.describe('The unit of `distortEvery`, and of a schedule that names none; default: steps.');
const scheduleUnit = timeUnit.describe('The unit of the times in this schedule; default: that of the compression.');
const start = z.strictObject({ from, unit: scheduleUnit }).optional().describe('When distortions begin.');
const layerKeys =
  'Names of layers (`fc1`: all its matrices) or weights (`lstm/kernel`), or globs of either (`fc*`), with their parameters. A ' +
  "weight's own name wins over its layer's, and that over a glob. Biases and other vectors are never compressed.";

const layersWith = <Parameters extends z.ZodRawShape>(parameters: Parameters) =>
  z.record(z.string(), z.strictObject(parameters)).describe(layerKeys);

const pruning = z
  .strictObject({
    method: z.literal('prune'),
    policy,
    distortEvery,
    unit,
    layers: layersWith({
      rate: fraction
        .describe(
          'Target pruning rate p_f: the fraction of weights that become zero, 0 to 1. The paper: 0.8 and 0.85 make an ' +
            'LSTM language model even better than before. Our examples go up to 0.99 for layers of the LeNets.',
        )
        .meta({ examples: [0.9] }),
    }),
    schedule: z
      .strictObject({
        initialRate: fraction
          .default(0)
          .describe('Pruning rate p_i that the schedule begins with, 0 to 1. The paper: 0.25 (LeNet), 0 (LSTM).'),
        from,
        to: z
          .int()
          .positive()
          .describe(
            'Step t_f at which the target rate is reached; it is kept after that. The paper: 13,000 (LeNet-300-100) and 12,000 ' +
              '(LeNet-5) of 20,000 steps; the 3rd (medium) and the 5th epoch (large) for LSTM language models.',
          )
          .meta({ examples: [12000] }),
        unit: scheduleUnit,
        exponent: z
          .number()
          .positive()
          .default(3)
          .describe(
            'E: how much faster the rate rises at first than towards the end; 1 is a straight line. The paper: 7 (LeNet), 3 (LSTM).',
          ),
      })
      .describe(
        'How the pruning rate rises. Equation (1): p_t = p_f + (p_i - p_f) (1 - (t - t_i)/(t_f - t_i))^E. Without a schedule the ' +
          'target rate holds from the first distortion on.',
      )
      .meta({ examples: [{ from: 8000, to: 12000 }] })
      .optional(),
  })
  .describe('The smallest weights become zero at each distortion; no mask holds them there (algorithm 1).');

const quantization = z
  .strictObject({
    method: z.literal('quantize'),
    policy,
    distortEvery,
    unit,
    layers: layersWith({
      bits: z
        .int()
        .min(1)
        .max(8)
        .describe('Bits a weight (k): w ~ sum of k scales times codes of -1 and +1. The paper: 1 to 3 (Table 4).')
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
    }),
    schedule: start,
  })
  .describe(
    'Weights jump to binary codes at each distortion: w ~ a_1 b_1 + … + a_k b_k with b in {-1, +1} (algorithm 2).',
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
          "Rank r: W becomes U_r S_r V_r'. An m x n matrix then takes r (m + n) numbers in place of m n. The paper: 64 to 512 " +
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

export const oneCompression = z.discriminatedUnion('method', [pruning, quantization, lowRank, custom]);

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
export const compressionSchemas = { prune: pruning, quantize: quantization, 'low-rank': lowRank, custom } as const;

export type PruningSchedule = NonNullable<z.output<typeof pruning>['schedule']>;
export type QuantizationParameters = z.output<typeof quantization>['layers'][string];
export type LowRankParameters = z.output<typeof lowRank>['layers'][string];
