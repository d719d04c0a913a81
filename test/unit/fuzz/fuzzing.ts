/** @file Fuzzes readers in a process of their own, which is killed and started anew when a case does not end. */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KILL_BYTES, WALL_LIMIT_MS } from './limits.ts';
import type { CaseResult } from './subject.ts';

const require = createRequire(import.meta.url);
const jiti = join(dirname(require.resolve('jiti/package.json')), 'lib', 'jiti-cli.mjs');
const entry = fileURLToPath(new URL('child.ts', import.meta.url));
/** How often the memory of the process is looked at. */
const WATCH_MS = 50;

type Message = { type: 'ready' | 'done' } | { type: 'start' | 'end'; index: number; what: string; failure?: string };

export class Fuzzing {
  readonly #folder = mkdtempSync(join(tmpdir(), 'deeptwist-fuzz-'));
  #process: ChildProcess | undefined;

  /** @returns the cases in which the reader did something wrong */
  async failures(subject: string, cases: number): Promise<CaseResult[]> {
    const failures: CaseResult[] = [];
    for (let from = 0; from < cases;) {
      const killed = await this.#run(subject, from, cases, failures);
      from = killed === undefined ? cases : killed + 1;
    }
    return failures;
  }

  dispose(): void {
    this.#process?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @returns the number of the case that was killed */
  async #run(subject: string, from: number, to: number, failures: CaseResult[]): Promise<number | undefined> {
    const child = (this.#process ??= await this.#start());
    let current: { index: number; what: string; since: number } | undefined;
    let killedFor: string | undefined;
    const rss = residentBytes(child);
    const kill = (reason: string) => {
      killedFor ??= reason;
      child.kill('SIGKILL');
    };
    const watch = setInterval(() => {
      if (current && Date.now() - current.since > WALL_LIMIT_MS)
        kill(`it had not ended after ${WALL_LIMIT_MS / 1000} s`);
      if (residentBytes(child) > rss + KILL_BYTES) kill('its memory had grown by a gigabyte');
    }, WATCH_MS);
    try {
      return await new Promise((resolve) => {
        child.removeAllListeners('message').removeAllListeners('exit');
        child.on('message', (message: Message) => {
          if (message.type === 'start') current = { ...message, since: Date.now() };
          if (message.type === 'end') {
            current = undefined;
            if (message.failure !== undefined) failures.push({ ...message, failure: message.failure });
          }
          if (message.type === 'done') resolve(undefined);
        });
        child.on('exit', (code, signal) => {
          this.#process = undefined;
          const index = current?.index ?? to;
          const failure = killedFor ?? `the process ended: ${signal ?? code}`;
          failures.push({ index, what: current?.what ?? 'between cases', failure });
          resolve(index);
        });
        child.send({ subject, from, to });
      });
    } finally {
      clearInterval(watch);
    }
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(jiti, [entry, this.#folder], {
      env: { ...process.env, JITI_NATIVE_MODULES: JSON.stringify(['@tensorflow/tfjs', 'vscode-languageserver']) },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`The process of the readers ended with ${code} before it began.`)));
    });
    return child;
  }
}

/** Memory of a process, where the system tells; else 0. */
function residentBytes({ pid }: ChildProcess): number {
  try {
    const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
    return Number(pages) * 4096;
  } catch {
    return 0;
  }
}
