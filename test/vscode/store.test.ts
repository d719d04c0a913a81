/** @file Run folders as VS Code shows them: many, damaged, left behind by a machine that went down; tasks; the clipboard. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ExperimentFile } from '../../extension/runs/experimentFiles.ts';
import type { StoredRun } from '../../extension/runs/storedRun.ts';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import { identify } from '../../server/runs/liveProcess.ts';
import { writePointsExperiment, writePointsProblem } from '../fixtures/points.ts';
import { afterAll, beforeAll, describe, eventually, it, removed } from './frame.ts';
import { shortest } from '../until.ts';
import { activate, folderOf } from './realRuns.ts';

const MANY = 5000;

const folder = () => folderOf('store');
let api: DeepTwistApi;

/** Makes the folder of a run that nobody has trained; `n` is its age in seconds. */
function writeRun(experiment: string, n: number, changes: Record<string, unknown> = {}): string {
  const name = 'many';
  const created = new Date(Date.UTC(2026, 0, 1) - n * 1000);
  const id = `${created.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${name}`;
  const run = join(folder(), '.deeptwist', 'runs', id);
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'experiment.deeptwist.jsonc'), '{}');
  const time = created.toISOString();
  const result = { metric: 'accuracy', test: 0.9 + n / 1e5, byteRatio: 10, weightRatio: 12 };
  const state = { state: 'finished', result, created: time, updated: time, cuts: [] };
  writeFileSync(
    join(run, 'run.json'),
    JSON.stringify({ format: 1, id, name, experiment, overrides: [], ...state, ...changes }),
  );
  return run;
}

async function experimentOf(file: string): Promise<ExperimentFile> {
  return eventually(`${file} in the store`, async () =>
    (await api.store.experiments()).find((found) => found.file === file),
  );
}

describe('run folders', () => {
  let file: string;

  beforeAll(async () => {
    api = await activate();
    writePointsProblem(folder());
    file = writePointsExperiment(folder(), 'many');
    writeRun(file, 1);
    await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  });

  afterAll(() => removed(folder()));

  it('with a damaged run.json are passed over, until they are whole', async () => {
    const experiment = await experimentOf(file);
    const run = writeRun(file, -100);
    const whole = readFileSync(join(run, 'run.json'), 'utf8');
    writeFileSync(join(run, 'run.json'), whole.slice(0, 40));
    const [newest] = await api.store.runsOf(experiment, 1);
    assert.notEqual(newest.key, run);
    writeFileSync(join(run, 'run.json'), whole);
    assert.equal((await api.store.runsOf(experiment, 1))[0].key, run);
  });

  it('are opened once, however many ask for them at the same time', async () => {
    const run = writeRun(file, -150);
    const { store } = api;
    const opened = await Promise.all([store.refresh(run), store.get(run), store.refresh(run)]);
    assert.deepEqual(
      opened.map((stored) => stored === store.peek(run)),
      [true, true, true],
    );
  });

  it('of runs whose machine went down are interrupted, and their socket is not waited for', async () => {
    const gone = { pid: 999_999_999, startTime: 'another-boot/1', host: hostname() };
    let number = -200;
    const took = await shortest(500, async () => {
      const run = writeRun(file, number--, { state: 'running', result: undefined, process: gone });
      const start = performance.now();
      const stored = await api.store.get(run);
      assert.equal(stored?.summary.state, 'interrupted');
      assert.equal(stored.isActive, false);
      return performance.now() - start;
    });
    assert.ok(took < 500, `${took} ms`);
  });

  it('that came with the folder cannot make the window connect anywhere', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    const socket = join(tmpdir(), `deeptwist-store-${process.pid}.sock`);
    for (const address of [socket, 0]) {
      await new Promise<void>((resolve) => server.listen(address, resolve));
      const endpoint = typeof address === 'string' ? address : String((server.address() as AddressInfo).port);
      for (const trainer of [identify(process.pid), { pid: 1, host: 'elsewhere' }]) {
        const run = writeRun(file, -220, { state: 'running', result: undefined, process: trainer, endpoint });
        writeFileSync(join(run, 'lock'), JSON.stringify(trainer));
        assert.equal((await api.store.get(run))?.isActive, true);
        for (let i = 0; i < 3; i++) await api.store.refresh(run);
        assert.equal(api.store.peek(run)?.live, undefined);
        rmSync(run, { recursive: true });
        await eventually('the store to forget the run', () => api.store.peek(run) === undefined);
      }
      // The server does count: one connection of this test's own comes after all that the window could have made.
      const own = createConnection(endpoint);
      await new Promise<void>((resolve) => own.once('close', () => resolve()));
      assert.equal(connections, 1);
      connections = 0;
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('are listed below the name of their experiment where its file is gone', async () => {
    const renamed = join(folder(), 'renamed.deeptwist.jsonc');
    const run = writeRun(renamed, -250, { name: 'renamed', id: '20260101-000000-renamed' });
    const named = join(run, '..', '20260101-000000-renamed');
    renameSync(run, named);
    await vscode.commands.executeCommand('deeptwist.refreshRuns');
    const experiment = await experimentOf(renamed);
    assert.equal(experiment.missing, true);
    assert.deepEqual(
      (await api.store.runsOf(experiment)).map(({ key }) => key),
      [named],
    );
  });

  it('that are deleted while they are shown are forgotten', async () => {
    const run = writeRun(file, -300);
    assert.ok(await api.store.get(run));
    rmSync(run, { recursive: true });
    await eventually('the store to forget the run', () => api.store.peek(run) === undefined);
  });
});

describe('a task of the type deeptwist', () => {
  let file: string;

  beforeAll(() => {
    writePointsProblem(folder());
    file = writePointsExperiment(folder(), 'task');
  });

  afterAll(() => removed(folder()));

  const taskOf = (definition: Record<string, unknown>) =>
    eventually('the task', async () =>
      (await vscode.tasks.fetchTasks({ type: 'deeptwist' })).find(
        (task) => task.definition.experiment === definition.experiment,
      ),
    );

  async function exitCodeOf(task: vscode.Task, started?: (execution: vscode.TaskExecution) => void): Promise<unknown> {
    const end = new Promise<number | undefined>((resolve) => {
      const listener = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
        if (execution.task.name !== task.name) return;
        listener.dispose();
        resolve(exitCode);
      });
    });
    started?.(await vscode.tasks.executeTask(task));
    return end;
  }

  it('is offered for each experiment, runs it and ends with 0', async () => {
    const task = await taskOf({ experiment: 'store-test/task.deeptwist.jsonc' });
    assert.equal(await exitCodeOf(task, () => undefined), 0);
    const [run] = await api.store.runsOf(await experimentOf(file), 1);
    assert.equal(run.summary.state, 'finished');
  });

  it('that cannot be run ends with 2', async () => {
    writeFileSync(file, '{ "model": 1 }');
    const task = await taskOf({ experiment: 'store-test/task.deeptwist.jsonc' });
    assert.equal(await exitCodeOf(task, () => undefined), 2);
  });

  it('stops its run when it is ended', async () => {
    const long = writePointsExperiment(folder(), 'long', { steps: 1_000_000 });
    const task = await taskOf({ experiment: 'store-test/long.deeptwist.jsonc' });
    const execution = await vscode.tasks.executeTask(task);
    const run = await eventually<StoredRun | undefined>('the run', async () => {
      const [newest] = await api.store.runsOf(await experimentOf(long), 1);
      return newest?.liveState?.phase === 'training' ? newest : undefined;
    });
    execution.terminate();
    await eventually('the run to stop', () => run.summary.state === 'stopped');
  });
});

describe('the clipboard', () => {
  it('gets the diagnostics: versions and settings, and no file of the user', async () => {
    await vscode.commands.executeCommand('deeptwist.copyDiagnostics');
    const text = await vscode.env.clipboard.readText();
    assert.match(text, /^DeepTwist \d+\.\d+\.\d+, VS Code 1\.\d+/);
    assert.match(text, /whenWindowCloses/);
  });
});

// The last of all: VS Code's watchers tell of thousands of new folders for a long time.
describe('thousands of run folders', () => {
  let file: string;

  beforeAll(() => {
    mkdirSync(folder(), { recursive: true });
    file = writePointsExperiment(folder(), 'many');
    for (let n = 1; n <= MANY; n++) writeRun(file, n);
  });

  afterAll(() => removed(folder()));

  it(`are listed within 200 ms of processor time where there are ${MANY}: those that are shown`, async () => {
    const took = await shortest(200, async () => {
      await vscode.commands.executeCommand('deeptwist.refreshRuns');
      const experiment = await experimentOf(file);
      const start = process.cpuUsage();
      const ids = await api.store.runIds(experiment);
      const shown = await api.store.runsOf(experiment, 50);
      const { user, system } = process.cpuUsage(start);
      const milliseconds = (user + system) / 1000;
      assert.equal(ids.length, MANY);
      assert.equal(shown.length, 50);
      assert.deepEqual(
        shown.map(({ run }) => run.id),
        ids.slice(0, 50),
      );
      return milliseconds;
    });
    assert.ok(took < 200, `${took} ms`);
  });
});
