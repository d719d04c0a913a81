/** @file A folder with small data, a small model and an experiment, and a trainer that works in it as the CLI does. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { decodeSafetensors } from '../../../server/formats/safetensors.ts';
import { Random } from '../../../server/formats/random.ts';
import type { EventOf, RunEvent } from '../../../server/protocol/events.ts';
import { readEvents } from '../../../server/runs/readEvents.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { resumeRun, runExperiment, type TrainingOutcome } from '../../../server/training/index.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

export const FEATURES = 8;
export const CLASSES = 3;
const TRAINING_SAMPLES = 120;
const TEST_SAMPLES = 60;

/** Two layers, `fc1` [8, 16] and `fc2` [16, 3], between them dropout: a step depends on its random numbers. */
export const mlp = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ name: 'fc1', units: 16, activation: 'relu', inputShape: [${FEATURES}] }),
    tf.layers.dropout({ rate: 0.2 }),
    tf.layers.dense({ name: 'fc2', units: ${CLASSES}, activation: 'softmax' }),
  ] });
`;

/** Kernel [4, 32], recurrent kernel [8, 32], a state that goes on from batch to batch; the features are 2 steps of 4. */
export const statefulLstm = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.lstm({ name: 'lstm', units: 8, stateful: true, batchInputShape: [10, 2, ${FEATURES / 2}] }),
    tf.layers.dense({ name: 'fc', units: ${CLASSES}, activation: 'softmax' }),
  ] });
`;

/** An experiment on the files of {@link workspace}; a test replaces what it is about. */
export const experiment = {
  model: './model.ts',
  data: {
    type: 'arrays',
    train: { inputs: 'train.npy', targets: 'train-labels.npy' },
    test: { inputs: 'test.npy', targets: 'test-labels.npy' },
  },
  training: {
    optimizer: { type: 'adam', learningRate: 0.01 },
    loss: 'sparse-categorical-crossentropy',
    batchSize: 10,
    steps: 60,
    checkpointEvery: 20,
    keepCheckpoints: 3,
  } as Record<string, unknown>,
};

export interface Workspace {
  readonly folder: string;
  /** Path of the experiment file. */
  readonly file: string;
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** @param stopAfter step after which the signal aborts */
  run(options?: { overrides?: readonly string[]; stopAfter?: number; out?: string }): Promise<RecordedRun>;
}

/** How a run ended, and what was told of it while it trained. */
export interface RecordedRun extends TrainingOutcome {
  readonly events: readonly RunEvent[];
}

/**
 * Makes the folder, removed after the test: {@link CLASSES} Gaussian blobs of {@link FEATURES} features as `.npy` files,
 * `model.ts`, `blobs.deeptwist.jsonc`.
 */
export async function workspace({
  model = mlp,
  ...changes
}: { model?: string } & Record<string, unknown> = {}): Promise<Workspace> {
  const folder = await temporaryFolder();
  const file = join(folder, 'blobs.deeptwist.jsonc');
  const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);
  for (const [split, samples] of [
    ['train', TRAINING_SAMPLES],
    ['test', TEST_SAMPLES],
  ] as const) {
    const { inputs, labels } = blobs(samples, samples);
    await write(`${split}.npy`, npy(inputs, [samples, FEATURES]));
    await write(`${split}-labels.npy`, npy(labels, [samples]));
  }
  await write('model.ts', model);
  await write('blobs.deeptwist.jsonc', JSON.stringify({ ...experiment, ...changes }, null, 2));
  return {
    folder,
    file,
    write,
    run: ({ overrides = [], stopAfter, out } = {}) =>
      observed(stopAfter, (observer) => runExperiment({ file, overrides, out, ...observer })),
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

/** Points around the corners of a simplex, and which corner. */
function blobs(samples: number, seed: number): { inputs: Float32Array; labels: Int32Array } {
  const random = new Random(seed, 0);
  const labels = Int32Array.from({ length: samples }, (_, sample) => sample % CLASSES);
  const inputs = new Float32Array(samples * FEATURES);
  for (let i = 0; i < inputs.length; i++) {
    const corner = i % FEATURES === labels[Math.floor(i / FEATURES)] ? 1 : 0;
    const spread = random.uniform() + random.uniform() + random.uniform() - 1.5;
    inputs[i] = corner + spread / 2;
  }
  return { inputs, labels };
}

/** A NumPy file, format version 1.0. */
export function npy(data: Float32Array | Int32Array, shape: readonly number[]): Uint8Array {
  const type = data instanceof Float32Array ? '<f4' : '<i4';
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padded = `${header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11)}\n`;
  const prefix = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, padded.length % 256, padded.length >> 8]);
  return Buffer.concat([prefix, Buffer.from(padded), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}
