/** @file Trains a prepared experiment in a run folder: what happens is recorded, also how it ends. */
import { relative } from 'node:path';
import type { Executor } from '../compiler/program.ts';
import type { OpenOptions } from '../data/dataset.ts';
import type { LoggingConfig } from '../protocol/experiment/schema.ts';
import type { RunEvent, Untimed } from '../protocol/run/events.ts';
import { checkpointFile, writeCheckpoint, type Checkpoint } from '../runs/checkpoints.ts';
import { EventLog } from '../runs/log/eventLog.ts';
import type { Run } from '../runs/run.ts';
import type { LiveLogs } from '../tracking/index.ts';
import { checkpointTensors, initialProgress, restoreCheckpoint, type Progress } from './checkpointState.ts';
import { keepClassCounts } from './classCounts.ts';
import { TrainingControl } from './control.ts';
import { describeDevice } from './device.ts';
import { endOf, failure, type EventObserver, type TrainingEnd } from './ending.ts';
import { writeFinalModel } from './finalModel.ts';
import { LiveChanges } from './liveChanges.ts';
import { recordedLayers } from './observe.ts';
import type { Prepared } from './prepare.ts';
import { readLossRise } from './readLossRise.ts';
import { keepDataFacts } from './runDataFacts.ts';
import { thin } from './thinning.ts';
import { TrainingLoop } from './trainingLoop.ts';

export interface TrainingObserver extends EventObserver {
  /** When it aborts, the run stops after the current step, with a checkpoint and a `stopped` event. */
  signal: AbortSignal;
  /** What the run is asked for while it trains. */
  control?: TrainingControl;
  /** Told, in a sentence, what is left to do when the run has ended. */
  onNotice?: (message: string) => void;
  /** Told of what is decoded, tokenized or counted before it trains. */
  onDecoded?: OpenOptions['onDecoded'];
}

/** How a run goes on that was interrupted. */
export interface Resumption {
  /** Undefined: from the start. */
  readonly checkpoint?: Checkpoint;
  readonly warnings: readonly string[];
}

/**
 * The folder must be locked.
 * @returns how the run ended; a failure becomes a `failed` event
 * @throws when the event log cannot be opened or closed
 */
export async function trainInFolder(
  run: Run,
  prepared: Prepared,
  { onEvent, onLog, onNotice, signal, control = new TrainingControl() }: TrainingObserver,
  resumption?: Resumption,
): Promise<TrainingEnd> {
  const { live, executor } = prepared;
  const checkpoint = resumption?.checkpoint;
  const start = checkpoint?.step ?? 0;
  const log = await EventLog.open(
    run,
    resumption && { cutAt: checkpoint?.eventsOffset ?? 0, checkpoint: checkpoint?.step },
  );
  const isCheckpointRecorded = checkpoint === undefined || log.end > checkpoint.eventsOffset;
  onLog?.(log);
  const record = <E extends Untimed>(untimed: E): E & { time: number } => {
    const event = { ...untimed, time: Date.now() };
    log.append(event as RunEvent);
    onEvent(event as RunEvent);
    return event;
  };
  let lastCheckpoint = checkpoint && relative(run.path, checkpointFile(run, start));
  const recordCheckpoint = (step: number, file: string, { afterDistortion }: Progress) => {
    lastCheckpoint = relative(run.path, file);
    record({ type: 'checkpoint', step, path: lastCheckpoint, afterDistortion });
    return lastCheckpoint;
  };
  let loop: TrainingLoop | undefined;
  let logs: LiveLogs | undefined;
  try {
    logs = await logsOf(run, live.experiment.logging, (message) =>
      record({ type: 'warning', step: loop?.step ?? start, message }),
    );
    await keepDataFacts(run, prepared.dataset);
    await keepClassCounts(run, prepared.classCounts);
    await executor.claimWeights();
    const progress = checkpoint ? restoreCheckpoint(checkpoint, prepared, run.checkpointsFolder) : initialProgress;
    if (prepared.teacher !== undefined) await run.update({ teacher: prepared.teacher });
    record({
      type: 'started',
      step: start,
      run: run.id,
      config: live.experiment,
      layers: recordedLayers(prepared),
      device: describeDevice(),
      executor: executor.description,
      computedOn: executor.device,
      ...(resumption && { resumedFrom: start }),
    });
    if (prepared.pretrained) record({ type: 'pretrained', step: start, ...prepared.pretrained });
    // The process died between the checkpoint and its event.
    if (!isCheckpointRecorded) recordCheckpoint(start, checkpointFile(run, start), progress);
    const moved = checkpoint && progress.device !== executor.device ? [movedTo(executor, start)] : [];
    for (const message of [...prepared.warnings, ...(resumption?.warnings ?? []), ...moved]) {
      record({ type: 'warning', step: start, message });
    }
    const text = await run.experimentText();
    /** What trains: another one after each thinning. */
    let current = prepared;
    let changes = new LiveChanges(run, current, text, start);
    loop = new TrainingLoop(prepared, start, progress, {
      record,
      signal,
      control,
      get changes() {
        return changes;
      },
      async thin(batch, step) {
        const thinned = await thin(current, batch);
        current = thinned.prepared;
        changes = new LiveChanges(run, current, text, step);
        return thinned;
      },
      async checkpoint(step, state) {
        const file = await writeCheckpoint(
          run,
          { step, tensors: checkpointTensors(current), state, eventsOffset: log.sync() },
          { keep: live.experiment.training.keepCheckpoints },
        );
        return recordCheckpoint(step, file, state);
      },
    });
    const summary = await Promise.race([loop.run(), control.abandoned]);
    if (summary === undefined) {
      return endOf(record({ type: 'stopped', step: loop.step, checkpoint: lastCheckpoint }));
    }
    const { keep } = live.experiment.training;
    // Without what a policy trains beside the weights.
    const list = current.weights.map(({ name, shape, values }) => ({ name, shape, value: values }));
    const { warnings, ...file } = await writeFinalModel(run, { ...current, parameters: { list } }, keep);
    for (const message of warnings) record({ type: 'warning', step: summary.steps, message });
    log.flush();
    const lossRise = await readLossRise(run, live.experiment);
    return endOf(
      record({
        type: 'finished',
        step: summary.steps,
        summary: { ...summary, ...file, ...(lossRise && { lossRise }) },
      }),
    );
  } catch (error) {
    const failed = { ...failure(error, loop?.step ?? start, run), time: Date.now() };
    try {
      log.append(failed);
    } catch {
      // The disk is full: what was recorded stays, and whoever watches hears of it.
    }
    onEvent(failed);
    return endOf(failed);
  } finally {
    control.end();
    log.close();
    for (const notice of (await logs?.end()) ?? []) onNotice?.(notice);
  }
}

/** What follows the run beside its own log; undefined where nothing does. */
async function logsOf(
  run: Run,
  logging: LoggingConfig | undefined,
  onProblem: (message: string) => void,
): Promise<LiveLogs | undefined> {
  if (logging === undefined) return undefined;
  const { destinationsOf, startLiveLogs } = await import('../tracking/index.ts');
  return startLiveLogs(run, destinationsOf(logging, run), onProblem);
}

/** What a user should know of a run that goes on from a checkpoint of another device. */
function movedTo({ device }: Executor, step: number): string {
  const both = ['processor', 'graphics processor'];
  const [from, to] = device === 'cpu' ? both.toReversed() : both;
  return (
    `training.device: the ${from} did the steps until ${step}, the ${to} does those that follow. The run goes on as well, but is not the ` +
    'same to the last bit as it would have been on one of them.'
  );
}
