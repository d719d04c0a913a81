/**
 * @file What tests and other commands would leave behind. Tests run with a folder for temporary files of their own: a process
 * that still has it, and a socket that lies in it, were not cleaned up.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATIENCE } from './patience.js';

/** @returns {{ path: string, env: Record<string, string> }} a new folder, and the environment that makes it the temporary one */
export function temporaryFolder() {
  // Short: the path of a socket in it has at most about 104 bytes.
  const path = mkdtempSync(join(tmpdir(), 'dt-'));
  return { path, env: process.platform === 'win32' ? { TEMP: path, TMP: path } : { TMPDIR: path } };
}

/** Removes the folder, when what uses it has ended. @param {string} folder @returns {Promise<string[]>} a sentence for each process and socket that was left */
export async function removeWithLeftovers(folder) {
  const deadline = performance.now() + PATIENCE;
  let left = [...processes(folder), ...sockets(folder)];
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = [...processes(folder), ...sockets(folder)];
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  return left;
}

/** The processes that have the folder in their environment or, where only that can be seen, their arguments. @param {string} folder */
function processes(folder) {
  const sentence = (/** @type {string} */ pid, /** @type {string} */ command) =>
    `Process ${pid} was left behind: ${command.trim().slice(0, 300)}`;
  if (process.platform === 'linux')
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const environment = readFileSync(join('/proc', pid, 'environ'), 'utf8').split('\0');
          if (!environment.includes(`TMPDIR=${folder}`)) return [];
          return [sentence(pid, readFileSync(join('/proc', pid, 'cmdline'), 'utf8').replaceAll('\0', ' '))];
        } catch {
          return []; // It ended, or is another user's.
        }
      });
  const [command, ...args] =
    process.platform === 'win32'
      ? ['powershell', '-Command', 'Get-CimInstance Win32_Process | % { "$($_.ProcessId) $($_.CommandLine)" }']
      : ['ps', '-Ao', 'pid=,command='];
  const lines = spawnSync(command, args, { encoding: 'utf8' }).stdout.split('\n');
  return lines.filter((line) => line.includes(folder)).map((line) => sentence(line.trim().split(' ')[0], line));
}

/**
 * Sockets of runs; VS Code's own, which it leaves when it is killed, are in other folders.
 * @param {string} folder @returns {string[]}
 */
function sockets(folder) {
  // A folder of sockets has no folders. The other folders of the tests are not walked through: they may have links to anywhere.
  return readdirSync(folder)
    .filter((name) => /^deeptwist(-\d+)?$/.test(name))
    .flatMap((name) => entriesOf(join(folder, name)))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSocket())
    .map((path) => `A socket was left behind: ${path}`);
}

/** @param {string} folder which may be removed meanwhile @returns {string[]} paths */
function entriesOf(folder) {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Lets the handlers of `exit`, which end what a command has started, run where the command is interrupted. */
export function exitOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
}
