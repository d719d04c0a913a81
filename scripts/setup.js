/**
 * @file What `npm start`, `npm test` and `npm run bench` need before they can run: the right Node, the packages of the
 * lock files, the generated and bundled code. Uses Node alone, since it runs before any package is installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.js';

/** Ends the process with a message instead of a stack trace. @param {string} message @returns {never} */
export function fail(message) {
  console.error(`deeptwist: ${message}`);
  process.exit(1);
}

/** @param {string} file @returns {any} */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Ends the process where Node is older than `engines.node` of package.json asks for. */
function checkNode() {
  const wanted = readJson(join(root, 'package.json')).engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  fail(`Node ${wanted} or newer is needed; this is Node ${process.versions.node}. Install it from https://nodejs.org.`);
}

/**
 * Whether every package of the lock file is installed in its version. `node_modules/.package-lock.json` is npm's own
 * record of what it installed, written last, so an interrupted installation has none. Packages for other platforms
 * are optional and may be missing.
 * @param {string} folder @returns {boolean}
 */
function isInstalled(folder) {
  const record = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readJson(record).packages;
  return Object.entries(readJson(join(folder, 'package-lock.json')).packages).every(
    ([path, { version, optional }]) =>
      path === '' || (installed[path] ? installed[path].version === version : optional),
  );
}

/** Installs the packages of a folder's lock file where they differ from it. @param {string} folder */
function install(folder) {
  if (isInstalled(folder)) return;
  console.log(`Installing the packages of ${join(folder, 'package-lock.json')}`);
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status, error } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: folder, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) {
    fail(
      `npm ci failed in ${folder}${error ? ` (${error.message})` : ''}. Check the network and npm's registry setting.`,
    );
  }
}

/** @param {string} folder @returns {number} newest modification time of the files below a folder, ms */
function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'generated') continue;
    const path = join(folder, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return time;
}

/** Runs the build where a source, the build itself or a package is newer than its last output. */
async function buildIfStale() {
  const built = join(root, 'dist', 'experiment.schema.json');
  const sources = Math.max(
    ...['server', 'extension', 'webview', 'scripts'].map((folder) => newest(join(root, folder))),
    statSync(join(root, 'package-lock.json')).mtimeMs,
  );
  if (existsSync(built) && statSync(built).mtimeMs > sources) return;
  const { build } = await import('./build.js');
  await build();
}

/** Makes the checkout ready to run: packages, the examples' packages (their data sets), generated and bundled code. */
export async function setUp() {
  checkNode();
  install(root);
  install(join(root, 'examples'));
  await buildIfStale();
}
