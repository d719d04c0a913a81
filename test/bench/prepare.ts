/** @file Folders and commands that prepare a rival below `.cache/bench/`, once. The working folder is the checkout. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

/** A folder below `.cache/bench/`, made where it is missing. */
export function cacheFolder(name: string): string {
  const folder = resolve('.cache', 'bench', name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** True for a command that can be run and ends with 0. */
export function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Runs a command to its end; throws, with the end of what it wrote, when it fails. */
export function runCommand(command: string, args: readonly string[], folder = '.'): void {
  console.log(`  > ${command} ${args.join(' ')}`);
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`${command} failed (${error?.message ?? `exit code ${status}`}):\n${(stdout + stderr).slice(-2000)}`);
}
