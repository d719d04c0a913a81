import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { killRun } from '../../../server/sidecarClient/endRun.ts';
import { identify } from '../../../server/runs/liveProcess.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { endpointOf, newName, runtimeFolder } from '../../../server/runs/runtimeFolder.ts';
import { findRunProcess, removeTicket, writeTicket } from '../../../server/runs/tickets.ts';
import { temporaryRun } from '../runs/temporaryRun.ts';

describe('ending the process of a run', () => {
  const sleeper = () => spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
  const ticketOf = (run: Run, pid: number) => {
    const [folder, name] = [runtimeFolder(), newName()];
    writeTicket(folder, name, { process: identify(pid), run: run.path });
    return { socket: endpointOf(folder, name), name, folder };
  };

  it('ends the one whose ticket names the run, and removes ticket and socket; one that is dead is left alone', async () => {
    const run = await temporaryRun();
    const other = sleeper();
    const exit = once(other, 'exit');
    const { socket, folder, name } = ticketOf(run, other.pid!);
    await writeFile(socket, '');
    await run.update({ state: 'running', process: identify(other.pid!) });
    expect(findRunProcess(run)).toMatchObject({ endpoint: socket, process: { pid: other.pid } });
    await killRun(run);
    expect((await exit)[1]).toBe('SIGKILL');
    expect((await readdir(folder)).filter((file) => file.startsWith(name))).toEqual([]);
    await killRun(run);
    await run.update({ process: { ...identify(process.pid), startTime: 'another boot/1' } });
    await killRun(run); // Not this process, which has the same number.
    await run.update({ process: { pid: 1, host: 'somewhere-else' } });
    await expect(killRun(run)).rejects.toThrow(/is trained by process 1 on somewhere-else, or was/);
  });

  it('does nothing to a process or a file that run.json alone names', async () => {
    const [run, trained] = [await temporaryRun(), await temporaryRun()];
    const victim = sleeper();
    const file = `${dirname(run.record.experiment)}/notes.txt`;
    await writeFile(file, 'mine');
    const { folder, name } = ticketOf(trained, victim.pid!); // A process of this user, which trains another run.
    try {
      const claim = { ...run.record, state: 'running', process: identify(victim.pid!), endpoint: file };
      await writeFile(`${run.path}/run.json`, JSON.stringify(claim));
      const opened = await openRun(run.path);
      expect(findRunProcess(opened)).toBeUndefined();
      await expect(killRun(opened)).rejects.toThrow(/no editor of yours started it/);
      expect(victim.exitCode ?? victim.signalCode).toBeNull();
      expect(existsSync(file)).toBe(true);
    } finally {
      removeTicket(folder, name);
      victim.kill('SIGKILL');
    }
  });

  it('finds the process of a run that is reached through a link', async () => {
    const run = await temporaryRun();
    const link = `${dirname(run.path)}/link`;
    await symlink(run.path, link);
    const { folder, name } = ticketOf(run, process.pid);
    try {
      await run.update({ state: 'running', process: identify(process.pid) });
      expect(findRunProcess(await openRun(link))?.process.pid).toBe(process.pid);
    } finally {
      removeTicket(folder, name);
    }
  });
});
