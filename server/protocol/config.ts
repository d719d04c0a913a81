/**
 * @file The experiment file `NAME.deeptwist.jsonc`: its one declaration. The TypeScript types, the validation, the JSON
 * schema that the editor completes from and the reference in docs/ all come from here.
 */
import * as z from 'zod';

const path = z.string().min(1);
const positiveInteger = z.int().positive();
const fraction = z.number().min(0).lt(1);

const optimizer = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('sgd'),
    learningRate: z.number().positive(),
    momentum: fraction.default(0),
    nesterov: z.boolean().default(false),
    weightDecay: z.number().min(0).default(0).describe('L2: `weightDecay * w` is added to the gradient.'),
  }),
  z.strictObject({
    type: z.literal('adam'),
    learningRate: z.number().positive().default(1e-3),
    beta1: fraction.default(0.9),
    beta2: fraction.default(0.999),
    epsilon: z.number().positive().default(1e-7),
    weightDecay: z
      .number()
      .min(0)
      .default(0)
      .describe('Decoupled (AdamW): `learningRate * weightDecay * w` is subtracted.'),
  }),
  z.strictObject({
    type: z.literal('rmsprop'),
    learningRate: z.number().positive().default(1e-3),
    decay: fraction.default(0.9),
    momentum: fraction.default(0),
    epsilon: z.number().positive().default(1e-7),
    centered: z.boolean().default(false),
    weightDecay: z.number().min(0).default(0),
  }),
  z.strictObject({
    type: z.literal('adagrad'),
    learningRate: z.number().positive(),
    initialAccumulator: z.number().min(0).default(0.1),
    epsilon: z.number().positive().default(1e-7),
    weightDecay: z.number().min(0).default(0),
  }),
]);

const learningRateSchedule = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('constant') }),
  z.strictObject({
    type: z.literal('step'),
    every: positiveInteger.describe('Steps between two decays.'),
    factor: z.number().positive().describe('The learning rate is multiplied by this at each decay.'),
  }),
  z.strictObject({
    type: z.literal('exponential'),
    factor: z.number().positive().describe('Learning rate = initial * factor^(step / steps).'),
    steps: positiveInteger,
  }),
  z.strictObject({
    type: z.literal('after-epoch'),
    epoch: z.int().min(0).describe('The learning rate is constant up to and including this many epochs …'),
    factor: z
      .number()
      .positive()
      .describe('… and is then multiplied by this at each epoch (Zaremba et al. 2014: 1/2, 1/1.2, 1/1.15).'),
  }),
  z.strictObject({
    type: z.literal('plateau'),
    factor: z.number().positive().lt(1).describe('Applied when the validation metric has not improved.'),
    patience: z.int().min(0).default(0).describe('Evaluations without improvement that are tolerated.'),
    minimum: z.number().min(0).default(0),
  }),
]);

const data = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('mnist'),
    path: path.describe('Folder with the four IDX files of MNIST (or of a set in its form), raw or gzip.'),
  }),
  z.strictObject({
    type: z.literal('arrays'),
    train: z
      .strictObject({ inputs: path, targets: path })
      .describe('`.npy` files, or `FILE.npz:NAME`; axis 0 is the sample.'),
    test: z.strictObject({ inputs: path, targets: path }),
    validation: z.strictObject({ inputs: path, targets: path }).optional(),
  }),
  z.strictObject({
    type: z.literal('module'),
    path: path.describe(
      'Module exporting `train`, `test` and optionally `validation`: functions that return an (async) iterable of batches.',
    ),
  }),
  z.strictObject({
    type: z.literal('text'),
    path: path
      .optional()
      .describe(
        "Folder with `*.train.txt`, `*.valid.txt` and `*.test.txt`, a sentence a line (Mikolov's layout), or one text " +
          'file, which `split` divides.',
      ),
    files: z
      .strictObject({ train: path, validation: path.optional(), test: path })
      .optional()
      .describe('In place of `path`: a text file for each split.'),
    split: z
      .strictObject({ validation: fraction.default(0), test: z.number().gt(0).lt(1) })
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
      .prefault({}),
    timeSteps: positiveInteger.describe('Words in a sample (T): back-propagation through time is truncated to them.'),
  }),
]);

const training = z.strictObject({
  optimizer,
  learningRateSchedule: learningRateSchedule.default({ type: 'constant' }),
  clip: z
    .strictObject({
      globalNorm: z.number().positive().optional(),
      value: z.number().positive().optional(),
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
    .describe("'auto': the loss that the model's module exports, else the one of a built-in model."),
  lossReduction: z
    .enum(['mean', 'sum-over-time'])
    .default('mean')
    .describe(
      'sum-over-time: of a sequence, the gradient is that of the sum of the losses at its time steps (Zaremba et al. 2014), ' +
        'which is T times as large; recorded losses are means in any case.',
    ),
  batchSize: positiveInteger,
  steps: positiveInteger
    .optional()
    .describe('Number of training steps; the run ends right after the distortion of the last one.'),
  epochs: positiveInteger.optional().describe('In place of `steps`: passes over the training data.'),
  keepBest: z
    .boolean()
    .default(false)
    .describe('The final model is that of the evaluation with the lowest validation loss, not that of the last step.'),
  seed: z.int().min(0).default(1),
  evaluateEvery: positiveInteger.optional().describe('Steps between two evaluations; default: once an epoch.'),
  checkpointEvery: positiveInteger.default(1000).describe('Steps between two checkpoints.'),
  keepCheckpoints: positiveInteger.default(2),
  executor: z.enum(['auto', 'compiled', 'eager']).default('auto'),
  threads: positiveInteger
    .optional()
    .describe('Threads of the compiled executor; default: chosen by model size and machine.'),
});

const observe = z.strictObject({
  every: positiveInteger.optional().describe('Steps between two recorded distortions; default: about 100 in a run.'),
  bins: z.int().min(8).max(1024).default(80),
  spectrum: z
    .boolean()
    .default(true)
    .describe('Record singular values, for low-rank experiments at each observation, else at the start and the end.'),
});

const policy = z
  .enum(['deeptwist', 'gradual-mask', 'one-shot', 'factors', 'straight-through'])
  .default('deeptwist')
  .describe(
    'deeptwist: every distortEvery steps the weights are replaced by their compressed form. Baselines: gradual-mask ' +
      '(Zhu & Gupta 2017), one-shot (after training), factors (low rank: truncated once, then the factors are trained), straight-through (compress at every step, keep a full-precision shadow).',
  );

const distortEvery = positiveInteger.describe('Distortion step S_D, in training steps.');
const from = z.int().min(0).default(0).describe('First step (t_i) from which distortions happen.');
const unit = z.enum(['steps', 'epochs']).optional().describe('Of the times in this schedule; default: steps.');

const pruning = z.strictObject({
  method: z.literal('prune'),
  policy,
  distortEvery,
  layers: z.record(
    z.string(),
    z.strictObject({ rate: fraction.describe('Target pruning rate p_f: the fraction of weights that become zero.') }),
  ),
  schedule: z
    .strictObject({
      initialRate: fraction.default(0).describe('p_i'),
      from: from.describe('t_i'),
      to: z.int().positive().describe('t_f'),
      unit,
      exponent: z.number().positive().default(3).describe('E'),
    })
    .describe('Equation (1): p_t = p_f + (p_i - p_f) (1 - (t - t_i)/(t_f - t_i))^E.')
    .optional(),
});

const quantization = z.strictObject({
  method: z.literal('quantize'),
  policy,
  distortEvery,
  layers: z.record(
    z.string(),
    z.strictObject({
      bits: z.int().min(1).max(8),
      algorithm: z.enum(['greedy', 'refined', 'alternating']).default('alternating'),
      scales: z
        .enum(['row', 'matrix'])
        .default('row')
        .describe('One set of scales per row (output unit) or per matrix.'),
      iterations: positiveInteger
        .default(2)
        .describe('Alternating: rounds of re-coding and refitting (T of Xu et al. 2018).'),
    }),
  ),
  schedule: z.strictObject({ from, unit }).optional(),
});

const lowRank = z.strictObject({
  method: z.literal('low-rank'),
  policy,
  distortEvery,
  layers: z.record(
    z.string(),
    z.strictObject({
      rank: positiveInteger,
      sharedProjection: z
        .boolean()
        .default(false)
        .describe(
          "The recurrent kernel of a layer, W_h, and the kernel of the next, W_x, which multiply the same layer's output, share " +
            'the projection V_h (equation (5)). Both need the same rank.',
        ),
    }),
  ),
  schedule: z.strictObject({ from, unit }).optional(),
});

const custom = z.strictObject({
  method: z.literal('custom'),
  policy,
  distortEvery,
  module: path.describe('Module exporting `distort(weights, shape, context)`; it changes `weights` in place.'),
  layers: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .describe('Parameters per layer, handed to the module as they are.'),
  schedule: z.strictObject({ from, unit }).optional(),
});

const compression = z.discriminatedUnion('method', [pruning, quantization, lowRank, custom]);

const lstmLanguageModel = z
  .strictObject({
    builtin: z.literal('lstm-lm'),
    layers: positiveInteger.default(2),
    units: positiveInteger.describe('Of each LSTM layer and of the embedding.'),
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
  compression: compression.optional().describe('Leave out for a plain training run (pre-training).'),
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
