/** Processes that are started for runs, and do not take them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { ControlCommands } from '../../../../extension/commands/controlCommands.ts';
import { Launcher } from '../../../../extension/runs/launcher.ts';
import { RunStore } from '../../../../extension/runs/runStore.ts';
import { SidecarConnections } from '../../../../extension/sidecar/sidecarConnections.ts';
import { until } from '../../../until.ts';
import { lenet } from '../../language/lenet.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { editor, resetEditor, shown, Uri } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined } as never;
let folder: string;
let file: string;
let store: RunStore;

beforeEach(async () => {
  resetEditor();
  folder = await temporaryFolder();
  editor.folders = [folder];
  file = join(folder, 'lenet.deeptwist.jsonc');
  writeFileSync(file, lenet);
  store = new RunStore(log, new SidecarConnections('a test'));
  return () => store.dispose();
});

/** @param script what the run's process does in the place of training */
function launcherOf(script: string): Launcher {
  const path = join(folder, 'process.cjs');
  writeFileSync(path, script);
  return new Launcher(store, log, Uri.file(path) as never);
}

test('a run has failed as soon as its process ends without having taken it, with what that said last', async () => {
  const ends: unknown[] = [];
  store.onDidEnd(({ state }) => ends.push(state));
  const script = `console.error('one\\ntwo\\nthree\\n' + process.argv.slice(3).join(' ')); process.exitCode = 2;`;
  editor.settings = { 'runs.parallel': 0 };
  const stored = await launcherOf(script).start({ file });
  await until(() => stored.state === 'failed', 'the failure');
  expect(stored.summary.failure).toEqual({
    message: "The run's process ended before it could begin (code 2): two\nthree\n--parallel 1",
    remedy: expect.stringMatching(`^See ${stored.run.logFile}\\. Correct the setting deeptwist.node.path`),
  });
  await until(() => ends.length > 0, 'the end');
  expect(ends).toEqual(['failed']);
});

test.each([
  [2.7, '2'],
  ['many', '1'],
  [-3, '1'],
])(
  'a run is started as one of a valid number of runs at the same time, whatever the setting is: %j',
  async (value, used) => {
    editor.settings = { 'runs.parallel': value };
    const stored = await launcherOf(`console.log(process.argv.at(-1))`).start({ file });
    await until(() => stored.state === 'failed', 'the failure');
    expect(stored.summary.failure?.message).toMatch(`(code 0): ${used}`);
  },
);

test('a run that a process did not take is not resumed, and stays what it was', async () => {
  const stored = await launcherOf(`console.log('no trainer here')`).start({ file });
  await until(() => stored.state === 'failed', 'the failure');
  await stored.run.update({ state: 'stopped', failure: undefined });
  const { message, remedy } = await userErrorOf(() => launcherOf(`console.log('nor here')`).resume(stored));
  expect(message).toBe("The run's process ended before it could begin (code 0): nor here");
  expect(remedy).toContain(stored.run.logFile);
  expect(stored.state).toBe('stopped');
});

test('a run can be stopped while its process is starting', async () => {
  const launcher = launcherOf(`setInterval(() => undefined, 1000)`);
  const stored = await launcher.start({ file });
  await new ControlCommands({ store, launcher } as never).stop({ kind: 'run', stored });
  await until(() => stored.state === 'stopped', 'the end');
  expect(stored.summary.failure).toBeUndefined();
  expect(shown).toEqual([]);
  expect(await launcher.stop(stored)).toBe(false);
});
