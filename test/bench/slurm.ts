/**
 * @file `npm run bench -- slurm`: a sweep of 12 runs as an array job of a real Slurm on this machine. Two jobs are killed, one is requeued, one is
 * preempted, one comes to the end of its time; all runs end as those of the same sweep in the embedded queue, to the bit.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/root.js';
import { listRuns } from '../../server/runs/findRun.ts';
import type { Run } from '../../server/runs/run.ts';
import { weightsOf } from '../unit/sweeps/killing.ts';
import { experiment, writeBlobs } from '../unit/training/blobs.ts';
import { endOf } from '../endOf.ts';
import { until } from '../until.ts';
import type { Benchmark } from './bench.ts';
import { recordOf } from './killing.ts';
import { startCluster, type Cluster } from './slurmCluster.ts';

const settings = {
  training: { ...experiment.training, threads: 1, steps: 2_000, evaluateEvery: 250, checkpointEvery: 100 },
  compression: { method: 'prune', distortEvery: 10, layers: { fc1: { rate: 0.6 } } },
  sweep: { vary: { 'compression.layers.fc1.rate': [0.5, 0.7, 0.8, 0.9], 'training.seed': [1, 2, 3] } },
};
const COUNT = 12;
const FILE = 'blobs.deeptwist.jsonc';

export default {
  options: {},
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'deeptwist-slurm-'));
    const waiting = setInterval(() => undefined, 1000);
    let cluster: Cluster | undefined;
    try {
      const [here, there] = [join(folder, 'here'), join(folder, 'there')];
      for (const place of [here, there]) {
        mkdirSync(place);
        await writeBlobs(place, settings);
      }
      mkdirSync(join(folder, 'slurm'));
      cluster = await startCluster(join(folder, 'slurm'));
      console.log(`  Slurm ${cluster.call('sinfo', '--version').trim()}, installed in ${cluster.installSeconds.toFixed(0)} s`); // prettier-ignore
      const embedded = seconds();
      await commandLine(here, process.env, 'sweep', FILE, '--parallel', '2');
      console.log(`  embedded queue, 2 at a time: ${embedded()} s`);
      const submitted = seconds();
      const ended = commandLine(there, cluster.env, 'sweep', FILE, '--engine', 'slurm', '--slurm', '--time=10');
      const disturbed = await disturb(there, cluster);
      const { code, stdout, stderr } = await ended;
      console.log(`  Slurm, ${disturbed.join(', ')}: ${submitted()} s, exit code ${code}`);
      console.log((stdout + stderr).replace(/^/gm, '    '));
      const same = await sameRuns(here, there);
      return [
        { case: 'runs that end as those of the embedded queue', ours: same, unit: 'runs', ratio: same / COUNT, target: COUNT }, // prettier-ignore
      ];
    } finally {
      clearInterval(waiting);
      await cluster?.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
} satisfies Benchmark;

/** @returns what was done to the jobs */
async function disturb(place: string, cluster: Cluster): Promise<string[]> {
  const done: string[] = [];
  const used = new Set<string>();
  /** A run with a checkpoint that trains and has not been disturbed. */
  const victim = () =>
    until(async () => {
      const { runs } = await listRuns(place);
      return runs.find((run) => !used.has(run.id) && run.record.process && run.record.queue?.job !== undefined && run.observedState() === 'running' && hasCheckpoint(run)); // prettier-ignore
    }, 'a run that trains');
  for (const kind of ['killed', 'killed', 'requeued', 'preempted', 'warned of the end of its time']) {
    const run = await victim();
    used.add(run.id);
    const job = run.record.queue?.job ?? '';
    if (kind === 'killed') process.kill(run.record.process!.pid, 'SIGKILL');
    else if (kind === 'requeued') cluster.call('scontrol', 'requeue', job);
    else if (kind === 'preempted') preempt(place, cluster);
    // As Slurm does two minutes before: to the batch script alone.
    else process.kill(run.record.process!.pid, 'SIGTERM');
    done.push(`${job} ${kind}`);
  }
  return done;
}

/** A job that asks for the whole node: Slurm puts what trains there back into its queue. */
function preempt(place: string, cluster: Cluster): void {
  const script = join(place, 'urgent.sh');
  writeFileSync(script, '#!/bin/sh\nexec sleep 1\n');
  cluster.call('sbatch', '--partition=urgent', '--exclusive', '--output=/dev/null', script);
}

function hasCheckpoint(run: Run): boolean {
  return readdirSync(run.checkpointsFolder).some((name) => name.endsWith('.json'));
}

/** Without what a stop adds: a checkpoint, and a point of the loss curve that is the mean of fewer steps. */
async function eventsOf(run: Run): Promise<string[]> {
  return (await recordOf(run)).filter((event) => !/"type":"(checkpoint|metrics)"/.test(event));
}

async function sameRuns(here: string, there: string): Promise<number> {
  const runsOf = async (place: string) => (await listRuns(place)).runs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const [expected, found] = [await runsOf(here), await runsOf(there)];
  let same = 0;
  for (const [i, run] of found.entries()) {
    const other = expected[i];
    const isSame = run.record.state === 'finished' && weightsOf(run).equals(weightsOf(other));
    const [events, others] = [await eventsOf(run), await eventsOf(other)];
    const differ = events.findIndex((event, k) => event !== others[k]);
    if (differ >= 0) console.log(`  ${run.id}: ${events[differ]} and not ${others[differ]}`);
    const starts = readFileSync(run.eventsFile, 'utf8').split('"type":"started"').length - 1;
    console.log(`  ${run.id}: ${run.record.state}, started ${starts} times in its log, ${isSame ? 'the same weights' : 'NOT the same weights'}`); // prettier-ignore
    if (isSame && differ < 0) same++;
  }
  return same;
}

function commandLine(cwd: string, env: NodeJS.ProcessEnv, ...args: readonly string[]) {
  const child = spawn(process.execPath, [join(root, 'bin', 'deeptwist.js'), ...args], { cwd, env });
  return endOf(child);
}

function seconds(): () => string {
  const begin = performance.now();
  return () => ((performance.now() - begin) / 1000).toFixed(0);
}
