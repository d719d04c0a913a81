/** @file The command line as a process of its own: signals, `kill -9`, streams, exit codes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { findRun } from '../../../server/runs/findRun.ts';
import { useInstallation } from '../installation.ts';
import {
  eventsOf,
  experiment,
  finalWeights,
  mlp,
  recordedEvents,
  trainedOnce,
  workspace,
  type Workspace,
} from '../training/workspace.ts';

const installation = useInstallation();

/** A test that fails or takes too long leaves no process behind. */
const running = new Set<ChildProcess>();
afterEach(() => running.forEach((child) => child.kill('SIGKILL')));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly events: RunEvent[];
  readonly stderr: string;
}

/** @param onEvent may end the process */
async function deeptwist(
  { folder }: Workspace,
  args: readonly string[],
  onEvent: (event: RunEvent, process: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, [join(installation(), 'bin', 'deeptwist.js'), ...args, '--json'], {
    cwd: folder,
  });
  running.add(child.once('exit', () => running.delete(child)));
  const events: RunEvent[] = [];
  const lines = createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as RunEvent; // Whatever is no event fails here.
    events.push(event);
    onEvent(event, child);
  });
  const [stderr, [code, signal]] = await Promise.all([text(child.stderr), once(child, 'exit'), once(lines, 'close')]);
  return { code: code as number | null, signal: signal as NodeJS.Signals | null, events, stderr };
}

const compression = {
  method: 'prune',
  distortEvery: 7,
  layers: { fc1: { rate: 0.7 } },
  schedule: { from: 100, to: 2000 },
};
const long = { compression, training: { ...experiment.training, steps: 3000, checkpointEvery: 300 } };
const file = 'blobs.deeptwist.jsonc';

/** Once, at the first metrics of that step or a later one. */
function atStep(step: number, act: (child: ChildProcess) => void): (event: RunEvent, child: ChildProcess) => void {
  let done = false;
  return (event, child) => {
    if (done || event.type !== 'metrics' || event.step < step) return;
    done = true;
    act(child);
  };
}

const uninterrupted = trainedOnce(long);

describe('a run', () => {
  test('that is killed at any step ends, resumed, as one that was not', async () => {
    const place = await workspace(long);
    // Long before the end, which the process comes to while its events are read.
    const step = 1 + Math.floor(1500 * Math.random());
    const killed = await deeptwist(
      place,
      ['run', file],
      atStep(step, (child) => child.kill('SIGKILL')),
    );
    expect(killed.signal, `killed at step ${step}`).toBe('SIGKILL');
    const { observedState, id } = await lastRun(place);
    expect(observedState).toBe('interrupted');
    const resumed = await deeptwist(place, ['resume', id]);
    expect(resumed).toMatchObject({ code: 0, stderr: expect.stringMatching(/^The run is in /) as string });
    const { run } = await lastRun(place);
    expect(finalWeights(run), `killed at step ${step}`).toEqual((await uninterrupted()).weights);
    // The log has every step once, in order.
    const steps = eventsOf(await recordedEvents(run), 'metrics').map((event) => event.step);
    expect(steps).toEqual(eventsOf((await uninterrupted()).events, 'metrics').map((event) => event.step));
  });

  test('stops in order at Ctrl-C, says how to go on, and goes on', async () => {
    const place = await workspace(long);
    const stopped = await deeptwist(
      place,
      ['run', file],
      atStep(500, (child) => child.kill('SIGINT')),
    );
    expect(stopped.code).toBe(130);
    const end = stopped.events.at(-1)!;
    expect(end).toMatchObject({
      type: 'stopped',
      checkpoint: `checkpoints/step-${String(end.step).padStart(9, '0')}.safetensors`,
    });
    expect(stopped.stderr).toMatch(
      /^Stopping after this step and saving everything; press Ctrl-C again to end at once\.\nGo on with: deeptwist resume \.deeptwist\/runs\/\S+\n$/,
    );
    const resumed = await deeptwist(place, ['resume', /resume (\S+)/.exec(stopped.stderr)![1]]);
    expect(resumed.code).toBe(0);
    expect(resumed.events[0]).toMatchObject({ type: 'started', resumedFrom: end.step });
    expect(finalWeights((await lastRun(place)).run)).toEqual((await uninterrupted()).weights);
  });

  test('hears Ctrl-C also where TensorFlow.js trains, which never waits', async () => {
    const training = {
      ...experiment.training,
      steps: 1e6,
      evaluateEvery: 1e6,
      checkpointEvery: 1e6,
      executor: 'eager',
    };
    const { code, events } = await deeptwist(await workspace({ training }), ['run', file], (event, child) => {
      if (event.type === 'started') child.kill('SIGINT');
    });
    expect(code).toBe(130);
    expect(events.at(-1)).toMatchObject({ type: 'stopped' });
  });

  test('ends at once at the second Ctrl-C', async () => {
    const place = await workspace({
      compression: { method: 'custom', module: './distort.ts', distortEvery: 1, layers: { fc1: {} } },
    });
    // The first step does not end in the time of this test.
    await place.write('distort.ts', 'export const distort = () => new Promise((resolve) => setTimeout(resolve, 1e6));');
    const ended = await deeptwist(place, ['run', file], (event, child) => {
      if (event.type !== 'spectrum') return;
      child.kill('SIGINT');
      child.stderr!.once('data', () => child.kill('SIGINT'));
    });
    expect(ended.signal).toBe('SIGINT');
    expect(ended.events.map(({ type }) => type)).not.toContain('stopped');
    expect((await lastRun(place)).observedState).toBe('interrupted');
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends a process whose thread a module has', async (signal) => {
  const place = await workspace({ model: 'console.error("looping"); export const createModel = () => { for (;;); };' });
  const child = spawn(process.execPath, [join(installation(), 'bin', 'deeptwist.js'), 'run', file], {
    cwd: place.folder,
  });
  running.add(child.once('exit', () => running.delete(child)));
  await once(child.stderr, 'data');
  child.kill(signal);
  expect(await once(child, 'exit')).toEqual([null, signal]);
});

describe('what a module throws where nobody waits for it', () => {
  const endless = { training: { ...experiment.training, steps: 1e7, evaluateEvery: 1e6, checkpointEvery: 1e6 } };
  const place = (late: string, changes: object = endless) =>
    workspace({
      ...changes,
      model: `${mlp.replace('createModel', 'original')}; export function createModel() { ${late} }`,
    });

  test.each([
    ['a timer', 'setTimeout(() => { throw new Error("mine"); }, 1000); return original();'],
    ['a rejection', 'void Promise.reject(new Error("mine")); return original();'],
    // The glue code of the WebAssembly backend ends the process for an error of anybody.
    [
      'a timer beside TensorFlow.js',
      'setTimeout(() => { throw new Error("mine"); }, 4000); return original();',
      'eager',
    ],
  ])('ends the run in order, with the module: %s', async (_, late, executor = 'auto') => {
    const failing = await place(late, { training: { ...endless.training, executor } });
    const { code, stderr, events } = await deeptwist(failing, ['run', file]);
    const module = join(failing.folder, 'model.ts');
    const message = expect.stringMatching(
      new RegExp(`^${module} threw an error where nobody waits for it: mine \\(${module}:\\d+:\\d+\\)$`),
    ) as string;
    expect(events.at(-1)).toMatchObject({ type: 'failed', message });
    expect(code).toBe(1);
    expect(stderr).toContain(`error: ${module} threw an error`);
    expect(stderr).not.toContain(' at ');
    const { run, observedState } = await lastRun(failing);
    expect(observedState).toBe('failed');
    expect(run.record.failure).toMatchObject({ message });
  });

  test('is told where the model is made, too: a promise that is never settled', async () => {
    const failing = await place('return new Promise(() => undefined);');
    expect(await deeptwist(failing, ['run', file])).toEqual({
      code: 1,
      signal: null,
      events: [],
      stderr:
        `error: createModel() of ${join(failing.folder, 'model.ts')} does not end: nothing is left that it could wait for.\n` +
        'to do: Correct the module: a promise that it returns must be settled.\n',
    });
  });

  test('and a promise of a distortion that is never settled fails the run', async () => {
    const failing = await workspace({
      compression: { method: 'custom', module: './distort.ts', distortEvery: 1, layers: { fc1: {} } },
    });
    await failing.write('distort.ts', 'export const distort = () => new Promise(() => undefined);');
    const { code, events } = await deeptwist(failing, ['run', file]);
    expect(code).toBe(1);
    expect(events.at(-1)).toMatchObject({
      type: 'failed',
      message: expect.stringContaining('distort() of fc1/kernel at step 1 does not end') as string,
    });
  });

  test('a timer that goes on for ever does not keep the process', async () => {
    const lasting = await place('setInterval(() => undefined, 1000); return original();', {});
    expect((await deeptwist(lasting, ['run', file])).code).toBe(0);
  });
});

test('what the modules of a user print does not mix with the events', async () => {
  const place = await workspace({
    model: `console.log('from the model'); console.info('%s too', 'info'); console.table([{ a: 1 }]); ${mlp}`,
    data: { type: 'module', path: './data.ts' },
  });
  await place.write(
    'data.ts',
    `console.log('from the data');
     const batch = { inputs: Array.from({ length: 10 }, () => Array(8).fill(0)), targets: Array(10).fill(0) };
     export function* train() { yield batch; }
     export function* test() { yield batch; }`,
  );
  const { code, events, stderr } = await deeptwist(place, ['run', file]);
  expect(code).toBe(0);
  expect(events.at(-1)).toMatchObject({ type: 'finished' });
  for (const printed of ['from the model\n', 'info too\n', 'from the data\n', '│ a '])
    expect(stderr).toContain(printed);
});

test('a mistake ends with its exit code, a message on standard error and nothing on standard output', async () => {
  const place = await workspace({ compression: { ...compression, layers: { fc3: { rate: 0.5 } } } });
  const args = ['run', file, '--set', 'compression.schedule.to=50', '--set', 'compression.schedule.from=5'];
  expect(await deeptwist(place, args)).toEqual({
    code: 2,
    signal: null,
    events: [],
    stderr: expect.stringMatching(
      /^error: blobs\.deeptwist\.jsonc:\d+:7 compression\.layers\.fc3: matches no layer of the model\nto do: Did you mean "fc1"\? The model's layers are: fc1, fc2\.\n$/,
    ) as string,
  });
});

async function lastRun({ folder }: Workspace) {
  const run = await findRun('last', folder);
  return { run, id: run.id, observedState: run.observedState() };
}
