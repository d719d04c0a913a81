/** @file The CLI in its process: real streams, real Ctrl-C. */
import { Console } from 'node:console';
import { readFileSync } from 'node:fs';
import { runCommandLine } from './commandLine.ts';
import { listenForInterrupt } from './interrupt.ts';
import { endWithOutput } from './lostOutput.ts';
import { terminalOf } from './terminal.ts';
import { UncaughtErrors } from './uncaught.ts';

/** Runs the command line of this process. */
export async function runProcess(): Promise<void> {
  const goOnWithoutOutput = endWithOutput();
  const uncaught = new UncaughtErrors();
  const code = await runCommandLine(
    process.argv.slice(2),
    {
      stdout: terminalOf(process.stdout, process.env),
      stderr: terminalOf(process.stderr, process.env),
      directory: process.cwd(),
      now: Date.now,
      keepConsoleOffStdout: () => void (globalThis.console = new Console(process.stderr)),
      loadTrainer: () => import('../training/index.ts'),
      loadExporter: () => import('../export/index.ts'),
      loadMeasurer: () => import('../latency/index.ts'),
      loadAnalyzer: () => import('../sensitivity/index.ts'),
      onInterrupt: listenForInterrupt,
      goOnWithoutOutput,
      uncaught,
    },
    version(),
  );
  for (const stream of [process.stdout, process.stderr]) await new Promise((written) => stream.write('', written));
  process.exit(code); // A timer of a user's module may still be there.
}

/** The package's version; its manifest lies beside `dist/`, where the bundle is. */
function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
