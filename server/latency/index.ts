/** @file How fast files of models are, and how much memory they take: each in a process of its own, round by round in turn. */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Latency, MeasuredModel, Timing } from '../protocol/run/latency.ts';
import { reasonOf } from '../protocol/systemError.ts';
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import { recordLatency } from '../runs/latencyRecord.ts';
import type { Run } from '../runs/run.ts';
import { fileCandidate, runCandidates, type Candidate, type LeftOut } from './candidates.ts';
import { Contender } from './contender.ts';
import { heldWeights } from './heldWeights.ts';
import { percentile } from './percentile.ts';

/** Milliseconds that each contender computes in a round, with one input and again with a batch. */
const ROUND_MS = 50;
/** Characters of another program's message. */
const LONGEST_REASON = 300;

export interface LatencyOptions {
  /** Paths of exported files, absolute, and finished runs. */
  readonly subjects: readonly (string | Run)[];
  /** Samples of a batch. */
  readonly batch: number;
  readonly rounds: number;
  readonly threads: number;
  /** Folder below which the runs of files are looked for. */
  readonly directory: string;
  readonly changedFiles?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

export interface LatencyReport extends Latency {
  /** Why a run folder does not have the measurement; absent where each has it. */
  readonly notRecorded?: string;
}

/**
 * Measures exported files, and for a run its model dense in ONNX Runtime, as exported ONNX and as packed file. What was measured is kept
 * in the folders of the runs.
 * @throws UserError for a file that cannot be measured, and where nothing can; the signal's reason when it aborts
 */
export async function measureLatency(options: LatencyOptions): Promise<LatencyReport> {
  const folder = await mkdtemp(join(tmpdir(), 'deeptwist-benchmark-'));
  const contenders: StartedContender[] = [];
  try {
    const { candidates, leftOut } = await findCandidates(options, folder);
    for (const candidate of candidates) {
      const started = await start(candidate, options);
      if ('reason' in started) leftOut.push(started);
      else contenders.push({ ...started, weightBytes: await weightBytes(started, folder) });
    }
    if (contenders.length === 0) throw new UserError(`Nothing could be measured: ${leftOut[0].reason}`);
    const models = await takeTurns(contenders, options);
    const { rounds, threads } = options;
    const latency: Latency = {
      time: Date.now(),
      machine: cpus()[0]?.model.trim() ?? process.arch,
      node: process.versions.node,
      threads,
      rounds,
      sample: contenders[0].contender.ready.sample,
      models,
      leftOut,
    };
    const notRecorded = await record(latency, candidates).then(() => undefined, reasonOf);
    return { ...latency, ...(notRecorded !== undefined && { notRecorded }) };
  } finally {
    await Promise.all(contenders.map(({ contender }) => contender.end()));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface StartedContender {
  readonly candidate: Candidate;
  readonly contender: Contender;
  readonly weightBytes?: number | undefined;
}

async function findCandidates(
  { subjects, directory, changedFiles, signal, onProgress }: LatencyOptions,
  folder: string,
): Promise<{ candidates: Candidate[]; leftOut: LeftOut[] }> {
  const candidates: Candidate[] = [];
  const leftOut: LeftOut[] = [];
  onProgress({ phase: 'loading' });
  for (const subject of subjects) {
    signal.throwIfAborted();
    if (typeof subject === 'string') candidates.push(await fileCandidate(subject, directory));
    else {
      const written = await runCandidates({ run: subject, changedFiles }, join(folder, subject.id), signal, onProgress);
      candidates.push(...written.candidates);
      leftOut.push(...written.leftOut);
    }
  }
  return { candidates, leftOut };
}

/**
 * Starts a contender. A model of a run that its engine cannot run is left out, with the reason.
 * @throws UserError for a file that cannot be run
 */
async function start(
  candidate: Candidate,
  { threads, signal }: LatencyOptions,
): Promise<Omit<StartedContender, 'weightBytes'> | LeftOut> {
  const { format, dense, path, shapes, file, run } = candidate;
  try {
    return { candidate, contender: await Contender.start({ format, path, threads, shapes }, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (file === undefined) return { format, dense, run: run?.id, reason: `${reasonOfContender(error)}.` };
    throw new UserError(`${path} cannot be run: ${reasonOfContender(error)}.`, { cause: error });
  }
}

function reasonOfContender(error: unknown): string {
  const [line] = messageOf(error).split('\n', 1);
  return line.slice(0, LONGEST_REASON).replace(/\.$/, '');
}

async function weightBytes({ candidate, contender }: StartedContender, folder: string): Promise<number | undefined> {
  return candidate.format === 'onnx' ? heldWeights(candidate.path, folder) : contender.ready.weightBytes;
}

/** Round by round, so that a slow minute of the machine meets all of them. The first round, which warms up, is left out. */
async function takeTurns(
  contenders: readonly StartedContender[],
  { rounds, batch, signal, onProgress }: LatencyOptions,
): Promise<MeasuredModel[]> {
  const fixed = contenders.map(({ contender: { ready } }) => ready.batchSize).find((size = 1) => size > 1);
  const measured = contenders.map(({ contender: { ready } }) => {
    const sizes = ready.batchSize === undefined ? [1, fixed ?? batch] : [ready.batchSize];
    return { times: new Map(sizes.map((samples): [number, number[]] => [samples, []])), peakBytes: 0 };
  });
  for (let round = 0; round <= rounds; round++) {
    onProgress({ phase: 'measuring', rounds: round, of: rounds });
    for (const [i, { candidate, contender }] of contenders.entries()) {
      for (const [samples, kept] of measured[i].times) {
        signal.throwIfAborted();
        const asked = contender.measure({ samples, milliseconds: ROUND_MS });
        const { times, peakBytes } = await asked.catch((error: unknown) => {
          signal.throwIfAborted();
          throw new UserError(`${candidate.path} cannot be measured: ${reasonOfContender(error)}.`, { cause: error });
        });
        if (round > 0) kept.push(...times);
        measured[i].peakBytes = peakBytes;
      }
    }
  }
  return contenders.map(({ candidate, contender, weightBytes }, i) => {
    const { format, dense, file, bytes, run } = candidate;
    const timings = Array.from(measured[i].times, ([samples, times]): Timing => ({
      samples,
      median: percentile(times, 50),
      p90: percentile(times, 90),
    }));
    return {
      format,
      dense,
      ...(file !== undefined && { file }),
      ...(run && { run: run.id }),
      sample: contender.ready.sample,
      engine: format === 'packed' ? 'deeptwist/runtime' : 'ONNX Runtime',
      bytes,
      ...(weightBytes !== undefined && { weightBytes }),
      peakBytes: measured[i].peakBytes,
      single: timings.find(({ samples }) => samples === 1),
      batch: timings.find(({ samples }) => samples > 1),
    };
  });
}

/** Each run gets what was measured of it. */
async function record(latency: Latency, candidates: readonly Candidate[]): Promise<void> {
  for (const run of new Set(candidates.flatMap(({ run }) => run ?? []))) {
    const models = latency.models.filter((model) => model.run === run.id);
    const leftOut = latency.leftOut.filter((model) => model.run === run.id);
    const [first] = models;
    if (first) await recordLatency(run, { ...latency, sample: first.sample ?? latency.sample, models, leftOut });
  }
}
