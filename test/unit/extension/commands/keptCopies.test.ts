/** Commands on the copy of an experiment file that a run keeps: it is open where the file itself was renamed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { chooseExperiment, chooseRuns, experimentArgument } from '../../../../extension/commands/commandTargets.ts';
import { findExperimentFiles } from '../../../../extension/runs/experimentFiles.ts';
import { RunStore } from '../../../../extension/runs/runStore.ts';
import { createRun } from '../../../../server/runs/createRun.ts';
import type { Run } from '../../../../server/runs/run.ts';
import { lenet } from '../../language/lenet.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { editor, resetEditor, Uri } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

let folder: string;
let services: Parameters<typeof chooseExperiment>[0];

beforeEach(async () => {
  resetEditor();
  folder = await temporaryFolder();
  const store = new RunStore({ debug: () => undefined } as never, {} as never);
  services = { store } as never;
  return () => store.dispose();
});

const runOf = (out?: string): Promise<Run> =>
  createRun({ experiment: join(folder, 'renamed.deeptwist.jsonc'), text: lenet, out });

test.each([undefined, 'results'])('no run is started of it, and it stands for its own run: in %s', async (place) => {
  const run = await runOf(place && join(folder, place));
  const uri = new Uri(run.experimentFile).toString();
  const { message, remedy } = await userErrorOf(() => chooseExperiment(services, uri));
  expect(message).toContain(run.experimentFile);
  expect(remedy).toContain('Rerun');
  editor.activeFile = run.experimentFile;
  await userErrorOf(() => chooseExperiment(services, undefined));
  expect(experimentArgument(undefined)).toBeUndefined();
  expect((await chooseRuns(services, uri, undefined)).map(({ key }) => key)).toEqual([run.path]);
});

test('no run is started of the copy that a sweep keeps', async () => {
  const sweep = join(folder, '.deeptwist', 'sweeps', '20261125-101500-lenet');
  mkdirSync(sweep, { recursive: true });
  await userErrorOf(() => chooseExperiment(services, new Uri(join(sweep, 'experiment.deeptwist.jsonc')).toString()));
});

test('it is no experiment of the workspace, also where runs lie elsewhere', async () => {
  await runOf(join(folder, 'results'));
  const file = join(folder, 'lenet.deeptwist.jsonc');
  writeFileSync(file, lenet);
  editor.folders = [folder];
  expect(await findExperimentFiles()).toMatchObject([{ file }]);
});
