/**
 * @file Successive halving without a process that sees all runs (Li et al. 2020, ASHA, in the variant that stops runs): a run that comes to a
 * rung leaves its value in the sweep's folder, and goes on if it is among the best of those that have come there so far.
 * ```
 * rungs/STEP/LINE.json   the value of a line at the rung of STEP, and what was decided: RungRecord
 * ```
 */
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { finiteOrNull } from '../protocol/finiteOrNull.ts';
import { isAtRung } from '../protocol/run/rung.ts';
import type { RunEvent } from '../protocol/run/events.ts';
import type { RunRecord } from '../runs/runRecord.ts';
import { compareValues, keptAt, rungStep, type Halving, type RungValue } from './rungs.ts';

type StoppedEarly = NonNullable<RunRecord['stoppedEarly']>;

const rungRecordSchema = z.object({
  step: z.int().min(0).describe('Step of the evaluation.'),
  metric: z.string(),
  value: z.number().nullable().describe('Null: it is not finite.'),
  decided: z
    .object({ place: z.int().positive(), of: z.int().positive(), goesOn: z.boolean() })
    .optional()
    .describe('Absent for a moment, and where the process died in it.'),
});
type RungRecord = z.output<typeof rungRecordSchema>;

/** A run of a sweep on its way up the rungs. */
export class Ladder {
  readonly #folder: string;
  readonly #line: number;
  readonly #halving: Halving;
  #rung = 0;

  /** @param path of the folder of the sweep */
  constructor(path: string, line: number, halving: Halving) {
    this.#folder = join(path, 'rungs');
    this.#line = line;
    this.#halving = halving;
  }

  /** What was decided before, where the run is not to go on. */
  stoppedBefore(): StoppedEarly | undefined {
    for (let rung = 0; ; rung++) {
      const record = this.#read(rungStep(this.#halving, rung), this.#line);
      if (!record) return undefined;
      if (record.decided?.goesOn === false) return stopOf(record, record.decided);
    }
  }

  /**
   * To be told of each event of the run.
   * @returns what stops the run, or undefined where it goes on
   */
  onEvent(event: RunEvent): StoppedEarly | undefined {
    for (; isAtRung(event, rungStep(this.#halving, this.#rung)); this.#rung++) {
      const stopped = this.#decide(rungStep(this.#halving, this.#rung), event);
      if (stopped) return stopped;
    }
    return undefined;
  }

  #decide(rung: number, { step, metric, value }: RungValue): StoppedEarly | undefined {
    const known = this.#read(rung, this.#line);
    // A run that was killed comes here once more: what it was told stays.
    const decided = known?.decided ?? this.#compare(rung, { step, metric, value });
    return decided.goesOn ? undefined : stopOf({ step }, decided);
  }

  #compare(rung: number, own: RungValue): NonNullable<RungRecord['decided']> {
    const record = { ...own, value: finiteOrNull(own.value) };
    this.#write(rung, record);
    const others = readdirSync(join(this.#folder, String(rung)))
      .flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? [])
      .filter((line) => line !== String(this.#line))
      .flatMap((line) => this.#read(rung, Number(line)) ?? []);
    const place = 1 + others.filter((other) => compareValues({ ...other, value: other.value ?? NaN }, own) < 0).length;
    const of = others.length + 1;
    const decided = { place, of, goesOn: place <= keptAt(this.#halving, of) };
    this.#write(rung, { ...record, decided });
    return decided;
  }

  /** Undefined where there is none, or it cannot be read. */
  #read(rung: number, line: number): RungRecord | undefined {
    try {
      return rungRecordSchema.parse(JSON.parse(readFileSync(join(this.#folder, String(rung), `${line}.json`), 'utf8')));
    } catch {
      return undefined;
    }
  }

  #write(rung: number, record: RungRecord): void {
    const folder = join(this.#folder, String(rung));
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${this.#line}.json`);
    writeFileSync(`${file}.${process.pid}.tmp`, JSON.stringify(record));
    renameSync(`${file}.${process.pid}.tmp`, file);
  }
}

function stopOf({ step }: Pick<RungRecord, 'step'>, { place, of }: NonNullable<RungRecord['decided']>): StoppedEarly {
  return { step, place, of };
}
