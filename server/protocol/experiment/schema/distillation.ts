/** @file `distillation` of an experiment file. */
import * as z from 'zod';
import { model } from './model.ts';
import { path } from './values.ts';

const untrained = z
  .strictObject({
    model: model.describe(
      'Module exporting createModel(), a tfjs model.json, an ONNX file, a file of Keras, builtin:NAME, or an LSTM by its sizes.',
    ),
    weights: path.describe(
      'Its trained weights: run:ID, run:NAME, a .safetensors file, a state dict of PyTorch (.pt, .pth), a file of Keras (.keras, ' +
        '.h5), an ONNX file, or a model.json.',
    ),
  })
  .describe('A model, and the file or the run that has its trained weights.');

const ask = z
  .union([
    z.enum(['always', 'when-wrong', 'by-entropy']).meta({
      enumDescriptions: [
        'All samples.',
        "Samples whose label is not the student's largest output.",
        "Each sample with probability H / log2 C: H is the entropy of the student's softmax in bits, C the number of classes.",
      ],
    }),
    z
      .strictObject({
        entropyAbove: z
          .number()
          .min(0)
          .describe("Cut-off of the entropy of the student's softmax, in bits: between 0 (sure) and log2 C (clueless).")
          .meta({ examples: [1] }),
      })
      .describe('Samples of which the student is not sure.'),
  ])
  .describe(
    'Samples that ask the teacher; the others learn from their label alone, with all of its weight. { "entropyAbove": BITS }: those ' +
      'of which the student is not sure. Of a sequence, each time step asks for itself.',
  );

export const distillation = z
  .strictObject({
    teacher: z
      .union([path, untrained])
      .describe(
        'What the student learns from, beside the labels: run:ID, run:NAME (the newest run of that experiment), a model.json, an ONNX file, a file of Keras, a ' +
          '.safetensors file with its layers (`deeptwist export --format packed`), or a model with the weights to load into it. Its weights ' +
          'never change.',
      ),
    temperature: z
      .number()
      .positive()
      .default(2)
      .describe(
        "T: both models' outputs z become softmax(z / T). The larger T is, the more the outputs tell about the wrong classes. " +
          'Polino et al. 2018: 2 for images, 1 for translation.',
      ),
    weight: z
      .number()
      .min(0)
      .max(1)
      .default(0.7)
      .describe(
        'w in the loss of a sample: w T^2 KL(softmax(z_teacher / T) || softmax(z_student / T)) + (1 - w) times its loss on the label. ' +
          'Polino et al. 2018: 0.7.',
      ),
    ask: ask.default('always'),
    reduction: z
      .enum(['batchmean', 'as-published'])
      .default('batchmean')
      .describe('How the losses of the samples become that of the batch.')
      .meta({
        enumDescriptions: [
          'The mean over all samples, as the formula says.',
          'As the published code of Polino et al. 2018 has it: the divergence is divided by the number of classes, too, and the mean over the samples that ask is added to that over the others. Not for sequences, whose code does neither.',
        ],
      }),
  })
  .describe(
    'A teacher that the model learns from beside the labels (Hinton et al. 2015; Polino et al. 2018). Evaluations measure the loss ' +
      'on the labels alone, so that runs compare.',
  );
