/** @file Finds the browser that the tests in a real editor need; on a Debian where the user is root, installs it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execute, findOnPath } from '../execute.js';
import { root } from '../root.js';

const names = [
  ...['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
  ...['microsoft-edge', 'microsoft-edge-stable', 'msedge'],
];
const elsewhere = [
  ...['Google Chrome', 'Chromium', 'Microsoft Edge'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`),
  ...[process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA].flatMap((folder) =>
    ['Google/Chrome/Application/chrome.exe', 'Microsoft/Edge/Application/msedge.exe'].map((path) =>
      folder === undefined ? '' : join(folder, path),
    ),
  ),
];

/** @returns {string | undefined} `CHROMIUM` of the environment, else the first browser that is found and can be started */
function installedChromium() {
  const named = process.env.CHROMIUM;
  if (named !== undefined && !existsSync(named))
    throw new Error(`The environment variable CHROMIUM names ${named}, which does not exist.`);
  const extension = process.platform === 'win32' ? '.exe' : '';
  const onPath = findOnPath(names.map((name) => name + extension));
  return named ?? [...onPath, ...elsewhere.filter((path) => existsSync(path))].find(canStart);
}

/**
 * Tells a browser from Ubuntu's `chromium-browser`, which only says how to install one.
 * @param {string} path @returns {boolean}
 */
function canStart(path) {
  // On Windows, Chrome opens a window whatever its arguments are.
  return process.platform === 'win32' || spawnSync(path, ['--version']).status === 0;
}

/** Looks for a font to draw text with: a Linux without a desktop has none. */
function hasFonts() {
  const home = homedir();
  const folders = [
    '/usr/share/fonts',
    '/usr/local/share/fonts',
    join(home, '.fonts'),
    join(home, '.local/share/fonts'),
  ];
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    .some((name) => /\.(ttf|otf|ttc)$/i.test(name));
}

const isDebian = () => findOnPath(['apt-get']).length > 0;

/** @returns {string[]} the packages of Debian that are missing */
function missingPackages() {
  const chromium = installedChromium() === undefined ? ['chromium'] : [];
  return isDebian() && !hasFonts() ? [...chromium, 'fonts-dejavu-core'] : chromium;
}

const NEEDED = 'The tests in a real editor need Chromium, Chrome or Edge';

/**
 * The browser's executable.
 * @returns {string}
 * @throws an Error that says what is missing
 */
export function findChromium() {
  const found = installedChromium();
  if (found !== undefined) return found;
  throw new Error(
    `${NEEDED}, and none was found. Install one, or name its executable in the environment variable CHROMIUM.`,
  );
}

/** @type {import('../needs.js').Need} */
export const browser = {
  doing: 'Installing Chromium and a font by apt-get',
  isMissing() {
    const missing = missingPackages();
    if (missing.length === 0) return false;
    if (!isDebian()) findChromium();
    if (process.getuid?.() !== 0)
      throw new Error(`${NEEDED}, and a font. Install them: sudo apt-get install ${missing.join(' ')}`);
    return true;
  },
  async bring() {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    // Another installation may be running; it ends by itself.
    const apt = ['-o', 'DPkg::Lock::Timeout=600', '-qq'];
    const install = [...apt, 'install', '-y', '--no-install-recommends', ...missingPackages()];
    await execute(root, 'apt-get', [...apt, 'update'], env);
    await execute(root, 'apt-get', install, env);
    findChromium();
  },
};
