/**
 * @file Run events: one JSON object a line of `events.jsonl`, and of standard output under `--json`. Every view is a
 * function of this stream. A reader ignores a last half-written line and unknown types, and keys that it does not know:
 * a later version may add some.
 */
import * as z from 'zod';
import { scheduledExperimentSchema } from '../experiment/schema.ts';
import { faults } from './fault.ts';
import { lossRiseSchema } from './riseOfLoss.ts';

/** A measured number. JSON has no NaN and no infinity: what diverged is written as null and read as NaN. */
const measured = z.preprocess((value) => (value === null ? NaN : value), z.number().or(z.nan()));

const step = z.int().min(0);
const common = { step, time: z.number().describe('Milliseconds since the epoch.') };

const setting = z
  .record(z.string(), z.number())
  .describe('How a weight is compressed at this moment: the parameters of its method, see `experiment/methods/`.');

const layer = z.object({
  name: z.string().describe('`layer/weight`, e.g. `fc1/kernel`.'),
  layer: z.string(),
  shape: z.array(z.int()).describe('As the run began with it.'),
  left: z.array(z.int()).optional().describe('Shape of what thinning has left of it; absent where it has all units.'),
  compressed: z.boolean().describe('True where the experiment compresses this weight.'),
  key: z
    .string()
    .optional()
    .describe(
      'The key of `layers` that chose the weight, in the first compression that does; absent where it is not compressed.',
    ),
  methods: z
    .array(z.string())
    .optional()
    .describe('The methods that compress the weight, in their order. Logs of earlier versions do not have it.'),
  setting: setting.optional().describe('How the weight is compressed at the end of the run.'),
});

/** What is left of a weight, as its method counts it. Logs of earlier versions have it at the end of the run alone. */
const left = z.object({
  weightsKept: z.int().describe('Numbers that a file has to hold.'),
  bytesKept: z.number().describe('Bytes that they take, with indices and scales.'),
});

/** Counts on equal-width bins over [minimum, maximum]; zeros and near-zeros are counted apart and are in the bins too. */
const histogram = z.object({
  minimum: z.number(),
  maximum: z.number(),
  before: z.array(z.int()),
  after: z.array(z.int()),
  zerosBefore: z.int(),
  zerosAfter: z.int(),
  nearZerosBefore: z.int().describe('0 < |w| < 1% of the standard deviation before the distortion.'),
  nearZerosAfter: z.int(),
});

/** What a threshold that is taken off singular values leaves of them. */
const nuclearNorm = z.object({
  before: z.number().describe('Sum of the singular values before the distortion.'),
  after: z.number().describe('Their sum after it.'),
  rank: z.int().describe('Singular values that are left.'),
  largest: z.number().describe('The largest singular value before the distortion.'),
  threshold: z.number().describe('What was taken off each.'),
});

/** What is left of the output units of a layer: neurons, filters, or cells of a recurrent layer. */
const units = z.object({
  left: z.int().describe('Units that are not 0.'),
  all: z.int().describe('Units of the layer.'),
});

/** Levels that all buckets of a weight share between their ends, and the weights around them. */
const scaledLevels = z.object({
  levels: z.array(z.number()).describe('Levels, ascending: 0 is the smallest number of a bucket, 1 its greatest.'),
  counts: z.array(z.int()).describe('Counts of the weights before the distortion on equal-width bins over [0, 1].'),
});

const distortedWeight = z.object({
  name: z.string(),
  setting,
  histogram,
  relativeError: measured.describe('||after - before||_F / ||before||_F'),
  levels: z.array(z.number()).optional().describe('Quantization levels, when the matrix has one set of scales.'),
  scaledLevels: scaledLevels.optional().describe('Quantization levels, when each bucket has a scale of its own.'),
  nuclearNorm: nuclearNorm.optional().describe('Present where the method works on singular values.'),
  units: units.optional().describe('Present where the method works on output units.'),
  size: left.optional().describe('What is left of the weight after the distortion.'),
});

const beforeAndAfter = z.object({ before: z.int(), after: z.int() });

const thinnedLayer = z.object({
  layer: z.string().describe('Path of the layer.'),
  units: beforeAndAfter.optional().describe('Absent for a layer that makes none: a normalization.'),
  parameters: beforeAndAfter,
  multiplyAdds: beforeAndAfter,
  kept: z
    .array(z.object({ units: z.int(), reason: z.string() }))
    .describe('Units that put out a constant, or have no weights, and stay all the same.'),
});

const size = left.extend({ name: z.string(), shape: z.array(z.int()), weights: z.int(), bytes: z.number() });

export const summarySchema = z.object({
  metric: z.string().describe("'accuracy', 'perplexity', 'loss', …"),
  test: measured.describe('Test metric of the final, compressed model.'),
  testBeforeLastDistortion: measured,
  validation: measured.optional().describe('Validation metric of the final model, where there is a validation split.'),
  loss: measured
    .optional()
    .describe(
      'Loss of the final model on the test split, or on the validation split where that one was left alone; earlier versions did not write it.',
    ),
  weights: z.int(),
  weightsKept: z.int(),
  weightRatio: z.number().describe('weights / weights kept; biases left out.'),
  bytes: z.number(),
  bytesKept: z.number(),
  byteRatio: z.number().describe('Counts everything that a file needs: values, indices, scales, factors, biases.'),
  fileBytes: z
    .int()
    .optional()
    .describe('Bytes of model/compressed.safetensors, header included; absent for a run without a compression.'),
  layers: z.array(size),
  steps: z.int(),
  stepsPerSecond: z.number(),
  trainingSeconds: z.number(),
  distortionSeconds: z.number(),
  observationSeconds: z.number(),
  evaluationSeconds: z.number(),
  nearZeros: z.int().describe('Non-zero weights below 1% of their standard deviation in the final model.'),
  lossRise: lossRiseSchema
    .optional()
    .describe('Mean loss of the first and of the last recorded steps, if it has risen: training may have diverged.'),
});

export const eventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('started'),
    ...common,
    run: z.string(),
    config: scheduledExperimentSchema,
    layers: z.array(layer),
    device: z.string(),
    executor: z.string(),
    computedOn: z
      .enum(['cpu', 'webgpu'])
      .optional()
      .describe(
        'What computes the steps. Runs that do not tell it are from before it could be another than the processor.',
      ),
    resumedFrom: step.optional(),
  }),
  z.object({
    type: z.literal('pretrained'),
    ...common,
    from: z.string().describe('The file or run that `start` names.'),
    count: z.int().describe('Weights of the model, those that kept their initial values included.'),
    weights: z
      .array(
        z.object({
          name: z.string().describe('`layer/weight`, e.g. `fc1/kernel`.'),
          tensors: z
            .array(z.string())
            .describe('Names in the file: one, or both biases of a recurrent module of PyTorch.'),
          by: z
            .enum(['name', 'order'])
            .describe('What told which tensor is for which weight: names, or shapes in the order of both.'),
        }),
      )
      .describe('The weights that the run began with from elsewhere, in the order of the model.'),
  }),
  z.object({
    type: z.literal('metrics'),
    ...common,
    loss: measured,
    learningRate: z.number(),
    stepsPerSecond: z.number(),
    epoch: z.number(),
    losses: z
      .record(z.string(), measured)
      .optional()
      .describe(
        'The parts that add up to the loss, by name, where it has several: `data`, or `labels` and `distillation`; `regularization`.',
      ),
    shares: z
      .record(z.string(), z.number())
      .optional()
      .describe('Fractions of the samples, by name: `asked`, those that a teacher is asked about.'),
  }),
  z.object({
    type: z.literal('distortion'),
    ...common,
    weights: z.array(distortedWeight),
    lossBefore: measured.optional().describe('Loss of the current batch just before and just after the distortion.'),
    lossAfter: measured.optional(),
  }),
  z.object({
    type: z.literal('spectrum'),
    ...common,
    weights: z.array(
      z.object({
        name: z.string(),
        singularValues: z.array(z.number()),
        rank: z.int().optional(),
        threshold: z.number().optional().describe('What the distortion that follows takes off each of them.'),
      }),
    ),
  }),
  z.object({
    type: z.literal('observation'),
    ...common,
    weights: z
      .array(distortedWeight)
      .describe('What a distortion would have done at this moment; the weights stay as they are.'),
    scheduled: z
      .literal(true)
      .optional()
      .describe(
        'Under a policy whose steps or evaluations compute with compressed weights while others are stored: as often as `observe` says. Absent where a ' +
          'user has asked for it.',
      ),
  }),
  z.object({
    type: z.literal('evaluation'),
    ...common,
    split: z.enum(['train', 'validation', 'test']),
    metric: z.string(),
    value: measured,
    loss: measured,
    measures: z
      .record(z.string(), measured)
      .optional()
      .describe(
        'All metrics by name, where there are several: of a model of several outputs the loss and the metric of each.',
      ),
    moment: z.enum(['training', 'before-last-distortion', 'final']),
  }),
  z.object({ type: z.literal('checkpoint'), ...common, path: z.string(), afterDistortion: z.boolean() }),
  z.object({ type: z.literal('warning'), ...common, message: z.string() }),
  z.object({
    type: z.literal('changed'),
    ...common,
    settings: z
      .array(z.object({ path: z.string(), from: z.unknown().optional(), to: z.unknown().optional() }))
      .describe(
        'What a user has changed while the run trains, in the units of the experiment file; a value that is absent: there ' +
          'is no such setting. In effect right after this step, before its distortion.',
      ),
    config: scheduledExperimentSchema.describe('The experiment from here on, as `started` has it.'),
    layers: z.array(layer).optional().describe('The weights with their settings from here on, as `started` has them.'),
  }),
  z
    .object({
      type: z.literal('thinned'),
      ...common,
      removed: z.array(thinnedLayer).describe('The layers with weights, in the order of the model.'),
      parameters: beforeAndAfter.describe('All weights of the model, biases included.'),
      multiplyAdds: beforeAndAfter.describe('Multiplications for a sample.'),
      lossBefore: measured.describe(
        'Loss of the current batch just before and just after units were removed, in inference mode.',
      ),
      lossAfter: measured,
      layers: z.array(layer).describe('The weights from here on, as `started` has them.'),
    })
    .describe(
      'Units that did nothing were removed, right after this step and its distortion; none where none did nothing.',
    ),
  z.object({ type: z.literal('finished'), ...common, summary: summarySchema }),
  z.object({
    type: z.literal('failed'),
    ...common,
    message: z.string(),
    remedy: z.string().optional(),
    fault: z.enum(faults).optional().describe('See fault.ts.'),
  }),
  z.object({ type: z.literal('stopped'), ...common, checkpoint: z.string().optional() }),
]);

export type RunEvent = z.output<typeof eventSchema>;
export type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
/** An event without its time, which is added when it is recorded. */
export type Untimed<E extends RunEvent = RunEvent> = E extends RunEvent ? Omit<E, 'time'> : never;
export type Summary = z.output<typeof summarySchema>;
export type WeightHistogram = z.output<typeof histogram>;
export type CompressionSetting = z.output<typeof setting>;
export type SizeLeft = z.output<typeof left>;
export type ScaledLevels = z.output<typeof scaledLevels>;
export type NuclearNorm = z.output<typeof nuclearNorm>;
export type UnitsLeft = z.output<typeof units>;
export type LayerSize = z.output<typeof size>;
