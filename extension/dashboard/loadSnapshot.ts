/** @file A run's log as a snapshot, read in a worker thread: the extension host serves every other extension meanwhile. */
import { Worker } from 'node:worker_threads';
import type { SentSnapshot } from '../../server/protocol/wire/packSnapshot.ts';

export interface ReaderTask {
  readonly eventsFile: string;
}

export type ReaderMessage =
  | { readonly type: 'progress'; readonly fraction: number }
  | { readonly type: 'snapshot'; readonly snapshot: SentSnapshot; readonly offset: number };

/** What a log adds up to, up to `offset`: bytes, where a line ends. */
export interface LoadedSnapshot {
  readonly snapshot: SentSnapshot;
  readonly offset: number;
}

export interface LoadOptions {
  readonly signal: AbortSignal;
  /** Called at most ten times a second with the fraction of the log that has been read. */
  readonly onProgress: (fraction: number) => void;
}

/**
 * @param worker the built `runReader.js`
 * @throws the signal's reason when it aborts; the thread is gone then
 */
export async function loadSnapshot(
  worker: URL,
  eventsFile: string,
  { signal, onProgress }: LoadOptions,
): Promise<LoadedSnapshot> {
  signal.throwIfAborted();
  const thread = new Worker(worker, { workerData: { eventsFile } satisfies ReaderTask });
  const done = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: done.signal });
      thread.on('message', (message: ReaderMessage) => {
        if (message.type === 'progress') onProgress(message.fraction);
        else resolve(message);
      });
      thread.on('error', reject);
      thread.on('exit', (code) => reject(new Error(`The thread that reads the run's log ended with code ${code}.`)));
    });
  } finally {
    done.abort();
    await thread.terminate();
  }
}
