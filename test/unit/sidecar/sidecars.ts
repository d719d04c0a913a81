/** @file Real sidecars for tests: the bundle as it is built, runs in folders of their own, and a check that nothing is left. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { RunEvent } from '../../../server/protocol/events.ts';
import type { LiveState } from '../../../server/protocol/sidecar.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { isAlive } from '../../../server/runs/liveProcess.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { connectToSidecar, type SidecarConnection } from '../../../server/runs/sidecarConnection.ts';
import { startSidecar, type StartedSidecar } from '../../../server/runs/startSidecar.ts';
import { until } from '../../until.ts';
import type { Workspace } from '../training/workspace.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Where the package lies, below the checkout: its bundles find their packages there. */
let installation: string;
/** In the place of the system's folder for temporary files, for the processes of one test. */
let temporary: string;
const started = new Set<StartedSidecar>();
const connections = new Set<SidecarConnection>();

/** To be called in a test file: builds the bundle, and after each test looks for what it left. */
export function useSidecars(): void {
  beforeAll(() => {
    mkdirSync(join(root, '.cache'), { recursive: true });
    installation = mkdtempSync(join(root, '.cache', 'installation-'));
    execFileSync(process.execPath, [join(root, 'scripts', 'build.js'), join(installation, 'dist')]);
  });
  afterAll(() => rmSync(installation, { recursive: true }));

  beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), 'deeptwist-runtime-'));
  });
  afterEach(async () => {
    for (const connection of connections) connection.dispose();
    connections.clear();
    const left = [...started];
    for (const { pid } of left) kill(pid);
    await Promise.all(left.map(({ exited }) => exited));
    const files = runtimeFiles();
    rmSync(temporary, { recursive: true });
    expect(left, 'processes that the test left').toEqual([]);
    expect(files, 'sockets and tickets that the test left').toEqual([]);
  });
}

export function installationFolder(): string {
  return installation;
}

/** Sockets and tickets. */
export function runtimeFiles(): string[] {
  const folder = join(temporary, `deeptwist-${userInfo().uid}`);
  return existsSync(folder) ? readdirSync(folder) : [];
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
    sidecarScript: join(installation, 'dist', 'sidecar.js'),
    env: { ...process.env, TMPDIR: temporary, ...env },
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
  /** Where the next event begins, in bytes. */
  offset: number;
  readonly closed: Promise<void>;
}

/** Connects as soon as the run's process listens. */
export async function watch(run: Run, { offset }: { offset?: number } = {}): Promise<Watcher> {
  const endpoint = await until(async () => {
    const record = await recordOf(run);
    // That of a process that was killed is still there.
    return record.process && isAlive(record.process) === true ? record.endpoint : undefined;
  }, 'an endpoint in run.json');
  const connection = await connectToSidecar(endpoint, { client: 'a test' });
  connections.add(connection);
  const closed = new Promise<void>((resolve) => connection.onClose(resolve));
  const watcher: Watcher = { connection, events: [], states: [connection.sidecar.state], offset: offset ?? 0, closed };
  connection.onState((state) => watcher.states.push(state));
  connection.onEvents((batch) => {
    watcher.events.push(...batch.events);
    watcher.offset = batch.offset;
  });
  if (offset !== undefined) await connection.request('subscribe', { offset });
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
