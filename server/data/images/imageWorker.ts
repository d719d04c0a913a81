/** @file Worker entry: decodes the images that it is asked for into memory that it shares. */
import { parentPort, workerData } from 'node:worker_threads';
import type { DecodeReply, DecodeRequest, ImageWorkerData } from './decodeImages.ts';
import { decodeInto } from './decodeInto.ts';
import { ImageReader } from './imageReader.ts';

const port = parentPort;
if (port === null) throw new Error('imageWorker runs as a worker thread only.');
const { folder, form, pixels } = workerData as ImageWorkerData;
const reader = new ImageReader(folder);

port.on('message', (request: DecodeRequest) => {
  void decodeInto(reader, form, request, pixels).then((failures) =>
    port.postMessage({ failures } satisfies DecodeReply),
  );
});
