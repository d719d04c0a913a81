/** @file Tool: how a run stands, and what has happened to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { compressedSize } from '../../protocol/run/compressedSize.ts';
import type { Summary } from '../../protocol/run/events.ts';
import { compressionNow, secondsLeft } from '../../protocol/run/progress.ts';
import { inOneLine } from '../../protocol/userError.ts';
import { isUnderWay, type Run } from '../../runs/run.ts';
import { readLogTail } from '../../sidecarClient/startSidecar.ts';
import type { RunLook } from '../followedRuns.ts';
import { defineTool, runReference } from '../tool.ts';

/** How often a run is looked at while something new is waited for. */
const LOOK_MS = 300;

const measured = z.number().nullable().describe('Null where it is not finite.');

export const followRun = defineTool({
  name: 'follow_run',
  title: 'Follow a run',
  description:
    'How a run stands: state, step, last metrics, and what has happened since the number "since" (0: all). Give the "next" of the last answer as "since" of the next call. With "wait", it answers when something new has happened or the run has ended, at most after so many seconds: call it again instead of polling.',
  effect: 'reads',
  input: z.strictObject({
    run: runReference,
    since: z.int().min(0).default(0).describe('Number of the last happening that is known.'),
    wait: z.number().min(0).max(600).default(0).describe('Seconds to wait for something new.'),
    limit: z.int().min(1).max(200).default(20).describe('At most so many happenings, the newest.'),
  }),
  output: z.object({
    run: z.string(),
    state: z.string().describe('queued, running, finished, failed, stopped, or interrupted: its process was killed.'),
    step: z.int(),
    steps: z.int().optional(),
    epoch: z.number().optional(),
    loss: measured.optional().describe('Training loss.'),
    metrics: z
      .array(z.object({ split: z.string(), step: z.int(), metric: z.string(), value: measured }))
      .describe('The newest of each split.'),
    compression: z.string().optional().describe('How compressed the weights are now.'),
    secondsLeft: z.number().optional(),
    happenings: z.array(z.object({ number: z.int(), step: z.int(), kind: z.string(), text: z.string() })),
    passedOver: z.int().describe('Earlier ones since "since" that are left out: ask with a greater "limit".'),
    next: z.int().describe('"since" of the next call.'),
    result: z
      .object({
        metric: z.string(),
        test: measured,
        testBeforeLastDistortion: measured,
        validation: measured.optional(),
        weights: z.int(),
        weightsKept: z.int(),
        bytes: z.number().describe('As floats.'),
        bytesKept: z.number().describe('Bytes of the compressed model.'),
        ratio: z.number().describe('How many times smaller.'),
        seconds: z.number().describe('Seconds of training.'),
      })
      .optional(),
    problem: z.string().optional().describe('Why it failed, and what helps.'),
    lastWords: z.string().optional().describe('Last output of the process of a run that failed or was killed.'),
  }),
  async run({ run: reference, since, wait, limit }, { workspace, followed, signal, progress }) {
    const run = await workspace.findRun(reference);
    const end = Date.now() + 1000 * wait;
    let look = await followed.look(run);
    // A run that went on from a checkpoint has fewer happenings than it had.
    while (look.count === since && isUnderWay(run.observedState()) && Date.now() < end && !signal.aborted) {
      await sleep(Math.min(LOOK_MS, end - Date.now()), undefined, { signal }).catch(() => undefined);
      await run.reload();
      look = await followed.look(run);
      progress(`${run.observedState()}, step ${look.progress.step}`);
    }
    // Its process may have ended after the record was read.
    if (run.observedState() === 'interrupted') await run.reload();
    return answer(run, look, { since, limit });
  },
});

async function answer(run: Run, look: RunLook, { since, limit }: { since: number; limit: number }) {
  const { progress, happenings, count } = look;
  const { started, metrics, latest, end } = progress;
  const state = run.observedState();
  const isNew = happenings.filter(({ number }) => number > (since > count ? 0 : since));
  const left = secondsLeft(progress);
  const compression = compressionNow(progress);
  const steps = started?.config.training.steps;
  const { failure } = run.record;
  const lastWords = state === 'failed' || state === 'interrupted' ? (await readLogTail(run)).trim() : '';
  return {
    run: run.id,
    state,
    step: progress.step,
    ...(steps !== undefined && { steps }),
    ...(metrics && { epoch: metrics.epoch, loss: metrics.loss }),
    metrics: Object.values(latest)
      .filter((evaluation) => evaluation !== undefined)
      .map(({ split, step, metric, value }) => ({ split, step, metric, value })),
    ...(compression !== undefined && { compression }),
    ...(state === 'running' && left !== undefined && { secondsLeft: Math.round(left) }),
    happenings: isNew.slice(-limit),
    passedOver: Math.max(0, isNew.length - limit),
    next: count,
    ...(end?.type === 'finished' && { result: resultOf(end.summary) }),
    ...(state === 'failed' && failure && { problem: inOneLine(failure) }),
    ...(lastWords !== '' && { lastWords: lastWords.slice(-1000) }),
  };
}

function resultOf(summary: Summary) {
  const { metric, test, testBeforeLastDistortion, validation, weights, weightsKept, bytes, trainingSeconds } = summary;
  const size = compressedSize(summary);
  return {
    metric,
    test,
    testBeforeLastDistortion,
    ...(validation !== undefined && { validation }),
    weights,
    weightsKept,
    bytes,
    bytesKept: size.bytes,
    ratio: size.ratio,
    seconds: trainingSeconds,
  };
}
