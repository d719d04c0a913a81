/** @file `data` of an experiment file. */
import * as z from 'zod';
import { fraction, path, positiveInteger } from './values.ts';

const arrayFiles = z.strictObject({
  inputs: path.describe('`.npy` file, or `FILE.npz:NAME`; axis 0 is the sample.'),
  targets: path.describe('`.npy` file, or `FILE.npz:NAME`; axis 0 is the sample.'),
});

export const data = z
  .discriminatedUnion('type', [
    z
      .strictObject({
        type: z.literal('mnist'),
        path: path.describe('Folder with the four IDX files of MNIST (or of a set in its form), raw or gzip.'),
        validation: positiveInteger
          .optional()
          .describe(
            'Training images, the last ones, that are not trained on: a learning rate that waits for a plateau, `keepBest`, and you, when you ' +
              'choose settings, look at them and not at the test images.',
          )
          .meta({ examples: [5000] }),
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
