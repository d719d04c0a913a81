/** @file `data` of an experiment file, where it is a table. */
import * as z from 'zod';
import { dataSeed, fraction, partialFraction, path } from './values.ts';

/** What `split.test` is of a single file. */
export const TEST_FRACTION = 0.2;

const kind = z.enum(['number', 'category', 'ignored']).meta({
  enumDescriptions: [
    'One input, standardized.',
    'One of several texts: an input for each of them, or its number, as `categories` says.',
    'No input.',
  ],
});

export const table = z
  .strictObject({
    type: z.literal('table'),
    path: path.optional().describe('One table, which `split` divides: a CSV or a Parquet file.'),
    files: z
      .strictObject({
        train: path.describe('Table that is trained on.'),
        validation: path
          .optional()
          .describe('Table that a learning rate which waits for a plateau, and `keepBest`, look at.'),
        test: path.describe('Table that the final model is judged by.'),
      })
      .optional()
      .describe('In place of `path`: a table for each split. Columns are matched by their names.'),
    target: z.string().min(1).describe('Name of the column that the model learns to tell.'),
    task: z
      .enum(['classification', 'regression'])
      .default('classification')
      .describe('What the target is.')
      .meta({
        enumDescriptions: [
          'Each value of the target is a class, a text or a number; its label is its place among the sorted classes.',
          'The target is a number; a loss such as `mean-squared-error` fits.',
        ],
      }),
    columns: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe("Columns that become inputs, in this order; default: all but the target, in the table's order.")
      .meta({ examples: [['age', 'income']] }),
    inputs: z
      .record(z.string().min(1), z.array(z.string().min(1)).min(1))
      .optional()
      .describe(
        'In place of `columns`, for a model of several inputs: by the name of each its columns, in this order. A column may be in several.',
      )
      .meta({ examples: [{ wide: ['city'], deep: ['age', 'income'] }] }),
    kinds: z
      .record(z.string(), kind)
      .default({})
      .describe(
        'What columns are, by their names, where it is not what their values say: a column of nothing but numbers is a number, any ' +
          'other one a category.',
      )
      .meta({ examples: [{ id: 'ignored' }] }),
    categories: z
      .enum(['one-hot', 'integer'])
      .default('one-hot')
      .describe('What a category becomes.')
      .meta({
        enumDescriptions: [
          'An input for each category, 1 for that of the row and 0 for the others; all 0 where training has no such category.',
          'One input: the number of the category, from 0, for a layer that looks it up. One that training lacks is the number of categories.',
        ],
      }),
    standardize: z
      .enum(['inputs', 'all', 'none'])
      .default('inputs')
      .describe('The numbers that get mean 0 and deviation 1 over the rows that are trained on.')
      .meta({
        enumDescriptions: [
          'Columns of numbers.',
          'Columns of numbers, and the target of a regression: what the model tells, and its loss, are then in deviations of the target.',
          'None: numbers are as the table has them.',
        ],
      }),
    missing: z
      .strictObject({
        numbers: z
          .enum(['mean', 'median', 'error'])
          .default('mean')
          .describe('What a missing number becomes.')
          .meta({
            enumDescriptions: [
              'The mean of the column over the rows that are trained on.',
              'The median of the column over the rows that are trained on.',
              'The table is refused.',
            ],
          }),
        categories: z
          .enum(['category', 'error'])
          .default('category')
          .describe('What a missing category becomes.')
          .meta({ enumDescriptions: ['A category of its own.', 'The table is refused.'] }),
        values: z
          .array(z.string())
          .default(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', '?'])
          .describe('Texts that stand for a missing value in a CSV file; an empty one always does.'),
      })
      .prefault({})
      .describe('What is done about values that are missing. A target must not be.')
      .meta({ examples: [{ numbers: 'median' }] }),
    split: z
      .strictObject({
        validation: fraction.default(0).describe('Fraction of the rows, 0 to 1.'),
        test: partialFraction
          .optional()
          .describe(`Fraction of the rows of \`path\`, 0 to 1; default: ${TEST_FRACTION}.`)
          .meta({ examples: [TEST_FRACTION] }),
      })
      .prefault({})
      .describe('Rows that are not trained on, chosen by `seed`; of each class the same fraction.')
      .meta({ examples: [{ validation: 0.1, test: 0.2 }] }),
    seed: dataSeed.describe('Seed of what `split` chooses. Runs that differ in training.seed have the same rows.'),
    delimiter: z
      .string()
      .min(1)
      .max(4)
      .optional()
      .describe(
        'What separates the values of a CSV file; default: the comma (unless `decimal` is one), semicolon, tab or bar that its first lines have.',
      )
      .meta({ examples: [';'] }),
    header: z
      .boolean()
      .default(true)
      .describe(
        'True where the first line of a CSV file has the names of the columns; else they are `column1`, `column2`, ….',
      ),
    decimal: z
      .enum(['.', ','])
      .default('.')
      .describe('What stands before the decimals of a number in a CSV file.')
      .meta({ enumDescriptions: ['3.5', '3,5'] }),
  })
  .describe('A table of rows and columns, CSV or Parquet.');
