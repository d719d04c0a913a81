/** @file A small run that is stopped, goes on and is logged elsewhere: what benchmarks of logs compare with. */
import { rmSync, mkdirSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import type { RunEvent } from '../../server/protocol/run/events.ts';
import { readEvents } from '../../server/runs/log/readEvents.ts';
import { openRun, type Run } from '../../server/runs/run.ts';
import { resumeRun, runExperiment } from '../../server/training/index.ts';
import { scalarsOf, type CompressedWeights } from '../../server/tracking/scalars.ts';
import { experiment, writeBlobs } from '../unit/training/blobs.ts';

export interface LoggedRun {
  readonly run: Run;
  readonly events: readonly RunEvent[];
  /** Steps and values of each number that was recorded. */
  readonly scalars: ReadonlyMap<string, readonly (readonly [step: number, value: number])[]>;
}

/** @param logging as an experiment file has it */
export async function loggedRun(folder: string, logging: unknown): Promise<LoggedRun> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const file = await writeBlobs(folder, {
    compression: { method: 'prune', distortEvery: 10, layers: { fc1: { rate: 0.5 }, fc2: { rate: 0.25 } } },
    training: { ...experiment.training, steps: 400 },
    logging,
  });
  await tf.setBackend('cpu');
  const stop = new AbortController();
  const stopped = await runExperiment({
    file,
    overrides: [],
    signal: stop.signal,
    onEvent: ({ step }) => step === 150 && stop.abort(),
  });
  const run = await openRun(stopped.run.path);
  const { state } = await resumeRun({ run, signal: new AbortController().signal, onEvent: () => undefined });
  if (state !== 'finished') throw new Error(`The run is ${state}.`);
  const events: RunEvent[] = [];
  const scalars = new Map<string, [number, number][]>();
  const compressed: CompressedWeights = {};
  for await (const event of readEvents(run)) {
    events.push(event);
    for (const { name, value } of scalarsOf(event, compressed))
      scalars.set(name, [...(scalars.get(name) ?? []), [event.step, value]]);
  }
  return { run, events, scalars };
}

/** The number of points of all scalars. */
export function pointsOf(scalars: LoggedRun['scalars']): number {
  return [...scalars.values()].reduce((sum, { length }) => sum + length, 0);
}

/** How many points are not the same in both, or only in one. */
export function differingPoints(
  ours: LoggedRun['scalars'],
  theirs: Readonly<Record<string, readonly (readonly [number, number])[]>>,
  as: (value: number) => number = (value) => value,
): number {
  let differing = 0;
  for (const name of new Set([...ours.keys(), ...Object.keys(theirs)])) {
    const [a, b] = [ours.get(name) ?? [], theirs[name] ?? []];
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      const same = a[i] !== undefined && b[i] !== undefined && a[i][0] === b[i][0] && Object.is(as(a[i][1]), b[i][1]);
      if (!same) differing++;
    }
  }
  return differing;
}
