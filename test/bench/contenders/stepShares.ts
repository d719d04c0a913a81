/**
 * @file What the time of our training step is spent on. Arguments: {@link OurStepOptions} as JSON, number of steps. Prints
 * {@link Shares} as one JSON object.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ort, type InferenceSession } from '../../../server/formats/onnxRuntime.ts';
import { openOurStep, type OurStepOptions } from './openOurStep.ts';

export interface Shares {
  readonly millisecondsPerStep: number;
  /** Shares of a step's time, by what is done. */
  readonly shares: {
    /** By ONNX Runtime's profile, as the other operators. */
    readonly matrixProducts: number;
    readonly otherOperators: number;
    /** ONNX Runtime's call around its operators. */
    readonly sessionCall: number;
    /** The optimizer's. */
    readonly update: number;
    /** Copying the batch. */
    readonly copies: number;
    /** The rest. */
    readonly javascript: number;
  };
  /** Shares of the time in operators, the largest first. */
  readonly operators: Readonly<Record<string, number>>;
}

interface ProfileEvent {
  cat: string;
  name: string;
  dur: number;
  args: { op_name?: string };
}

const matrixOperators = new Set(['MatMul', 'Gemm', 'FusedGemm', 'FusedMatMul', 'Conv', 'FusedConv', 'ConvTranspose']);
const LISTED_OPERATORS = 12;

/** Milliseconds by operator in a profile, the largest first. */
function operatorTimes(file: string): [string, number][] {
  const times = new Map<string, number>();
  for (const { cat, name, dur, args } of JSON.parse(readFileSync(file, 'utf8')) as ProfileEvent[]) {
    if (cat !== 'Node' || !name.endsWith('kernel_time')) continue;
    const operator = args.op_name ?? '';
    times.set(operator, (times.get(operator) ?? 0) + dur / 1000);
  }
  return [...times].sort(([, a], [, b]) => b - a);
}

const total = (times: readonly [string, number][]) => times.reduce((sum, [, time]) => sum + time, 0);

const options = JSON.parse(process.argv[2]) as OurStepOptions;
const steps = Number(process.argv[3]);
const warmUp = Math.ceil(steps / 10);
const folder = mkdtempSync(join(tmpdir(), 'deeptwist-profile-'));
try {
  // Once with a profile, for the ratio between operators; once without, for everything else: profiling slows a step.
  const create = ort.InferenceSession.create.bind(ort.InferenceSession) as (
    model: Uint8Array,
    options: InferenceSession.SessionOptions,
  ) => Promise<InferenceSession>;
  const sessions: InferenceSession[] = [];
  const patched = ort.InferenceSession as { create: unknown };
  patched.create = async (model: Uint8Array, sessionOptions: InferenceSession.SessionOptions) => {
    const prefix = join(folder, String(sessions.length));
    const session = await create(model, { ...sessionOptions, enableProfiling: true, profileFilePrefix: prefix });
    sessions.push(session);
    return session;
  };
  const profiled = await openOurStep(options);
  for (let step = 0; step < steps; step++) await profiled.step(step);
  // The other sessions folded constants: what they wrote is not read, and need not be whole.
  const last = sessions.length - 1;
  sessions[last].endProfiling();
  const profile = readdirSync(folder).find((name) => name.startsWith(`${last}_`));
  const operators = operatorTimes(join(folder, profile ?? ''));
  patched.create = create;

  let inSession = 0;
  const prototype = Object.getPrototypeOf(sessions[last]) as { run: (...values: unknown[]) => Promise<unknown> };
  const { run } = prototype;
  prototype.run = async function (...values) {
    const start = performance.now();
    // A run ends with an error that the session expects (session.ts).
    return run.apply(this, values).finally(() => (inSession += performance.now() - start));
  };
  const timed = await openOurStep(options);
  for (let step = 0; step < warmUp; step++) await timed.step(step);
  inSession = 0;
  let updating = 0;
  const start = performance.now();
  for (let step = 0; step < steps; step++) {
    await timed.gradients(step);
    const before = performance.now();
    await timed.update();
    updating += performance.now() - before;
  }
  const elapsed = performance.now() - start;
  const copyStart = performance.now();
  for (let step = 0; step < steps; step++) timed.copyBatch(step);
  const copying = performance.now() - copyStart;

  const inOperators = total(operators);
  const inProducts = total(operators.filter(([operator]) => matrixOperators.has(operator)));
  // The profiled run is slower as a whole; its operators are scaled to at most the time of the call around them.
  const scale = Math.min(1, inSession / inOperators);
  const result: Shares = {
    millisecondsPerStep: elapsed / steps,
    shares: {
      matrixProducts: (inProducts * scale) / elapsed,
      otherOperators: ((inOperators - inProducts) * scale) / elapsed,
      sessionCall: (inSession - inOperators * scale) / elapsed,
      update: updating / elapsed,
      copies: copying / elapsed,
      javascript: (elapsed - inSession - updating - copying) / elapsed,
    },
    operators: Object.fromEntries(
      operators.slice(0, LISTED_OPERATORS).map(([operator, time]) => [operator, time / inOperators]),
    ),
  };
  console.log(JSON.stringify(result));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
