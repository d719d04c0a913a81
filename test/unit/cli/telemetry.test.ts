/** @file Nothing that is trained or evaluated leaves a trace outside of its folder, least of all ONNX Runtime's telemetry. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createRun } from '../../../server/runs/createRun.ts';
import { useInstallation } from '../installation.ts';
import { experiment, workspace } from '../training/workspace.ts';

const installation = useInstallation();
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-home-'));
  folders.push(folder);
  return folder;
}

const low = {
  compression: { method: 'low-rank', distortEvery: 10, layers: { fc1: { rank: 2 } } }, // Loads both users of ONNX Runtime.
  training: { ...experiment.training, steps: 20 },
};

test.each([
  ['the command line', ['bin', 'deeptwist.js'], async (file: string) => Promise.resolve(['run', file])],
  [
    'a sidecar',
    ['dist', 'sidecar.js'],
    async (file: string) => [
      (await createRun({ experiment: file, text: JSON.stringify({ ...experiment, ...low }) })).path,
    ],
  ],
  ['the model describer', ['bin', 'deeptwist.js'], async (file: string) => Promise.resolve(['describe', file])],
] as const)('%s leaves the home folder empty', async (_, script, argumentsFor) => {
  const { file, folder } = await workspace(low);
  const [home, cache, temporary] = [emptyFolder(), emptyFolder(), emptyFolder()];
  // ONNX Runtime keeps quiet in continuous integration: the variable would hide what a user gets.
  const { CI: _ci, ORT_DISABLE_TELEMETRY: _off, ...inherited } = process.env;
  const env = { ...inherited, HOME: home, USERPROFILE: home, XDG_CACHE_HOME: cache, TMPDIR: temporary };
  const args = [join(installation(), ...script), ...(await argumentsFor(file))];
  execFileSync(process.execPath, args, { cwd: folder, env, stdio: 'pipe' });
  for (const place of [home, cache]) expect(readdirSync(place, { recursive: true })).toEqual([]);
});

test('a program that imports the trainer has no telemetry either', async () => {
  await import('../../../server/compiler/session.ts');
  expect(process.env.ORT_DISABLE_TELEMETRY).toBe('1');
});
