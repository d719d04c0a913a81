/**
 * @file The results of finished runs of the studies, one JSON object a line of `runs.jsonl`, sorted. Pages are made from it alone, so that
 * results outlive the machine and the run folders, and a fresh checkout trains only what is missing.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'jsonc-parser';
import * as z from 'zod';
import { root } from '../../../scripts/root.js';
import { commandOf, type Training } from './study.ts';

const figure = z.number();

const recordSchema = z.strictObject({
  run: z.string().describe('The command that repeats it, by which a run is found.'),
  experiment: z.string().describe('Digest of the experiment files: a run of another text of them is another run.'),
  metric: z.string(),
  validation: figure.optional(),
  test: figure.optional().describe('Absent for a run that diverged.'),
  beforeLast: figure.optional().describe('The test metric before the last distortion.'),
  weightRatio: figure.optional(),
  byteRatio: figure.optional(),
  nearZeros: z.int().optional(),
  seconds: figure.describe('Training alone, on one thread, on a machine that other work may have shared.'),
  machine: z.string(),
  date: z.string(),
  series: z.record(z.string(), z.array(z.number())).optional(),
});

export type RunRecord = z.output<typeof recordSchema>;

export class RunRecords {
  readonly #file: string;
  readonly #records = new Map<string, RunRecord>();

  /** @throws Error that names the line which is no record */
  constructor(file: string) {
    this.#file = file;
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    for (const [index, line] of lines.entries()) {
      if (line === '') continue;
      const record = recordOf(line, `${file}, line ${index + 1}`);
      this.#records.set(record.run, record);
    }
  }

  /** The record of a training; undefined where it was not finished, or with another text of its experiment. */
  readonly find = (training: Training): RunRecord | undefined => {
    const record = this.#records.get(commandOf(training));
    return record?.experiment === digestOf(training) ? record : undefined;
  };

  /** Adds a record, on the disk too. */
  add(record: RunRecord): void {
    this.#records.set(record.run, recordSchema.parse(record));
    const lines = [...this.#records.values()]
      .toSorted((a, b) => (a.run < b.run ? -1 : 1))
      .map((one) => JSON.stringify(one));
    mkdirSync(dirname(this.#file), { recursive: true });
    // A process that is killed while it writes leaves the former file.
    writeFileSync(`${this.#file}.new`, `${lines.join('\n')}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function recordOf(line: string, place: string): RunRecord {
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new Error(`${place} is no record of a run: mend or delete the line.`, { cause: error });
  }
}

/** Digest of the settings in the experiment file of a training and of what it starts from; comments are left out. */
export function digestOf({ file, start }: Training): string {
  const settings: unknown = parse(readFileSync(join(root, file), 'utf8'));
  const before = start ? digestOf(start) : '';
  return createHash('sha256')
    .update(before + JSON.stringify(settings))
    .digest('hex')
    .slice(0, 8);
}
