/**
 * @file Where the time of our training step goes. Arguments as ourStep.ts. Prints one JSON object: milliseconds a step, and
 * the shares of matrix products and other operators (by ONNX Runtime's profile), of its call around them, of the
 * optimizer's update, of copying the batch, and of the rest, which is JavaScript.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { openOurStep } from './openOurStep.ts';

const WARM_UP = 20;
const STEPS = 200;

interface ProfileEvent {
  cat: string;
  name: string;
  dur: number;
  args: { op_name?: string };
}

const matrixOperators = new Set(['MatMul', 'Gemm', 'FusedGemm', 'FusedMatMul', 'Conv', 'FusedConv', 'ConvTranspose']);

/** Milliseconds in operators, by whether they are matrix products, of one profiled session. */
function operatorTimes(file: string): { matrix: number; other: number } {
  const times = { matrix: 0, other: 0 };
  for (const event of JSON.parse(readFileSync(file, 'utf8')) as ProfileEvent[]) {
    if (event.cat !== 'Node' || !event.name.endsWith('kernel_time')) continue;
    times[matrixOperators.has(event.args.op_name ?? '') ? 'matrix' : 'other'] += event.dur / 1000;
  }
  return times;
}

const folder = mkdtempSync(join(tmpdir(), 'deeptwist-profile-'));
try {
  // Once with a profile, for the ratio between operators; once without, for everything else: profiling slows a step.
  const create = ort.InferenceSession.create.bind(ort.InferenceSession) as (
    model: Uint8Array,
    options: ort.InferenceSession.SessionOptions,
  ) => Promise<ort.InferenceSession>;
  let session: ort.InferenceSession | undefined;
  const patched = ort.InferenceSession as { create: unknown };
  patched.create = async (model: Uint8Array, options: ort.InferenceSession.SessionOptions) =>
    (session = await create(model, { ...options, enableProfiling: true, profileFilePrefix: join(folder, 'profile') }));
  const profiled = await openOurStep(process.argv.slice(2));
  for (let step = 0; step < STEPS; step++) await profiled.step(step);
  session?.endProfiling();
  const operators = readdirSync(folder)
    .map((name) => operatorTimes(join(folder, name)))
    .reduce((largest, times) => (times.matrix > largest.matrix ? times : largest));
  patched.create = create;

  let inSession = 0;
  const prototype = Object.getPrototypeOf(session) as { run: (...values: unknown[]) => Promise<unknown> };
  const { run } = prototype;
  prototype.run = async function (...values) {
    const start = performance.now();
    const result = await run.apply(this, values);
    inSession += performance.now() - start;
    return result;
  };
  const timed = await openOurStep(process.argv.slice(2));
  for (let step = 0; step < WARM_UP; step++) await timed.step(step);
  inSession = 0;
  let updating = 0;
  const start = performance.now();
  for (let step = 0; step < STEPS; step++) {
    await timed.gradients(step);
    const before = performance.now();
    timed.update();
    updating += performance.now() - before;
  }
  const total = performance.now() - start;
  const copyStart = performance.now();
  for (let step = 0; step < STEPS; step++) timed.copyBatch(step);
  const copying = performance.now() - copyStart;

  const operatorTotal = operators.matrix + operators.other;
  const perStep = (milliseconds: number) => milliseconds / STEPS;
  // The profiled run is slower as a whole; its operators are scaled to at most the time of the call around them.
  const scale = Math.min(1, inSession / operatorTotal);
  console.log(
    JSON.stringify({
      millisecondsPerStep: perStep(total),
      matrixProducts: (operators.matrix * scale) / total,
      otherOperators: (operators.other * scale) / total,
      sessionCall: (inSession - operatorTotal * scale) / total,
      update: updating / total,
      copies: copying / total,
      javascript: (total - inSession - updating - copying) / total,
    }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
