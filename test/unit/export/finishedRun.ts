/** @file Runs to export, and exporting them. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { exportRun, type ExportOptions } from '../../../server/export/index.ts';
import { readSummary } from '../../../server/runs/log/readEvents.ts';
import type { Run } from '../../../server/runs/run.ts';
import { experiment, workspace } from '../training/workspace.ts';

/** Trains an experiment to its end. */
export async function finishedRun(changes: Parameters<typeof workspace>[0] = {}, steps = 20) {
  const made = await workspace({ ...changes, training: { ...experiment.training, steps } });
  const { run, state } = await made.run();
  expect(state).toBe('finished');
  return { folder: made.folder, run };
}

/** Exports a run into a folder, as `model.onnx` unless `options` say otherwise. */
export function exported(run: Run, folder: string, options: Partial<ExportOptions> = {}) {
  const { signal } = new AbortController();
  return exportRun({
    run,
    path: join(folder, 'model.onnx'),
    dense: false,
    signal,
    onProgress: () => undefined,
    ...options,
  });
}

/** The metric of the test split when the run ended. */
export async function testMetric(run: Run): Promise<number> {
  return (await readSummary(run))!.test;
}
