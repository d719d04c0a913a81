/** @file `logging` of an experiment file. */
import * as z from 'zod';
import { path, SERVER_ADDRESS } from './values.ts';

const mlflow = z
  .strictObject({
    uri: z
      .string()
      .regex(SERVER_ADDRESS)
      .optional()
      .describe(
        'Address of the MLflow server; default: the environment variable MLFLOW_TRACKING_URI. Tokens, names and passwords are taken from the variables of MLflow, MLFLOW_TRACKING_TOKEN and others.',
      )
      .meta({
        title: 'an address that begins with http:// or https://, without a name and a password',
        examples: ['http://127.0.0.1:5000'],
      }),
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
