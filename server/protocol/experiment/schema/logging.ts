/** @file `logging` of an experiment file. */
import * as z from 'zod';
import { path } from './values.ts';

const mlflow = z
  .strictObject({
    uri: z
      .string()
      .refine((text) => /^https?:\/\/[^/@\s]+(\/[^@\s]*)?$/.test(text), {
        error:
          'expected the address of an MLflow server that begins with http:// or https://, without a name and password: those are ' +
          'taken from MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD',
      })
      .optional()
      .describe('Address of the MLflow server; default: the environment variable MLFLOW_TRACKING_URI.')
      .meta({ examples: ['http://127.0.0.1:5000'] }),
    experiment: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Name of the experiment on the server, which is made where there is none; default: the name of this file.',
      )
      .meta({ examples: ['compression'] }),
  })
  .describe(
    'An MLflow server that a run is sent to while it trains: settings, metrics, the experiment file, a small compressed model.',
  );

export const logging = z
  .strictObject({
    tensorBoard: z
      .union([z.boolean(), path])
      .optional()
      .describe(
        'Write an event file of TensorBoard while the run trains: true for the folder tensorboard in the run folder, or the path of a folder in which each run gets one of its own.',
      )
      .meta({ examples: [true] }),
    mlflow: mlflow.optional(),
  })
  .describe(
    'Programs that get what a run records while it trains, beside its own log. Nothing is sent anywhere without this.',
  );
