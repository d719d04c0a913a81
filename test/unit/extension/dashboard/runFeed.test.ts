import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { RunFeed, type FeedMessage, type FeedOptions } from '../../../../extension/dashboard/runFeed.ts';
import { readLog } from '../../../../extension/dashboard/readLog.ts';
import { SidecarConnections } from '../../../../extension/sidecar/sidecarConnections.ts';
import { packSnapshot, restoreSnapshot } from '../../../../server/protocol/wire/packSnapshot.ts';
import { createRunHistory } from '../../../../server/protocol/run/runHistory.ts';
import type { EventOf, RunEvent } from '../../../../server/protocol/run/events.ts';
import type { RecordedExport } from '../../../../server/protocol/run/exportedFile.ts';
import { recordLatency } from '../../../../server/runs/latencyRecord.ts';
import type { Latency } from '../../../../server/protocol/run/latency.ts';
import { latency } from '../../webview/latency.ts';
import { recordExport } from '../../../../server/runs/exportedFiles.ts';
import { openRun, type Run } from '../../../../server/runs/run.ts';
import { findRunProcess } from '../../../../server/runs/tickets.ts';
import { pause, untilAsserted } from '../../../until.ts';
import { started } from '../../cli/sampleEvents.ts';
import { metricsAt, temporaryRun } from '../../runs/temporaryRun.ts';
import { exportedFile } from '../../webview/exportedFile.ts';
import { FakeSidecar } from './fakeSidecar.ts';

// Counted, and as it is.
vi.mock('../../../../server/runs/run.ts', { spy: true });

const feeds: RunFeed[] = [];
const sidecars: FakeSidecar[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const feed of feeds.splice(0)) feed.stop();
  for (const sidecar of sidecars.splice(0)) await sidecar.kill();
});

const metrics = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => metricsAt(from + i));
const append = (run: Run, events: readonly RunEvent[]) =>
  appendFile(run.eventsFile, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
const startSidecar = async (run: Run, options: Parameters<typeof FakeSidecar.start>[1] = {}) => {
  const sidecar = await FakeSidecar.start(run, options);
  sidecars.push(sidecar);
  return sidecar;
};

/** As a window has them. */
const connections = new SidecarConnections('a test');
const connect: FeedOptions['connect'] = async (run, signal) => {
  const found = findRunProcess(run);
  return found && connections.connect(found, { subscribes: true, signal });
};

/** A page that only notes the steps that it has been told of. */
function watch(run: Run) {
  const page = {
    steps: [] as number[],
    snapshots: 0,
    deltas: 0,
    live: false,
    liveStep: 0,
    problems: [] as string[],
    exports: [] as (readonly RecordedExport[])[],
    latency: undefined as Latency | undefined,
  };
  const send = (message: FeedMessage) => {
    if (message.type === 'snapshot') {
      page.snapshots++;
      page.steps = [...restoreSnapshot(message.snapshot).metrics.columns.step];
    } else if (message.type === 'events') {
      page.deltas++;
      page.steps.push(...message.events.filter(({ type }) => type === 'metrics').map(({ step }) => step));
    } else if (message.type === 'exports') {
      page.exports.push(message.files);
      page.latency = message.latency;
    } else if (message.type === 'live') {
      page.live = message.live !== undefined;
      page.liveStep = message.live?.step ?? page.liveStep;
    }
  };
  const feed = new RunFeed(run.path, {
    load: async (file) => {
      const history = createRunHistory();
      const offset = await readLog(file, (event) => history.apply(event));
      return { snapshot: packSnapshot(history.snapshot()).snapshot, offset };
    },
    connect,
    send,
    onProblem: (problem) => page.problems.push(String(problem)),
  });
  feeds.push(feed);
  return { page, feed };
}

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

it('follows the log of a run whose process cannot be reached', async () => {
  const run = await temporaryRun();
  const trainer = { pid: process.pid, host: 'another machine' };
  await run.update({ state: 'running', process: trainer });
  await writeFile(run.lockFile, JSON.stringify(trainer));
  await append(run, metrics(1, 3));
  const { page, feed } = watch(run);
  feed.start();
  await untilAsserted(() => expect(page.steps).toEqual(upTo(3)));
  await append(run, metrics(4, 5));
  await appendFile(run.eventsFile, JSON.stringify(metricsAt(6)).slice(0, 20));
  await untilAsserted(() => expect(page.steps).toEqual(upTo(5)));
  await appendFile(run.eventsFile, `${JSON.stringify(metricsAt(6)).slice(20)}\n`);
  await untilAsserted(() => expect(page.steps).toEqual(upTo(6)));
  expect(page.snapshots).toBe(1);
});

it('tells of exported files as they come and go', async () => {
  const run = await temporaryRun();
  await run.update({ state: 'finished' });
  await append(run, metrics(1, 3));
  const { page, feed } = watch(run);
  feed.start();
  await untilAsserted(() => expect(page.steps).toEqual(upTo(3)));
  expect(page.exports).toEqual([]);
  const path = join(run.path, 'net.onnx');
  await writeFile(path, 'bytes');
  await recordExport(run, exportedFile({ path }));
  await untilAsserted(() => expect(page.exports.at(-1)).toEqual([exportedFile({ path, isThere: true })]));
  await rm(path);
  await untilAsserted(() => expect(page.exports.at(-1)).toEqual([exportedFile({ path, isThere: false })]));
  expect(page.exports.length).toBe(2);
});

it('tells of what was measured of the speed of the files', async () => {
  const run = await temporaryRun();
  await run.update({ state: 'finished' });
  await append(run, metrics(1, 3));
  const { page, feed } = watch(run);
  feed.start();
  await untilAsserted(() => expect(page.steps).toEqual(upTo(3)));
  await recordLatency(run, latency());
  await untilAsserted(() => expect(page.latency).toEqual(latency()));
});

it('goes over from the log to the process while the run records, without a gap and without a repetition', async () => {
  const run = await temporaryRun();
  await append(run, metrics(1, 100));
  const sidecar = await startSidecar(run);
  const { page, feed } = watch(run);
  feed.start();
  let step = 101;
  while (!page.live || step < 300) await sidecar.record(metrics(step, (step += 5) - 1));
  await untilAsserted(() => expect(page.steps).toEqual(upTo(step - 1)));
  expect(page.snapshots).toBe(1);
});

it('sends at most four messages a second, and the first one at once', async () => {
  // Time goes on where this test says so.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const run = await temporaryRun();
  const sidecar = await startSidecar(run);
  const { page, feed } = watch(run);
  feed.start();
  const untilHeard = (step: number) =>
    untilAsserted(() => {
      vi.advanceTimersByTime(0);
      expect(page.liveStep).toBe(step);
    });
  await untilAsserted(() => expect(sidecar.subscribers).toBe(1));
  await sidecar.record([metricsAt(1)]);
  await sidecar.tellStep(10);
  await untilHeard(10);
  expect([page.steps, page.deltas]).toEqual([[1], 1]);

  for (let step = 2; step <= 400; step++) await sidecar.record([metricsAt(step)]);
  await sidecar.tellStep(20);
  await untilHeard(20);
  vi.advanceTimersByTime(249);
  expect([page.steps, page.deltas]).toEqual([[1], 1]);
  vi.advanceTimersByTime(1);
  expect([page.steps, page.deltas]).toEqual([upTo(400), 2]);
});

it('reads on from the log when the process is killed, also where it had told of more than it wrote', async () => {
  const run = await temporaryRun();
  const sidecar = await startSidecar(run);
  const { page, feed } = watch(run);
  feed.start();
  await untilAsserted(() => expect(sidecar.subscribers).toBe(1));
  await sidecar.record(metrics(1, 50));
  await sidecar.record(metrics(51, 60), { unflushed: true });
  await untilAsserted(() => expect(page.steps).toEqual(upTo(60)));
  await sidecar.kill();
  await untilAsserted(() => expect([page.live, page.steps.length]).toEqual([false, 50]));
  expect(page.steps).toEqual(upTo(50));
});

it('sends everything anew when a resumed run has cut its log', async () => {
  const run = await temporaryRun();
  await append(run, metrics(1, 10));
  const cut = (await readFile(run.eventsFile)).length;
  await append(run, metrics(11, 40));
  await run.update({ state: 'stopped' });
  const { page, feed } = watch(run);
  feed.start();
  await untilAsserted(() => expect(page.steps).toEqual(upTo(40)));

  await truncate(run.eventsFile, cut);
  await run.update({ cuts: [cut] });
  const resumption: EventOf<'started'> = { ...started, resumedFrom: 10 };
  // More than was cut, before anybody looks: the length of the file does not tell.
  await append(run, [resumption, ...metrics(11, 60)]);
  feed.wake();
  await untilAsserted(() => expect(page.steps).toEqual(upTo(60)));
});

it('sends everything anew when the process tells that the run was resumed', async () => {
  const run = await temporaryRun();
  await append(run, metrics(1, 20));
  const sidecar = await startSidecar(run);
  const { page, feed } = watch(run);
  feed.start();
  await untilAsserted(() => expect([sidecar.subscribers, page.steps.length]).toEqual([1, 20]));
  await writeFile(
    run.eventsFile,
    metrics(1, 10)
      .map((event) => `${JSON.stringify(event)}\n`)
      .join(''),
  );
  await run.update({ cuts: [1] });
  await append(run, [{ ...started, resumedFrom: 10 }, ...metrics(11, 12)]);
  await sidecar.record([{ ...started, resumedFrom: 10 }], { unflushed: true });
  await untilAsserted(() => expect(page.steps).toEqual(upTo(12)));
  expect(page.snapshots).toBe(2);
});

it('sends nothing while it is stopped, then what was missed: as events where that is little', async () => {
  const run = await temporaryRun();
  const sidecar = await startSidecar(run);
  const { page, feed } = watch(run);
  feed.start();
  await untilAsserted(() => expect(sidecar.subscribers).toBe(1));
  await sidecar.record(metrics(1, 10));
  await untilAsserted(() => expect(page.steps).toEqual(upTo(10)));
  feed.stop();
  await untilAsserted(() => expect(sidecar.subscribers).toBe(0));
  const other = watch(run);
  other.feed.start();
  await untilAsserted(() => expect(sidecar.subscribers).toBe(1));
  await sidecar.record(metrics(11, 30));
  // Another page has been told meanwhile.
  await untilAsserted(() => expect(other.page.steps).toEqual(upTo(30)));
  expect(page.steps).toEqual(upTo(10));
  feed.start();
  await untilAsserted(() => expect(page.steps).toEqual(upTo(30)));
  expect(page.snapshots).toBe(1);

  feed.stop();
  await sidecar.record(metrics(31, 12_000));
  feed.start();
  await untilAsserted(() => expect(page.steps.length).toBe(12_000));
  expect([page.snapshots, page.steps]).toEqual([2, upTo(12_000)]);
});

it.each([{ streams: true }, { streams: false }])(
  'tells two pages of a run, from where each has it, while others use the connection: $streams',
  async ({ streams }) => {
    const run = await temporaryRun();
    await append(run, metrics(1, 10));
    const sidecar = await startSidecar(run, { streams });
    const tree = await connections.connect(findRunProcess(run)!);
    const [one, other] = [watch(run), watch(run)];
    one.feed.start();
    await untilAsserted(() => expect(sidecar.subscribers).toBe(1));
    await sidecar.record(metrics(11, 20));
    other.feed.start();
    await untilAsserted(() => expect(sidecar.subscribers).toBe(2));
    await sidecar.record(metrics(21, 30));
    await untilAsserted(() => expect([one.page.steps, other.page.steps]).toEqual([upTo(30), upTo(30)]));
    expect([one.page.snapshots, other.page.snapshots]).toEqual([1, 1]);
    // A process of an older version has one stream of events for a connection, and then each page has its own.
    expect(sidecar.connections).toBe(streams ? 1 : 3);

    one.feed.stop();
    await untilAsserted(() => expect(sidecar.subscribers).toBe(1));
    await sidecar.record(metrics(31, 40));
    await untilAsserted(() => expect(other.page.steps).toEqual(upTo(40)));
    expect(one.page.steps).toEqual(upTo(30));
    other.feed.stop();
    await untilAsserted(() => expect([sidecar.subscribers, sidecar.connections]).toEqual([0, 1]));
    tree.release();
    await untilAsserted(() => expect(sidecar.connections).toBe(0));
  },
);

it('tells once that the process refuses to speak with this window, asks it no more, and follows the log', async () => {
  const run = await temporaryRun();
  await append(run, metrics(1, 3));
  const sidecar = await startSidecar(run, { refusal: 'The run is trained by another version of DeepTwist.' });
  const { page, feed } = watch(run);
  feed.start();
  await untilAsserted(() => expect(page.problems).toHaveLength(1));
  for (let step = 4; step <= 6; step++) {
    await append(run, [metricsAt(step)]);
    await untilAsserted(() => expect(page.steps).toEqual(upTo(step)));
  }
  expect(page.problems).toEqual(['UserError: The run is trained by another version of DeepTwist.']);
  expect([page.snapshots, page.live, sidecar.connected]).toEqual([1, false, 1]);
});

it('takes a process that has gone for one that has ended, and says nothing of it', async () => {
  const run = await temporaryRun();
  await append(run, metrics(1, 3));
  const sidecar = await startSidecar(run);
  const found = findRunProcess(run)!;
  await sidecar.kill();
  await expect(connections.connect(found)).rejects.toThrow(/No process answers/);
  const { page, feed } = watch(run);
  feed.start();
  await append(run, metrics(4, 6));
  await untilAsserted(() => expect(page.steps).toEqual(upTo(6)));
  expect(page.problems).toEqual([]);
});

it('sends everything again to a page that was loaded again, in the middle of a recording run', async () => {
  const run = await temporaryRun();
  const sidecar = await startSidecar(run);
  const { page, feed } = watch(run);
  feed.start();
  for (let step = 1; step <= 200; step++) {
    await sidecar.record([metricsAt(step)]);
    if (step % 50 !== 0) continue;
    page.steps = [];
    feed.start({ anew: true });
    await pause(20);
  }
  await untilAsserted(() => expect(page.steps).toEqual(upTo(200)));
});

it('tells once that the run folder was deleted, and shows a run that is there again', async () => {
  const run = await temporaryRun();
  await append(run, metrics(1, 3));
  await run.update({ state: 'finished' });
  const record = await readFile(`${run.path}/run.json`, 'utf8');
  const { page, feed } = watch(run);
  feed.start();
  await untilAsserted(() => expect(page.steps).toEqual(upTo(3)));
  await rm(`${run.path}/run.json`);
  await untilAsserted(() => expect(page.problems).toHaveLength(1));
  const looks = () => vi.mocked(openRun).mock.calls.length;
  const before = looks();
  feed.wake();
  // The second of them begins when the first is over.
  await untilAsserted(() => expect(looks()).toBeGreaterThanOrEqual(before + 2));
  expect(page.problems).toEqual([expect.stringContaining('is not a run folder')]);
  await writeFile(`${run.path}/run.json`, record);
  feed.wake();
  await untilAsserted(() => expect(page.snapshots).toBe(2));
});
