import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCommand, type CommandRun } from '../../../server/commandClient/runCommand.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';

async function command(program: string, options: Partial<CommandRun> = {}) {
  const directory = await temporaryFolder();
  const script = join(directory, 'command.mjs');
  await writeFile(script, program);
  const { signal } = new AbortController();
  return {
    directory,
    end: runCommand({ node: process.execPath, args: [script, 'FIRST'], directory, signal, graceMs: 0, ...options }),
  };
}

describe('a command', () => {
  test('tells its exit code, its output and its last words, and its lines while it runs', async () => {
    const lines: string[] = [];
    const program = `
      console.log(process.argv[2], process.cwd());
      process.stderr.write('a\\nb');
      process.stderr.write('c\\nlast');
      process.exitCode = 3;`;
    const { directory, end } = await command(program, { onLine: (line) => lines.push(line) });
    expect(await end).toEqual({ exit: 3, output: `FIRST ${directory}\n`, lastWords: 'a\nbc\nlast' });
    expect(lines).toEqual(['a', 'bc', 'last']);
  });

  test('is killed at once where it has no time to stop', async () => {
    const cancel = new AbortController();
    const program = `console.error('running'); setInterval(() => undefined, 1000);`;
    const { end } = await command(program, { signal: cancel.signal, onLine: () => cancel.abort() });
    expect((await end).exit).toBe('SIGKILL');
  });

  test('stops in order where it has time for that', async () => {
    const cancel = new AbortController();
    const program = `
      import { writeFileSync } from 'node:fs';
      process.on('disconnect', () => { writeFileSync('in-order', ''); process.exit(130); });
      console.error('running');`;
    const { directory, end } = await command(program, {
      signal: cancel.signal,
      graceMs: 60_000,
      onLine: () => cancel.abort(),
    });
    expect((await end).exit).toBe(130);
    expect(existsSync(join(directory, 'in-order'))).toBe(true);
  });

  test('is killed when it does not stop in its time', async () => {
    const cancel = new AbortController();
    const program = `process.on('disconnect', () => undefined); console.error('running'); setInterval(() => undefined, 1000);`;
    const { end } = await command(program, { signal: cancel.signal, graceMs: 50, onLine: () => cancel.abort() });
    expect((await end).exit).toBe('SIGKILL');
  });

  test('that cannot be started says which program is missing, and which setting names it', async () => {
    const error = await userErrorOf(async () => (await command('', { node: '/no/such/node' })).end);
    expect(error.message).toBe('A process cannot be started with /no/such/node: there is no such file.');
    expect(error.remedy).toContain('deeptwist.node.path');
  });

  test('that cannot be started in a folder that is gone sends nobody to the setting', async () => {
    const error = await userErrorOf(async () => (await command('', { directory: '/no/such/folder' })).end);
    expect(error.message).toMatch(/: the folder that it is to run in is gone\.$/);
    expect(error.remedy).toBeUndefined();
  });
});
