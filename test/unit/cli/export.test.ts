import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CommandContext } from '../../../server/cli/command.ts';
import { runCommandLine } from '../../../server/cli/commandLine.ts';
import { experiment, workspace } from '../training/workspace.ts';
import { MemoryTerminal } from './memoryTerminal.ts';

async function place(stopAfter?: number) {
  const made = await workspace({ training: { ...experiment.training, steps: 40 } });
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
        goOnWithoutOutput: () => undefined,
        onInterrupt: () => ({
          signal: interrupted ? AbortSignal.abort() : new AbortController().signal,
          dispose: () => undefined,
        }),
        uncaught: { onError: () => undefined, abandoned: new Promise(() => undefined) },
      };
      return { code: await runCommandLine(args, context, '1.2.3'), stdout: stdout.text, stderr: stderr.text };
    },
  };
}

describe('deeptwist export', () => {
  test('writes a file beside where it is called, and says what it measured on it', async () => {
    const { run, folder, cli } = await place();
    const { code, stdout } = await cli(['export', 'last', '--format', 'onnx']);
    expect(code).toBe(0);
    const file = join(folder, `${run.id}.onnx`);
    expect(stdout).toMatch(/^fc1\/kernel +dense +512 B$/m);
    expect(stdout).toMatch(/^file +.* on disk, .* with gzip$/m);
    expect(stdout).toMatch(/^test +accuracy .* of the file in ONNX Runtime +\(.* when the run ended\)$/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(`${run.id}.onnx`);
    expect(existsSync(file)).toBe(true);
  });

  test('prints its report as JSON', async () => {
    const { folder, cli } = await place();
    const { code, stdout } = await cli(['export', 'last', '--json', '--dense', '--out', 'm.onnx']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ format: 'onnx', metric: 'accuracy', batchSize: 'any' });
    expect(report.path).toBe(join(folder, 'm.onnx'));
    expect(report.bytes).toBe(statSync(join(folder, 'm.onnx')).size);
    expect(report.value).toBe(report.runValue);
  });

  test('writes pruned weights as it is told', async () => {
    const { cli } = await place();
    const sparse = await cli(['export', 'last', '--json', '--sparse-initializers', '--out', 'm.onnx']);
    expect(sparse.code).toBe(0);
    const both = await cli(['export', 'last', '--sparse-initializers', '--dense']);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('Leave out --dense') as string });
  });

  test('refuses a run that is not finished, and another format', async () => {
    const { run, cli } = await place(20);
    expect(await cli(['export', 'last'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`deeptwist resume ${run.id}`) as string,
    });
    expect(await cli(['export', 'last', '--format', 'gguf'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Choose one of: onnx.') as string,
    });
  });

  test('is cancelled by Ctrl-C, and leaves no file', async () => {
    const { folder, cli } = await place();
    const { code, stderr } = await cli(['export', 'last', '--out', 'm.onnx'], { interrupted: true });
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'Cancelled: no file was written.\n' });
    expect(existsSync(join(folder, 'm.onnx'))).toBe(false);
  });
});
