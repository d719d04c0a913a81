/** @file The command line in the process of a test: what it prints is kept. */
import type { CommandContext } from '../../../server/cli/command.ts';
import { runCommandLine } from '../../../server/cli/commandLine.ts';
import { MemoryTerminal } from './memoryTerminal.ts';

/**
 * Calls `deeptwist ARGUMENTS` in a folder.
 * @param world parts of the context that a test replaces: by default nobody interrupts, and nothing can start processes
 */
export async function callCommandLine(
  directory: string,
  args: readonly string[],
  world: Partial<CommandContext> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const stdout = new MemoryTerminal();
  const stderr = new MemoryTerminal();
  const code = await runCommandLine(args, {
    stdout,
    stderr,
    directory,
    now: Date.now,
    version: '1.2.3',
    sidecarScript: '',
    commandScript: '',
    keepConsoleOffStdout: () => undefined,
    goOnWithoutOutput: () => undefined,
    loadTrainer: () => import('../../../server/training/index.ts'),
    loadExporter: () => import('../../../server/export/index.ts'),
    loadMeasurer: () => import('../../../server/latency/index.ts'),
    loadAnalyzer: () => import('../../../server/sensitivity/index.ts'),
    loadSearcher: () => import('../../../server/search/index.ts'),
    loadReporter: () => import('../../../webview/report/report.ts'),
    onInterrupt: () => ({ signal: new AbortController().signal, dispose: () => undefined }),
    uncaught: { onError: () => undefined, abandoned: new Promise(() => undefined) },
    ...world,
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}
