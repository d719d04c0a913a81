/** @file Which server and which of its experiments a run is sent to. */
import { SERVER_ADDRESS } from '../../protocol/experiment/schema/values.ts';
import { UserError } from '../../protocol/userError.ts';

export interface MlflowDestination {
  /** Address of the server. */
  readonly uri: string;
  /** Name of the experiment on it. */
  readonly experiment: string;
}

/**
 * What is not named is taken from the environment variables of MLflow's own client.
 * @param name of the experiment file, where no experiment is named
 * @param options.recorded the address that a run was sent to while it trained, which is named where none is given
 * @throws UserError where no server is named, or it is reached by something else than HTTP
 */
export function mlflowDestination(
  { uri, experiment }: { readonly uri?: string | undefined; readonly experiment?: string | undefined },
  name: string,
  {
    environment = process.env,
    recorded,
  }: {
    readonly environment?: Readonly<Partial<Record<'MLFLOW_TRACKING_URI' | 'MLFLOW_EXPERIMENT_NAME', string>>>;
    readonly recorded?: string | undefined;
  } = {},
): MlflowDestination {
  const address = uri ?? environment.MLFLOW_TRACKING_URI;
  if (!address)
    throw new UserError('No MLflow server is named.', {
      remedy:
        recorded === undefined
          ? 'Give its address as logging.mlflow.uri, as --uri, or in the environment variable MLFLOW_TRACKING_URI.'
          : `The run names ${recorded}: give --uri ${recorded} to send it there.`,
    });
  if (!SERVER_ADDRESS.test(address))
    throw new UserError(
      `An MLflow server is reached by http:// or https://, and not as ${address.replace(/\/\/[^@/]*@/, '//…@')}.`,
      {
        remedy:
          'Start one for a database or a folder (mlflow server), and give its address. A name and a password are taken from ' +
          'MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.',
      },
    );
  return { uri: address.replace(/\/+$/, ''), experiment: experiment ?? environment.MLFLOW_EXPERIMENT_NAME ?? name };
}
