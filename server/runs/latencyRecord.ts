/** @file What was measured last of the speed of a run's files, as it is kept in the run folder. */
import { latencySchema, type Latency } from '../protocol/run/latency.ts';
import { writeAtomically } from './disk.ts';
import type { Run } from './run.ts';
import { readRegularFile } from './workspaceFile.ts';

/**
 * Keeps a measurement; the one before is replaced, since figures of two measurements cannot be compared.
 * @throws UserError when it cannot be written
 */
export async function recordLatency(run: Run, latency: Latency): Promise<void> {
  await writeAtomically(run.latencyFile, JSON.stringify(latencySchema.parse(latency)) + '\n');
}

/** Undefined where nothing was measured, or the record is damaged. */
export async function readLatency({ latencyFile }: Pick<Run, 'latencyFile'>): Promise<Latency | undefined> {
  try {
    return latencySchema.parse(JSON.parse(await readRegularFile(latencyFile)));
  } catch {
    return undefined;
  }
}
