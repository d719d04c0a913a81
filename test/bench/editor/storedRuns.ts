/** @file Folders of runs that nobody has trained: as many, and as long, as a measurement needs them. */
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../../server/formats/random.ts';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { checkExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';
import { runsFolder } from '../../../server/runs/experimentOf.ts';
import { EXPERIMENT_FILE, experimentName, RUN_FILE } from '../../../server/runs/run.ts';
import type { RunRecord } from '../../../server/runs/runRecord.ts';

/** Steps of an epoch of MNIST in batches of 50. */
const STEPS_PER_EPOCH = 1200;
const START = Date.UTC(2026, 0, 1);
const CHUNK_LINES = 10_000;

/**
 * Makes the folder of a finished run.
 * @param file the experiment's
 * @param age seconds before the first of January 2026; two runs of an experiment differ in it
 */
export function writeFinishedRun(file: string, age: number, changes: Partial<RunRecord> = {}): string {
  const name = experimentName(file);
  const created = new Date(START - age * 1000).toISOString();
  const id = `${created.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${name}`;
  const run = join(runsFolder(file), id);
  const record: RunRecord = {
    format: 1,
    id,
    name,
    experiment: file,
    overrides: [],
    state: 'finished',
    result: { metric: 'accuracy', test: 0.98, byteRatio: 46.1, weightRatio: 62.2 },
    created,
    updated: created,
    cuts: [],
    ...changes,
  };
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, EXPERIMENT_FILE), readFileSync(file));
  writeFileSync(join(run, RUN_FILE), JSON.stringify(record));
  return run;
}

/** Writes so many points of curves, with all the digits that a training has. */
export function writeCurves(run: string, points: number): void {
  const random = new Random(1);
  const time = (step: number) => START + Math.floor(step * 1.37);
  const log = openSync(join(run, 'events.jsonl'), 'w');
  let lines: string[] = [];
  const write = (event: RunEvent) => lines.push(JSON.stringify(event));
  const flush = () => {
    writeSync(log, `${lines.join('\n')}\n`);
    lines = [];
  };
  try {
    write(started(run, points));
    for (let step = 1; step <= points; step++) {
      write({
        type: 'metrics',
        step,
        loss: 0.02 + 2.3 / (1 + step / 5000) + 0.1 * random.uniform(),
        learningRate: step < points / 2 ? 2e-3 : 4e-4,
        stepsPerSecond: 700 + 60 * random.uniform(),
        epoch: step / STEPS_PER_EPOCH,
        time: time(step), // Last, as the trainer writes it: see metricsLine.ts.
      });
      if (lines.length >= CHUNK_LINES) flush();
    }
    write({ type: 'stopped', step: points, time: time(points) });
    flush();
  } finally {
    closeSync(log);
  }
}

function started(run: string, steps: number): RunEvent {
  const { experiment } = checkExperiment(readFileSync(join(run, EXPERIMENT_FILE), 'utf8'));
  if (!experiment) throw new Error(`The experiment of ${run} is not valid.`);
  const config = { ...experiment, training: { ...experiment.training, steps } };
  const device = { device: 'a processor', executor: 'ONNX Runtime on the processor, 1 thread' };
  return { type: 'started', step: 0, time: START, run, config, layers: [], ...device };
}
