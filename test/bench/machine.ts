/** @file The machine that a benchmark ran on, as far as its figures depend on it. */
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** GiB. */
  readonly memory: number;
  readonly platform: string;
  readonly node: string;
  /** Mean number of busy processes during the minute before; above 0.5 the figures are suspect. */
  readonly load: number;
  readonly date: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    load: Number(loadavg()[0]?.toFixed(2)),
    date: new Date().toISOString().slice(0, 10),
  };
}
