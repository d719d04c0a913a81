/**
 * @file What `npm start`, `npm test` and `npm run bench` need before they can run: the right Node, the packages of the
 * lock files, the generated and bundled code. Uses Node alone, since it runs before any package is installed.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './execute.js';
import { bring, fail } from './needs.js';
import { root } from './root.js';

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
 * True where every package of the lock file is installed in its version. `node_modules/.package-lock.json` is npm's own
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

/** @param {string} folder @returns {import('./needs.js').Need} the packages of its lock file */
function packagesOf(folder) {
  return {
    doing: `Installing the packages of ${join(folder, 'package-lock.json')}`,
    isMissing: () => !isInstalled(folder),
    bring: () =>
      npm(folder, ['ci', '--ignore-scripts', '--no-audit', '--no-fund']).catch((error) => {
        throw new Error(`${error.message}\nCheck the network and npm's registry setting.`);
      }),
  };
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

/** @returns {boolean} whether a source, the build itself or a package is newer than the last output of the build */
function isStale() {
  const built = join(root, 'dist', 'experiment.schema.json');
  const sources = Math.max(
    ...['server', 'extension', 'webview', 'runtime', 'scripts'].map((folder) => newest(join(root, folder))),
    statSync(join(root, 'package-lock.json')).mtimeMs,
  );
  return !existsSync(built) || statSync(built).mtimeMs <= sources;
}

/** @type {import('./needs.js').Need} */
const bundles = {
  doing: 'Building the command line and the extension',
  isMissing: isStale,
  bring: async () => (await import('./build.js')).build(),
};

/**
 * Makes the checkout ready to run: packages, the examples' packages (their data sets), generated and bundled code.
 * Ends the process with a sentence, where something is missing that cannot be brought.
 * @param {{ editor?: boolean, browser?: boolean, needs?: readonly import('./needs.js').Need[] }} [options] `editor`: a VS Code for the
 *   browser is needed, too; `browser`: one to drive it; `needs`: what else
 */
export async function setUp(options = {}) {
  checkNode();
  // An old Node cannot read these modules.
  const { browser } = await import('./editor/chromium.js');
  const { editor } = await import('./editor/install.js');
  try {
    await bring([
      // First, since it is the one that may be for the user to install.
      ...(options.browser ? [browser] : []),
      packagesOf(root),
      packagesOf(join(root, 'examples')),
      ...(options.editor ? editor : []),
      ...(options.needs ?? []),
      bundles,
    ]);
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}
