/** Commands that are called by their names, past the `enablement` of package.json, where the workspace is not trusted. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRun } from '../../../server/runs/createRun.ts';
import type { Run } from '../../../server/runs/run.ts';
import { lenet } from '../language/lenet.ts';
import { userErrorOf } from '../userErrorOf.ts';

/** The part of VS Code that these commands use: nothing else can stand in for a window that is not trusted. */
const questions = vi.hoisted((): unknown[][] => []);
vi.mock('vscode', () => ({
  l10n: { t: (text: string, ...values: unknown[]) => text.replace(/\{(\d)\}/g, (_, i: string) => String(values[+i])) },
  workspace: { isTrusted: false },
  window: {
    showWarningMessage: (...question: unknown[]) => {
      questions.push(question);
      return Promise.resolve('Delete');
    },
  },
  Uri: class {},
  ProgressLocation: {},
  EventEmitter: class {},
}));

let folder: string;
let run: Run;

beforeEach(async () => {
  questions.length = 0;
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-restricted-'));
  run = await createRun({ experiment: join(folder, 'lenet.deeptwist.jsonc'), text: lenet });
  await run.update({ state: 'finished' });
});
afterEach(() => rmSync(folder, { recursive: true }));

const services = { store: { refresh: () => Promise.resolve(undefined) } } as never;
const dashboards = {} as never;
/** As a row of the tree. */
const row = () => ({ kind: 'run', stored: { run } });

async function deleteRun(): Promise<void> {
  const { FolderCommands } = await import('../../../extension/commands/folderCommands.ts');
  await new FolderCommands(services).deleteRun(row(), undefined);
}

describe('a workspace that is not trusted', () => {
  test('has its runs deleted by nobody', async () => {
    const error = await userErrorOf(deleteRun);
    expect(error.message).toContain('In Restricted Mode');
    expect(error.remedy).toContain('Manage Workspace Trust');
    expect(questions).toEqual([]);
    expect(existsSync(run.path)).toBe(true);
  });

  test('has no model that is exported', async () => {
    const { ExportCommand } = await import('../../../extension/commands/exportCommand.ts');
    const choices = { format: 'onnx', path: join(folder, 'model.onnx') };
    const error = await userErrorOf(() => new ExportCommand(services, dashboards).exportModel(row(), choices));
    expect(error.message).toContain('is not trusted');
    expect(existsSync(choices.path)).toBe(false);
  });

  test('has no model that is measured', async () => {
    const { LatencyCommand } = await import('../../../extension/commands/latencyCommand.ts');
    const error = await userErrorOf(() => new LatencyCommand(services, dashboards).measureLatency(row()));
    expect(error.message).toContain('is not trusted');
    expect(existsSync(join(run.path, 'latency.json'))).toBe(false);
  });

  test.each(['stop', 'pause', 'continue', 'observeNow', 'checkpointNow'] as const)(
    'has no run that %s reaches',
    async (name) => {
      const { ControlCommands } = await import('../../../extension/commands/controlCommands.ts');
      const error = await userErrorOf(() => new ControlCommands(services)[name](row()));
      expect(error.message).toContain('In Restricted Mode');
    },
  );
});
