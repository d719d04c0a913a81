/**
 * @file A contender in a process of its own, so that thread pools, libraries and memory of one never meet another's.
 * It speaks lines: first one JSON object that describes it; then, for each line `N` that it reads, it does N steps and
 * answers with one JSON object, an {@link Answer}. The end of its input ends it. Outside its own rounds it
 * is stopped (SIGSTOP), since the worker threads of OpenMP and ONNX Runtime spin for a while after their last work.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import type { Contender } from './bench.ts';

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** Environment variables on top of this process's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Steps of a round. */
  readonly steps: number;
  /** What a round measures; default: milliseconds a step. */
  readonly value?: (answer: Answer) => number;
}

/** What a round took. */
export interface Answer {
  readonly millisecondsPerStep: number;
  /** The most memory that the process has held in RAM so far; absent where nobody asks for it. */
  readonly peakGiB?: number;
}

/** Share of a round's steps that are done before it, uncounted. */
const WARM_UP = 0.25;

/** Starts a contender and waits for its description. Throws, with the last lines that it wrote, when it ends early. */
export async function startChild(options: ChildOptions): Promise<Contender> {
  const { value = ({ millisecondsPerStep }) => millisecondsPerStep } = options;
  const child = spawn(options.command, options.arguments, {
    env: { ...process.env, ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A stopped process outlives its parent unless it is killed: no other signal reaches it.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2000)));
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // A write to a child that has died fails here; the missing answer is what is reported.
  child.stdin.on('error', () => undefined);
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  const answer = async (): Promise<unknown> => {
    const line = await Promise.race([lines.next(), failed]);
    if (!line.done) return JSON.parse(line.value);
    await exited;
    throw new Error(`${options.name} ended (exit code ${child.exitCode}). The end of what it wrote:\n${errors}`);
  };

  const description = (await answer()) as Contender['description'];
  child.kill('SIGSTOP');
  return {
    name: options.name,
    description,
    async round() {
      child.kill('SIGCONT');
      // Threads that wake up find their cores, and data its cache, before the steps that count.
      child.stdin.write(`${Math.ceil(options.steps * WARM_UP)}\n`);
      await answer();
      child.stdin.write(`${options.steps}\n`);
      const measured = (await answer()) as Answer;
      child.kill('SIGSTOP');
      return value(measured);
    },
    async close() {
      child.kill('SIGCONT');
      child.stdin.end();
      await exited;
    },
  };
}

export interface NodeChildOptions extends Omit<ChildOptions, 'command'> {
  /** TypeScript file to run, and where its bundle goes: packages are resolved from there. */
  readonly entry: string;
  readonly script: string;
}

/** Bundles a contender as the product is bundled. */
export async function bundleContender(entry: string, script: string): Promise<void> {
  const bundled = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' } as const;
  await build({ ...bundled, entryPoints: [entry], outfile: script });
  // The threads that update weights have a bundle of their own, beside that which starts them.
  await build({ ...bundled, entryPoints: [join('server', 'optimizers', 'kernelWorker.ts')], outdir: dirname(script) });
}

/** Bundles a contender and starts it in Node. */
export async function startNodeChild({ entry, script, ...options }: NodeChildOptions): Promise<Contender> {
  await bundleContender(entry, script);
  return startChild({ ...options, command: process.execPath, arguments: [script, ...options.arguments] });
}
