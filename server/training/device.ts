/** @file The machine that a run was made on, in words. */
import { availableParallelism, cpus } from 'node:os';

/** E.g. 'AMD EPYC 9654, 2 cores, Node 20.20.2, linux x64'. */
export function describeDevice(): string {
  const cores = availableParallelism();
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${processor}, ${cores} core${cores === 1 ? '' : 's'}, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}
