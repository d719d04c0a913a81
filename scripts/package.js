/**
 * @file `npm run package [-- --target linux-x64]`: the extension as a `.vsix` per platform, in `out/packages/`. A package is
 * made of a folder that has what the extension runs and nothing else: the bundles without their source maps, and of the
 * packages outside the bundles the files that Node loads, with the native library of the one platform.
 */
import { copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript';
import { fail } from './needs.js';
import { selfContained } from './packageTexts.js';
import { root } from './root.js';
import { setUp } from './setup.js';

/** VS Code's name of a platform: that of ONNX Runtime's folder. */
const TARGETS = {
  'linux-x64': 'linux/x64',
  'linux-arm64': 'linux/arm64',
  'darwin-arm64': 'darwin/arm64',
  'win32-x64': 'win32/x64',
  'win32-arm64': 'win32/arm64',
};
/** @typedef {keyof typeof TARGETS} Target */

/** True for a platform that has a package. @param {string} name @returns {name is Target} */
export function isTarget(name) {
  return name in TARGETS;
}

/** The plugin of TypeScript's server. */
const PLUGIN = 'deeptwist-tfjs-types';
const NATIVE = 'node_modules/onnxruntime-node/bin/napi-v6';
/** Folders with WebAssembly that is found beside the code that loads it. */
const WASM = ['node_modules/@tensorflow/tfjs-backend-wasm/dist', 'node_modules/@jsquash/jpeg/codec/dec'];

/** What stays outside the bundles, as the bundles ask for it, and Babel, which `jiti` requires when it is needed. See `external` of build.js. */
const loaded = `
  import 'jiti';
  import 'jiti/static';
  import 'onnxruntime-node';
  import '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
  require('@tensorflow/tfjs');
  require('@tensorflow/tfjs-backend-wasm');`;

/**
 * @param {string} file `…/node_modules/@scope/name/dist/cjs/index.js`
 * @returns {string[]} its folders, up to that of its package
 */
function foldersOf(file) {
  const own = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? '';
  const folders = [];
  for (let folder = dirname(file); folder.length >= own.length; folder = dirname(folder)) folders.push(folder);
  return folders;
}

/** The declarations of the packages that a model's module imports, which the plugin of TypeScript's server gives to the editor. */
const DECLARATIONS = 'node_modules/@tensorflow/tfjs/dist/index.d.ts';

/** @returns {string[]} {@link DECLARATIONS} and all that it imports, from the root */
function declarationFiles() {
  const program = ts.createProgram([join(root, DECLARATIONS)], {
    noLib: true,
    types: [],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  });
  return program.getSourceFiles().map(({ fileName }) => relative(root, fileName).replaceAll('\\', '/'));
}

/** @returns {Promise<string[]>} the files of packages that Node and the editor load, with their manifests and licences, from the root */
export async function runtimeFiles() {
  const esbuild = await import('esbuild');
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    stdin: { contents: loaded, resolveDir: root },
    bundle: true,
    write: false,
    metafile: true,
    outdir: 'out',
    platform: 'node',
    format: 'cjs',
    mainFields: ['main'],
    loader: { '.node': 'empty' },
    logLevel: 'error',
  });
  const bundled = Object.keys(metafile.inputs).filter(
    (path) => path.startsWith('node_modules/') && !path.endsWith('.node'),
  );
  const files = [...bundled, ...declarationFiles()];
  const about = [...new Set(files.flatMap(foldersOf))].flatMap((folder) =>
    readdirSync(join(root, folder))
      // A folder in a package may have a manifest, too: it says whether its files are ES modules.
      .filter((name) => name === 'package.json' || /^(licen[cs]e|notice|thirdpartynotices)/i.test(name))
      .map((name) => `${folder}/${name}`),
  );
  const wasm = WASM.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.wasm'))
      .map((name) => `${folder}/${name}`),
  );
  return [...files, ...about, ...wasm];
}

/**
 * The native files of a platform. Of a library that is there under two names, as a link would be, the one that is loaded.
 * @param {Target} target @returns {string[]}
 */
function nativeFiles(target) {
  const folder = `${NATIVE}/${TARGETS[target]}`;
  const names = readdirSync(join(root, folder));
  const binding = readFileSync(join(root, folder, 'onnxruntime_binding.node'), 'latin1');
  return names
    .filter((name) => !name.endsWith('.dylib') || binding.includes(`/${name}`))
    .map((name) => `${folder}/${name}`);
}

/** @param {string} folder @param {Target} target */
async function stage(folder, target) {
  rmSync(folder, { recursive: true, force: true });
  const copy = (/** @type {string} */ from, /** @type {string} */ to) => {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    copyFileSync(join(root, from), join(folder, to));
  };
  const isShipped = (/** @type {string} */ path) => !path.endsWith('.map');
  for (const name of ['dist', 'media', 'l10n', 'syntaxes', 'skills', 'bin'])
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: isShipped });
  const packed = manifest();
  for (const name of ['LICENSE', 'package.nls.json']) copy(name, name);
  for (const name of ['README.md', 'CHANGELOG.md']) {
    const text = readFileSync(join(root, name), 'utf8');
    writeFileSync(join(folder, name), packed.repository === undefined ? selfContained(text, root) : text);
  }
  // Beside the bundles: vsce leaves out the folder node_modules of the root.
  const { thirdPartyNotices } = await import('./notices.js');
  const shipped = await runtimeFiles();
  for (const file of [...shipped, ...nativeFiles(target)]) copy(file, join('dist', file));
  // TypeScript's server looks for a plugin among the packages of the extension.
  cpSync(join(root, 'extension', 'tfjsTypes'), join(folder, 'node_modules', PLUGIN), { recursive: true });
  writeFileSync(join(folder, 'ThirdPartyNotices.txt'), await thirdPartyNotices(shipped));
  // All that is here is meant; without this file vsce doubts it.
  writeFileSync(join(folder, '.vscodeignore'), '');
  const { version } = JSON.parse(readFileSync(join(root, 'extension', 'tfjsTypes', 'package.json'), 'utf8'));
  // vsce packs those of node_modules that are dependencies.
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ ...packed, dependencies: { [PLUGIN]: version } }, null, 2),
  );
}

/** The manifest without what only the checkout needs. */
function manifest() {
  const {
    scripts,
    dependencies,
    devDependencies,
    peerDependencies,
    peerDependenciesMeta,
    overrides,
    private: _private,
    ...rest
  } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return rest;
}

/** Makes one package. @param {Target} target @returns {Promise<string>} its path */
export async function packageExtension(target) {
  const folder = join(root, 'out', 'stage', target);
  const { name, version, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const packagePath = join(root, 'out', 'packages', `${name}-${target}-${version}.vsix`);
  mkdirSync(dirname(packagePath), { recursive: true });
  await stage(folder, target);
  const { createVSIX } = await import('@vscode/vsce');
  await createVSIX({
    cwd: folder,
    packagePath,
    target,
    useYarn: false,
    allowMissingRepository: repository === undefined,
    rewriteRelativeLinks: repository !== undefined,
  });
  rmSync(folder, { recursive: true });
  return packagePath;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { target: { type: 'string', multiple: true } } });
  const all = /** @type {Target[]} */ (Object.keys(TARGETS));
  const wrong = values.target?.find((name) => !isTarget(name));
  if (wrong !== undefined) fail(`there is no package for ${wrong}. Platforms: ${all.join(', ')}.`);
  await setUp();
  for (const target of /** @type {Target[]} */ (values.target ?? all)) {
    const path = await packageExtension(target);
    console.log(`${relative(root, path)}: ${(statSync(path).size / 1e6).toFixed(1)} MB`);
  }
}
