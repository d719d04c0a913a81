/** @file A folder with small data, a small model and an experiment, and a trainer that works in it as the CLI does. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { decodeSafetensors } from '../../../server/formats/safetensors.ts';
import type { EventOf, RunEvent } from '../../../server/protocol/run/events.ts';
import { readEvents } from '../../../server/runs/log/readEvents.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { resumeRun, runExperiment, type TrainingOutcome } from '../../../server/training/index.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { writeBlobs } from './blobs.ts';

export { CLASSES, experiment, FEATURES, mlp, statefulLstm } from './blobs.ts';

export interface Workspace {
  readonly folder: string;
  /** Path of the experiment file. */
  readonly file: string;
  write(name: string, content: string | Uint8Array): Promise<void>;
  /**
   * @param options.stopAfter step after which the signal aborts
   * @param options.of path of another experiment file in the folder
   */
  run(options?: { overrides?: readonly string[]; stopAfter?: number; out?: string; of?: string }): Promise<RecordedRun>;
}

/** How a run ended, and what was told of it while it trained. */
export interface RecordedRun extends TrainingOutcome {
  readonly events: readonly RunEvent[];
}

/** Makes the folder, with what {@link writeBlobs} writes; it is removed after the test. */
export async function workspace(changes: { model?: string } & Record<string, unknown> = {}): Promise<Workspace> {
  const folder = await temporaryFolder();
  const file = await writeBlobs(folder, changes);
  const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);
  return {
    folder,
    file,
    write,
    run: ({ overrides = [], stopAfter, out, of = file } = {}) =>
      observed(stopAfter, (observer) => runExperiment({ file: of, overrides, out, ...observer })),
  };
}

/**
 * Goes on with a run, opened afresh as by another process.
 * @param changedFiles whether also with modules that have changed
 */
export async function resume(run: Run, stopAfter?: number, changedFiles = false): Promise<RecordedRun> {
  const opened = await openRun(run.path);
  return observed(stopAfter, (observer) => resumeRun({ run: opened, changedFiles, ...observer }));
}

async function observed(
  stopAfter: number | undefined,
  train: (observer: { onEvent: (event: RunEvent) => void; signal: AbortSignal }) => Promise<TrainingOutcome>,
): Promise<RecordedRun> {
  await tf.setBackend('cpu');
  const controller = new AbortController();
  const events: RunEvent[] = [];
  const outcome = await train({
    signal: controller.signal,
    onEvent(event) {
      events.push(event);
      if (event.step === stopAfter) controller.abort();
    },
  });
  return { ...outcome, events };
}

/** The run of an experiment that nobody interrupts, trained in this process when it is first asked for, and once for all tests of a file. */
export function trainedOnce(changes: Parameters<typeof workspace>[0]): () => Promise<{
  readonly weights: Map<string, Float32Array>;
  readonly events: readonly RunEvent[];
}> {
  let trained: ReturnType<ReturnType<typeof trainedOnce>> | undefined;
  const train = async () => {
    const { run, events } = await (await workspace(changes)).run();
    return { weights: finalWeights(run), events };
  };
  return () => (trained ??= train());
}

/** The events of a type, in their order. */
export function eventsOf<T extends RunEvent['type']>(events: readonly RunEvent[], type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

/** What `events.jsonl` holds. */
export async function recordedEvents(run: Run): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of readEvents(run)) events.push(event);
  return events;
}

/** Path of the final model's weights. */
export function weightsFile(run: Run): string {
  return join(run.modelFolder, 'weights.safetensors');
}

/** The final weights by name. */
export function finalWeights(run: Run): Map<string, Float32Array> {
  const { tensors } = decodeSafetensors(readFileSync(weightsFile(run)));
  return new Map([...tensors].map(([name, { data }]) => [name, data as Float32Array]));
}
