/** @file A run, and the command line beside it, for tests of commands. */
import type { CommandContext } from '../../../server/cli/command.ts';
import { runCommandLine } from '../../../server/cli/commandLine.ts';
import { experiment, workspace } from '../training/workspace.ts';
import { MemoryTerminal } from './memoryTerminal.ts';

/**
 * Trains an experiment.
 * @param stopAfter step after which the run stops; default: it finishes
 * @returns the run, and calls of the command line where its experiment is
 */
export async function place(stopAfter?: number, changes: Parameters<typeof workspace>[0] = {}) {
  const made = await workspace({ ...changes, training: { ...experiment.training, steps: 40 } });
  const { run } = await made.run({ stopAfter });
  return {
    run,
    folder: made.folder,
    async cli(args: string[], { interrupted = false } = {}) {
      const stdout = new MemoryTerminal();
      const stderr = new MemoryTerminal();
      const context: CommandContext = {
        stdout,
        stderr,
        directory: made.folder,
        now: Date.now,
        keepConsoleOffStdout: () => undefined,
        loadTrainer: () => import('../../../server/training/index.ts'),
        loadExporter: () => import('../../../server/export/index.ts'),
        sidecarScript: '',
        commandScript: '',
        loadMeasurer: () => import('../../../server/latency/index.ts'),
        loadAnalyzer: () => import('../../../server/sensitivity/index.ts'),
        loadReporter: () => import('../../../webview/report/report.ts'),
        version: '1.2.3',
        loadSearcher: () => import('../../../server/search/index.ts'),
        goOnWithoutOutput: () => undefined,
        onInterrupt: () => ({
          signal: interrupted ? AbortSignal.abort() : new AbortController().signal,
          dispose: () => undefined,
        }),
        uncaught: { onError: () => undefined, abandoned: new Promise(() => undefined) },
      };
      return { code: await runCommandLine(args, context), stdout: stdout.text, stderr: stderr.text };
    },
  };
}
