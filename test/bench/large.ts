/**
 * @file `npm run bench -- large`: models of the shape of GPT-2. By default the one of 124 million weights: a run of some steps, its memory, a
 * checkpoint, and a run that was killed after it and resumed. With `--growth`, time and memory of a step over the number of weights, the
 * batch and the length of samples. With `--write FILE`, the ONNX file alone.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readSafetensorsHeader } from '../../server/formats/safetensors.ts';
import { UserFile } from '../../server/modules/userFile.ts';
import { root } from '../../scripts/root.js';
import { writeWords } from './batches.ts';
import { beside, type Benchmark, type Result } from './bench.ts';
import { bundleContender } from './child.ts';
import type { OurStepOptions } from './contenders/openOurStep.ts';
import type { LargeStep } from './contenders/largeStep.ts';
import { GPT2_SMALL, writeGpt2, type Gpt2 } from './gpt2.ts';
import { cacheFolder } from './prepare.ts';

/** GiB of memory that a run of the model may hold. */
const MEMORY_LIMIT = 16;
const STEPS = 4;
/** The step with the checkpoint that the second run is killed after. */
const CHECKPOINT = 2;
/** Time or memory may grow by this times as much as what it is measured over. */
const GROWTH_LIMIT = 1.5;

export default {
  options: {
    write: { type: 'string' },
    growth: { type: 'boolean' },
    batch: { type: 'string' },
    threads: { type: 'string' },
  },
  async run({ write, growth, batch = '1', threads = '2' }) {
    if (typeof write === 'string') {
      console.log(`  ${write}: ${writeGpt2(write, GPT2_SMALL).toLocaleString('en')} weights`);
      return [];
    }
    return growth === true ? measureGrowth(Number(threads)) : trainLarge(Number(batch), Number(threads));
  },
} satisfies Benchmark;

/** Tokens drawn at random, the same in each run. */
const data = ({ words, length }: Gpt2) => `
  const part = (tokens, size, from) => ({
    data: Int32Array.from({ length: size * ${length} }, (_, i) => tokens[Math.floor(i / ${length}) * ${length + 1} + (i % ${length}) + from]),
    shape: [size, ${length}],
  });
  function* batches(size, count, seed) {
    let state = seed;
    for (let i = 0; i < count; i++) {
      const tokens = Int32Array.from({ length: size * ${length + 1} }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        return (state >>> 8) % ${words};
      });
      yield { inputs: part(tokens, size, 0), targets: part(tokens, size, 1) };
    }
  }
  export const train = ({ batchSize, seed, epoch }) => batches(batchSize, ${STEPS}, seed + 17 * epoch);
  export const test = () => batches(1, 1, 99);`;

async function trainLarge(batchSize: number, threads: number): Promise<Result[]> {
  const folder = cacheFolder('large');
  rmSync(join(folder, '.deeptwist'), { recursive: true, force: true });
  const weights = writeGpt2(join(folder, 'gpt2.onnx'), GPT2_SMALL);
  writeFileSync(join(folder, 'tokens.mjs'), data(GPT2_SMALL));
  const training = {
    loss: 'sparse-categorical-crossentropy-from-logits',
    optimizer: { type: 'adam', learningRate: 1e-4 },
    ...{ batchSize, threads, steps: STEPS, checkpointEvery: CHECKPOINT, keepCheckpoints: 1 },
  };
  const experiment = { model: './gpt2.onnx', data: { type: 'module', path: './tokens.mjs' }, training };
  writeFileSync(join(folder, 'gpt2.deeptwist.jsonc'), JSON.stringify(experiment, null, 2));

  const whole = await deeptwist(folder, ['run', 'gpt2.deeptwist.jsonc']);
  const [first] = runsIn(folder);
  const checkpoint = join(first, 'checkpoints', `step-${String(CHECKPOINT).padStart(9, '0')}.safetensors`);
  const bytes = await lengthOf(checkpoint);
  await deeptwist(folder, ['run', 'gpt2.deeptwist.jsonc'], (run) =>
    existsSync(join(run, 'checkpoints', `step-${String(CHECKPOINT).padStart(9, '0')}.json`)),
  );
  const [, second] = runsIn(folder);
  const resumed = await deeptwist(folder, ['resume', second]);
  const same = Buffer.compare(await tensorsOf(first), await tensorsOf(second)) === 0;
  console.log(`  ${weights.toLocaleString('en')} weights, a checkpoint of ${(bytes / 1e9).toFixed(2)} GB`);
  return [
    beside(MEMORY_LIMIT, 'memory of a run', whole.peakGiB, 'GiB'),
    beside(MEMORY_LIMIT, 'memory of a resumed run', resumed.peakGiB, 'GiB'),
    {
      case: 'the same weights after kill and resume',
      ours: Number(same),
      unit: 'of 1',
      ratio: Number(same),
      target: 1,
    },
  ];
}

/** The runs in a folder, in the order in which they began. */
function runsIn(folder: string): string[] {
  const runs = join(folder, '.deeptwist', 'runs');
  return existsSync(runs)
    ? readdirSync(runs)
        .sort()
        .map((name) => join(runs, name))
    : [];
}

/**
 * Runs a command to its end.
 * @param kills tells, for the newest run, that the process is to be killed
 * @returns the most memory that it has held; 0 where the system does not tell it
 */
async function deeptwist(
  folder: string,
  args: readonly string[],
  kills?: (run: string) => boolean,
): Promise<{ peakGiB: number }> {
  const before = runsIn(folder).length;
  const child = spawn(process.execPath, [join(root, 'bin', 'deeptwist.js'), ...args], {
    cwd: folder,
    stdio: 'inherit',
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  let peakGiB = 0;
  while (child.exitCode === null && child.signalCode === null) {
    peakGiB = Math.max(peakGiB, peakOf(child));
    const newest = runsIn(folder).slice(before).at(-1);
    if (newest !== undefined && kills?.(newest) === true) child.kill('SIGKILL');
    await Promise.race([pause(200), ended]);
  }
  const code = await ended;
  if (code !== 0 && kills === undefined) throw new Error(`deeptwist ${args.join(' ')} ended with ${code}.`);
  return { peakGiB };
}

function peakOf({ pid }: ChildProcess): number {
  try {
    const kilobytes = /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) / 2 ** 20;
  } catch {
    return 0; // It has ended, or this is no Linux.
  }
}

/** The bytes of the final weights; what the header says of the run differs. */
async function tensorsOf(run: string): Promise<Uint8Array> {
  const file = await UserFile.open(join(run, 'model', 'weights.safetensors'), '');
  try {
    const begin = Math.min(...readSafetensorsHeader(file).entries.map((entry) => entry.begin));
    return file.read(begin, file.length);
  } finally {
    file.close();
  }
}

async function lengthOf(path: string): Promise<number> {
  const file = await UserFile.open(path, '');
  file.close();
  return file.length;
}

/** A model whose number of weights is 64 times the square of its width. */
const square = (width: number): Gpt2 => ({ layers: 4, width, heads: width / 64, words: 16 * width, length: 128 });

interface Point {
  readonly at: number;
  readonly model: Gpt2;
  readonly batch: number;
}

const lines: Readonly<Record<string, readonly Point[]>> = {
  'million weights': [128, 256, 512, 1024].map((width) => ({
    at: width ** 2 / 2 ** 14,
    model: square(width),
    batch: 2,
  })),
  'samples of a batch': [1, 2, 4, 8].map((batch) => ({ at: batch, model: square(256), batch })),
  'tokens of a sample': [64, 128, 256, 512].map((length) => ({
    at: length,
    model: { ...square(256), length },
    batch: 2,
  })),
};

async function measureGrowth(threads: number): Promise<Result[]> {
  const script = join(cacheFolder('.'), 'largeStep.mjs');
  await bundleContender(join('test', 'bench', 'contenders', 'largeStep.ts'), script);
  return Object.entries(lines).flatMap(([over, points]) => {
    const measured = points.map((point) => {
      const step = measureStep(script, point, threads);
      console.log(`  ${point.at} ${over}: ${step.seconds.toFixed(3)} s a step, ${step.peakGiB.toFixed(2)} GiB`);
      return step;
    });
    const growth = (points.at(-1)?.at ?? 1) / points[0].at;
    const [first, last] = [measured[0], measured.at(-1) ?? measured[0]];
    return [
      beside(GROWTH_LIMIT, `slope of time over ${over}`, slope(last.seconds / first.seconds, growth), ''),
      beside(GROWTH_LIMIT, `slope of memory over ${over}`, slope(last.peakGiB / first.peakGiB, growth), ''),
    ];
  });
}

/** Exponent of the growth: 1 where twice as much takes twice as long. */
const slope = (measured: number, over: number) => Math.max(Math.log(measured) / Math.log(over), 0.01);

function measureStep(script: string, { model, batch }: Point, threads: number): LargeStep {
  mkdirSync(cacheFolder('models'), { recursive: true });
  const { width, length, words } = model;
  const file = join('.cache', 'bench', 'models', `gpt2-${width}-${length}.onnx`);
  writeGpt2(file, model);
  const options: OurStepOptions = {
    model: `./${file}`,
    training: { optimizer: { type: 'adam' }, loss: 'sparse-categorical-crossentropy-from-logits' },
    batches: writeWords(2, batch, length, words),
    threads,
    executor: 'compiled',
  };
  const output = execFileSync(process.execPath, [script, JSON.stringify(options)], { encoding: 'utf8' });
  rmSync(file);
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as LargeStep;
}
