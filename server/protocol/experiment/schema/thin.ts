/** @file `thin` of an experiment file. */
import * as z from 'zod';
import { positiveInteger } from './values.ts';

export const thin = z
  .strictObject({
    at: z
      .array(positiveInteger)
      .min(1)
      .describe(
        'Epochs, or training steps where unit says so, after which units are removed, right after the distortion of their last step. ' +
          'Before the end of the training: `deeptwist thin` makes the finished model smaller.',
      )
      .meta({ examples: [[5, 15]] }),
    unit: z
      .enum(['steps', 'epochs'])
      .default('epochs')
      .describe('The unit of `at`.')
      .meta({ enumDescriptions: ['Training steps.', 'Passes over the training data.'] }),
  })
  .describe(
    'Thinning while the model trains (Alvarez & Salzmann 2017): neurons, filters and recurrent units that do nothing are removed with all ' +
      'that belongs to them, which changes nothing of what the model puts out, and the smaller model trains on. Weights, moving averages and ' +
      'the state of the optimizer of what stays are kept.',
  );
