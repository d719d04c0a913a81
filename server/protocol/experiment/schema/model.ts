/** @file `model` of an experiment file, and of a teacher. */
import * as z from 'zod';
import { fraction, path, positiveInteger } from './values.ts';

export const lstmLanguageModel = z
  .strictObject({
    builtin: z.literal('lstm-lm'),
    layers: positiveInteger.default(2).describe('LSTM layers.'),
    units: positiveInteger
      .describe(
        'Units of each LSTM layer and of the embedding. Zaremba et al. 2014: 200 (small), 650 (medium), 1500 (large).',
      )
      .meta({ examples: [200] }),
    dropout: fraction
      .default(0)
      .describe('Fraction dropped between layers; never on the way from a time step to the next.'),
    initialRange: z.number().positive().default(0.1).describe('Weights start uniform in plus or minus this.'),
    tied: z.boolean().default(false).describe('The softmax has the weights of the embedding (Press & Wolf 2017).'),
  })
  .describe('An LSTM language model (Zaremba et al. 2014) for data of type text.');

const onnxModel = z
  .strictObject({
    onnx: path.describe('ONNX file with the graph of a model, and its weights.'),
    inputs: z
      .record(z.string(), positiveInteger)
      .default({})
      .describe(
        'Sizes of the dimensions of inputs that have names in the file; those that the samples tell may be left out.',
      )
      .meta({ examples: [{ sequence: 128 }] }),
    batchStatistics: z
      .enum(['trained', 'frozen'])
      .default('trained')
      .describe('What batch normalizations compute with in training.')
      .meta({
        enumDescriptions: [
          'The mean and the variance of each batch, which the running statistics follow.',
          'The running statistics of the file, which stay as they are.',
        ],
      }),
    buffers: z
      .array(z.string().min(1))
      .optional()
      .describe(
        'Names of tensors that are buffers of PyTorch modules, or globs (`*.pe`): training and compression leave them as they are. ' +
          'Files of torch.onnx.export(…, dynamo=True) say it themselves.',
      )
      .meta({ examples: [['pos_encoder.pe']] }),
  })
  .describe('A model of an ONNX file, with settings.');

const moduleModel = z
  .strictObject({
    module: path.describe('TypeScript or JavaScript module that makes the model.'),
    export: z
      .string()
      .min(1)
      .describe('Name of the function that returns the model, or of the model itself, among the exports of the module.')
      .meta({ examples: ['createModel'] }),
  })
  .describe('A model of a module, by the name of what the module exports.');

export const model = z.union([path, lstmLanguageModel, onnxModel, moduleModel]);
