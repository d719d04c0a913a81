/** @file `sweep` of an experiment file. */
import * as z from 'zod';
import { positiveInteger } from './values.ts';

/** More runs than anybody waits for; a plan of them is read in a second. */
export const MOST_RUNS = 100_000;

const value = z
  .unknown()
  .describe('A value of the setting, as it would stand in the file; null leaves the setting out.');

const values = z
  .array(value)
  .min(1)
  .describe('The values that the setting takes, one after the other.')
  .meta({ examples: [[0.8, 0.9]] });

const numbers = z
  .strictObject({
    from: z
      .number()
      .describe('The least value.')
      .meta({ examples: [0.0001] }),
    to: z
      .number()
      .describe('The greatest value.')
      .meta({ examples: [0.01] }),
    scale: z
      .enum(['linear', 'logarithmic'])
      .default('linear')
      .describe('What is uniformly distributed.')
      .meta({ enumDescriptions: ['The value.', 'Its logarithm: for learning rates and strengths.'] }),
    integer: z.boolean().default(false).describe('Only whole numbers.'),
  })
  .describe('Numbers between two bounds.');

const varied = (of: z.ZodType, description: string) =>
  z
    .record(z.string(), of)
    .describe(description)
    .meta({ examples: [{ 'training.seed': [1, 2, 3] }] });

const halving = z
  .strictObject({
    factor: z
      .int()
      .min(2)
      .default(3)
      .describe(
        'One of so many runs goes on at each comparison, and to so many times the steps (reduction factor, eta).',
      ),
    from: positiveInteger
      .describe('Steps after which all runs are compared for the first time (minimal resource, grace period).')
      .meta({ examples: [1000] }),
  })
  .optional()
  .describe(
    'Stops the worse runs early, by successive halving (Jamieson & Talwalkar 2016; on a cluster ASHA, Li et al. 2020): compared are the metrics at the ' +
      'first evaluation after `from` steps, after `from * factor`, and so on, on the validation split where there is one. A run that was stopped so has a ' +
      'checkpoint and can be resumed.',
  );

const PATHS =
  'by their names as `--set` takes them, such as compression.layers.fc1.rate or compression[0].distortEvery';

export const sweep = z
  .discriminatedUnion('type', [
    z
      .strictObject({
        type: z.literal('grid').optional().default('grid'),
        vary: varied(values, `Settings, ${PATHS}, each with the values that it takes.`),
        halving,
      })
      .describe('Every value of each setting with every value of the others.'),
    z
      .strictObject({
        type: z.literal('list'),
        runs: z
          .array(z.record(z.string(), value))
          .min(1)
          .describe(`The settings of each run that are not those of the file, ${PATHS}.`)
          .meta({ examples: [[{ 'training.seed': 1 }]] }),
        halving,
      })
      .describe('Runs one by one.'),
    z
      .strictObject({
        type: z.literal('random'),
        runs: positiveInteger
          .max(MOST_RUNS)
          .describe('Number of runs.')
          .meta({ examples: [20] }),
        seed: z.int().min(0).default(1).describe('Seed of the choice: the same seed gives the same runs.'),
        vary: varied(
          z.union([values, numbers]),
          `Settings, ${PATHS}, each with values, or bounds of numbers, of which every run gets one at random.`,
        ),
        halving,
      })
      .describe(
        'Values at random (Bergstra & Bengio 2012), which finds good ones sooner than a grid where few settings matter.',
      ),
  ])
  .describe('Runs of `deeptwist sweep`. `deeptwist run` and the editor train the file without it.');
