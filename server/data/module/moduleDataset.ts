/** @file A data set made by a user's module, which runs in a worker thread. */
import { basename } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { UserError } from '../../protocol/userError.ts';
import type { Batch, Dataset, Split, TrainingStream } from '../dataset.ts';
import { startWorker } from '../../modules/startWorker.ts';
import type { HostMessage, ModuleWorkerData, WorkerMessage } from './moduleMessages.ts';
import type { ModuleDescription, SplitName } from './moduleSource.ts';

/**
 * @param path absolute path of the module
 * @throws UserError when the module cannot be loaded or does not yield batches
 */
export async function openModuleDataset(path: string): Promise<Dataset> {
  const host = new ModuleHost(path);
  try {
    const description = await host.ready;
    return moduleDataset(host, description, basename(path));
  } catch (error) {
    await host.close();
    throw error;
  }
}

function moduleDataset(host: ModuleHost, description: ModuleDescription, name: string): Dataset {
  const { inputs, targets, splits, samples, classes, files } = description;
  const split = (splitName: SplitName): Split => ({
    samples: samples[splitName],
    async *batches(batchSize) {
      const stream = host.open((id) => ({ type: 'open-split', stream: id, split: splitName, batchSize }));
      try {
        for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) yield batch;
      } finally {
        stream.close();
      }
    },
  });
  const counts = splits.map((splitName) => `${splitName} ${samples[splitName] ?? 'of unknown length'}`);
  return {
    inputs,
    targets,
    stepsPerEpoch: (batchSize) => (samples.train === undefined ? undefined : Math.floor(samples.train / batchSize)),
    // Training batches never end, so that `next` always gives one.
    openTraining: (order) => host.open((id) => ({ type: 'open-training', stream: id, order })) as TrainingStream,
    train: split('train'),
    test: split('test'),
    ...(splits.includes('validation') && { validation: split('validation') }),
    ...(classes && { classes }),
    files,
    description: `${name}: ${counts.join(', ')}`,
    close: () => host.close(),
  };
}

/** The worker and the streams that it feeds. When it dies, all of them fail at once. */
class ModuleHost {
  readonly ready: Promise<ModuleDescription>;
  readonly #worker: Worker;
  readonly #streams = new Map<number, BatchStream>();
  #nextStream = 0;
  #failure: Error | undefined;
  #rejectReady: (reason: Error) => void = () => undefined;

  constructor(path: string) {
    const workerData: ModuleWorkerData = { path };
    this.#worker = startWorker('../data/module/moduleWorker.ts', { workerData, stdout: true });
    // Standard output may be a stream of run events, so that what the user's module prints goes to standard error.
    this.#worker.stdout.on('data', (chunk: Buffer) => process.stderr.write(chunk));
    this.ready = new Promise((resolve, reject) => {
      this.#rejectReady = reject;
      this.#worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'ready') resolve(message.description);
        else this.#receive(message);
      });
    });
    this.#worker.on('error', (error: Error) => this.#fail(stopped(path, error.message, error)));
    this.#worker.on('exit', (code) => this.#fail(stopped(path, `exit code ${code}`)));
  }

  open(request: (stream: number) => HostMessage): BatchStream {
    const id = this.#nextStream++;
    const stream = new BatchStream(
      () => this.#worker.postMessage({ type: 'credit', stream: id } satisfies HostMessage),
      () => {
        this.#streams.delete(id);
        this.#worker.postMessage({ type: 'close', stream: id } satisfies HostMessage);
      },
    );
    if (this.#failure) {
      stream.fail(this.#failure);
    } else {
      this.#streams.set(id, stream);
      this.#worker.postMessage(request(id));
    }
    return stream;
  }

  async close(): Promise<void> {
    this.#fail(new Error('The data set is closed.'));
    await this.#worker.terminate();
  }

  #receive(message: Exclude<WorkerMessage, { type: 'ready' }>): void {
    if (message.type === 'failed') {
      const error = new UserError(message.message, message.remedy === undefined ? {} : { remedy: message.remedy });
      if (message.stream === undefined) this.#fail(error);
      else this.#finish(message.stream)?.fail(error);
    } else if (message.type === 'batch') {
      this.#streams.get(message.stream)?.push(message.batch);
    } else {
      this.#finish(message.stream)?.end();
    }
  }

  #finish(id: number): BatchStream | undefined {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    return stream;
  }

  /** The first reason is the one that is told. */
  #fail(error: Error): void {
    this.#failure ??= error;
    this.#rejectReady(this.#failure);
    for (const stream of this.#streams.values()) stream.fail(this.#failure);
    this.#streams.clear();
  }
}

/** The batches that have arrived and not been taken yet, and whoever waits for the next one. */
class BatchStream {
  readonly #taken: () => void;
  readonly #closed: () => void;
  readonly #arrived: Batch[] = [];
  #finished: { error?: Error } | undefined;
  #waiting: { resolve: (batch: Batch | undefined) => void; reject: (error: Error) => void } | undefined;

  /**
   * @param taken called when a batch has been taken, so that the worker may make another
   * @param closed called once when nobody will take more
   */
  constructor(taken: () => void, closed: () => void) {
    this.#taken = taken;
    this.#closed = closed;
  }

  /** Undefined after the last batch. Rejects when the stream has failed, after the batches that came before. */
  next(): Batch | Promise<Batch | undefined> {
    const batch = this.#arrived.shift();
    if (batch !== undefined) {
      this.#taken();
      return batch;
    }
    if (this.#finished) return this.#finished.error ? Promise.reject(this.#finished.error) : Promise.resolve(undefined);
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  push(batch: Batch): void {
    if (this.#waiting === undefined) {
      this.#arrived.push(batch);
      return;
    }
    this.#taken();
    this.#waiting.resolve(batch);
    this.#waiting = undefined;
  }

  end(): void {
    this.#finished ??= {};
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }

  fail(error: Error): void {
    this.#finished ??= { error };
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  close(): void {
    if (this.#finished === undefined) this.#closed();
    this.end();
    this.#arrived.length = 0;
  }
}

function stopped(path: string, reason: string, cause?: Error): UserError {
  return new UserError(`The thread of the data module ${path} stopped: ${reason}.`, {
    remedy: 'See what the module wrote; it must not end the process and must stay within memory.',
    cause,
  });
}
