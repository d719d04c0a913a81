/** @file Decodes all images of a data set: on several threads where they are many, or large. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { UserError } from '../../protocol/userError.ts';
import type { OpenOptions } from '../dataset.ts';
import { startWorker } from '../../modules/startWorker.ts';
import { decodeInto, type Failure, type Portion } from './decodeInto.ts';
import type { ImageFile } from './imageFolder.ts';
import { ImageReader, pixelsOf, type ImageForm } from './imageReader.ts';

export interface ImageWorkerData {
  /** Absolute. */
  readonly folder: string;
  readonly form: ImageForm;
  /** Shared: of all images. */
  readonly pixels: Uint8Array;
}
export type DecodeRequest = Portion;
export interface DecodeReply {
  readonly failures: readonly Failure[];
}

export interface DecodeOptions extends OpenOptions {
  /** Images that may be broken; default: none. */
  readonly mostBroken?: number;
  /** Default: by the number and the size of the files. */
  readonly threads?: number;
}

/** Images of a portion: progress is told, and others get their turn, behind each. */
const PORTION = 32;
/** Bytes of files that a thread takes a tenth of a second for, about as long as it takes to start another. */
const BYTES_OF_THREAD = 4 * 2 ** 20;
const MOST_THREADS = 16;
/** Images that cannot be used, and must not be: behind so many, the others are not looked at. */
const ENOUGH_FAILURES = 20;

/** All images, one after the other. */
export interface DecodedImages {
  /** Each row by row, channels interleaved; of one that cannot be used, zeros. */
  readonly pixels: Uint8Array;
  /** By image, 1 where it cannot be used. */
  readonly broken: Uint8Array;
  /** {@link pixels} and {@link broken}, one behind the other. */
  readonly all: Uint8Array;
}

/** @param all as of {@link DecodedImages} */
export function decodedImages(all: Uint8Array, images: number): DecodedImages {
  return { all, pixels: all.subarray(0, all.length - images), broken: all.subarray(all.length - images) };
}

/**
 * @param folder absolute
 * @throws UserError that names the images that cannot be used, where there are more than may be
 */
export async function decodeImages(
  folder: string,
  files: readonly ImageFile[],
  form: ImageForm,
  options: DecodeOptions = {},
): Promise<DecodedImages> {
  const all = new Uint8Array(new SharedArrayBuffer(files.length * (pixelsOf(form) + 1)));
  const decoded = decodedImages(all, files.length);
  const { pixels } = decoded;
  const decoding = new Decoding(files, options);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const threads =
    options.threads ?? Math.min(Math.floor(bytes / BYTES_OF_THREAD), availableParallelism(), MOST_THREADS);
  if (threads < 1) {
    const reader = new ImageReader(folder);
    await decoding.serve((portion) => decodeInto(reader, form, portion, pixels));
  } else {
    await decodeOnThreads(threads, { folder, form, pixels }, decoding, options.signal);
  }
  if (decoding.failures.length > (options.mostBroken ?? 0)) throw unusable(decoding.failures);
  for (const { index } of decoding.failures) decoded.broken[index] = 1;
  return decoded;
}

/** The images that are still to be decoded. */
class Decoding {
  readonly failures: Failure[] = [];
  readonly #files: readonly ImageFile[];
  readonly #options: DecodeOptions;
  #next = 0;
  #done = 0;

  constructor(files: readonly ImageFile[], options: DecodeOptions) {
    this.#files = files;
    this.#options = options;
  }

  /** Takes one portion after the other until none is left. */
  async serve(decode: (portion: Portion) => Promise<readonly Failure[]>): Promise<void> {
    while (
      this.#next < this.#files.length &&
      this.failures.length < (this.#options.mostBroken ?? 0) + ENOUGH_FAILURES
    ) {
      this.#options.signal?.throwIfAborted();
      const first = this.#next;
      const paths = this.#files.slice(first, first + PORTION).map(({ path }) => path);
      this.#next += paths.length;
      this.failures.push(...(await decode({ first, paths })));
      this.#done += paths.length;
      this.#options.onDecoded?.({ what: 'images', done: this.#done, total: this.#files.length });
      await turnOfEventLoop();
    }
  }
}

async function decodeOnThreads(
  threads: number,
  workerData: ImageWorkerData,
  decoding: Decoding,
  signal: AbortSignal | undefined,
): Promise<void> {
  const workers = Array.from({ length: threads }, () => startWorker('../data/images/imageWorker.ts', { workerData }));
  try {
    await Promise.all(workers.map((worker) => decoding.serve((portion) => ask(worker, portion, signal))));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

async function ask(worker: Worker, portion: Portion, signal: AbortSignal | undefined): Promise<readonly Failure[]> {
  const settled = new AbortController();
  const waiting = { signal: AbortSignal.any([settled.signal, ...(signal ? [signal] : [])]) };
  try {
    worker.postMessage(portion satisfies DecodeRequest);
    const [reply] = (await Promise.race([
      once(worker, 'message', waiting),
      once(worker, 'exit', waiting).then(([code]) => {
        throw new Error(`A thread that decodes images ended with ${code}.`);
      }),
    ])) as [DecodeReply];
    return reply.failures;
  } finally {
    settled.abort();
  }
}

/** The first image in the order of the data set, and the names of the others. */
function unusable(failures: readonly Failure[]): UserError {
  const [first, ...others] = [...failures].sort((a, b) => a.index - b.index);
  const also = others
    .slice(0, ENOUGH_FAILURES)
    .map(({ message }) => `\n${message}`)
    .join('');
  return new UserError(`${first.message}${also}`, first.remedy === undefined ? {} : { remedy: first.remedy });
}
