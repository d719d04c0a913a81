import { execFileSync } from 'node:child_process';
import { appendFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { readLog } from '../../../../extension/dashboard/readLog.ts';
import { readBackwards } from '../../../../server/runs/log/readBackwards.ts';
import { followEvents, LONGEST_LINE, readEvents } from '../../../../server/runs/log/readEvents.ts';
import type { Run } from '../../../../server/runs/run.ts';
import { metricsAt, temporaryRun } from '../temporaryRun.ts';

const lineOf = (step: number) => `${JSON.stringify(metricsAt(step))}\n`;

/** A log with a line between two events that is longer than any event; the file has holes, and takes no room. */
async function runWithLongLine(bytes = LONGEST_LINE + 5_000_000): Promise<Run> {
  const run = await temporaryRun();
  await writeFile(run.eventsFile, lineOf(1));
  await truncate(run.eventsFile, bytes);
  await appendFile(run.eventsFile, `\n${lineOf(2)}`);
  return run;
}

const readers: [string, (run: Run) => Promise<number[]>][] = [
  [
    'readEvents',
    async (run) => {
      const steps: number[] = [];
      for await (const { step } of readEvents(run)) steps.push(step);
      return steps;
    },
  ],
  [
    'followEvents',
    async (run) => {
      const steps: number[] = [];
      const stop = new AbortController();
      for await (const { step } of followEvents(run, { signal: stop.signal })) {
        steps.push(step);
        if (step === 2) stop.abort();
      }
      return steps;
    },
  ],
  [
    'readBackwards',
    async (run) => {
      const steps: number[] = [];
      await readBackwards(run, ['metrics'], ({ step }) => steps.push(step) > 0);
      return steps.reverse();
    },
  ],
  [
    'readLog of the dashboard',
    async (run) => {
      const steps: number[] = [];
      expect(await readLog(run.eventsFile, ({ step }) => steps.push(step))).toBe((await stat(run.eventsFile)).size);
      return steps;
    },
  ],
];

it.each(readers)('a line that is longer than any event is passed over by %s', async (_, read) => {
  expect(await read(await runWithLongLine())).toEqual([1, 2]);
});

it('a line that is too long is read over again from its beginning where its end is not there yet', async () => {
  const run = await temporaryRun();
  await writeFile(run.eventsFile, lineOf(1));
  await truncate(run.eventsFile, LONGEST_LINE + 5_000_000);
  const steps: number[] = [];
  const offset = await readLog(run.eventsFile, ({ step }) => steps.push(step));
  expect(offset).toBe(lineOf(1).length);
  await appendFile(run.eventsFile, `\n${lineOf(2)}`);
  await readLog(run.eventsFile, ({ step }) => steps.push(step), { from: offset });
  expect(steps).toEqual([1, 2]);
});

it.runIf(process.platform !== 'win32').each(readers)('a log that is a pipe is refused by %s', async (_, read) => {
  const run = await temporaryRun();
  await rm(run.eventsFile, { force: true });
  execFileSync('mkfifo', [run.eventsFile]);
  await expect(read(run)).rejects.toThrow(`${run.eventsFile} is not a file, but a pipe`);
});
