/** The real command in a process of its own, as the editor runs it. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { runBenchmark } from '../../../../extension/cli/runBenchmark.ts';
import type { ExportProgress } from '../../../../server/protocol/wire/progressLine.ts';
import { readLatency } from '../../../../server/runs/latencyRecord.ts';
import { useInstallation } from '../../installation.ts';
import { experiment, workspace } from '../../training/workspace.ts';
import { userErrorOf } from '../../userErrorOf.ts';

vi.mock('vscode', () => ({ l10n: { t: (text: string) => text } }));

const installation = useInstallation();

test('a measurement in a process of its own tells how far it is, is recorded, and can be cancelled', async () => {
  const made = await workspace({ training: { ...experiment.training, steps: 20 } });
  const { run } = await made.run();
  const started = (cancel: AbortController, onProgress: (progress: ExportProgress) => void) =>
    runBenchmark(run.path, [], {
      ...{ node: process.execPath, command: join(installation(), 'bin', 'deeptwist.js') },
      ...{ signal: cancel.signal, onProgress },
    });
  const cancel = new AbortController();
  const cancelled = started(cancel, ({ phase }) => phase === 'measuring' && cancel.abort());
  expect(await cancelled).toBeUndefined();
  expect(await readLatency(run)).toBeUndefined();

  const phases = new Set<string>();
  const measured = await started(new AbortController(), ({ phase }) => phases.add(phase));
  expect(measured?.models.map(({ format }) => format)).toEqual(['onnx', 'onnx', 'packed']);
  expect([...phases]).toEqual(['loading', 'writing', 'measuring']);
  expect(await readLatency(run)).toEqual(measured);

  await appendFile(join(made.folder, 'model.ts'), '// Changed.\n');
  const error = await userErrorOf(() => started(new AbortController(), () => undefined));
  expect(error.option).toBe('with-changed-files');
});
