/** @file Entry point of the worker thread that reads a model's file for the editor: the extension host serves other extensions meanwhile. */
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { explainSystemError } from '../protocol/systemError.ts';
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
import type { FoundInFile, ShownFile, WantedNumbers } from '../protocol/wire/modelFile.ts';
import { openModelFile } from './modelFile.ts';
import { NumbersReader } from './numbersReader.ts';
import type { ModelFile } from './tensor.ts';

/** Characters of a name and of a text in the metadata, and texts, that a page gets at most. */
const LONGEST_NAME = 2000;
const LONGEST_TEXT = 100_000;
const MOST_TEXTS = 1000;

const post = (message: FoundInFile) => parentPort?.postMessage(message);
const { path } = workerData as { path: string };
try {
  const file = await openModelFile(path);
  const reader = new NumbersReader(file, post);
  parentPort?.on('message', (wanted: WantedNumbers) => reader.want(wanted));
  post({ type: 'file', file: shown(file) });
} catch (error) {
  const explained = explainSystemError(error, { path });
  const remedy = explained instanceof UserError ? explained.remedy : undefined;
  post({ type: 'problem', message: messageOf(explained), remedy });
}

function shown({ format, bytes, tensors, metadata }: ModelFile): ShownFile {
  return {
    name: basename(path),
    format,
    bytes,
    tensors: tensors.map(({ name, shape, dtype, elements, bytes: stored, form, problem, view }) => ({
      name: name.slice(0, LONGEST_NAME),
      ...{ shape, dtype, elements, bytes: stored },
      ...(form !== undefined && { form }),
      ...(problem !== undefined && { problem: problem.slice(0, LONGEST_NAME) }),
      ...(view && { matrix: { rows: view.rows, columns: view.outer * view.inner } }),
    })),
    metadata: metadata
      .slice(0, MOST_TEXTS)
      .map(([key, value]) => [key.slice(0, LONGEST_NAME), value.slice(0, LONGEST_TEXT)] as const),
  };
}
