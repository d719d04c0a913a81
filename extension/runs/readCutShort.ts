/** @file What the files beside `run.json` say of a run that ended before its last step. */
import type { EventOf } from '../../server/protocol/run/events.ts';
import { listCheckpoints } from '../../server/runs/checkpoints.ts';
import { readBackwards } from '../../server/runs/log/readBackwards.ts';
import type { Run } from '../../server/runs/run.ts';

export interface CutShort {
  readonly hasCheckpoint: boolean;
  /** The last one that was recorded; undefined where there is none near the end of the log. */
  readonly evaluation: Pick<EventOf<'evaluation'>, 'metric' | 'value'> | undefined;
}

/** Bytes at the end of the log in which the last evaluation is looked for: lists read them of many runs. */
const NEAR_THE_END = 256 * 1024;

/** What cannot be read is not there. */
export async function readCutShort(run: Run): Promise<CutShort> {
  const [checkpoints, evaluation] = await Promise.all([
    listCheckpoints(run).catch(() => []),
    lastEvaluation(run).catch(() => undefined),
  ]);
  return { hasCheckpoint: checkpoints.length > 0, evaluation };
}

async function lastEvaluation(run: Run): Promise<CutShort['evaluation']> {
  let last: CutShort['evaluation'];
  const take = ({ metric, value }: EventOf<'evaluation'>) => {
    last = { metric, value };
    return false;
  };
  await readBackwards(run, ['evaluation'], take, { most: NEAR_THE_END });
  return last;
}
