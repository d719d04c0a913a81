/** @file `data` of an experiment file. */
import * as z from 'zod';
import { table } from './table.ts';
import { dataSeed, fraction, partialFraction, path, positiveInteger } from './values.ts';

const share = fraction.describe('Fraction of the images of each class, 0 to 1.');
const most = positiveInteger
  .optional()
  .describe('Images of each class at most; default: all.')
  .meta({ examples: [500] });
const mostLines = positiveInteger
  .optional()
  .describe('Lines at most; default: all.')
  .meta({ examples: [10_000] });

const images = z
  .strictObject({
    type: z.literal('images'),
    path: path.describe(
      'Folder with `train/CLASS/` and `test/CLASS/`, maybe `validation/CLASS/`; with `split.test`, with the folders of the classes. In ' +
        'each class, JPEG and PNG files, in folders or not.',
    ),
    labels: z
      .union([
        path,
        z.strictObject({
          train: path.describe('CSV file of the images that are trained on.'),
          validation: path.optional().describe('CSV file of those that `keepBest`, among others, looks at.'),
          test: path.describe('CSV file of those that the final model is judged by.'),
        }),
      ])
      .optional()
      .describe(
        'In place of folders of classes: a CSV file with a row for each image, its file as seen from `path` and its class; with ' +
          '`split.test`, one for all images.',
      )
      .meta({ examples: ['./labels.csv'] }),
    labelColumns: z
      .strictObject({
        file: z
          .string()
          .min(1)
          .optional()
          .describe('Column of files; default: the one whose values are files that are there.'),
        label: z
          .string()
          .min(1)
          .optional()
          .describe('Column of classes; default: the other one of two, or `label`, `class`, `target`, `category`.'),
      })
      .optional()
      .describe('Names of the columns of `labels`.')
      .meta({ examples: [{ file: 'file', label: 'label' }] }),
    split: z
      .strictObject({
        validation: share.default(0),
        test: partialFraction
          .optional()
          .describe(
            'Fraction of the images of each class, 0 to 1, that are tested on where there are no folders `train` and `test`.',
          )
          .meta({ examples: [0.2] }),
      })
      .prefault({})
      .describe('Images of the training split that are kept for others, chosen by `seed`.')
      .meta({ examples: [{ validation: 0.1 }] }),
    limit: z
      .strictObject({ train: most, validation: most, test: most })
      .optional()
      .describe('A part of the images, for a short training: so many of each class, chosen by `seed`.')
      .meta({ examples: [{ train: 500, test: 100 }] }),
    seed: dataSeed.describe(
      'Seed of what `split` and `limit` choose. Runs that differ in training.seed have the same images, and a larger limit those of a ' +
        'smaller one and more.',
    ),
    color: z
      .enum(['rgb', 'gray'])
      .default('rgb')
      .describe('Channels of an image.')
      .meta({
        enumDescriptions: [
          'Red, green and blue; a gray image has all three alike.',
          'One: the luma of a colour image.',
        ],
      }),
    size: z
      .array(positiveInteger)
      .length(2)
      .optional()
      .describe('Height and width that every image is resized to; without it, all must be of one size.')
      .meta({ examples: [[32, 32]] }),
    standardize: z
      .union([
        z.enum(['training', 'symmetric']).meta({
          enumDescriptions: [
            'Each channel has mean 0 and deviation 1 over the images that are trained on.',
            'From -1 to 1: mean and deviation are 0.5.',
          ],
        }),
        z.strictObject({
          mean: z.array(z.number()).min(1).max(3).describe('Mean of each channel, of values 0 to 1.'),
          deviation: z
            .array(z.number().positive())
            .min(1)
            .max(3)
            .describe('Standard deviation of each channel, of values 0 to 1.'),
        }),
      ])
      .optional()
      .describe(
        'What is subtracted from each channel, and what the rest is divided by. Without it, values are 0 to 1. A model that ' +
          'starts from another, or learns from a teacher, must have the same as that one: then write numbers.',
      )
      .meta({ examples: ['symmetric'] }),
    skipBroken: fraction
      .default(0)
      .describe(
        'Fraction of the images, 0 to 1, that may be broken: they are left out, with a warning that names them. Without it, one is an error.',
      )
      .meta({ examples: [0.01] }),
    crop: z
      .strictObject({
        padding: positiveInteger
          .describe('Black pixels around the image, of which a part of its own size is cut at random. CIFAR-10: 4.')
          .meta({ examples: [4] }),
      })
      .optional()
      .describe('In training: each image is moved a little, differently at each step.'),
    flip: z.boolean().default(false).describe('In training: each image is mirrored, left to right, every second time.'),
  })
  .describe('Images in folders, one for each class, or with a CSV file of their classes: JPEG and PNG.');

const arrayPath = path.describe(
  '`.npy` file, `FILE.npz:NAME`, `FILE.safetensors:NAME` or `FILE.h5:PATH` of a dataset; axis 0 is the sample.',
);

const arrayOrNamed = z.union([arrayPath, z.record(z.string().min(1), arrayPath)]);

const arrayFiles = z.strictObject({
  inputs: arrayOrNamed
    .describe('Array of the inputs; for a model of several inputs, an array for each of them by its name.')
    .meta({ examples: ['./x_train.npy'] }),
  targets: arrayOrNamed
    .describe('Array of the targets; for a model of several outputs, an array for each of them by its name.')
    .meta({ examples: ['./y_train.npy'] }),
});

export const data = z
  .discriminatedUnion('type', [
    z
      .strictObject({
        type: z.literal('mnist'),
        path: path.describe('Folder with the four IDX files of MNIST (or of a set in its form), raw or gzip.'),
        validation: z
          .union([positiveInteger, partialFraction])
          .optional()
          .describe(
            'Training images, the last ones, a number or a fraction of them, that are not trained on: a learning rate that waits for a plateau, `keepBest`, and you, when you ' +
              'choose settings, look at them and not at the test images.',
          )
          .meta({ examples: [5000] }),
      })
      .describe('Images of 28 x 28 pixels in ten classes: MNIST, or a set in its form.'),
    z
      .strictObject({
        type: z.literal('arrays'),
        train: arrayFiles.describe('What is trained on.'),
        test: arrayFiles
          .optional()
          .describe('What the final model is judged by; without it, `split.test` says how much.'),
        validation: arrayFiles
          .optional()
          .describe('What a learning rate that waits for a plateau, and `keepBest`, look at.'),
        split: z
          .strictObject({
            validation: fraction.default(0).describe('Fraction of the samples of `train`, 0 to 1.'),
            test: partialFraction
              .optional()
              .describe('Fraction of the samples of `train`, 0 to 1, where there is no `test`.')
              .meta({ examples: [0.2] }),
          })
          .prefault({})
          .describe('Samples of `train` that are not trained on, chosen by `seed`; of each class the same fraction.')
          .meta({ examples: [{ validation: 0.1, test: 0.2 }] }),
        seed: dataSeed.describe(
          'Seed of what `split` chooses. Runs that differ in training.seed have the same samples.',
        ),
      })
      .describe('Arrays of NumPy, tensors of safetensors files, or datasets of HDF5 files.'),
    images,
    table,
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
            validation: fraction
              .default(0)
              .describe(
                'Fraction of the one file that `path` names, or of the training text where there is none for it, 0 to 1.',
              ),
            test: partialFraction
              .optional()
              .describe('Fraction of the one file that `path` names, 0 to 1.')
              .meta({ examples: [0.1] }),
          })
          .optional()
          .describe('Fractions of a text, whole lines at its end, for each split.'),
        limit: z
          .strictObject({ train: mostLines, validation: mostLines, test: mostLines })
          .optional()
          .describe(
            'The first lines of each split, for a short training. The vocabulary is that of the lines that are trained on.',
          )
          .meta({ examples: [{ train: 5000 }] }),
        vocabulary: z
          .strictObject({
            size: z
              .int()
              .min(3)
              .optional()
              .describe('The most frequent words of the training text, with <eos> and <unk> among them; default: all.')
              .meta({ examples: [10_000] }),
            file: path.optional().describe('In place of the training text: a word a line, for example of another run.'),
          })
          .prefault({})
          .describe('The words that the model knows; every other word is <unk>.'),
        tokenizer: path
          .optional()
          .describe(
            'In place of words: the `tokenizer.json` of a tokenizer of Hugging Face (BPE, WordPiece, Unigram), which says what the tokens are.',
          )
          .meta({ examples: ['./tokenizer.json'] }),
        timeSteps: positiveInteger
          .describe(
            'Words in a sample (T): back-propagation through time is truncated to them. Zaremba et al. 2014: 20 (small), 35 (medium, ' +
              'large); Xu et al. 2018: 30.',
          )
          .meta({ examples: [20] }),
      })
      .describe('Text for a language model; its quality is the perplexity.'),
  ])
  .describe('The source of the samples. Relative paths start at the experiment file.');
