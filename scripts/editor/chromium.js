/** @file Finds the browser that the tests in a real editor need; on a Debian where the user is root, installs it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'];
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ...[process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA].flatMap((folder) =>
    folder === undefined ? [] : [join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe')],
  ),
];

/** @returns {string | undefined} */
function installedChromium() {
  const extension = process.platform === 'win32' ? '.exe' : '';
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const onPath = folders.flatMap((folder) => names.map((name) => join(folder, name + extension)));
  return [process.env.CHROMIUM, ...onPath, ...elsewhere].find((path) => path !== undefined && existsSync(path));
}

const INSTALL = ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'];

/**
 * The browser's executable: `CHROMIUM` of the environment, else the first that is found.
 * @returns {string}
 * @throws an Error that names what to install
 */
export function findChromium() {
  const found = installedChromium();
  if (found !== undefined) return found;
  const needed = 'The tests in a real editor need Chromium or Chrome, and none was found.';
  const debian = existsSync('/usr/bin/apt-get');
  if (!debian) throw new Error(`${needed} Install one, or name its executable in the environment variable CHROMIUM.`);
  if (process.getuid?.() !== 0) throw new Error(`${needed} Install it: sudo ${INSTALL.join(' ')}`);
  console.error(`Installing Chromium: ${INSTALL.join(' ')}`);
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status } = spawnSync(INSTALL[0], INSTALL.slice(1), { stdio: ['ignore', 'ignore', 'inherit'], env });
  const chromium = installedChromium();
  if (status === 0 && chromium !== undefined) return chromium;
  throw new Error(`${needed} Installing it failed: ${INSTALL.join(' ')}`);
}
