/** @file Entry point of the worker thread that reads one run's log and folds it into a snapshot. See {@link loadSnapshot}. */
import { parentPort, workerData } from 'node:worker_threads';
import { packSnapshot } from '../../server/protocol/wire/packSnapshot.ts';
import { createRunHistory } from '../../server/protocol/run/runHistory.ts';
import type { ReaderMessage, ReaderTask } from './loadSnapshot.ts';
import { readLog } from './readLog.ts';

const REPORT_MS = 100;

const post = (message: ReaderMessage, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer);

const { eventsFile } = workerData as ReaderTask;
const history = createRunHistory();
let reported = Date.now();
const offset = await readLog(eventsFile, (event) => history.apply(event), {
  report: (fraction) => {
    if (Date.now() - reported < REPORT_MS) return;
    reported = Date.now();
    post({ type: 'progress', fraction });
  },
});
const { snapshot, buffers } = packSnapshot(history.snapshot());
post({ type: 'snapshot', snapshot, offset }, buffers);
