/** @file `training` of an experiment file. */
import * as z from 'zod';
import { MOST_THREADS } from '../threads.ts';
import { optimizer } from './optimizer.ts';
import { positiveInteger } from './values.ts';

/** More batches make a step longer, and nothing better. */
const MOST_BATCHES = 65_536;

const learningRateSchedule = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('constant') }).describe('The same learning rate to the end.'),
    z
      .strictObject({
        type: z.literal('step'),
        every: positiveInteger.describe('Steps between two decays.').meta({ examples: [10000] }),
        factor: z
          .number()
          .positive()
          .describe('The learning rate is multiplied by this at each decay.')
          .meta({ examples: [0.5] }),
      })
      .describe('Multiplied by a factor at regular intervals.'),
    z
      .strictObject({
        type: z.literal('exponential'),
        factor: z
          .number()
          .positive()
          .describe('Learning rate = initial * factor^(step / steps).')
          .meta({ examples: [0.1] }),
        steps: positiveInteger
          .describe('Steps after which the factor has been reached once.')
          .meta({ examples: [10000] }),
      })
      .describe('Falls exponentially, by a factor over the given number of steps.'),
    z
      .strictObject({
        type: z.literal('after-epoch'),
        epoch: z
          .int()
          .min(0)
          .describe('The learning rate is constant up to and including this many epochs …')
          .meta({ examples: [4] }),
        factor: z
          .number()
          .positive()
          .describe('… and is then multiplied by this at each epoch (Zaremba et al. 2014: 1/2, 1/1.2, 1/1.15).')
          .meta({ examples: [0.5] }),
      })
      .describe(
        'Constant, then smaller after each epoch: the language models of Zaremba et al. 2014 and of the DeepTwist paper.',
      ),
    z
      .strictObject({
        type: z.literal('plateau'),
        factor: z
          .number()
          .positive()
          .lt(1)
          .describe('Applied when the validation metric has not improved.')
          .meta({ examples: [0.5] }),
        patience: z.int().min(0).default(0).describe('Evaluations without improvement that are tolerated.'),
        minimum: z.number().min(0).default(0).describe('The learning rate does not fall below this.'),
      })
      .describe('Smaller whenever the validation metric has not improved (Xu et al. 2018: factor 1/1.2).'),
  ])
  .describe('How the learning rate changes in training.');

const lossNames = [
  'categorical-crossentropy',
  'sparse-categorical-crossentropy',
  'sparse-categorical-crossentropy-from-logits',
  'binary-crossentropy',
  'binary-crossentropy-from-logits',
  'mean-squared-error',
  'mean-absolute-error',
  'huber',
  'cosine-proximity',
] as const;

const lossDescriptions = [
  'Targets are one-hot, outputs are probabilities.',
  'Targets are class numbers, outputs are probabilities.',
  'Targets are class numbers, outputs are logits: a last layer without softmax.',
  'Targets are 0 or 1, outputs are probabilities.',
  'Targets are 0 or 1, outputs are logits: a last layer without sigmoid.',
  'Mean of squared differences.',
  'Mean of absolute differences.',
  'Squared where the difference is small, absolute where it is large.',
  'Angle between targets and outputs.',
];

const lossName = z.enum(lossNames).meta({ enumDescriptions: lossDescriptions });

const classWeights = z
  .union([
    z.literal('balanced').meta({
      enumDescriptions: ['Samples / (classes x samples of the class): all classes together weigh alike.'],
    }),
    z.record(z.string(), z.number().min(0)),
  ])
  .describe(
    'What the loss of a sample is multiplied by in training, by its class: "balanced", or a number for each name (or label) of a class; ' +
      'others have 1. Losses of evaluations are without.',
  )
  .meta({ examples: ['balanced'] });

const outputLoss = z
  .strictObject({
    loss: lossName.describe('What is minimized at this output.'),
    weight: z
      .number()
      .positive()
      .default(1)
      .describe('What the loss of this output is multiplied by in the sum.')
      .meta({ examples: [0.5] }),
    classWeights: classWeights.optional(),
  })
  .describe('The loss of one output, with settings.');

export const training = z
  .strictObject({
    optimizer,
    learningRateSchedule: learningRateSchedule.default({ type: 'constant' }),
    clip: z
      .strictObject({
        globalNorm: z
          .number()
          .positive()
          .optional()
          .describe(
            'All gradients together are scaled down to this norm, where theirs is larger. Zaremba et al. 2014: 5 (small, medium), 10 (large).',
          )
          .meta({ examples: [5] }),
        value: z
          .number()
          .positive()
          .optional()
          .describe('Each entry is cut to plus or minus this.')
          .meta({ examples: [1] }),
      })
      .optional()
      .describe('Gradient clipping, by value first, then by global norm.'),
    loss: z
      .union([
        z.enum(['auto', ...lossNames]).meta({
          enumDescriptions: [
            "The loss that the model's module exports, else the one of a built-in model.",
            ...lossDescriptions,
          ],
        }),
        z.record(z.string(), z.union([lossName, outputLoss])),
      ])
      .default('auto')
      .describe(
        "What is minimized. 'auto': the loss that the model's module exports, else the one of a built-in model. For a model of several " +
          'outputs, a loss for each of them by its name: their sum is trained.',
      ),
    classWeights: classWeights.optional(),
    lossReduction: z
      .enum(['mean', 'sum-over-time'])
      .default('mean')
      .describe(
        'sum-over-time: of a sequence, the gradient is that of the sum of the losses at its time steps (Zaremba et al. 2014), ' +
          'which is T times as large; recorded losses are means in any case.',
      )
      .meta({
        enumDescriptions: [
          'Over samples and time steps.',
          'The sum over time steps, the mean over samples: learning rates of Zaremba et al. 2014 are for this one.',
        ],
      }),
    batchSize: positiveInteger
      .describe(
        'Samples of a batch: those of a training step, unless `accumulate` takes several. DeepTwist paper: 50 (LeNet); Zaremba et al. 2014: 20 (LSTM).',
      )
      .meta({ examples: [50] }),
    accumulate: positiveInteger
      .max(MOST_BATCHES)
      .default(1)
      .describe(
        'Batches of a training step: gradient accumulation. The gradient of a step is the mean over so many batches of `batchSize` samples, as of ' +
          'one batch of all of them, in the memory of one. Steps, epochs and learning rates count whole steps. Batch normalization sees one ' +
          'batch at a time.',
      )
      .meta({ examples: [4] }),
    steps: positiveInteger
      .optional()
      .describe(
        'Number of training steps; the run ends right after the distortion of the last one. DeepTwist paper: 20,000 for the LeNets.',
      )
      .meta({ examples: [20000] }),
    epochs: positiveInteger
      .optional()
      .describe(
        'In place of `steps`: passes over the training data. Zaremba et al. 2014: 13 (small), 39 (medium), 55 (large); the DeepTwist ' +
          'paper retrains for as many as in pre-training.',
      )
      .meta({ examples: [13] }),
    keepBest: z
      .boolean()
      .default(false)
      .describe(
        'The final model is that of the evaluation with the lowest validation loss, not that of the last step.',
      ),
    testAtEnd: z
      .boolean()
      .default(true)
      .describe(
        'Evaluate the final model on the test split. Without it the test split is not read, and the validation split tells how good a run is: for ' +
          'runs among which settings are chosen.',
      ),
    keep: z
      .enum(['both', 'compressed'])
      .default('both')
      .describe('Files of the final model in `model/` of a run with a compression.')
      .meta({
        enumDescriptions: [
          'weights.safetensors, dense, and compressed.safetensors, as small as the compression made it.',
          'compressed.safetensors alone, from which the dense weights are computed exactly.',
        ],
      }),
    seed: z
      .int()
      .min(0)
      .default(1)
      .describe('Seed of the initial weights, the order of the samples and dropout: the same seed gives the same run.'),
    evaluateEvery: positiveInteger
      .optional()
      .describe('Steps between two evaluations; default: once an epoch.')
      .meta({ examples: [1000] }),
    checkpointEvery: positiveInteger.default(1000).describe('Steps between two checkpoints.'),
    keepCheckpoints: positiveInteger.default(2).describe('Newest checkpoints that are kept; older ones are deleted.'),
    executor: z
      .enum(['auto', 'compiled', 'eager'])
      .default('auto')
      .describe('What computes a training step.')
      .meta({
        enumDescriptions: [
          'Compiled where every operation of the model can be, else eager; a run says which.',
          'The training step as one graph of ONNX Runtime: fastest.',
          'TensorFlow.js itself: every model that it can train.',
        ],
      }),
    device: z
      .enum(['cpu', 'webgpu', 'auto'])
      .default('cpu')
      .describe(
        'What a compiled training step runs on. Results are the same to the bit from run to run on one device, and differ in the last ' +
          'bits between devices.',
      )
      .meta({
        enumDescriptions: [
          'The processor.',
          'The graphics processor, by WebGPU; a machine where WebGPU finds none is an error.',
          'The one of them on which a step takes less time, measured when the run begins; a run says which, and why.',
        ],
      }),
    threads: positiveInteger
      .max(MOST_THREADS)
      .optional()
      .describe('Threads of the compiled executor; default: chosen by model size and machine.')
      .meta({ examples: [1] }),
  })
  .describe('How the model is trained: as without compression.');
