/** @file The CLI in its process: real streams, real Ctrl-C. */
import { Console } from 'node:console';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from './commandLine.ts';
import { listenForInterrupt } from './interrupt.ts';
import { endWithOutput } from './lostOutput.ts';
import type { Reporter } from './reporter.ts';
import { terminalOf } from './terminal.ts';
import { UncaughtErrors } from './uncaught.ts';

/** Runs the command line of this process. */
export async function runProcess(): Promise<void> {
  const goOnWithoutOutput = endWithOutput();
  const uncaught = new UncaughtErrors();
  const code = await runCommandLine(process.argv.slice(2), {
    stdout: terminalOf(process.stdout, process.env),
    stderr: terminalOf(process.stderr, process.env),
    directory: process.cwd(),
    now: Date.now,
    keepConsoleOffStdout: () => void (globalThis.console = new Console(process.stderr)),
    loadTrainer: () => import('../training/index.ts'),
    loadExporter: () => import('../export/index.ts'),
    loadMeasurer: () => import('../latency/index.ts'),
    loadAnalyzer: () => import('../sensitivity/index.ts'),
    loadSearcher: () => import('../search/index.ts'),
    // Made of what the dashboard's page is made of: a bundle of its own.
    loadReporter: async () => (await import(new URL('report.js', import.meta.url).href)) as Reporter,
    version: version(),
    sidecarScript: fileURLToPath(new URL('sidecar.js', import.meta.url)),
    commandScript: fileURLToPath(new URL('../bin/deeptwist.js', import.meta.url)),
    ...(process.stdin.isTTY && process.stderr.isTTY && { confirm }),
    onInterrupt: listenForInterrupt,
    goOnWithoutOutput,
    uncaught,
  });
  for (const stream of [process.stdout, process.stderr]) await new Promise((written) => stream.write('', written));
  process.exit(code); // A timer of a user's module may still be there.
}

/** On standard error: results go to standard output. Anything but a yes is a no. */
async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** The package's version; its manifest lies beside `dist/`, where the bundle is. */
function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
