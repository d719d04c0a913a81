/** @file Entry point of the editor's thread that reads sweeps: {@link SweepReader} behind messages, one answered after the other. */
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
import type { SweepAnswer, SweepRequest } from '../protocol/wire/sweep.ts';
import { writeNotes } from './runNotes.ts';
import { SweepReader } from './sweepReader.ts';

const reader = new SweepReader();
let answered: Promise<void> = Promise.resolve();

parentPort?.on('message', (request: SweepRequest) => {
  answered = answered.then(async () => parentPort?.postMessage(await answerTo(request)));
});

async function answerTo(request: SweepRequest): Promise<SweepAnswer> {
  const { number, path } = request;
  try {
    if (request.type === 'note') await writeNotes(path, request.runs, request.change);
    return { number, sweep: await reader.read(path) };
  } catch (error) {
    const remedy = error instanceof UserError ? error.remedy : undefined;
    return { number, problem: { message: messageOf(error), remedy } };
  }
}
