/** @file The process's own log: `sidecar.log` in the run folder is its standard error. */
import { printable } from '../protocol/printable.ts';

export function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${printable(message).trimEnd()}\n`);
}
