/** @file Messages between the training process and the worker of a data module. */
import type { Batch, TrainingOrder } from '../dataset.ts';
import type { ModuleDescription, SplitName } from './moduleSource.ts';

/** Batches that the worker may be ahead in each stream. */
export const PREFETCH = 4;

export interface ModuleWorkerData {
  /** Absolute path of the user's module. */
  path: string;
}

/** To the worker. A stream starts with {@link PREFETCH} credits; each batch costs one, each taken batch returns one. */
export type HostMessage =
  | { type: 'open-training'; stream: number; order: TrainingOrder }
  | { type: 'open-split'; stream: number; split: SplitName; batchSize: number }
  | { type: 'credit'; stream: number }
  | { type: 'close'; stream: number };

/** From the worker. After `end` or `failed` a stream is silent; `failed` without a stream ends the worker. */
export type WorkerMessage =
  | { type: 'ready'; description: ModuleDescription }
  | { type: 'batch'; stream: number; batch: Batch }
  | { type: 'end'; stream: number }
  | { type: 'failed'; stream?: number; message: string; remedy?: string | undefined };
