/**
 * @file A cluster of one node, this machine: Debian's `slurm-wlm` in a folder of its own, with its own configuration, keys and ports, as root. It is
 * installed where apt-get can, and its daemons are ended with the benchmark.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { isAlive, identify } from '../../server/runs/liveProcess.ts';
import { until } from '../until.ts';

const PACKAGES = ['slurm-wlm', 'munge'];

export interface Cluster {
  /** For programs of Slurm, and what calls them. */
  readonly env: NodeJS.ProcessEnv;
  /** Seconds that it took to install. */
  readonly installSeconds: number;
  call(program: string, ...args: readonly string[]): string;
  stop(): Promise<void>;
}

/** @returns why there can be no cluster here, or undefined */
function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'Slurm is for Linux';
  if (process.getuid?.() !== 0) return 'its daemons are started as root here';
  return undefined;
}

/**
 * @param folder that is empty
 * @throws an Error that says what is missing, and the command that helps
 */
export async function startCluster(folder: string): Promise<Cluster> {
  const reason = obstacle();
  if (reason !== undefined) throw new Error(`There can be no Slurm: ${reason}.`);
  const begin = performance.now();
  if (!isInstalled()) install();
  const installSeconds = (performance.now() - begin) / 1000;
  for (const name of ['run', 'state', 'spool', 'log']) mkdirSync(join(folder, name));
  const key = join(folder, 'munge.key');
  writeFileSync(key, randomBytes(128), { mode: 0o400 });
  chmodSync(join(folder, 'run'), 0o755);
  const conf = join(folder, 'slurm.conf');
  writeFileSync(conf, configuration(folder));
  const env = { ...process.env, SLURM_CONF: conf };
  const run = (program: string, ...args: readonly string[]) => execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }); // prettier-ignore
  run('munged', '--force', `--key-file=${key}`, `--socket=${join(folder, 'run', 'munge.sock')}`, `--pid-file=${join(folder, 'run', 'munge.pid')}`, `--log-file=${join(folder, 'log', 'munged.log')}`, `--seed-file=${join(folder, 'run', 'seed')}`); // prettier-ignore
  const cluster: Cluster = { env, installSeconds, call: run, stop: () => stop(folder) };
  try {
    // A relative path would make slurmstepd wait for a minute.
    run('slurmctld', '-f', conf);
    run('slurmd', '-f', conf);
    await until(() => run('sinfo', '--noheader', '--format=%T').startsWith('idle'), 'the node of the cluster');
    return cluster;
  } catch (error) {
    await stop(folder);
    throw error;
  }
}

function isInstalled(): boolean {
  const path = `${process.env.PATH ?? ''}:/usr/sbin`;
  return ['slurmctld', 'slurmd', 'munged', 'sbatch'].every((name) =>
    path.split(':').some((place) => existsSync(join(place, name))),
  );
}

function install(): void {
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...PACKAGES]]) {
    const { status, stderr, error } = spawnSync('apt-get', args, { encoding: 'utf8' });
    if (status === 0) continue;
    const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
    throw new Error(`Slurm cannot be installed here (${why}). Where that can be mended: apt-get install ${PACKAGES.join(' ')}`); // prettier-ignore
  }
}

/** notes/trials/slurm.conf, with a partition that preempts the other one. */
function configuration(folder: string): string {
  const host = hostname().split('.')[0];
  return `ClusterName=bench
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/run/munge.sock,cred_expire=5
CredType=cred/munge
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/run/slurmctld.pid
SlurmdPidFile=${folder}/run/slurmd.pid
SlurmctldLogFile=${folder}/log/slurmctld.log
SlurmdLogFile=${folder}/log/slurmd.log
SlurmctldPort=17817
SlurmdPort=17818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=${Math.floor(totalmem() / 2 ** 21)} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2
`;
}

/** Ends the daemons that their own files name. */
async function stop(folder: string): Promise<void> {
  for (const name of ['slurmd', 'slurmctld', 'munge']) {
    const file = join(folder, 'run', `${name}.pid`);
    if (!existsSync(file)) continue;
    const daemon = identify(Number(readFileSync(file, 'utf8')));
    try {
      process.kill(daemon.pid, 'SIGTERM');
    } catch {
      continue; // It has ended by itself.
    }
    await until(() => isAlive(daemon) === false, `the end of ${name}`);
  }
}
