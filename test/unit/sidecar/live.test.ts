/** @file A run's process while it trains: what clients see, and what they ask for. */
import { existsSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { StreamMessageReader, StreamMessageWriter, createMessageConnection } from 'vscode-jsonrpc/node';
import { describe, expect, test, vi } from 'vitest';
import type { CommandContext } from '../../../server/cli/command.ts';
import { runCommandLine } from '../../../server/cli/commandLine.ts';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import type { LiveState } from '../../../server/protocol/wire/sidecar.ts';
import { openRun } from '../../../server/runs/run.ts';
import { findRunProcess } from '../../../server/runs/tickets.ts';
import { connectToSidecar } from '../../../server/sidecarClient/sidecarConnection.ts';
import { eventsOf, experiment, finalWeights, trainedOnce, workspace } from '../training/workspace.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { MemoryTerminal } from '../cli/memoryTerminal.ts';
import { pause, until } from '../../until.ts';
import { eventually, linesOf, recordOf, startRun, useSidecars, watch } from './sidecars.ts';

useSidecars();

const compression = {
  method: 'prune',
  distortEvery: 7,
  layers: { fc1: { rate: 0.7 } },
  schedule: { from: 100, to: 2000 },
};
/** A second or so of training. */
const long = { compression, training: { ...experiment.training, steps: 4000, checkpointEvery: 500 } };
/** It does not end by itself in the time of a test. */
const endless = { compression, training: { ...experiment.training, steps: 10_000_000, checkpointEvery: 1_000_000 } };
const undisturbed = trainedOnce(long);
const isMetrics = ({ type }: { type: string }) => type === 'metrics';

test('a run trains to its end: exit code 0, the result in run.json, its log beside it', async () => {
  const place = await workspace(long);
  const { run, exited } = await startRun(place);
  expect(run.observedState()).toBe('queued');
  const { code, logTail } = await exited;
  expect(code, logTail).toBe(0);
  expect(logTail).toMatch(/The run is finished\.\n$/);
  const record = await recordOf(run);
  expect(record).toMatchObject({ state: 'finished', result: { metric: 'accuracy', weightRatio: expect.any(Number) } });
  expect(record).not.toHaveProperty('process');
  expect(readFileSync(`${run.sourceFolder}/model.ts`, 'utf8')).toContain('createModel');
  expect(finalWeights(run)).toEqual((await undisturbed()).weights);
});

describe('a client', () => {
  test('sees every event once, as do two that come at different times, and the end', async () => {
    const { run, exited } = await startRun(await workspace(endless));
    const first = await watch(run, { offset: 0 });
    await eventually(first, (event) => event.step >= 300);
    const second = await watch(run, { offset: 0 });
    const before = first.events.length;
    await until(() => second.events.length > before + 100, 'more than what was recorded before it came');
    await second.connection.request('stop', { when: 'after-step' });
    await Promise.all([exited, first.closed, second.closed]);
    const recorded = linesOf(run);
    const { step } = recorded.at(-1)!;
    for (const { events, states, offset } of [first, second]) {
      expect(events).toEqual(recorded);
      expect(offset).toBe(readFileSync(run.eventsFile).length);
      expect(states.at(-1)).toMatchObject({ phase: 'ended', step, steps: endless.training.steps });
    }
    expect(first.states.map(({ phase }) => phase)).toContain('training');
  });

  test('that subscribes from an offset gets exactly the rest', async () => {
    const { run, exited } = await startRun(await workspace(endless));
    const first = await watch(run, { offset: 0 });
    await eventually(first, (event) => event.step >= 300);
    const { offset } = first;
    const seen = first.events.length;
    first.connection.dispose();
    const second = await watch(run, { offset });
    await until(() => second.events.length > 100, 'what was recorded since');
    await second.connection.request('stop', { when: 'after-step' });
    await Promise.all([exited, second.closed]);
    const recorded = linesOf(run);
    expect(second.events).toEqual(recorded.slice(seen));
    expect(second.events[0].step).toBeGreaterThanOrEqual(300);
    // What was on its way when the first left never reached it.
    expect(first.events).toHaveLength(seen);
  });

  test('reads several streams on one connection, each from its own place, and ends one of them', async () => {
    const { run, exited } = await startRun(await workspace(endless));
    const first = await watch(run, { offset: 0 });
    await eventually(first, (event) => event.step >= 300);
    const [begin, seen] = [first.offset, first.events.length];
    const later = { events: [] as RunEvent[] };
    const ended = { events: [] as RunEvent[] };
    const end = new AbortController();
    const follow = (into: typeof later, signal?: AbortSignal) =>
      first.connection.subscribe({ offset: begin }, ({ events }) => into.events.push(...events), signal);
    await follow(later);
    await follow(ended, end.signal);
    await until(() => ended.events.length > 100, 'what was recorded since');
    end.abort();
    const { length } = ended.events;
    const reached = later.events.length;
    await until(() => later.events.length > reached + 100, 'what is recorded after one stream has ended');
    await first.connection.request('stop', { when: 'after-step' });
    await Promise.all([exited, first.closed]);
    const recorded = linesOf(run);
    expect(first.events).toEqual(recorded);
    expect(later.events).toEqual(recorded.slice(seen));
    expect(ended.events).toEqual(recorded.slice(seen, seen + length));
  });

  test('that does not read costs the run nothing and gets what it missed when it reads again', async () => {
    // Megabytes of events: more than the process keeps in memory, and than a socket holds.
    const { run, exited } = await startRun(await workspace({ ...endless, observe: { every: 7, bins: 1000 } }));
    const fast = await watch(run, { offset: 0 });
    const endpoint = findRunProcess(await openRun(run.path))!.endpoint;
    const socket = createConnection(endpoint);
    const slow = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    const events: { step: number }[] = [];
    slow.onNotification('events', (batch: { events: { step: number }[] }) => {
      events.push(...batch.events);
    });
    slow.onNotification('state', ({ phase }: LiveState) => {
      if (phase === 'ended') socket.end();
    });
    slow.listen();
    await slow.sendRequest('initialize', { protocol: 1, client: 'slow' });
    await slow.sendRequest('subscribe', { offset: 0 });
    socket.pause();
    await until(() => fast.offset > 3e6, 'megabytes of events');
    expect(events.length).toBeLessThan(fast.events.length / 2);
    socket.resume();
    await fast.connection.request('stop', { when: 'after-step' });
    await Promise.all([exited, fast.closed]);
    const recorded = linesOf(run);
    await until(() => events.length === recorded.length, 'all events');
    expect(events).toEqual(recorded);
    expect(fast.events).toEqual(recorded);
  });

  test('makes no lines of its own in the log by its name', async () => {
    const { run, exited } = await startRun(await workspace(endless));
    const first = await watch(run);
    const second = await connectToSidecar(findRunProcess(await openRun(run.path))!, { client: 'x\nforged\u001b[2J' });
    second.dispose();
    await first.connection.request('stop', { when: 'now' });
    await exited;
    expect(readFileSync(run.logFile, 'utf8')).toMatch(/^\S+[+-]\d\d:\d\d x forged\[2J has connected\.$/m);
  });

  test('of another protocol version is refused with what to do, and asks nothing before the handshake', async () => {
    const { run, exited } = await startRun(await workspace(endless));
    const watcher = await watch(run);
    const socket = createConnection(findRunProcess(await openRun(run.path))!.endpoint);
    const other = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    other.listen();
    await expect(other.sendRequest('stop', { when: 'now' })).rejects.toThrow("'initialize' comes before 'stop'.");
    await expect(other.sendRequest('initialize', { protocol: 99, client: 'x' })).rejects.toThrow(
      /another version of DeepTwist: it speaks protocol 1, this window 99\. Reload the window/,
    );
    await expect(other.sendRequest('initialize', { protocol: 'one' })).rejects.toThrow(/protocol/);
    const forged = '2026-01-01T00:00:00.000Z The run has failed.';
    await other.sendRequest('initialize', { protocol: 1, client: `x\n${forged}\u2028\u001b[2J${'y'.repeat(1000)}` });
    const log = () => readFileSync(run.logFile, 'utf8');
    const line = await until(
      () =>
        log()
          .split('\n')
          .find((text) => text.includes(forged)),
      'the line of the client',
    );
    expect(line).toMatch(
      /^\S+[+-]\d\d:\d\d x 2026-01-01T00:00:00\.000Z The run has failed\.  ?\[2Jy+…? has connected\.$/,
    );
    expect(line.length).toBeLessThan(200);
    other.dispose();
    socket.destroy();
    await watcher.connection.request('stop', { when: 'after-step' });
    expect((await exited).code).toBe(130);
  });

  test('is refused where there are more of them than a run takes; the others stay, and the run goes on', async () => {
    const { run, exited } = await startRun(await workspace(endless));
    const watcher = await watch(run, { offset: 0 });
    const { endpoint } = findRunProcess(await openRun(run.path))!;
    const sockets = Array.from({ length: 200 }, () => createConnection(endpoint));
    let refused = 0;
    for (const socket of sockets) socket.on('error', () => undefined).on('close', () => refused++);
    await until(() => refused >= sockets.length + 1 - 128, 'the refusals');
    const seen = watcher.events.length;
    await until(() => watcher.events.length > seen, 'an event after that');
    expect(refused).toBe(sockets.length + 1 - 128);
    for (const socket of sockets) socket.destroy();
    await watcher.connection.request('stop', { when: 'after-step' });
    expect((await exited).code).toBe(130);
  });

  test('whose request the end of the process cuts off hears of it at once: no timer has to run out', async () => {
    const { run, pid, exited } = await startRun(await workspace(endless));
    const watcher = await watch(run, { offset: 0 });
    await eventually(watcher, isMetrics);
    const { connection } = watcher;
    await connection.request('pause');
    process.kill(pid, 'SIGSTOP'); // Silent, but there.
    const answers = [connection.request('state'), connection.request('checkpoint')];
    const aborted = connection.request('state', undefined, AbortSignal.timeout(100));
    await expect(aborted).rejects.toThrow(/timeout/);
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] });
    try {
      process.kill(pid, 'SIGKILL');
      for (const answer of answers) await expect(answer).rejects.toThrow(/has ended before it answered/);
    } finally {
      vi.useRealTimers();
    }
    expect((await exited).signal).toBe('SIGKILL');
    await expect(connection.request('state')).rejects.toThrow(/has ended/);
    const record = await openRun(run.path);
    expect(record.observedState()).toBe('interrupted');
    // The next process removes what it left, and goes on.
    const resumed = await startRun(await workspace(), { run: record, resume: true });
    await (await watch(run)).connection.request('stop', { when: 'after-step' });
    await resumed.exited;
  });
});

describe('on request', () => {
  test('a run pauses, observes, saves and continues, and ends with the same weights as without', async () => {
    const place = await workspace(long);
    const { run, exited } = await startRun(place);
    const watcher = await watch(run, { offset: 0 });
    const { connection, events, states } = watcher;
    await eventually(watcher, (event) => event.step >= 300);
    await connection.request('observe');
    await connection.request('checkpoint');
    await connection.request('pause');
    const { step, phase } = await connection.request('state');
    expect(phase).toBe('paused');
    await connection.request('pause'); // It has.
    await connection.request('observe');
    const saved = await connection.request('checkpoint');
    const pausedMs = 300;
    await pause(pausedMs);
    expect((await connection.request('state')).step).toBeLessThanOrEqual(saved.step);
    expect(saved.path).toBe(`checkpoints/step-${String(saved.step).padStart(9, '0')}.safetensors`);
    await connection.request('continue');
    await exited;
    await watcher.closed;
    expect(finalWeights(run)).toEqual((await undisturbed()).weights);

    const observations = eventsOf(events, 'observation');
    expect(observations).toHaveLength(2);
    expect(observations[1].step).toBe(saved.step);
    const [{ name, histogram }] = observations[1].weights;
    expect(name).toBe('fc1/kernel');
    for (const counts of [histogram.before, histogram.after]) expect(counts.reduce((a, b) => a + b)).toBe(128);
    expect(eventsOf(events, 'spectrum').filter((event) => event.step === saved.step)).toHaveLength(1);
    expect(eventsOf(events, 'distortion')).toHaveLength(eventsOf((await undisturbed()).events, 'distortion').length);
    expect(states.map((state) => state.phase)).toContain('paused');
    expect(step).toBeLessThan(4000);

    // The pause is not training time.
    const [{ summary, time }] = eventsOf(events, 'finished');
    const [{ time: begin }] = eventsOf(events, 'started');
    const { trainingSeconds, distortionSeconds, observationSeconds, evaluationSeconds } = summary;
    const counted = trainingSeconds + distortionSeconds + observationSeconds + evaluationSeconds;
    expect(counted).toBeLessThan((time - begin - 0.9 * pausedMs) / 1000);
  });

  test('a run stops after the step with a checkpoint, also while it is paused, and goes on from there', async () => {
    const place = await workspace(long);
    const { run, exited } = await startRun(place);
    const watcher = await watch(run, { offset: 0 });
    await eventually(watcher, isMetrics);
    await watcher.connection.request('pause');
    await watcher.connection.request('stop', { when: 'after-step' });
    expect((await exited).code).toBe(130);
    await watcher.closed;
    const { step } = watcher.events.at(-1)!;
    expect(watcher.events.at(-1)).toMatchObject({
      type: 'stopped',
      checkpoint: `checkpoints/step-${String(step).padStart(9, '0')}.safetensors`,
    });
    expect(watcher.states.at(-1)).toMatchObject({ phase: 'ended', step });
    expect((await recordOf(run)).state).toBe('stopped');
    const resumed = await startRun(place, { run: await openRun(run.path), resume: true });
    expect((await resumed.exited).code).toBe(0);
    expect(finalWeights(run)).toEqual((await undisturbed()).weights);
    expect(eventsOf(linesOf(run), 'metrics').map((event) => event.step)).toEqual(
      eventsOf((await undisturbed()).events, 'metrics').map((event) => event.step),
    );
  });

  test('a run stops now, in the middle of a step, from its last checkpoint', async () => {
    const place = await workspace({
      compression: { method: 'custom', module: './distort.ts', distortEvery: 50, layers: { fc1: {} } },
      training: { ...experiment.training, checkpointEvery: 20 },
    });
    // The step of the first distortion does not end in the time of this test.
    await place.write('distort.ts', 'export const distort = () => new Promise((resolve) => setTimeout(resolve, 1e6));');
    const { run, exited } = await startRun(place);
    const watcher = await watch(run, { offset: 0 });
    await eventually(watcher, (event) => event.type === 'spectrum');
    await watcher.connection.request('stop', { when: 'after-step' });
    await watcher.connection.request('stop', { when: 'now' }).catch(() => undefined);
    expect((await exited).code).toBe(130);
    await watcher.closed;
    expect(watcher.events.at(-1)).toMatchObject({
      type: 'stopped',
      checkpoint: 'checkpoints/step-000000040.safetensors',
    });
    expect(watcher.events).toEqual(linesOf(run));
    expect((await recordOf(run)).state).toBe('stopped');
  });

  test('"now" leaves no trace of the step that it did not wait for', async () => {
    const { run, exited } = await startRun(await workspace(endless));
    const watcher = await watch(run, { offset: 0 });
    // A client that does not leave keeps the process for a while, in which the step ends.
    const socket = createConnection(findRunProcess(await openRun(run.path))!.endpoint);
    const other = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    other.listen();
    await other.sendRequest('initialize', { protocol: 1, client: 'one that stays' });
    await eventually(watcher, isMetrics);
    await watcher.connection.request('stop', { when: 'now' }).catch(() => undefined);
    expect((await exited).code).toBe(130);
    other.dispose();
    expect(linesOf(run).at(-1)).toMatchObject({ type: 'stopped' });
    expect(existsSync(join(run.path, 'error.log'))).toBe(false);
  });

  test('SIGTERM stops after the step, SIGHUP does nothing', async () => {
    const { run, pid, exited } = await startRun(await workspace(endless));
    const watcher = await watch(run, { offset: 0 });
    await eventually(watcher, isMetrics);
    process.kill(pid, 'SIGHUP');
    const { step } = await watcher.connection.request('state');
    await eventually(watcher, (event) => event.step > step + 100);
    process.kill(pid, 'SIGTERM');
    expect((await exited).code).toBe(130);
    expect(linesOf(run).at(-1)).toMatchObject({ type: 'stopped', checkpoint: expect.any(String) });
  });
});

describe('settings of a run that trains', () => {
  const observed = { ...endless, observe: { every: 7 } };
  const rateOf = (event: RunEvent) => event.type === 'distortion' && event.weights[0].setting.rate;

  test('change with its next distortion, and are taken again when it is resumed', async () => {
    const place = await workspace({ ...observed, compression: { ...compression, schedule: undefined } });
    const { run, exited } = await startRun(place);
    const watcher = await watch(run, { offset: 0 });
    await eventually(watcher, ({ type }) => type === 'distortion');
    const { step } = await watcher.connection.request('change', { values: ['compression.layers.fc1.rate=0.9'] });
    expect(step % 7).toBe(0);
    await eventually(watcher, (event) => event.type === 'distortion' && event.step > step);
    const rates = eventsOf(watcher.events, 'distortion').map((event) => [event.step >= step, rateOf(event)]);
    expect(new Set(rates.map(String))).toEqual(new Set(['false,0.7', 'true,0.9']));
    expect(eventsOf(watcher.events, 'changed')).toMatchObject([
      { step, settings: [{ path: 'compression.layers.fc1.rate', from: 0.7, to: 0.9 }] },
    ]);
    await watcher.connection.request('stop', { when: 'after-step' });
    await exited;
    expect((await recordOf(run)).changes).toEqual([{ step, values: ['compression.layers.fc1.rate=0.9'] }]);
    const resumed = await startRun(place, { run: await openRun(run.path), resume: true });
    const again = await watch(run, { offset: 0 });
    const { resumedFrom } = (await eventually(again, (event) => event.type === 'started' && event.step > 0)) as {
      resumedFrom: number;
    };
    const later = await eventually(again, (event) => event.type === 'distortion' && event.step > resumedFrom);
    expect(rateOf(later)).toBe(0.9);
    await again.connection.request('stop', { when: 'after-step' });
    await resumed.exited;
  });

  test('also while it is paused, and what is refused names the setting and what to do', async () => {
    const { run, exited } = await startRun(await workspace(observed));
    const { connection } = await watch(run, { offset: 0 });
    await until(async () => (await connection.request('state')).phase === 'training', 'training');
    await connection.request('pause');
    const refused = (...values: string[]) => userErrorOf(() => connection.request('change', { values }));
    expect(await refused('training.batchSize=20')).toMatchObject({
      message: 'training.batchSize: a run keeps it from its first step on',
      remedy: expect.stringContaining('Rerun the experiment with it.'),
    });
    expect((await refused('compression.layers.fc1.rate=1.2')).message).toMatch(
      /^compression\.layers\.fc1\.rate: expected/,
    );
    const { step: done } = await connection.request('state');
    const { step } = await connection.request('change', { values: ['compression.layers.fc1.rate=0.9'] });
    expect(step).toBeGreaterThan(done);
    // The command line speaks with the process as the editor does.
    const stdout = new MemoryTerminal();
    const uncaught = { abandoned: new Promise(() => undefined) };
    const context = { stdout, stderr: stdout, directory: run.path, uncaught } as unknown as CommandContext;
    const change = (value: string) => runCommandLine(['change', run.path, '--set', value], context);
    expect(await change('compression.distortEvery=14')).toBe(0);
    expect(stdout.text).toMatch(/^In effect from step \d+ on\.\n$/);
    expect(await change('training.seed=7')).toBe(1);
    expect(stdout.text).toMatch(/training\.seed: .*\n.*Rerun the experiment with it/);
    await connection.request('stop', { when: 'after-step' });
    await exited;
    expect((await recordOf(run)).changes?.flatMap(({ values }) => values)).toEqual([
      'compression.layers.fc1.rate=0.9',
      'compression.distortEvery=14',
    ]);
  });

  test('not before it trains', async () => {
    const place = await workspace(endless);
    const first = await startRun(place);
    const training = await watch(first.run, { offset: 0 });
    await eventually(training, isMetrics);
    const second = await startRun(place);
    const waiting = await watch(second.run);
    const change = () => waiting.connection.request('change', { values: ['compression.distortEvery=8'] });
    expect((await userErrorOf(change)).message).toMatch(/^The run does not train yet\./);
    // Nor is anything else done that needs a step, and a run that waits is not paused later.
    for (const method of ['pause', 'observe', 'checkpoint'] as const) {
      const request = () => waiting.connection.request(method);
      expect((await userErrorOf(request)).message).toMatch(/^The run does not train yet\. \w+ .* when it does/);
    }
    for (const { connection } of [waiting, training]) await connection.request('stop', { when: 'after-step' });
    await Promise.all([first.exited, second.exited]);
  });
});

describe('when its last client has left, a run', () => {
  test('goes on', async () => {
    const { run, exited } = await startRun(await workspace(long));
    const { connection } = await watch(run);
    connection.dispose();
    expect((await exited).code).toBe(0);
  });

  test('stops, where that was said, unless a client comes back in time', async () => {
    // On a busy machine nobody may be back in time: longer, then.
    for (let afterMs = 1500; ; afterMs *= 4) {
      const { run, exited } = await startRun(await workspace(endless));
      const first = await watch(run);
      await first.connection.request('whenAlone', { action: 'stop', afterMs });
      first.connection.dispose();
      const left = performance.now();
      const second = await Promise.race([
        watch(run, { offset: 0 }).catch(() => undefined),
        exited.then(() => undefined),
      ]);
      const isBack = performance.now() - left < afterMs;
      if (isBack) {
        await pause(afterMs + 500);
        expect((await second!.connection.request('state')).phase).not.toBe('stopping');
      }
      second?.connection.dispose();
      expect((await exited).code).toBe(130);
      expect((await recordOf(run)).state).toBe('stopped');
      if (isBack) return;
    }
  });

  test('pauses, where that was said, until it is continued', async () => {
    const { run, exited } = await startRun(await workspace(endless));
    const first = await watch(run, { offset: 0 });
    await eventually(first, isMetrics);
    await first.connection.request('whenAlone', { action: 'pause', afterMs: 0 });
    first.connection.dispose();
    const paused = await until(async () => {
      const { connection } = await watch(run);
      const state = await connection.request('state');
      if (state.phase === 'paused') return { connection, state };
      connection.dispose();
      return undefined;
    }, 'a pause');
    await paused.connection.request('continue');
    await until(async () => (await paused.connection.request('state')).step > paused.state.step, 'more steps');
    await paused.connection.request('stop', { when: 'after-step' });
    await exited;
  });
});
