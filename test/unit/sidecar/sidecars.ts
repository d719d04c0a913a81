/** @file Real sidecars for tests: the bundle as it is built, runs in folders of their own, and a check that nothing is left. */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import type { LiveState } from '../../../server/protocol/wire/sidecar.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { isAlive } from '../../../server/runs/liveProcess.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { connectToSidecar, type SidecarConnection } from '../../../server/sidecarClient/sidecarConnection.ts';
import { runtimeFolder } from '../../../server/runs/runtimeFolder.ts';
import { findRunProcess } from '../../../server/runs/tickets.ts';
import { startSidecar, type StartedSidecar } from '../../../server/sidecarClient/startSidecar.ts';
import { until } from '../../until.ts';
import { useInstallation } from '../installation.ts';
import { useOwnQueue } from '../ownQueue.ts';
import type { Workspace } from '../training/workspace.ts';

export let installationFolder: () => string;
const started = new Set<StartedSidecar>();
const connections = new Set<SidecarConnection>();

/** To be called in a test file: builds the bundle, and after each test looks for what it left. */
export function useSidecars(): void {
  installationFolder = useInstallation();
  useOwnQueue();

  afterEach(async () => {
    for (const connection of connections) connection.dispose();
    connections.clear();
    const left = [...started];
    for (const { pid } of left) kill(pid);
    await Promise.all(left.map(({ exited }) => exited));
    const files = runtimeFiles();
    for (const file of files) rmSync(join(runtimeFolder(), file));
    expect(left, 'processes that the test left').toEqual([]);
    expect(files, 'sockets and tickets that the test left').toEqual([]);
  });
}

/** Sockets and tickets. */
export function runtimeFiles(): string[] {
  return readdirSync(runtimeFolder());
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

export interface Watched extends StartedSidecar {
  readonly run: Run;
}

/** Makes a run of the workspace's experiment, or takes the given one, and starts its process. */
export async function startRun(
  { file }: Workspace,
  options: {
    run?: Run;
    resume?: boolean;
    parallel?: number;
    overrides?: readonly string[];
    node?: string;
    sidecarScript?: string;
    env?: NodeJS.ProcessEnv;
  } = {},
): Promise<Watched> {
  const { overrides, run: given, env, ...rest } = options;
  const text = readFileSync(file, 'utf8');
  const run = given ?? (await createRun({ experiment: file, text, overrides, state: 'queued' }));
  const sidecar = await startSidecar({
    run,
    node: process.execPath,
    sidecarScript: join(installationFolder(), 'dist', 'sidecar.js'),
    env: { ...process.env, ...env },
    ...rest,
  });
  started.add(sidecar);
  void sidecar.exited.then(() => started.delete(sidecar));
  return { run, ...sidecar };
}

/** The run as run.json tells it now. */
export async function recordOf(run: Run): Promise<Run['record']> {
  return (await openRun(run.path)).record;
}

export interface Watcher {
  readonly connection: SidecarConnection;
  /** What was pushed, in order. */
  readonly events: RunEvent[];
  readonly states: LiveState[];
  /** Offset of the next event, in bytes. */
  offset: number;
  readonly closed: Promise<void>;
}

/** Connects as soon as the run's process listens. */
export async function watch(run: Run, { offset, cuts }: { offset?: number; cuts?: number } = {}): Promise<Watcher> {
  const found = await until(async () => {
    const process = findRunProcess(await openRun(run.path));
    // That of a process that was killed is still there.
    return process && isAlive(process.process) === true && process;
  }, 'a process that has the run');
  const connection = await connectToSidecar(found, { client: 'a test' });
  connections.add(connection);
  const closed = new Promise<void>((resolve) => connection.onClose(resolve));
  const watcher: Watcher = { connection, events: [], states: [connection.sidecar.state], offset: offset ?? 0, closed };
  connection.onState((state) => watcher.states.push(state));
  if (offset === undefined) return watcher;
  await connection.subscribe({ offset, cuts }, (batch) => {
    watcher.events.push(...batch.events);
    watcher.offset = batch.offset;
  });
  return watcher;
}

/** Waits for the first event that is so. */
export function eventually(
  { events }: Pick<Watcher, 'events'>,
  isIt: (event: RunEvent) => boolean,
  what?: string,
): Promise<RunEvent> {
  return until(() => events.find(isIt), what ?? 'the event');
}

/** The recorded lines as they are in the file, parsed. */
export function linesOf(run: Run): RunEvent[] {
  const text = readFileSync(run.eventsFile, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RunEvent);
}
