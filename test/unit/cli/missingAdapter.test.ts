/** @file A machine without a graphics processor, which Vulkan plays where it is told of no driver. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { useInstallation } from '../installation.ts';
import { eventsOf, workspace, type Workspace } from '../training/workspace.ts';

const installation = useInstallation();

function deeptwist({ folder }: Workspace, device: string, ...options: string[]) {
  const command = join(installation(), 'bin', 'deeptwist.js');
  const settings = ['--set', `training.device=${device}`, '--set', 'training.steps=5'];
  const env = { ...process.env, VK_ICD_FILENAMES: '/nowhere', VK_DRIVER_FILES: '/nowhere' };
  return spawnSync(process.execPath, [command, 'run', 'blobs.deeptwist.jsonc', ...settings, ...options], {
    ...{ cwd: folder, env, encoding: 'utf8' },
  });
}

// Elsewhere the driver is part of the system.
describe.runIf(process.platform === 'linux')('without a graphics processor', () => {
  test('the device "webgpu" is an error of its setting, with a remedy, and nothing else is printed', async () => {
    const { status, stdout, stderr } = deeptwist(await workspace(), 'webgpu');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(
      /training\.device: WebGPU finds no graphics processor on this machine \(No supported adapters\)\n.*Install the driver/s,
    );
  });

  test('"auto" trains on the processor and says why', async () => {
    const { status, stdout } = deeptwist(await workspace(), 'auto', '--json');
    expect(status).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
    expect(eventsOf(events, 'started')[0].computedOn).toBe('cpu');
    expect(eventsOf(events, 'warning').map(({ message }) => message)).toEqual([
      'training.device: the processor trains. WebGPU finds no graphics processor on this machine (No supported adapters).',
    ]);
  });
});
