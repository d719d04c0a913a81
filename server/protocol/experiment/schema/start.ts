/** @file `start` of an experiment file. */
import * as z from 'zod';
import { path } from './values.ts';

const FILES =
  'run:ID, run:NAME (the newest run of that experiment), a .safetensors file or its index of several, a state dict of PyTorch (.pt, ' +
  '.pth), a file of Keras (.keras, .h5), an ONNX file, or a model.json.';

export const renaming = z
  .record(z.string().min(1), z.string().min(1).nullable())
  .describe(
    'Names of tensors in the file, and of the weights or layers that they are for; null leaves a tensor out. A * stands for any text, in ' +
      'both names for the same; the first key that a name fits counts. `deeptwist inspect FILE` lists the names of a file, and ' +
      '`deeptwist describe` those of a model.',
  )
  .meta({ examples: [{ 'classifier.*': 'fc2.*', 'head.*': null }] });

const renamed = z
  .strictObject({
    from: path.describe(`Weights to start from: ${FILES}`),
    rename: renaming.optional(),
  })
  .describe('Weights to start from, and what their names in the file are in the model.');

export const start = z.union([path, renamed]).describe(`Weights to start from: ${FILES}`);
