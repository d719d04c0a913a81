/** @file The process's own log: `sidecar.log` in the run folder is its standard error. */

export function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message.trimEnd()}\n`);
}
