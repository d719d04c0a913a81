/**
 * @file Entry of the process of a contender: it opens one file and measures it when it is asked to. It loads what runs that file and
 * nothing else, so that its memory is that of the file.
 */
import { readFileSync } from 'node:fs';
import { messageOf } from '../protocol/thrown.ts';
import { acceptedWords, type Engine } from './engine.ts';
import { askSchema, contenderSchema, type Answer, type Ask, type ContenderSettings } from './messages.ts';

/** Calls of one round; more tell nothing new. */
const MOST_CALLS = 500;

const settings = contenderSchema.parse(JSON.parse(process.argv.at(-1) ?? ''));
process.once('disconnect', () => process.exit());
/** By samples. */
const prepared = new Map<number, () => unknown>();

const answer = (message: Answer) => process.send?.(message);
const fail = (error: unknown) => answer({ type: 'failed', message: messageOf(error) });

async function open({ format, path, threads, shapes }: ContenderSettings): Promise<Engine> {
  if (format === 'packed') return (await import('./packedEngine.ts')).openPacked(path, shapes);
  return (await import('./onnxEngine.ts')).openOnnx(path, threads, shapes);
}

async function start(): Promise<void> {
  const engine = await open(settings);
  const words = await acceptedWords(engine);
  process.on('message', (message) => {
    const ask = askSchema.parse(message);
    const run = prepared.get(ask.samples) ?? engine.prepare(ask.samples, words);
    prepared.set(ask.samples, run);
    measure(run, ask).then((times) => answer({ type: 'measured', times, peakBytes: peakBytes() }), fail);
  });
  const { batchSize, sample, weightBytes } = engine;
  answer({ type: 'ready', batchSize, sample: sample.map((shape) => [...shape]), weightBytes });
}

async function measure(run: () => unknown, { milliseconds }: Ask): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  let before: number;
  do {
    before = performance.now();
    const result = run();
    // No promise is part of the time of what needs none.
    if (result instanceof Promise) await result;
    times.push(performance.now() - before);
  } while (performance.now() < end && times.length < MOST_CALLS);
  return times;
}

/** On Linux, `getrusage` counts the memory of the process that started this one, before it became Node.js; the kernel's status does not. */
function peakBytes(): number {
  if (process.platform === 'linux') {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kibibytes !== undefined) return 1024 * Number(kibibytes);
  }
  return 1024 * process.resourceUsage().maxRSS;
}

start().catch(fail);
