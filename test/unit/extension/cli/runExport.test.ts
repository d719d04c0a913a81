/** The real command in a process of its own, as the editor runs it. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { runExport, type ExportRequest } from '../../../../extension/cli/runExport.ts';
import type { ExportProgress } from '../../../../server/protocol/wire/progressLine.ts';
import { readExportedFiles } from '../../../../server/runs/exportedFiles.ts';
import { useInstallation } from '../../installation.ts';
import { experiment, workspace } from '../../training/workspace.ts';
import { userErrorOf } from '../../userErrorOf.ts';

vi.mock('vscode', () => ({
  l10n: { t: (text: string, ...values: unknown[]) => text.replace(/\{(\d)\}/g, (_, i: string) => String(values[+i])) },
}));

const installation = useInstallation();

async function finishedRun() {
  const made = await workspace({ training: { ...experiment.training, steps: 20 } });
  const { run } = await made.run();
  const path = join(made.folder, 'model.onnx');
  return {
    ...made,
    run,
    path,
    export: (
      changes: Partial<ExportRequest> = {},
      { signal = new AbortController().signal, onProgress = (_: ExportProgress) => undefined as void } = {},
    ) =>
      runExport(
        { run: run.path, format: 'onnx', path, options: [], ...changes },
        { node: process.execPath, command: join(installation(), 'bin', 'deeptwist.js'), signal, onProgress },
      ),
  };
}

describe('an export in a process of its own', () => {
  test('tells how far it is, and what it measured on the file', async () => {
    const made = await finishedRun();
    const phases: string[] = [];
    const file = await made.export({}, { onProgress: ({ phase }) => void phases.push(phase) });
    expect(file).toMatchObject({ path: made.path, format: 'onnx', bytes: statSync(made.path).size });
    expect(phases.slice(0, 3)).toEqual(['loading', 'writing', 'verifying']);
    expect(await readExportedFiles(made.run)).toEqual([{ ...file, isThere: true }]);
  });

  test.each(['at once', 'while the model is loaded'])('that is cancelled %s leaves nothing', async (moment) => {
    const made = await finishedRun();
    const cancel = new AbortController();
    if (moment === 'at once') cancel.abort();
    const onProgress = ({ phase }: ExportProgress) => phase === 'loading' && cancel.abort();
    expect(await made.export({}, { signal: cancel.signal, onProgress })).toBeUndefined();
    expect(readdirSync(made.folder).filter((name) => name.startsWith('model.onnx'))).toEqual([]);
    expect(await readExportedFiles(made.run)).toEqual([]);
  });

  test('says why it failed, and goes on with the option that it names', async () => {
    const made = await finishedRun();
    await appendFile(join(made.folder, 'model.ts'), '// Changed.\n');
    const error = await userErrorOf(() => made.export());
    expect(error.message).toContain('model.ts has changed since the run');
    expect(error.remedy).toContain('Restore what the run was made from');
    expect(error.option).toBe('with-changed-files');
    expect(existsSync(made.path)).toBe(false);
    expect((await made.export({ options: [error.option!] }))?.path).toBe(made.path);
  });

  test('that ends without a word tells its exit code and what it printed', async () => {
    const made = await finishedRun();
    const error = await userErrorOf(() => made.export({ options: ['no-such-option'] }));
    expect(error.message).toBe('The process of the command ended before it did (2).');
    expect(error.remedy).toContain('unknown option --no-such-option');
  });
});
