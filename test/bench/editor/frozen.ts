/** @file Processes at rest: what a benchmark has started and does not measure at the moment. Linux alone tells who they are. */
import { readdirSync, readFileSync } from 'node:fs';

/** Stops all that this process has started, with what those have started, for the time of the work. */
export async function withAllFrozen<T>(work: () => Promise<T>): Promise<T> {
  const pids = descendants(process.pid);
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids) {
      try {
        process.kill(pid, name);
      } catch {
        // It has ended.
      }
    }
  };
  signal('SIGSTOP');
  try {
    return await work();
  } finally {
    signal('SIGCONT');
  }
}

function descendants(ancestor: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(name) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(ancestor);
}

function parentOf(pid: string): number | undefined {
  try {
    // proc_pid_stat(5): field 4. Field 2 is a name in parentheses that may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // It has ended.
  }
}
