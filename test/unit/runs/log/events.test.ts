import { existsSync } from 'node:fs';
import { appendFile, readFile, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../../../server/protocol/run/events.ts';
import { UserError } from '../../../../server/protocol/userError.ts';
import { EventLog } from '../../../../server/runs/log/eventLog.ts';
import { followEvents, readEvents, readLastEvents } from '../../../../server/runs/log/readEvents.ts';
import { openRun } from '../../../../server/runs/run.ts';
import { EventFeed } from '../../../../server/sidecar/eventFeed.ts';
import { metricsAt, temporaryRun } from '../temporaryRun.ts';

async function all(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const list: RunEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

const checkpointAt = (step: number): RunEvent => ({
  type: 'checkpoint',
  step,
  time: 0,
  path: `step-${step}`,
  afterDistortion: true,
});

describe('EventLog', () => {
  it('records events that are read back as they were', async () => {
    const run = await temporaryRun();
    const log = await EventLog.open(run);
    const events = [metricsAt(1), metricsAt(2), checkpointAt(2)];
    for (const event of events) log.append(event);
    log.close();
    expect(await all(readEvents(run))).toEqual(events);
    expect((await readFile(run.eventsFile, 'utf8')).split('\n')).toEqual([...events.map((e) => JSON.stringify(e)), '']);
  });

  it('writes at once what tells of a checkpoint or an end, and everything else within a second', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    try {
      const run = await temporaryRun();
      const log = await EventLog.open(run);
      log.append(metricsAt(1));
      expect(await all(readEvents(run))).toEqual([]);
      log.append(checkpointAt(1));
      expect(await all(readEvents(run))).toHaveLength(2);
      log.append(metricsAt(2));
      vi.advanceTimersByTime(1000);
      expect(await all(readEvents(run))).toHaveLength(3);
      log.append(metricsAt(3));
      vi.setSystemTime(Date.now() + 1000); // A training step that kept timers from running.
      log.append(metricsAt(4));
      expect(await all(readEvents(run))).toHaveLength(5);
      log.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('is cut where a resumed run continues, so that each step is there once', async () => {
    const run = await temporaryRun();
    const killed = await EventLog.open(run);
    for (let step = 1; step <= 5; step++) killed.append(metricsAt(step));
    const eventsOffset = killed.sync();
    for (let step = 6; step <= 8; step++) killed.append(metricsAt(step));
    killed.close();
    await appendFile(run.eventsFile, '{"type":"metrics","step":9,"ti');

    const resumed = await EventLog.open(await openRun(run.path), { cutAt: eventsOffset });
    for (let step = 6; step <= 7; step++) resumed.append(metricsAt(step));
    resumed.close();
    expect((await all(readEvents(run))).map((event) => event.step)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect((await openRun(run.path)).record.cuts).toEqual([eventsOffset]);
  });

  it('removes a half-written last line before it appends', async () => {
    const run = await temporaryRun();
    await writeFile(run.eventsFile, JSON.stringify(metricsAt(1)) + '\n{"type":"met');
    const log = await EventLog.open(run);
    log.append(metricsAt(2));
    log.close();
    expect(await all(readEvents(run))).toEqual([metricsAt(1), metricsAt(2)]);
  });

  it.runIf(existsSync('/dev/full'))('says that the disk is full, where, and how much was needed', async () => {
    const run = await temporaryRun();
    await symlink('/dev/full', run.eventsFile); // Every write to it fails with ENOSPC.
    const log = await EventLog.open(run);
    log.append(metricsAt(1));
    const needed = JSON.stringify(metricsAt(1)).length + 1;
    expect(() => log.flush()).toThrow(UserError);
    expect(() => log.append(metricsAt(2))).toThrow(
      new RegExp(
        `^The disk is full: writing to ${run.path} needs ${needed} B, .* free\\. What was recorded before is intact`,
      ),
    );
    log.close(); // What could not be written has been told.
  });
});

describe('readEvents', () => {
  it('passes over what is no event: a half line, an unknown type, a damaged line', async () => {
    const run = await temporaryRun();
    const lines = [
      JSON.stringify(metricsAt(1)),
      JSON.stringify({ type: 'gradient-norms', step: 1, time: 0 }),
      'not json',
      '',
      JSON.stringify({ ...metricsAt(2), loss: 'high' }),
      JSON.stringify(metricsAt(3)),
    ];
    await writeFile(run.eventsFile, lines.join('\n') + '\n{"type":"metrics","st');
    expect((await all(readEvents(run))).map((event) => event.step)).toEqual([1, 3]);
  });

  it('reads nothing from a run that has recorded nothing', async () => {
    const run = await temporaryRun();
    expect(await all(readEvents(run))).toEqual([]);
    expect(await readLastEvents(run)).toEqual([]);
  });

  it('reads lines that are longer than a chunk, with letters that lie across two', async () => {
    const run = await temporaryRun();
    const warning: RunEvent = { type: 'warning', step: 1, time: 0, message: 'ä€😀'.repeat(400_000) };
    await writeFile(
      run.eventsFile,
      [warning, metricsAt(2), warning].map((event) => JSON.stringify(event)).join('\n') + '\n',
    );
    expect(await all(readEvents(run))).toEqual([warning, metricsAt(2), warning]);
  });

  it('begins where it is told, also in the middle of a line', async () => {
    const run = await temporaryRun();
    const lines = [1, 2, 3].map((step) => JSON.stringify(metricsAt(step)) + '\n');
    await writeFile(run.eventsFile, lines.join(''));
    const steps = async (fromOffset: number) => (await all(readEvents(run, { fromOffset }))).map((event) => event.step);
    expect(await steps(lines[0].length)).toEqual([2, 3]);
    expect(await steps(lines[0].length + 5)).toEqual([3]);
    expect((await readLastEvents(run, lines[2].length + 3)).map((event) => event.step)).toEqual([3]);
  });
});

describe('followEvents', () => {
  it('gives the events that are there and then those that are added, until it is aborted', async () => {
    const run = await temporaryRun();
    const abort = new AbortController();
    const log = await EventLog.open(run);
    log.append(metricsAt(1));
    log.flush();
    const seen: number[] = [];
    for await (const event of followEvents(run, { signal: abort.signal })) {
      seen.push(event.step);
      if (event.step < 4) {
        log.append(metricsAt(event.step + 1));
        log.flush();
      } else abort.abort();
    }
    log.close();
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('continues at the cut when the run is resumed meanwhile', async () => {
    const run = await temporaryRun();
    const abort = new AbortController();
    let log = await EventLog.open(run);
    log.append(metricsAt(1));
    const eventsOffset = log.sync();
    for (const step of [2, 3]) log.append(metricsAt(step));
    log.flush();
    const seen: string[] = [];
    for await (const event of followEvents(run, { signal: abort.signal })) {
      seen.push(`${event.type} ${event.step}`);
      if (seen.length === 3) {
        log.close();
        log = await EventLog.open(await openRun(run.path), { cutAt: eventsOffset });
        // More than what was cut, so that the length of the file does not tell.
        log.append({ type: 'warning', step: 1, time: 0, message: 'resumed'.repeat(100) });
        for (const step of [2, 3, 4]) log.append(metricsAt(step));
        log.flush();
      }
      if (event.step === 4) abort.abort();
    }
    log.close();
    expect(seen).toEqual(['metrics 1', 'metrics 2', 'metrics 3', 'warning 1', 'metrics 2', 'metrics 3', 'metrics 4']);
  });
});

it('a log that was cut more often than a call can have arguments is followed from the lowest cut', async () => {
  const run = await temporaryRun();
  await writeFile(run.eventsFile, [1, 2, 3].map((step) => `${JSON.stringify(metricsAt(step))}\n`).join(''));
  const line = (await readFile(run.eventsFile)).indexOf('\n') + 1;
  const stop = new AbortController();
  const steps: number[] = [];
  for await (const { step } of followEvents(run, { signal: stop.signal })) {
    steps.push(step);
    if (steps.length === 3) {
      const cuts = Array.from({ length: 300_000 }, (_, i) => (i === 7 ? line : 3 * line));
      await (await openRun(run.path)).update({ cuts });
    }
    if (steps.length === 5) stop.abort();
  }
  expect(steps).toEqual([1, 2, 3, 2, 3]);
  await run.reload();
  const reader = new EventFeed(run).read(3 * line, 0);
  expect((await reader.read())?.events.map(({ step }) => step)).toEqual([2, 3]);
});
