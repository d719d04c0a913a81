/** @file Commands that the scripts run: where they are on the PATH, and what they print where they fail. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';

/**
 * @param {string} cwd @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<void>}
 * @throws an Error with the command, its folder and what it printed, where it fails
 */
export function execute(cwd, command, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const shell = command === 'npm' && process.platform === 'win32';
    const child = spawn(command, args, { cwd, env, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    const line = `${command} ${args.join(' ')}`;
    child.on('error', (error) => reject(new Error(`${line} could not be started in ${cwd}: ${error.message}`)));
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${line} failed in ${cwd}:\n${output.trim()}`)),
    );
  });
}

/**
 * Runs npm: the one that runs this script, or else the one on the PATH.
 * @param {string} cwd @param {string[]} args @returns {Promise<void>}
 * @throws an Error with what npm printed, where it fails
 */
export function npm(cwd, args) {
  const own = process.env.npm_execpath;
  // Other package managers put their own path into the variable.
  return own !== undefined && basename(own) === 'npm-cli.js'
    ? execute(cwd, process.execPath, [own, ...args])
    : execute(cwd, 'npm', args);
}

/** @param {readonly string[]} names @returns {string[]} the files of these names on the PATH, in its order */
export function findOnPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).filter((path) => existsSync(path));
}
