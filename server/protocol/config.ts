/**
 * @file The experiment file `NAME.deeptwist.jsonc`: its one declaration. The TypeScript types, the validation, the JSON
 * schema and the documentation that the editor shows all come from here: of each setting its meaning, unit and symbol, and what
 * the papers chose; `examples` are values to begin with.
 */
import * as z from 'zod';

const path = z.string().min(1).meta({ format: 'path' });
const positiveInteger = z.int().positive();
const fraction = z.number().min(0).lt(1);
const learningRate = z
  .number()
  .positive()
  .describe(
    'Step size of the optimizer, at the start of training. The paper retrains with a higher one than in pre-training: SGD with ' +
      '2.0 (pruning) and 2.6 (low rank) for the medium LSTM that was pre-trained with 1.0; a higher rank wants a lower one.',
  );
const weightDecay = z.number().min(0).default(0);
const gradientWeightDecay = weightDecay.describe('L2: `weightDecay * w` is added to the gradient.');
const momentum = fraction.default(0).describe('Part of the last update that is kept in the next, 0 to 1.');
const epsilon = z
  .number()
  .positive()
  .default(1e-7)
  .describe(
    'Added to the denominator of the update. A larger one, 1e-3, keeps Adam from moving weights of small gradient, such as those ' +
      'that were just pruned, by the full learning rate.',
  );

const optimizer = z
  .discriminatedUnion('type', [
    z
      .strictObject({
        type: z.literal('sgd'),
        learningRate: learningRate.meta({ examples: [1] }),
        momentum,
        nesterov: z.boolean().default(false).describe('Take the gradient where the momentum leads to (Nesterov 1983).'),
        weightDecay: gradientWeightDecay,
      })
      .describe('Stochastic gradient descent: the LSTM language models of the paper are trained by it.'),
    z
      .strictObject({
        type: z.literal('adam'),
        learningRate: learningRate.default(1e-3),
        beta1: fraction.default(0.9).describe('Decay of the mean of the gradients, a step.'),
        beta2: fraction.default(0.999).describe('Decay of the mean of their squares, a step.'),
        epsilon,
        weightDecay: weightDecay.describe('Decoupled (AdamW): `learningRate * weightDecay * w` is subtracted.'),
      })
      .describe('Adam (Kingma & Ba 2015): the LeNets of the paper are trained by it.'),
    z
      .strictObject({
        type: z.literal('rmsprop'),
        learningRate: learningRate.default(1e-3),
        decay: fraction.default(0.9).describe('Decay of the mean of squared gradients, a step.'),
        momentum,
        epsilon,
        centered: z
          .boolean()
          .default(false)
          .describe('Divide by the variance of the gradients, not by their mean square.'),
        weightDecay: gradientWeightDecay,
      })
      .describe('RMSProp (Tieleman & Hinton 2012).'),
    z
      .strictObject({
        type: z.literal('adagrad'),
        learningRate: learningRate.meta({ examples: [0.01] }),
        initialAccumulator: z.number().min(0).default(0.1).describe('Sum of squared gradients to begin with.'),
        epsilon,
        weightDecay: gradientWeightDecay,
      })
      .describe('Adagrad (Duchi et al. 2011).'),
  ])
  .describe(
    'The training algorithm. DeepTwist leaves it as it is: only the weights are distorted, between two of its steps.',
  )
  .meta({ examples: [{ type: 'adam', learningRate: 1e-3 }] });

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
      .describe('Multiplied by a factor every so many steps.'),
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
      .describe('Falls by a factor over so many steps, a little at each.'),
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
        'Constant, then smaller after each epoch: the language models of Zaremba et al. 2014 and of the paper.',
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

const arrayFiles = z.strictObject({
  inputs: path.describe('`.npy` file, or `FILE.npz:NAME`; axis 0 is the sample.'),
  targets: path.describe('`.npy` file, or `FILE.npz:NAME`; axis 0 is the sample.'),
});

const data = z
  .discriminatedUnion('type', [
    z
      .strictObject({
        type: z.literal('mnist'),
        path: path.describe('Folder with the four IDX files of MNIST (or of a set in its form), raw or gzip.'),
      })
      .describe('Images of 28 x 28 pixels in ten classes: MNIST, or a set in its form.'),
    z
      .strictObject({
        type: z.literal('arrays'),
        train: arrayFiles.describe('What is trained on.'),
        test: arrayFiles.describe('What the final model is judged by.'),
        validation: arrayFiles
          .optional()
          .describe('What a learning rate that waits for a plateau, and `keepBest`, look at.'),
      })
      .describe('NumPy arrays.'),
    z
      .strictObject({
        type: z.literal('module'),
        path: path.describe(
          'Module exporting `train`, `test` and optionally `validation`: functions that return an (async) iterable of batches.',
        ),
      })
      .describe('Batches from a TypeScript or JavaScript module of yours.'),
    z
      .strictObject({
        type: z.literal('text'),
        path: path
          .optional()
          .describe(
            "Folder with `*.train.txt`, `*.valid.txt` and `*.test.txt`, a sentence a line (Mikolov's layout), or one text " +
              'file, which `split` divides.',
          ),
        files: z
          .strictObject({
            train: path.describe('Text that is trained on.'),
            validation: path
              .optional()
              .describe('Text that a learning rate which waits for a plateau, and `keepBest`, look at.'),
            test: path.describe('Text that the final model is judged by.'),
          })
          .optional()
          .describe('In place of `path`: a text file for each split.'),
        split: z
          .strictObject({
            validation: fraction.default(0).describe('Fraction of the text, 0 to 1.'),
            test: z
              .number()
              .gt(0)
              .lt(1)
              .describe('Fraction of the text, 0 to 1.')
              .meta({ examples: [0.1] }),
          })
          .optional()
          .describe('Of the one file that `path` names: the fractions of it, whole lines at its end, for each split.'),
        vocabulary: z
          .strictObject({
            size: z
              .int()
              .min(3)
              .optional()
              .describe('The most frequent words of the training text, with <eos> and <unk> among them; default: all.'),
            file: path.optional().describe('In place of the training text: a word a line, for example of another run.'),
          })
          .prefault({})
          .describe('The words that the model knows; every other word is <unk>.'),
        timeSteps: positiveInteger
          .describe(
            'Words in a sample (T): back-propagation through time is truncated to them. Zaremba et al. 2014: 20 (small), 35 (medium, ' +
              'large); Xu et al. 2018: 30.',
          )
          .meta({ examples: [20] }),
      })
      .describe('Text for a language model; its quality is the perplexity.'),
  ])
  .describe('Where the samples come from. Relative paths start at the experiment file.');

const training = z
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
      .enum([
        'auto',
        'categorical-crossentropy',
        'sparse-categorical-crossentropy',
        'sparse-categorical-crossentropy-from-logits',
        'binary-crossentropy',
        'mean-squared-error',
        'mean-absolute-error',
        'huber',
        'cosine-proximity',
      ])
      .default('auto')
      .describe(
        "What is minimized. 'auto': the loss that the model's module exports, else the one of a built-in model.",
      )
      .meta({
        enumDescriptions: [
          "The loss that the model's module exports, else the one of a built-in model.",
          'Targets are one-hot, outputs are probabilities.',
          'Targets are class numbers, outputs are probabilities.',
          'Targets are class numbers, outputs are logits: a last layer without softmax.',
          'Targets are 0 or 1, outputs are probabilities.',
          'Mean of squared differences.',
          'Mean of absolute differences.',
          'Squared where the difference is small, absolute where it is large.',
          'Angle between targets and outputs.',
        ],
      }),
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
      .describe('Samples of a training step. The paper: 50 (LeNet), 20 (LSTM).')
      .meta({ examples: [50] }),
    steps: positiveInteger
      .optional()
      .describe(
        'Number of training steps; the run ends right after the distortion of the last one. The paper: 20,000 for the LeNets.',
      )
      .meta({ examples: [20000] }),
    epochs: positiveInteger
      .optional()
      .describe(
        'In place of `steps`: passes over the training data. Zaremba et al. 2014: 13 (small), 39 (medium), 55 (large); the paper ' +
          'retrains for as many as in pre-training.',
      )
      .meta({ examples: [13] }),
    keepBest: z
      .boolean()
      .default(false)
      .describe(
        'The final model is that of the evaluation with the lowest validation loss, not that of the last step.',
      ),
    seed: z
      .int()
      .min(0)
      .default(1)
      .describe('Of the initial weights, the order of the samples and dropout: the same seed gives the same run.'),
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
    threads: positiveInteger
      .optional()
      .describe('Threads of the compiled executor; default: chosen by model size and machine.')
      .meta({ examples: [1] }),
  })
  .describe('How the model is trained: as without compression.');

const observe = z
  .strictObject({
    every: positiveInteger
      .optional()
      .describe('Steps between two recorded distortions; default: about 100 in a run.')
      .meta({ examples: [100] }),
    bins: z.int().min(8).max(1024).default(80).describe('Bars of a weight histogram.'),
    spectrum: z
      .boolean()
      .default(true)
      .describe('Record singular values, for low-rank experiments at each observation, else at the start and the end.'),
  })
  .describe('What a run records of its weights, for the dashboard.');

const policy = z
  .enum(['deeptwist', 'gradual-mask', 'one-shot', 'factors', 'straight-through'])
  .default('deeptwist')
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
    'Distortion step S_D, in training steps: every so many steps the weights are replaced by their compressed form. In between ' +
      'they train in full precision and recover. The paper: 5 (LeNet-300-100) and 10 (LeNet-5); 100 (pruning and low rank of an ' +
      'LSTM), 2000 (quantizing it). Accuracy depends little on it, up to about 200 for LeNet-5 (Table 2).',
  )
  .meta({ examples: [10] });
const from = z
  .int()
  .min(0)
  .default(0)
  .describe(
    'First step (t_i) from which distortions happen. The paper: 8000 (LeNet), 0 for a model that was pre-trained.',
  );
const unit = z
  .enum(['steps', 'epochs'])
  .optional()
  .describe('Of the times in this schedule; default: steps.')
  .meta({ enumDescriptions: ['Training steps.', 'Passes over the training data; `distortEvery` stays in steps.'] });
const start = z.strictObject({ from, unit }).optional().describe('When distortions begin.');
const layerKeys =
  'Names of layers (`fc1`: all its matrices) or weights (`lstm/kernel`), or globs of either (`fc*`), with their parameters. A ' +
  "weight's own name wins over its layer's, and that over a glob. Biases and other vectors are never compressed.";

const pruning = z
  .strictObject({
    method: z.literal('prune'),
    policy,
    distortEvery,
    layers: z
      .record(
        z.string(),
        z.strictObject({
          rate: fraction
            .describe(
              'Target pruning rate p_f: the fraction of weights that become zero, 0 to 1. The paper: 0.8 to 0.95 for LSTM language ' +
                'models (Table 3), up to 0.99 for layers of the LeNets (Table 1).',
            )
            .meta({ examples: [0.9] }),
        }),
      )
      .describe(layerKeys),
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
        unit,
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
    layers: z
      .record(
        z.string(),
        z.strictObject({
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
      )
      .describe(layerKeys),
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
    layers: z
      .record(
        z.string(),
        z.strictObject({
          rank: positiveInteger
            .describe(
              "Rank r: W becomes U_r S_r V_r'. An m x n matrix then takes r (m + n) numbers in place of m n. The paper: 32 to 512 " +
                'for an LSTM with 650 units (Figure 2).',
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
      )
      .describe(layerKeys),
    schedule: start,
  })
  .describe('Weights become their nearest matrix of low rank at each distortion (algorithm 3).');

const custom = z
  .strictObject({
    method: z.literal('custom'),
    policy,
    distortEvery,
    module: path.describe('Module exporting `distort(weights, shape, context)`; it changes `weights` in place.'),
    layers: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .describe(`${layerKeys} The parameters are handed to the module as they are.`),
    schedule: start,
  })
  .describe('Weights are changed by a function of yours at each distortion.');

const compression = z
  .discriminatedUnion('method', [pruning, quantization, lowRank, custom])
  .describe('How weights are made smaller while they train. Leave it out for a plain training run (pre-training).');

/** The methods apart: for a file of which only parts can be read yet. */
export const compressionSchemas = { prune: pruning, quantize: quantization, 'low-rank': lowRank, custom } as const;

const lstmLanguageModel = z
  .strictObject({
    builtin: z.literal('lstm-lm'),
    layers: positiveInteger.default(2).describe('LSTM layers.'),
    units: positiveInteger
      .describe(
        'Of each LSTM layer and of the embedding. Zaremba et al. 2014: 200 (small), 650 (medium), 1500 (large).',
      )
      .meta({ examples: [200] }),
    dropout: fraction
      .default(0)
      .describe('Fraction dropped between layers; never on the way from a time step to the next.'),
    initialRange: z.number().positive().default(0.1).describe('Weights start uniform in plus or minus this.'),
    tied: z.boolean().default(false).describe('The softmax has the weights of the embedding (Press & Wolf 2017).'),
  })
  .describe('An LSTM language model (Zaremba et al. 2014) for data of type text.');

export const experimentSchema = z.strictObject({
  $schema: z.string().optional(),
  model: z
    .union([path, lstmLanguageModel])
    .describe(
      'Module exporting createModel(), a tfjs model.json, builtin:NAME, or an LSTM language model by its sizes.',
    ),
  start: path
    .optional()
    .describe(
      'Weights to start from: run:ID, run:NAME (the newest run of that experiment), a model.json, or a .safetensors file.',
    ),
  data,
  training,
  compression: compression.optional(),
  observe: observe.prefault({}),
});

/** An experiment as a run records it: its length is known in steps. */
export const scheduledExperimentSchema = experimentSchema.extend({
  training: training.extend({ steps: positiveInteger }),
});

/** The settings of an experiment file, with defaults; times may be in epochs. */
export type ExperimentSettings = z.output<typeof experimentSchema>;
/** The same with all times in steps, which takes the length of an epoch. */
export type Experiment = z.output<typeof scheduledExperimentSchema>;
export type ModelReference = Experiment['model'];
export type LstmLanguageModelOptions = z.output<typeof lstmLanguageModel>;
export type TrainingConfig = ExperimentSettings['training'];
export type OptimizerConfig = TrainingConfig['optimizer'];
export type LearningRateSchedule = TrainingConfig['learningRateSchedule'];
export type DataConfig = Experiment['data'];
export type Compression = NonNullable<Experiment['compression']>;
export type PolicyId = Compression['policy'];
export type Method = Compression['method'];
export type PruningSchedule = NonNullable<z.output<typeof pruning>['schedule']>;
export type QuantizationParameters = z.output<typeof quantization>['layers'][string];
export type LowRankParameters = z.output<typeof lowRank>['layers'][string];
