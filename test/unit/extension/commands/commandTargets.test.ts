/** A command that is called for something is never for another experiment in its place, also where there is only one. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { chooseExperiment, chooseRuns, chooseSweep } from '../../../../extension/commands/commandTargets.ts';
import { RunCommands } from '../../../../extension/commands/runCommands.ts';
import { RunStore } from '../../../../extension/runs/runStore.ts';
import { runTitle } from '../../../../extension/runs/runTitles.ts';
import type { StoredRun } from '../../../../extension/runs/storedRun.ts';
import { Sweeps } from '../../../../extension/runs/sweeps.ts';
import { createRun } from '../../../../server/runs/createRun.ts';
import { changeRunLabel } from '../../../../server/runs/runLabel.ts';
import { createSweep } from '../../../../server/sweeps/sweepFolder.ts';
import { useInstallation } from '../../installation.ts';
import { lenet } from '../../language/lenet.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { editor, resetEditor, shown, Uri } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

const installation = useInstallation();
let folder: string;
let only: string;
let services: Parameters<typeof chooseSweep>[0];

beforeEach(async () => {
  resetEditor();
  folder = await temporaryFolder();
  editor.folders = [folder];
  only = join(folder, 'only.deeptwist.jsonc');
  writeFileSync(only, lenet);
  const log = { debug: () => undefined, info: () => undefined } as never;
  const store = new RunStore(log, {} as never);
  const sweeps = new Sweeps(store, { extensionUri: Uri.file(installation()) as never });
  services = { store, sweeps } as never;
  return () => [sweeps, store].forEach((one) => one.dispose());
});

test('without an experiment in the editor, it is the only one of the workspace', async () => {
  editor.activeFile = join(folder, 'model.ts');
  expect(await chooseExperiment(services, undefined)).toMatchObject({ file: only });
});

test.each([
  ['untitled:Untitled-1', 'untitled:Untitled-1'],
  ['untitled:/ws/new.deeptwist.jsonc', 'untitled:/ws/new.deeptwist.jsonc'],
  ['file:///ws/experiment.jsonc', '/ws/experiment.jsonc'],
])('a document that is no experiment file is not taken for one, nor for a sweep: %s', async (address, name) => {
  await createRun({ experiment: only, text: lenet });
  for (const document of [address, Uri.parse(address)])
    for (const choose of [
      () => chooseExperiment(services, document),
      () => chooseSweep(services, document),
      () => chooseRuns(services, document, undefined),
    ]) {
      const { message, remedy } = await userErrorOf(choose);
      expect(message).toBe(`${name} is not an experiment file.`);
      expect(remedy).toContain('Save it under a name that ends in .deeptwist.jsonc');
    }
});

test('what was written in the editor and is no file yet is to be saved first', async () => {
  Object.assign(editor, { activeFile: 'Untitled-1', activeScheme: 'untitled' });
  const { message } = await userErrorOf(() => chooseExperiment(services, undefined));
  expect(message).toBe('untitled:Untitled-1 is not an experiment file.');
});

test('a run that was deleted stands for no other experiment', async () => {
  const { path } = await createRun({ experiment: only, text: lenet });
  rmSync(path, { recursive: true });
  const { message, remedy } = await userErrorOf(() => chooseExperiment(services, path));
  expect(message).toContain(path);
  expect(remedy).toContain('deleted');
});

test('a run stands for its experiment, and a path for its sweep', async () => {
  const { path } = await createRun({ experiment: only, text: lenet });
  expect(await chooseExperiment(services, path)).toMatchObject({ file: only });
  const combinations = [['training.seed=1'], ['training.seed=2']];
  const sweep = await createSweep({ experiment: only, text: lenet, overrides: [], combinations });
  expect(await chooseSweep(services, sweep.path)).toBe(sweep.path);
  expect(await chooseSweep(services, only)).toBe(sweep.path);
});

test.each([
  [undefined, 'This workspace has no run yet.', 'only has no run yet.'],
  ['stopped', 'No stopped run to resume.', 'No stopped run of only to resume.'],
  ['finished', 'No run has finished yet.', 'No run of only has finished yet.'],
  ['inProgress', 'No run is in progress.', 'No run of only is in progress.'],
] as const)(
  'what is missing is said of the workspace and of an experiment, for runs that are %s',
  async (state, none, noneOf) => {
    await createRun({ experiment: only, text: lenet });
    const options = { where: () => false, ...(state && { state }) };
    expect(await chooseRuns(services, undefined, undefined, options)).toEqual([]);
    expect(await chooseRuns(services, Uri.file(only), undefined, options)).toEqual([]);
    expect(shown).toEqual([
      ['information', none],
      ['information', noneOf],
    ]);
  },
);

describe('the picker of runs', () => {
  const time = '.*\\d\\d:\\d\\d';
  const picked = () => {
    const [[kind, items, options]] = shown;
    const rows = (items as { label: string; description: string }[]).map(({ label, description }) => [
      label,
      description,
    ]);
    return { kind, rows, placeHolder: (options as { placeHolder: string }).placeHolder };
  };

  async function runOf(seed: number, minutes: number) {
    const now = new Date(Date.now() - minutes * 60_000);
    const run = await createRun({ experiment: only, text: lenet, overrides: [`training.seed=${seed}`], now });
    await run.update({ state: 'finished', result: { metric: 'accuracy', test: 0.5, byteRatio: 1, weightRatio: 1 } });
    return run;
  }

  test('names them by what tells them apart, or by the name and the note that the user gave', async () => {
    await runOf(1, 1);
    const named = await runOf(2, 2);
    await changeRunLabel(named.path, { name: 'the good one', note: 'as in the paper' });
    await (await runOf(3, 3)).update({ state: 'stopped', result: undefined });
    expect(await chooseRuns(services, undefined, undefined, { several: 'Select runs to compare' })).toEqual([]);
    expect(picked()).toEqual({
      kind: 'pick',
      placeHolder: 'Select runs to compare',
      rows: [
        ['only · seed 1', expect.stringMatching(`^accuracy 50.00% · ${time}$`)],
        ['only · the good one', expect.stringMatching(`^accuracy 50.00% · ${time} · as in the paper$`)],
        ['only · seed 3', expect.stringMatching(`^stopped · ${time}$`)],
      ],
    });
  });

  test('names one by its time where nothing else tells it apart, and titles do as well', async () => {
    const run = await runOf(1, 1);
    await chooseRuns(services, undefined, undefined, { several: 'Select runs to delete' });
    const { rows } = picked();
    expect(rows).toEqual([[expect.stringMatching(`^only · ${time}$`), 'accuracy 50.00%']]);
    const stored = (await services.store.get(run.path))!;
    expect(await runTitle(services.store, stored)).toBe(rows[0][0]);
    await runOf(2, 2);
    expect(await runTitle(services.store, stored)).toBe('only · seed 1');
  });
});

test('Resume asks for no failed run without a checkpoint', async () => {
  const runs = await Promise.all(
    [1, 2].map(async (seed) => {
      const run = await createRun({ experiment: only, text: lenet, overrides: [`training.seed=${seed}`] });
      await run.update({ state: 'failed', failure: { message: 'It broke.' } });
      return run;
    }),
  );
  mkdirSync(runs[1].checkpointsFolder, { recursive: true });
  writeFileSync(join(runs[1].checkpointsFolder, 'step-000000010.json'), '{}');
  const launcher = { resume: (stored: StoredRun) => Promise.resolve(stored) };
  const commands = new RunCommands({ ...services, launcher } as never, {} as never, {
    reveal: () => undefined,
    watched: () => [],
  });
  expect((await commands.resume(undefined))?.key).toBe(runs[1].path);
});
