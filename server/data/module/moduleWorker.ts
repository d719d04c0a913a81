/** @file Worker entry: runs a user's data module off the training path and keeps each stream a few batches ahead. */
import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../../protocol/userError.ts';
import { messageOf } from '../../protocol/thrown.ts';
import type { Batch } from '../dataset.ts';
import { PREFETCH, type HostMessage, type ModuleWorkerData, type WorkerMessage } from './moduleMessages.ts';
import { ModuleSource } from './moduleSource.ts';

/** How many more batches a stream may send; `take` waits for one, and says false once the stream is closed. */
class Credits {
  #available = PREFETCH;
  #closed = false;
  #wake: (() => void) | undefined;

  add(): void {
    this.#available++;
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async take(): Promise<boolean> {
    while (this.#available === 0 && !this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#available--;
    return !this.#closed;
  }
}

const port = parentPort;
if (port === null) throw new Error('moduleWorker runs as a worker thread only.');
const streams = new Map<number, Credits>();

function send(message: WorkerMessage, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function sendFailure(error: unknown, stream?: number): void {
  const remedy = error instanceof UserError ? error.remedy : undefined;
  send({ type: 'failed', message: messageOf(error), remedy, ...{ stream } });
}

async function pump(stream: number, batches: AsyncGenerator<Batch>): Promise<void> {
  const credits = new Credits();
  streams.set(stream, credits);
  try {
    while (await credits.take()) {
      const next = await batches.next();
      if (next.done) break;
      const { inputs, targets } = next.value;
      send(
        { type: 'batch', stream, batch: next.value },
        [...inputs, ...targets].map(({ buffer }) => buffer as ArrayBuffer),
      );
    }
    await batches.return(undefined);
    send({ type: 'end', stream });
  } catch (error) {
    sendFailure(error, stream);
  } finally {
    streams.delete(stream);
  }
}

try {
  const source = await ModuleSource.open((workerData as ModuleWorkerData).path);
  port.on('message', (message: HostMessage) => {
    switch (message.type) {
      case 'open-training':
        return void pump(message.stream, source.training(message.order));
      case 'open-split':
        return void pump(message.stream, source.split(message.split, message.batchSize));
      case 'credit':
        return streams.get(message.stream)?.add();
      case 'close':
        return streams.get(message.stream)?.close();
    }
  });
  send({ type: 'ready', description: source.description });
} catch (error) {
  sendFailure(error);
}
