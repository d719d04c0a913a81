/** @file The run that a setting names, as far as its final model is wanted. */
import { RUN } from '../protocol/experiment/runReference.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import { UserError } from '../protocol/userError.ts';
import { findRun } from '../runs/findRun.ts';
import type { Run } from '../runs/run.ts';

/**
 * @param reference `run:…`
 * @param setting that names the run
 * @param options.directory of the experiment file
 * @param options.asking the run that wants the model, where there is one already
 * @throws SettingError when there is no such run, or it has no final model
 */
export async function finishedRun(
  reference: string,
  setting: SettingPath,
  { directory, asking }: { directory: string; asking: Pick<Run, 'path'> | undefined },
): Promise<Run> {
  const run = await findRun(reference.slice(RUN.length), directory).catch((error: unknown) => {
    throw error instanceof UserError ? new SettingError(setting, error.message, { remedy: error.remedy }) : error;
  });
  if (run.path === asking?.path)
    throw new SettingError(setting, 'it names this run itself, which has no final model yet', {
      remedy: 'Name a run that is finished.',
    });
  if (run.record.state === 'finished') return run;
  throw new SettingError(setting, `the run ${run.id} has no final model: it is ${run.observedState()}`, {
    remedy: `Finish it with \`deeptwist resume ${run.id}\`.`,
  });
}
