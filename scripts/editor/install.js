/**
 * @file A VS Code that needs no desktop and no download besides npm's registry: the VS Code server that the package
 * `code-server` carries, run by plain Node and shown by a browser. Installed once, in `.cache/code-server/VERSION`.
 *
 * The package's installation scripts compile native modules, which takes compilers and header packages. None is needed:
 * the terminal's and the search's binaries come from packages that carry them ready-made, the log's module is replaced
 * by `spdlog.js` beside this file, and the rest (kerberos, a watchdog, a device id) is loaded by nothing we use.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { execute, npm } from '../execute.js';
import { bring } from '../needs.js';
import { root } from '../root.js';

const VERSION = '4.100.3';
const SHA512 = 'q/Fh2DOxCRNhC/WiG/6sAhSKnj7ZACTVBaeeZ+rWjol//0FCbl/qg1ln5ecZ99jYcfqMxZZAyWcN+YBIo0DgpA==';
/** As `code-server`'s own node-pty and ripgrep, with the binaries of every platform in packages of their own. */
const NODE_PTY = 'node-pty@npm:@lydell/node-pty@1.1.0';
const RIPGREP = `@vscode/ripgrep-${process.platform}-${process.arch}`;
const RIPGREP_VERSION = '1.18.0';

const cache = join(root, '.cache', 'code-server');
/** Raised when the steps below change. */
const installed = join(cache, `${VERSION}-3`);

/** Removes what installations left behind whose process is gone. */
function removeAbandoned() {
  for (const name of readdirSync(cache)) {
    const owner = /^installing-(\d+)$/.exec(name);
    if (!owner) continue;
    try {
      process.kill(Number(owner[1]), 0);
    } catch {
      rmSync(join(cache, name), { recursive: true, force: true });
    }
  }
}

/** @param {string} folder an empty folder, which gets `package/lib/vscode` */
async function installInto(folder) {
  await npm(folder, ['pack', `code-server@${VERSION}`]);
  const archive = `code-server-${VERSION}.tgz`;
  const hash = createHash('sha512')
    .update(readFileSync(join(folder, archive)))
    .digest('base64');
  if (hash !== SHA512) throw new Error(`The registry's code-server ${VERSION} is not the package that was expected.`);
  await execute(folder, 'tar', ['xzf', archive, 'package/lib/vscode']);
  rmSync(join(folder, archive));

  const server = join(folder, 'package', 'lib', 'vscode');
  const install = ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
  await npm(server, [...install, NODE_PTY, `${RIPGREP}@${RIPGREP_VERSION}`]);
  await npm(join(server, 'extensions'), install);
  const modules = join(server, 'node_modules');
  const place = process.platform === 'win32' ? copyFolder : linkFolder;
  place(join(modules, RIPGREP, 'bin'), join(modules, '@vscode', 'ripgrep', 'bin'));
  // The browser asks for some of the modules under this name.
  place(modules, join(server, 'node_modules.asar'));
  const log = join(modules, '@vscode', 'spdlog');
  copyFileSync(join(import.meta.dirname, 'spdlog.js'), join(log, 'index.mjs'));
  writeFileSync(join(log, 'package.json'), JSON.stringify({ name: '@vscode/spdlog', main: 'index.mjs' }));
}

/** @param {string} target @param {string} path */
function linkFolder(target, path) {
  symlinkSync(relative(dirname(path), target), path);
}

/** Windows makes links only for administrators. @param {string} target @param {string} path */
function copyFolder(target, path) {
  cpSync(target, path, { recursive: true });
}

/** The server's main module. */
const main = join(installed, 'package', 'lib', 'vscode', 'out', 'server-main.js');

/**
 * About 70 MB to download, 350 MB on disk. Several processes may install it at a time; the first to finish wins. Half an
 * installation is never used: it gets its name when it is complete.
 * @type {import('../needs.js').Need}
 */
export const editor = {
  doing: `Installing a VS Code for the browser (code-server ${VERSION}) in ${cache}`,
  isMissing: () => !existsSync(installed),
  async bring() {
    mkdirSync(cache, { recursive: true });
    removeAbandoned();
    const folder = join(cache, `installing-${process.pid}`);
    mkdirSync(folder);
    try {
      await installInto(folder);
      renameSync(folder, installed);
    } catch (error) {
      if (!existsSync(installed)) throw error;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/**
 * The server's main module, of an editor that is installed where it is not.
 * @returns {Promise<string>}
 */
export async function installEditor() {
  await bring([editor]);
  return main;
}
