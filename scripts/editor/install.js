/**
 * @file A VS Code that needs no desktop and no download besides npm's registry: the VS Code server that the package
 * `code-server` carries, run by plain Node and shown by a browser. Installed once, in `.cache/code-server/VERSION`. There are two of
 * them: the oldest VS Code that the extension is for, and with `DEEPTWIST_EDITOR=newest` in the environment the newest that is known here.
 *
 * The package's installation scripts compile native modules, which takes compilers and header packages. None is needed:
 * the terminal's and the search's binaries come from packages that carry them ready-made, the log's module is replaced
 * by `spdlog.js` beside this file, and the rest (kerberos, a watchdog, a device id) is loaded by nothing we use.
 */
import { copyFileSync, cpSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fetchPackage, makeFolder } from '../cachedPackage.js';
import { npm } from '../execute.js';
import { bring, fail } from '../needs.js';
import { nodeExecutable, nodeVersions, otherNode } from '../otherNode.js';
import { root } from '../root.js';

/** The packages in the place of `code-server`'s own ripgrep and node-pty: they have the binaries of every platform in packages of their own. */
const RIPGREP = `@vscode/ripgrep-${process.platform}-${process.arch}`;
const NODE_PTY = 'node-pty@npm:@lydell/node-pty@1.1.0';

/**
 * @typedef {object} EditorVersion
 * @property {string} version of the package: `4.100.3` has VS Code 1.100.3
 * @property {string} sha512 of the package
 * @property {string[]} packages that are installed beside those of the package
 * @property {string[]} [flags] further arguments of the server
 * @property {import('../otherNode.js').NodeVersion} [node] the Node that it needs, where another one than that of this process
 */

/** Their versions rise by hand: the newest with each release, the oldest with `engines.vscode` of package.json. @satisfies {Record<string, EditorVersion>} */
const editors = {
  oldest: {
    version: '4.100.3',
    sha512: 'q/Fh2DOxCRNhC/WiG/6sAhSKnj7ZACTVBaeeZ+rWjol//0FCbl/qg1ln5ecZ99jYcfqMxZZAyWcN+YBIo0DgpA==',
    packages: [NODE_PTY, `${RIPGREP}@1.18.0`],
  },
  newest: {
    version: '4.139.1',
    sha512: 'fUYvJVdz4ZoVJfakGiGWXFMpF8K1ObsrpGvX17ZxNpKOzdNHs7lANT670JTr4ZhA8DnWqyvvmFG/d3HV9Yy6ew==',
    packages: [NODE_PTY],
    // Without it, it loads no extension from its sources. It has its price: of notifications, only those that are urgent are shown.
    flags: ['--enable-smoke-test-driver'],
    node: nodeVersions[24],
  },
};

/** @returns {EditorVersion} */
function chosenEditor() {
  const name = process.env.DEEPTWIST_EDITOR ?? 'oldest';
  if (name in editors) return editors[/** @type {keyof typeof editors} */ (name)];
  return fail(`DEEPTWIST_EDITOR is ${name}; it is one of ${Object.keys(editors).join(', ')}.`);
}

const chosen = chosenEditor();
const cache = join(root, '.cache', 'code-server');
/** Raised when the steps below change. */
const installed = join(cache, `${chosen.version}-3`);

/** Extensions that come with the editor and would only disturb: it asks to sign in. */
const UNWANTED = ['copilot'];

/** @param {string} folder an empty folder, which gets `package/lib/vscode` */
async function installInto(folder) {
  const { version, sha512, packages } = chosen;
  await fetchPackage(folder, { name: 'code-server', version, sha512 }, ['package/lib/vscode']);
  const server = join(folder, 'package', 'lib', 'vscode');
  const install = ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
  await npm(server, [...install, ...packages]);
  await npm(join(server, 'extensions'), install);
  const modules = join(server, 'node_modules');
  const place = process.platform === 'win32' ? copyFolder : linkFolder;
  const ripgrep = join(modules, RIPGREP, 'bin');
  if (existsSync(ripgrep)) place(ripgrep, join(modules, '@vscode', 'ripgrep', 'bin'));
  // The browser asks for some of the modules under this name.
  place(modules, join(server, 'node_modules.asar'));
  const log = join(modules, '@vscode', 'spdlog');
  copyFileSync(join(import.meta.dirname, 'spdlog.js'), join(log, 'index.mjs'));
  writeFileSync(join(log, 'package.json'), JSON.stringify({ name: '@vscode/spdlog', main: 'index.mjs' }));
  for (const name of UNWANTED) rmSync(join(server, 'extensions', name), { recursive: true, force: true });
}

/** @param {string} target @param {string} path */
function linkFolder(target, path) {
  symlinkSync(relative(dirname(path), target), path);
}

/** Windows makes links only for administrators. @param {string} target @param {string} path */
function copyFolder(target, path) {
  cpSync(target, path, { recursive: true });
}

/** @type {import('../needs.js').Need} about 70 MB to download, 350 MB on disk; the newest, 180 MB and 700 MB */
const server = {
  doing: `Installing a VS Code for the browser (code-server ${chosen.version}) in ${cache}`,
  isMissing: () => !existsSync(installed),
  bring: () => makeFolder(installed, installInto),
};

/** The editor, and the Node that runs it. */
export const editor = [...(chosen.node ? [otherNode(chosen.node)] : []), server];

/**
 * Installs the editor where it is not installed yet.
 * @returns {Promise<{ node: string, main: string, flags: string[] }>} how its server is started: the Node, the main module, further arguments
 */
export async function installEditor() {
  await bring(editor);
  return {
    node: chosen.node ? nodeExecutable(chosen.node) : process.execPath,
    main: join(installed, 'package', 'lib', 'vscode', 'out', 'server-main.js'),
    flags: chosen.flags ?? [],
  };
}
