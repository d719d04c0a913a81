/** @file The CLI in its process: real streams, real Ctrl-C. `bin/deeptwist.js` calls it. */
import { Console } from 'node:console';
import { readFileSync } from 'node:fs';
import { runCommandLine } from './commandLine.ts';
import { listenForInterrupt } from './interrupt.ts';
import { terminalOf } from './terminal.ts';
import { UncaughtErrors } from './uncaught.ts';

/** Runs the command line of this process. */
export async function main(): Promise<void> {
  // A reader of our output that goes away (`| head`) does not end the run: the run folder is what counts.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe);
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
      onInterrupt: listenForInterrupt,
      uncaught,
    },
    version(),
  );
  for (const stream of [process.stdout, process.stderr]) await new Promise((written) => stream.write('', written));
  process.exit(code); // A timer of a user's module may still be there.
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** The package's version; its manifest lies beside `dist/`, where the bundle is. */
function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
