/**
 * @file Runs that are killed (SIGKILL) at random moments and resumed, beside one that is not interrupted: the final weights must be
 * the same, byte for byte, and the log must have the same events, each once.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../server/formats/random.ts';
import type { RunEvent } from '../../server/protocol/run/events.ts';
import { createRun } from '../../server/runs/createRun.ts';
import { openRun, type Run } from '../../server/runs/run.ts';
import { startSidecar } from '../../server/sidecarClient/startSidecar.ts';
import { weightsOf } from '../unit/sweeps/killing.ts';
import { experiment, FEATURES, CLASSES, writeBlobs } from '../unit/training/blobs.ts';

/** What a run is doing when it is killed. */
const moments = ['start', 'step', 'distortion', 'evaluation', 'checkpoint', 'final model'] as const;
type Moment = (typeof moments)[number];
const processes = ['command line', 'sidecar'] as const;

/** A part of a run's time in each of the moments; an Adam state that takes a while to be written. */
const settings = {
  model: `
    import * as tf from '@tensorflow/tfjs';
    export const createModel = () => tf.sequential({ layers: [
      tf.layers.dense({ name: 'fc1', units: 192, activation: 'relu', inputShape: [${FEATURES}] }),
      tf.layers.dense({ name: 'fc2', units: 192, activation: 'relu' }),
      tf.layers.dense({ name: 'fc3', units: ${CLASSES}, activation: 'softmax' }),
    ] });`,
  training: {
    ...experiment.training,
    optimizer: { type: 'adam', learningRate: 1e-3 },
    steps: 600,
    evaluateEvery: 20,
    checkpointEvery: 60,
    keepCheckpoints: 2,
  },
  compression: { method: 'prune', distortEvery: 5, layers: { 'fc*': { rate: 0.6 } }, schedule: { from: 50, to: 500 } },
  observe: { every: 25 },
};
const RESUME_KILLED = 1 / 3;
const ATTEMPTS = 5;

export interface KilledRun {
  readonly process: (typeof processes)[number];
  readonly moment: Moment;
  /** The end of the run is that of the uninterrupted one. */
  readonly same: boolean;
  /** What differs, or how the run failed. */
  readonly fault?: string;
  /** How often it was killed; 0 where it ended before. */
  readonly kills: number;
}

/**
 * @param installation folder with `bin/` and `dist/`
 * @param seed of the moments
 */
export async function killRuns(installation: string, count: number, seed: number): Promise<KilledRun[]> {
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-kills-'));
  const waiting = setInterval(() => undefined, 1000); // A sidecar does not keep the process alive that waits for it.
  try {
    const killer = new Killer(installation, folder, new Random(seed, 0));
    await killer.prepare();
    const runs: KilledRun[] = [];
    // Every pair of process and moment in turn, 2 and 6 of them, from one that the seed tells.
    for (let i = seed; i < seed + count; i++) {
      runs.push(await killer.run(processes[(i + Math.floor(i / moments.length)) % 2], moments[i % moments.length]));
    }
    return runs;
  } finally {
    clearInterval(waiting);
    rmSync(folder, { recursive: true });
  }
}

/** A process that trains a run, and how it is ended. */
interface Trainer {
  readonly ended: Promise<unknown>;
  kill(): void;
}

class Killer {
  readonly #installation: string;
  readonly #folder: string;
  readonly #random: Random;
  readonly #env: NodeJS.ProcessEnv;
  #file = '';
  #expected: { weights: Buffer; events: string[]; milliseconds: number } | undefined;

  constructor(installation: string, folder: string, random: Random) {
    this.#installation = installation;
    this.#folder = folder;
    this.#random = random;
    const runtime = join(folder, 'tmp');
    mkdirSync(runtime);
    this.#env = { ...process.env, TMPDIR: runtime };
  }

  /** Trains the run that is not interrupted. */
  async prepare(): Promise<void> {
    this.#file = await writeBlobs(this.#folder, settings);
    const begin = performance.now();
    const out = this.#newFolder();
    await this.#commandLine(['run', this.#file, '--out', out]).ended;
    const milliseconds = performance.now() - begin;
    const run = await onlyRun(out);
    if (run?.record.state !== 'finished') throw new Error('The run that is not interrupted did not finish.');
    this.#expected = { weights: weightsOf(run), events: await recordOf(run), milliseconds };
  }

  async run(process: KilledRun['process'], moment: Moment): Promise<KilledRun> {
    const out = this.#newFolder();
    let kills = 0;
    const endKilled = async (trainer: Trainer) => {
      if (await this.#killAt(moment, trainer, out)) kills++;
    };
    await endKilled(
      process === 'sidecar' ? await this.#sidecar(out) : this.#commandLine(['run', this.#file, '--out', out]),
    );
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const run = await onlyRun(out);
      if (run?.record.state === 'finished') break;
      const isThere = run !== undefined && existsSync(run.experimentFile);
      // Before there was a run: it is started again, as its user would.
      if (!isThere) rmSync(out, { recursive: true, force: true });
      const trainer = process === 'sidecar' ? await this.#sidecar(out, isThere ? run : undefined) : this.#commandLine(isThere ? ['resume', run.path] : ['run', this.#file, '--out', out]); // prettier-ignore
      // The last one is left to end: all of them would be killed in one run of 243.
      if (attempt < ATTEMPTS && this.#random.uniform() < RESUME_KILLED) await endKilled(trainer);
      else await trainer.ended;
    }
    const fault = await this.#difference(out);
    return { process, moment, kills, same: fault === undefined, ...(fault !== undefined && { fault }) };
  }

  async #difference(out: string): Promise<string | undefined> {
    const run = await onlyRun(out);
    if (!run) return 'there is no run';
    if (run.record.state !== 'finished') return `the run is ${run.observedState()}: ${run.record.failure?.message}`;
    if (!weightsOf(run).equals(this.#expected!.weights)) return 'the final weights differ';
    const events = await recordOf(run);
    const place = this.#expected!.events.findIndex((event, i) => event !== events[i]);
    if (place !== -1) return `event ${place} is ${events[place]} in place of ${this.#expected!.events[place]}`;
    if (events.length !== this.#expected!.events.length) return `there are ${events.length} events`;
    const left = readdirSync(run.path, { recursive: true }).filter((name) => /\.tmp$|lock/.test(String(name)));
    return left.length > 0 ? `${left.join(', ')} stayed` : undefined;
  }

  /** @returns whether the process was killed before it ended */
  async #killAt(moment: Moment, trainer: Trainer, out: string): Promise<boolean> {
    const ended = trainer.ended.then(() => false);
    const reached = this.#reach(moment, out, ended).then(() => true);
    const isThere = await Promise.race([ended, reached]);
    trainer.kill();
    await trainer.ended;
    return isThere;
  }

  async #reach(moment: Moment, out: string, ended: Promise<unknown>): Promise<void> {
    const { milliseconds } = this.#expected!;
    switch (moment) {
      case 'start':
        return sleep(this.#random.uniform() * milliseconds * 0.5);
      case 'step':
        return sleep(milliseconds * (0.3 + 0.7 * this.#random.uniform()));
      case 'distortion':
      case 'evaluation':
        await this.#fileChange(out, 'events.jsonl', ended);
        return sleep(this.#random.uniform() * milliseconds * 0.5);
      case 'checkpoint':
        await this.#fileChange(out, 'checkpoints', ended, 1 + Math.floor(30 * this.#random.uniform()));
        return sleep(3 * this.#random.uniform());
      case 'final model':
        await this.#fileChange(out, 'model', ended, 1 + Math.floor(3 * this.#random.uniform()));
        return sleep(3 * this.#random.uniform());
    }
  }

  /** Waits for the n-th change of what is in a folder or file of the run. */
  async #fileChange(out: string, name: string, ended: Promise<unknown>, n = 1): Promise<void> {
    let over = false;
    void ended.then(() => (over = true));
    let path: string | undefined;
    for (; !over; await sleep(1)) {
      const [id] = existsSync(out) ? readdirSync(out) : [];
      path = id === undefined ? undefined : join(out, id, name);
      if (path !== undefined && existsSync(path)) break;
    }
    if (over || path === undefined) return;
    const place = path;
    await new Promise<void>((resolve) => {
      let changes = 0;
      const watcher = watch(place, () => {
        if (++changes >= n) finish();
      });
      const finish = () => {
        watcher.close();
        resolve();
      };
      void ended.then(finish);
    });
  }

  #commandLine(args: readonly string[]): Trainer {
    const script = join(this.#installation, 'bin', 'deeptwist.js');
    const child: ChildProcess = spawn(process.execPath, [script, ...args, '--json'], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    createInterface({ input: child.stdout! }).on('line', () => undefined);
    return { ended: once(child, 'exit'), kill: () => void child.kill('SIGKILL') };
  }

  async #sidecar(out: string, run?: Run): Promise<Trainer> {
    const text = readFileSync(this.#file, 'utf8');
    const queued = run ?? (await createRun({ experiment: this.#file, text, out, state: 'queued' }));
    const { pid, exited } = await startSidecar({
      run: queued,
      node: process.execPath,
      sidecarScript: join(this.#installation, 'dist', 'sidecar.js'),
      resume: run !== undefined,
      env: this.#env,
    });
    let over = false;
    void exited.then(() => (over = true));
    return { ended: exited, kill: () => void (over || process.kill(pid, 'SIGKILL')) };
  }

  #newFolder(): string {
    return join(this.#folder, `runs-${Math.floor(1e9 * this.#random.uniform())}`);
  }
}

async function onlyRun(out: string): Promise<Run | undefined> {
  const [id] = existsSync(out) ? readdirSync(out) : [];
  return id === undefined ? undefined : openRun(join(out, id)).catch(() => undefined);
}

/** The events that tell of the training, without times: those of a run that was resumed are the same. */
export async function recordOf(run: Run): Promise<string[]> {
  const lines = readFileSync(run.eventsFile, 'utf8').trimEnd().split('\n');
  return lines.flatMap((line) => {
    const event = JSON.parse(line) as RunEvent;
    if (event.type === 'started' || event.type === 'stopped') return [];
    if (event.type === 'finished') return ['finished'];
    const { time: _time, ...rest } = event;
    if (rest.type === 'metrics') return [JSON.stringify({ ...rest, stepsPerSecond: 0 })];
    return [JSON.stringify(rest)];
  });
}
