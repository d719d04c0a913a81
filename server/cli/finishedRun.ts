/** @file Finding a run whose final model a command needs. */
import { UserError } from '../protocol/userError.ts';
import { findRun } from '../runs/findRun.ts';
import { pathWord } from '../runs/pathWord.ts';
import type { Run } from '../runs/run.ts';

/**
 * @param instead what else can be done with a run that is not finished: a sentence
 * @throws UserError when there is no such run, or it is not finished
 */
export async function findFinishedRun(reference: string, directory: string, instead?: string): Promise<Run> {
  const run = await findRun(reference, directory);
  if (run.record.state === 'finished') return run;
  throw new UserError(`The run ${run.id} has no final model: it is ${run.observedState()}.`, {
    remedy: [
      `Finish it with \`deeptwist resume ${pathWord(run.path, directory)}\`.`,
      ...(instead === undefined ? [] : [instead]),
    ].join(' '),
  });
}
