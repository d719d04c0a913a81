import { appendFile, stat, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../../../server/protocol/run/events.ts';
import { readBackwards } from '../../../../server/runs/log/readBackwards.ts';
import { shortest } from '../../../until.ts';
import { metricsAt, temporaryRun } from '../temporaryRun.ts';

/** With a text that makes its line as long as a test needs it. */
const warning = (step: number, message = ''): RunEvent => ({ type: 'warning', step, time: step, message });
const lineOf = (event: RunEvent) => `${JSON.stringify(event)}\n`;
const textOf = (events: readonly RunEvent[]) => events.map(lineOf).join('');

async function warningSteps(run: Awaited<ReturnType<typeof temporaryRun>>, options = {}, enough = Infinity) {
  const steps: number[] = [];
  const end = await readBackwards(run, ['warning'], ({ step }) => steps.push(step) < enough, options);
  return { steps, end };
}

test('events come last first, whatever the lengths of their lines and however the log ends', async () => {
  const run = await temporaryRun();
  const events = fc.array(
    fc.oneof(
      fc.nat(99).map((step) => metricsAt(step + 1)),
      fc.record({ step: fc.nat(99), length: fc.constantFrom(0, 10, 300_000, 600_000) }),
    ),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(events, fc.constantFrom('', '{"type":"warning","st', 'é'), async (made, half) => {
      const recorded = made.map((event) => ('type' in event ? event : warning(event.step, 'ö'.repeat(event.length))));
      const text = textOf(recorded);
      await writeFile(run.eventsFile, text + half);
      const { steps, end } = await warningSteps(run);
      expect(steps).toEqual(
        recorded
          .filter(({ type }) => type === 'warning')
          .map(({ step }) => step)
          .reverse(),
      );
      expect(end).toBe(Buffer.byteLength(text));
    }),
    { numRuns: 60 },
  );
});

test('reading goes on where it ended, and tells of a log that was cut', async () => {
  const run = await temporaryRun();
  expect(await warningSteps(run)).toEqual({ steps: [], end: 0 });
  await writeFile(run.eventsFile, textOf([warning(1), metricsAt(2), warning(3)]) + '{"type":"warn');
  const { steps, end } = await warningSteps(run);
  expect(steps).toEqual([3, 1]);
  await appendFile(run.eventsFile, `ing","step":4,"time":4,"message":""}\n`);
  const next = await warningSteps(run, { from: end });
  expect(next.steps).toEqual([4]);
  expect(await warningSteps(run, { from: next.end })).toEqual({ steps: [], end: next.end });
  await writeFile(run.eventsFile, textOf([warning(1)]));
  const cut = await warningSteps(run, { from: next.end });
  expect(cut).toEqual({ steps: [], end: Buffer.byteLength(textOf([warning(1)])) });
});

test('no more is read than what is asked for: of a log of nearly 200 MB, its end', async () => {
  const run = await temporaryRun();
  const million = textOf(Array.from({ length: 1000 }, (_, i) => metricsAt(i + 1))).repeat(1600);
  await writeFile(run.eventsFile, lineOf(warning(1)));
  await appendFile(run.eventsFile, million);
  await appendFile(run.eventsFile, textOf([warning(2), metricsAt(3)]));
  expect((await stat(run.eventsFile)).size).toBeGreaterThan(180e6);
  const took = await shortest(200, async () => {
    const start = performance.now();
    expect((await warningSteps(run, {}, 1)).steps).toEqual([2]);
    expect((await warningSteps(run, { most: 1e6 })).steps).toEqual([2]);
    return performance.now() - start;
  });
  // Reading all of it takes seconds.
  expect(took).toBeLessThan(200);
});
