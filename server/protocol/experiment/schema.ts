/**
 * @file The experiment file `NAME.deeptwist.jsonc`: its one declaration. The TypeScript types, the validation, the JSON
 * schema and the documentation that the editor shows all come from here: of each setting its meaning, unit and symbol, and what
 * the papers chose; `examples` are values to begin with.
 */
import * as z from 'zod';
import { compression, type oneCompression } from './schema/compression.ts';
import { data } from './schema/data.ts';
import { distillation } from './schema/distillation.ts';
import { logging } from './schema/logging.ts';
import { model } from './schema/model.ts';
import type { lstmLanguageModel } from './schema/model.ts';
import { start, type renaming } from './schema/start.ts';
import { sweep } from './schema/sweep.ts';
import { target } from './schema/target.ts';
import { thin } from './schema/thin.ts';
import { training } from './schema/training.ts';
import { positiveInteger } from './schema/values.ts';

const observe = z
  .strictObject({
    every: positiveInteger
      .optional()
      .describe(
        'Steps between two recorded distortions, or recordings of compressed weights that a model computes with; default: about 100 in a run.',
      )
      .meta({ examples: [100] }),
    bins: z.int().min(8).max(1024).default(80).describe('Bars of a weight histogram.'),
    spectrum: z
      .boolean()
      .default(true)
      .describe('Record singular values, for low-rank experiments at each observation, else at the start and the end.'),
  })
  .describe('What a run records of its weights, for the dashboard.');

export const experimentSchema = z.strictObject({
  $schema: z.string().optional(),
  model: model.describe(
    'Module exporting createModel(), a tfjs model.json, an ONNX file, a .keras or .h5 file of Keras, builtin:NAME, or an LSTM language model by its sizes.',
  ),
  start: start.optional(),
  data,
  training,
  distillation: distillation.optional(),
  compression: compression.optional(),
  target: target.optional(),
  thin: thin.optional(),
  observe: observe.prefault({}),
  logging: logging.optional(),
  sweep: sweep.optional(),
});

/** An experiment as a run records it: its length is known in steps, and it neither is a sweep nor leaves a setting open. */
export const scheduledExperimentSchema = experimentSchema.omit({ sweep: true, target: true }).extend({
  training: training.extend({ steps: positiveInteger }),
});

/** The settings of an experiment file, with defaults; times may be in epochs. */
export type ExperimentSettings = z.output<typeof experimentSchema>;
/** The same with all times in steps, which takes the length of an epoch. */
export type Experiment = z.output<typeof scheduledExperimentSchema>;
export type ModelReference = Experiment['model'];
/** Names of tensors in a file, and of the weights that they are for; null leaves a tensor out. */
export type Renaming = z.output<typeof renaming>;
export type LstmLanguageModelOptions = z.output<typeof lstmLanguageModel>;
export type TargetConfig = NonNullable<ExperimentSettings['target']>;
export type SweepConfig = NonNullable<ExperimentSettings['sweep']>;
export type TrainingConfig = ExperimentSettings['training'];
export type OptimizerConfig = TrainingConfig['optimizer'];
export type LearningRateSchedule = TrainingConfig['learningRateSchedule'];
/** The programs that a run is logged to, beside its folder. */
export type LoggingConfig = z.output<typeof logging>;
export type DistillationConfig = z.output<typeof distillation>;
export type DataConfig = Experiment['data'];
/** One compression: an experiment has none, one, or a list of them. */
export type Compression = z.output<typeof oneCompression>;
export type PolicyId = Compression['policy'];
export type Method = Compression['method'];
