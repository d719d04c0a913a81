/** @file What becomes of a command whose terminal is gone, or whose output goes to a full disk or to nobody. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRun } from '../../../server/runs/findRun.ts';
import { useInstallation } from '../installation.ts';
import { eventsOf, experiment, recordedEvents, workspace, type Workspace } from '../training/workspace.ts';

const installation = useInstallation();
const file = 'blobs.deeptwist.jsonc';

function deeptwist({ folder }: Workspace, args: readonly string[], lost: { stdout?: number; stderr?: number }) {
  return spawnSync(process.execPath, [join(installation(), 'bin', 'deeptwist.js'), ...args], {
    cwd: folder,
    stdio: ['ignore', lost.stdout ?? 'pipe', lost.stderr ?? 'pipe'],
    encoding: 'utf8',
  });
}

async function expectFinished({ folder }: Workspace): Promise<void> {
  const run = await findRun('last', folder);
  expect(run.record.state).toBe('finished');
  expect(eventsOf(await recordedEvents(run), 'metrics').at(-1)?.step).toBe(60);
}

// Every write to this device fails with ENOSPC.
describe.runIf(existsSync('/dev/full'))('on a full disk', () => {
  const full = existsSync('/dev/full') ? openSync('/dev/full', 'w') : undefined;

  test.each([[['run', file, '--json']], [['run', file]]])('`%j` goes on, and says so once', async (args) => {
    const place = await workspace();
    const { status, stderr } = deeptwist(place, args, { stdout: full });
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^warning: standard output cannot be written: ENOSPC[^\n]*\nThe run goes on; everything that it records is in its folder\.\n(The run is in [^\n]*\n)?$/,
    );
    await expectFinished(place);
  });

  test('a run goes on where neither of its streams can be written', async () => {
    const place = await workspace();
    expect(deeptwist(place, ['run', file], { stdout: full, stderr: full }).status).toBe(0);
    await expectFinished(place);
  });

  test('commands that only print fail with a message, and never with a stack trace', async () => {
    const place = await workspace();
    await place.run();
    const commands = [['runs'], ['show', 'last'], ['show', 'last', '--follow'], ['compare', 'last', 'last'], ['evaluate', 'last'], ['describe', file], ['run', '--help'], ['--help'], ['--version']]; // prettier-ignore
    for (const args of commands) {
      const { status, stderr } = deeptwist(place, args, { stdout: full });
      expect({ args, status, stderr }).toEqual({
        args,
        status: 1,
        stderr: expect.stringMatching(/^error: standard output cannot be written: ENOSPC[^\n]*\n$/) as string,
      });
    }
  });

  test('a mistake keeps its exit code where its message is lost', async () => {
    expect(deeptwist(await workspace(), ['nonsense'], { stderr: full }).status).toBe(2);
  });
});

/** Runs a command in a terminal that is closed once the command has printed a text, as a connection that drops. */
const closingTerminal = `
import os, pty, signal, subprocess, sys
master, slave = pty.openpty()
def leave():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.setsid()
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, preexec_fn=leave, close_fds=True)
os.close(slave)
seen = b''
while sys.argv[1].encode() not in seen:
    seen += os.read(master, 1000)
os.close(master)
sys.exit(child.wait())
`;
const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0;

test.runIf(hasPython)('a run whose terminal goes away trains to its end', async () => {
  const place = await workspace({ training: { ...experiment.training, steps: 5000 } });
  const { status, stderr } = spawnSync(
    'python3',
    ['-c', closingTerminal, 'step', process.execPath, join(installation(), 'bin', 'deeptwist.js'), 'run', file],
    { cwd: place.folder, encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const run = await findRun('last', place.folder);
  expect(run.record.state).toBe('finished');
});

test('a command whose reader leaves ends quietly', async () => {
  const place = await workspace();
  await place.run();
  const child = spawn(process.execPath, [join(installation(), 'bin', 'deeptwist.js'), 'show', 'last'], {
    cwd: place.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
