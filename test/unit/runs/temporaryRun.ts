/** @file A run folder in the system's folder for temporary files, removed after each test. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { EventOf } from '../../../server/protocol/run/events.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import type { Run } from '../../../server/runs/run.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'deeptwist-'));
  folders.push(folder);
  return folder;
}

export async function temporaryRun({ folder, now }: { folder?: string; now?: Date } = {}): Promise<Run> {
  const experiment = join(folder ?? (await temporaryFolder()), 'lenet.deeptwist.jsonc');
  await writeFile(experiment, '{}');
  return createRun({ experiment, text: '{} // as written\n', now });
}

export function metricsAt(step: number): EventOf<'metrics'> {
  return { type: 'metrics', step, loss: 1 / step, learningRate: 0.1, stepsPerSecond: 50, epoch: 0, time: 1000 + step };
}
