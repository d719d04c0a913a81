/** @file Starts a browser VS Code on a free port of this machine, and ends it with all that it started. */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATIENCE } from '../patience.js';
import { installEditor } from './install.js';

/**
 * @typedef {object} EditorOptions
 * @property {boolean} [trust] Workspace Trust: true (the default) trusts every folder, false asks as a fresh VS Code does.
 * @property {Record<string, unknown>} [settings] the user's settings.json
 * @property {string} [vsix] a package to install before the start
 * @property {NodeJS.ProcessEnv} [env] added to the environment of the extension host
 */

/**
 * @typedef {object} Editor
 * @property {string} origin `http://127.0.0.1:PORT`
 * @property {(window: Window) => string} url of a window
 * @property {() => string} log what the server printed
 * @property {() => Promise<void>} dispose ends the server and its extension hosts. Runs go on: they are nobody's children.
 */

/**
 * What a window opens.
 * @typedef {object} Window
 * @property {string} folder absolute
 * @property {string} [extension] the folder of an extension to load from its sources
 * @property {string} [file] absolute path of a file to open
 * @property {string} [tests] a module whose `run()` is called in the extension host
 */

/** Quiet: nothing that a test or a screenshot would trip over. */
const QUIET = {
  // As on a desktop. A browser's VS Code saves by itself, a second after somebody types.
  'files.autoSave': 'off',
  'telemetry.telemetryLevel': 'off',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'update.mode': 'none',
  'git.openRepositoryInParentFolders': 'never',
  'security.workspace.trust.startupPrompt': 'never',
  'chat.commandCenter.enabled': false,
};

/** @param {EditorOptions} options @returns {Promise<Editor>} */
export async function startEditor({ trust = true, settings = {}, vsix, env = {} } = {}) {
  const { node, main, flags } = await installEditor();
  const home = mkdtempSync(join(tmpdir(), 'deeptwist-editor-'));
  const logFile = join(home, 'server.log');
  const token = randomUUID();
  mkdirSync(join(home, 'data', 'User'), { recursive: true });
  writeFileSync(join(home, 'data', 'User', 'settings.json'), JSON.stringify({ ...QUIET, ...settings }));
  const folders = ['--server-data-dir', home, '--user-data-dir', join(home, 'data')];
  if (vsix !== undefined) installExtension(node, main, vsix, folders);

  const log = openSync(logFile, 'a');
  const server = spawn(
    node,
    [
      main,
      ...['--host', '127.0.0.1', '--port', '0', '--connection-token', token, '--accept-server-license-terms'],
      ...['--telemetry-level', 'off', ...folders, ...(trust ? ['--disable-workspace-trust'] : [])],
      ...flags,
    ],
    // A group of its own: its children are ended with it.
    { stdio: ['ignore', log, log], detached: true, env: { ...process.env, ...env } },
  );
  closeSync(log);
  const readLog = () => readFileSync(logFile, 'utf8');
  const kill = () => killTree(server.pid);
  const end = () => {
    kill();
    rmSync(home, { recursive: true, force: true });
  };
  process.once('exit', end);
  const dispose = async () => {
    kill();
    process.off('exit', end);
    if (server.exitCode === null && server.signalCode === null)
      await new Promise((resolve) => server.once('exit', resolve));
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };

  try {
    const origin = `http://127.0.0.1:${await listeningPort(server, readLog)}`;
    return { origin, url: (window) => windowUrl(origin, token, window), log: readLog, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** @param {string} node @param {string} main @param {string} vsix @param {string[]} folders */
function installExtension(node, main, vsix, folders) {
  const args = [main, '--install-extension', vsix, ...folders];
  const { status, stdout, stderr } = spawnSync(node, args, { encoding: 'utf8' });
  // The server's command line exits with 0 where an extension could not be installed.
  if (status !== 0 || !stdout.includes('was successfully installed'))
    throw new Error(`${vsix} could not be installed:\n${stdout}${stderr}`);
}

/** @param {import('node:child_process').ChildProcess} server @param {() => string} readLog @returns {Promise<number>} */
async function listeningPort(server, readLog) {
  const deadline = performance.now() + PATIENCE;
  while (performance.now() < deadline) {
    const port = /agent listening on (\d+)/.exec(readLog())?.[1];
    if (port !== undefined) return Number(port);
    if (server.exitCode !== null) throw new Error(`VS Code's server ended at once:\n${readLog()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`VS Code's server did not listen within ${PATIENCE / 1000} s:\n${readLog()}`);
}

/** @param {string} origin @param {string} token @param {Window} window */
function windowUrl(origin, token, { folder, extension, file, tests }) {
  const remote = (/** @type {string} */ path) => `vscode-remote://${new URL(origin).host}${path}`;
  const payload = [];
  if (extension !== undefined) payload.push(['extensionDevelopmentPath', remote(extension)]);
  if (file !== undefined) payload.push(['openFile', remote(file)]);
  if (tests !== undefined) payload.push(['extensionTestsPath', remote(tests)]);
  const url = new URL(origin);
  url.searchParams.set('tkn', token);
  url.searchParams.set('folder', folder);
  if (payload.length > 0) url.searchParams.set('payload', JSON.stringify(payload));
  return url.href;
}

/** @param {number | undefined} pid */
function killTree(pid) {
  if (pid === undefined) return;
  try {
    if (process.platform === 'win32') spawnSync('taskkill', ['/pid', String(pid), '/T', '/F']);
    else process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
